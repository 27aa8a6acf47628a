"""`python -m benchmarks.pull HOME KEY_FILE PLACE`: one home syncs with one place; what that took, as JSON.

A process of its own, so that its memory is that of the sync alone. PLACE is also `exec:COMMAND`, a program to sync
with; or `stdio:FILE`: answer on standard input and output, and tell the FILE.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import spent
from chaise_cli import clock
from chaise_cli.session import access, syncing
from chaise_cli.session import home as homes

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

_ANSWER: Final = "stdio:"
_PROGRAM: Final = "exec:"


def main(home: str, key_file: str, place: str) -> int:
    """Sync once."""
    session = access.open_session(homes.Home(Path(home)), access.Keys(Path(key_file)), clock.SystemClock())
    with spent() as taken:
        done = _sync(session, place)
    failure = done.failure.sentence() if done.failure else None
    told = {"cpu": taken.cpu[0], "wall": taken.wall[0], "peak": peak(), "events": done.received}
    said = json.dumps({**told, "failure": failure, "problems": list(done.problems)})
    if place.startswith(_ANSWER):
        Path(place.removeprefix(_ANSWER)).write_text(said)
    else:
        sys.stdout.write(said)
    return 0 if failure is None else 1


def _sync(session: Session, place: str) -> syncing.Done:
    if place.startswith(_ANSWER):
        return syncing.serve(session)
    if place.startswith(_PROGRAM):
        return syncing.sync_program(session, place.removeprefix(_PROGRAM))
    return syncing.sync_with(session, place)


def peak(process: int | None = None) -> int:
    """The most bytes that a process held; this one when none is named.

    Linux counts the memory of whoever started a process into its `ru_maxrss`, so what the system tells of this
    program alone comes first.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    assert process is None, "only Linux tells of another process"
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
