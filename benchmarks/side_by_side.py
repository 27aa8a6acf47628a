"""The same history through other tools, in the same run: git fetching it as signed commits, Loro importing it.

Neither does our work: git checks object hashes but no signature and no rule, Loro checks and encrypts nothing. They
show what moving and merging so many small changes costs elsewhere.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import Figure, child_cpu, spent
from chaise_cli.crypto import signing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT: Final = "Tracking is in place; the next report comes on Friday. Tell me when the pixel fires there. Lisa"
EVENTS: Final = 20_000


def figures(folder: Path, notes: list[str], total: int = EVENTS) -> list[Figure]:
    """Rates of other tools over `total` small messages; `notes` names those that are not installed."""
    found = []
    if shutil.which("git"):
        found.append(Figure("git fetch of signed commits", total / _git(folder, total), "commits/s of CPU"))
    else:
        notes.append("git is not installed, so it is not shown")
    if find_spec("loro"):
        found.append(Figure("Loro import of the same texts", total / _loro(total), "changes/s of CPU"))
    else:
        notes.append("loro is not installed, so it is not shown")
    return found


def _git(folder: Path, total: int) -> float:
    """CPU seconds of both ends of a `git fetch` of two branches into an empty repository."""
    source, sink = folder / "source.git", folder / "sink.git"
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    for repository in (source, sink):
        subprocess.run(["git", "init", "--quiet", "--bare", repository], env=environment, check=True)
    stream = b"".join(_commits(total))
    load = ["git", "-C", str(source), "fast-import", "--quiet"]
    subprocess.run(load, input=stream, env=environment, check=True)
    fetch = ["git", "-C", str(sink), "fetch", "--quiet", f"file://{source}", "+refs/heads/*:refs/heads/*"]
    return child_cpu(fetch, environment)


def _commits(total: int) -> Iterator[bytes]:
    """Two people's commits in git's import format, each with a signature of its writer over its text."""
    signer = signing.Ed25519Signer(bytes(32))
    for number in range(total):
        text = f"{number} {TEXT}".encode()
        said = text + b"\n\n" + base64.b64encode(signer.sign(signing.TAGS.event, text)) + b"\n"
        who = "lisa" if number % 2 else "james"
        yield f"commit refs/heads/{who}\ncommitter {who} <{who}@example.org> {1_795_000_000 + number} +0000\n".encode()
        yield f"data {len(said)}\n".encode() + said + b"\n"


def _loro(total: int) -> float:
    """CPU seconds to import two people's updates, a commit a text, into an empty document."""
    loro: Any = import_module("loro")
    updates = []
    for peer in (1, 2):
        document = loro.LoroDoc()
        document.peer_id = peer
        said = document.get_list("messages")
        for number in range(total // 2):
            said.push(f"{number} {TEXT}")
            document.commit()
        updates.append(document.export(loro.ExportMode.Updates(loro.VersionVector())))
    empty = loro.LoroDoc()
    with spent() as taken:
        for update in updates:
            empty.import_(update)
    return taken.cpu[0]
