from __future__ import annotations

import json
import os
import shutil
import subprocess
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READER = Path(__file__).with_name("read_with_icaljs.mjs")


@pytest.fixture(autouse=True, scope="package")
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
