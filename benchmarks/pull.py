"""`python -m benchmarks.pull HOME KEY_FILE PLACE`: one home syncs with one place; what that took, as JSON.

A process of its own, so that its memory is that of the sync alone.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from benchmarks.measure import spent
from chaise_cli import clock
from chaise_cli.session import access, syncing
from chaise_cli.session import home as homes


def main(home: str, key_file: str, place: str) -> int:
    """Sync once."""
    session = access.open_session(homes.Home(Path(home)), access.Keys(Path(key_file)), clock.SystemClock())
    with spent() as taken:
        done = syncing.sync_with(session, place)
    failure = done.failure.sentence() if done.failure else None
    told = {"cpu": taken.cpu[0], "wall": taken.wall[0], "peak": _peak(), "events": done.received}
    sys.stdout.write(json.dumps({**told, "failure": failure, "problems": list(done.problems)}))
    return 0 if failure is None else 1


def _peak() -> int:
    """The most bytes that this process held.

    Linux counts the memory of whoever started a process into its `ru_maxrss`, so what the system tells of this
    program alone comes first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
