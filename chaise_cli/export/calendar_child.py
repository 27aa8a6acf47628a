"""Reads a stranger's calendar in a process of its own: no key, no store, little memory, and it may be ended.

`python -m chaise_cli.export.calendar_child`: on stdin a line of JSON (`sizes` of the files, and the fields of
`Wanted`), then the files; on stdout a line of JSON, the fields of `Found`, or `refused` with the reason.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO, Final

from chaise_cli.export.calendar_busy import Wanted, read
from chaise_cli.export.calendar_lines import NotACalendar

MEMORY: Final = 1 << 30  # bytes
CPU_S: Final = 25
_HEADER: Final = 10_000  # bytes


def confine() -> None:
    """Bound memory and processor time, and write no files, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        resource: Any = import_module("resource")
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def answer(given: BinaryIO) -> str:
    """The line for stdout."""
    asked = json.loads(given.readline(_HEADER))
    files = [given.read(size) for size in asked.pop("sizes")]
    try:
        found = read(files, Wanted(**asked | {"addresses": tuple(asked["addresses"])}))
    except NotACalendar as error:
        return json.dumps({"refused": str(error)})
    return json.dumps(found._asdict())


if __name__ == "__main__":
    confine()
    sys.stdout.write(answer(sys.stdin.buffer) + "\n")
