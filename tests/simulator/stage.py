"""The people of all runs and the board they met on, made once a process; each run works on copies of their homes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.fakes import homes
from tests.simulator import chance

PEOPLE: Final = {"lisa": "client", "james": "talent", "ada": "talent", "clara": "client", "mallory": "talent"}
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  a folder that never waits for a disk, where there is one


class Stage(NamedTuple):
    """A folder with a home and a key file for each of `PEOPLE`, and room for runs."""

    folder: Path

    def home(self, person: str) -> Path:
        """Somebody's home as all runs begin with it; to be copied, never opened."""
        return self.folder / "cast" / person

    def key(self, person: str) -> Path:
        """Somebody's key file."""
        return self.folder / "cast" / f"{person}.key"


@contextmanager
def stage(cast: Path | None = None) -> Iterator[Stage]:
    """A stage in memory where the system has such a folder; gone at the end. cast: the one of an earlier stage."""
    # Resolved, as places are: a link on the way would make a folder's address part of the trace.
    folder = Path(tempfile.mkdtemp(prefix="chaise-sim-", dir=_MEMORY if _MEMORY.is_dir() else None)).resolve()
    try:
        with chance.ruled(folder):
            shutil.copytree(cast, folder / "cast") if cast else _gather(folder / "cast")
            yield Stage(folder)
    finally:
        shutil.rmtree(folder)


def _gather(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    sessions = [homes.found(folder, name, role) for name, role in PEOPLE.items()]
    made = homes.boards.create(sessions[0], "market", None, None)
    for session in sessions[1:]:
        homes.boards.join(session, made.board["invite"], None, None)
    homes.meet(*sessions)
    for session in sessions:
        session.close()
