"""Homes as they stood once: what many tests begin with is played once a process, and copied from then on."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

from tests.e2e.people import Person
from tests.e2e.relay_process import RelayProcess

Key: TypeAlias = tuple[object, ...]


class Cast:
    """People at stages of a story. A stage is known by its name and by where each of its people came from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[Key, tuple[Path, str]] = {}
        self._at: WeakKeyDictionary[Person, Key] = WeakKeyDictionary()

    def at(self, name: str, *people: Person, play: Callable[[], str]) -> str:
        """Bring people to a stage, each with a home as after `play`; what that gave. Only stages may lie before."""
        key = (name, *(self._at.get(one, ()) for one in people))
        if key not in self._told:
            told = play()
            self._told[key] = folder, _ = self._folder / str(len(self._told)), told
            for one in people:
                _copy(one, one.folder, folder / one.handle)
        else:
            folder, told = self._told[key]
            for one in people:
                _copy(one, folder / one.handle, one.folder)
                _key_is_at(one)
        for one in people:
            self._at[one] = key
        return told


class Ground:
    """One folder with all that a story needs, put back as it stood once.

    What lies there keeps its path, so that homes may know of places beside them; a relay goes along with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._kept = folder / "ground", folder / "kept"
        self._told: dict[str, str] = {}

    def at(self, stage: str, play: Callable[[], str], relay: RelayProcess | None = None) -> str:
        """Be at a stage, played the first time from what is there, and put back ever after; what `play` gave."""
        if stage not in self._told:
            self._told[stage] = play()
            shutil.copytree(self.folder, self._kept / stage)
            if relay is not None:
                relay.saved(stage)
        else:
            shutil.rmtree(self.folder)
            shutil.copytree(self._kept / stage, self.folder)
            if relay is not None:
                relay.stop(signal.SIGKILL)  # what it has is thrown away
                relay.put_back(relay.folder / stage)
        return self._told[stage]

    def empty(self) -> None:
        """Nothing is there yet, or any more."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)


def _copy(person: Person, source: Path, to: Path) -> None:
    """All that belongs to a person, in place of what is there."""
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (person.key_file, person.recovery_file):
        shutil.copy2(source / path.name, to / path.name)
    shutil.rmtree(to / person.home.name, ignore_errors=True)
    shutil.copytree(source / person.home.name, to / person.home.name)


def _key_is_at(person: Person) -> None:
    """A home remembers where its key file lies."""
    path = person.home / "keys"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"key_file": str(person.key_file)}))
