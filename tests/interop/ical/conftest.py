from __future__ import annotations

import json
import os
import shutil
import subprocess
import zoneinfo
from ctypes.util import find_library
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READER = Path(__file__).with_name("read_with_icaljs.mjs")
OTHERS = Path(__file__).with_name("read_with_others.py")


@pytest.fixture(autouse=True, scope="module")
def _pinned_zone_data() -> Iterator[None]:
    """Zones come from the pinned tzdata package, whatever the machine has installed."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()


def _missing(what: str) -> NoReturn:
    """A foreign reader that is not here skips on a developer's machine and fails in the full check."""
    if os.environ.get("CHAISE_FOREIGN_REQUIRED") == "1":
        pytest.fail(f"{what} is required and was not found")
    pytest.skip(f"{what} was not found")


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of programs of an environment with other calendars; processes of their own, never imported here."""
    folder = Path(os.environ.get("CHAISE_CALENDARS") or ".foreign/calendars").absolute() / "bin"
    if not (folder / "khal").is_file():
        _missing("khal (an environment in CHAISE_CALENDARS or ./.foreign/calendars)")
    return folder


@pytest.fixture(scope="session")
def others(programs: Path) -> Callable[[str, dict[str, bytes]], dict[str, Any]]:
    """A call that hands files by name to one of the readers and returns what it read of each; see the script."""

    def read(reader: str, files: dict[str, bytes]) -> dict[str, Any]:
        if reader == "libical" and find_library("ical") != "libical.so.3":
            _missing("libical 3")
        done = subprocess.run(
            [programs / "python", OTHERS, reader],
            input=json.dumps({name: data.decode() for name, data in files.items()}).encode(),
            stdout=subprocess.PIPE,
            env={**os.environ, "TZ": "Pacific/Chatham", "PYTHONTZPATH": ""},  # zones of the pinned package as well
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return read


@pytest.fixture(scope="session")
def icaljs() -> Callable[[dict[str, Any]], Any]:
    """A call that hands its argument to ical.js and returns what it read; see the script for both shapes."""
    node = shutil.which("node")
    if node is None:
        _missing("node")
    modules = Path(os.environ.get("CHAISE_NODE_MODULES") or "node_modules")
    library = modules.absolute() / "ical.js" / "dist" / "ical.js"
    if not library.is_file():
        _missing("the npm package ical.js (in CHAISE_NODE_MODULES or ./node_modules)")

    def read(question: dict[str, Any]) -> Any:
        # Under a zone of no interest: a reader that fell back to local time would show.
        done = subprocess.run(
            [node, READER, library],
            input=json.dumps(question).encode(),
            stdout=subprocess.PIPE,
            env={**os.environ, "TZ": "Pacific/Chatham"},
            check=True,
        )
        return json.loads(done.stdout)

    return read
