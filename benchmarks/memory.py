"""The most memory that each side of a cold sync holds: through a folder, over HTTP, over standard streams.

Every side is a process of its own, so that its memory is that of the sync alone.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import world
from benchmarks.measure import Figure
from benchmarks.pull import peak

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

MIB: Final = 1024 * 1024
BAR: Final = 200  # MiB


def figures(folder: Path, full: Session, key_file: Path) -> list[Figure]:
    """A home that holds everything, and three more devices of the same person that fetch it."""
    shared = folder / "cold"
    shared.mkdir()
    written = pull(full.home.path, key_file, str(shared))
    read = _fetch(folder, full, "reader", str(shared))
    over_http, served = _over_http(folder, full, key_file)
    told = folder / "told.json"
    far = [sys.executable, "-m", "benchmarks.pull", str(full.home.path), str(key_file), f"stdio:{told}"]
    over_stdio = _fetch(folder, full, "piped", f"exec:{shlex.join(far)}")
    answered = json.loads(told.read_text())["peak"]
    sides = {
        "folder, written": written["peak"],
        "folder, read": read["peak"],
        "peer over HTTP, serving": served,
        "peer over HTTP, fetching": over_http["peak"],
        "peer over stdio, serving": answered,
        "peer over stdio, fetching": over_stdio["peak"],
    }
    return [Figure(f"cold {side}, most memory", held / MIB, "MiB", BAR) for side, held in sides.items()]


def pull(home: Path, key_file: Path, place: str) -> dict[str, Any]:
    """What `benchmarks.pull` tells."""
    argv = [sys.executable, "-m", "benchmarks.pull", str(home), str(key_file), place]
    taken: dict[str, Any] = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)
    assert not taken["problems"], taken
    return taken


def _fetch(folder: Path, full: Session, name: str, place: str) -> dict[str, Any]:
    empty = world.joined(folder, full, name)
    path = empty.home.path
    empty.close()
    taken = pull(path, folder / f"{name}.key", place)
    held = full.db.execute("SELECT count(*) FROM event").fetchone()[0]
    assert taken["events"] > held * 0.9, (name, taken, held)
    return taken


def _over_http(folder: Path, full: Session, key_file: Path) -> tuple[dict[str, Any], int]:
    argv = [sys.executable, "-m", "chaise_cli", "--home", str(full.home.path), "--key-file", str(key_file)]
    serve = [*argv, "peer", "serve", "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["data"]["at"]
            return _fetch(folder, full, "caller", url), peak(process.pid)
        finally:
            process.terminate()
