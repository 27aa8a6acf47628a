"""Homes of this process as they stood once: what many tests begin with is played once, and copied from then on."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from chaise_cli.crypto.storekey import StoreKey
from chaise_cli.session.home import Home
from chaise_cli.session.session import Session
from chaise_cli.store import connection, own
from tests.fakes.homes import Hands, seeded

T = TypeVar("T")
Key: TypeAlias = tuple[object, ...]


class _Left(NamedTuple):
    """How somebody was left: where the home is kept, and with it a key file that lay beside it; its key, the time."""

    kept: Path
    key: StoreKey
    now: int


class _Told(NamedTuple):
    """A stage: what `play` gave, and how everybody and every folder was left."""

    said: Any
    people: list[_Left]
    folders: list[Path]


class Stages:
    """Stages of stories. One is known by the code of its `play`, by what it was given, and by what lies before it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[Key, _Told] = {}
        self._at: WeakKeyDictionary[Session, Key] = WeakKeyDictionary()

    def at(self, *people: Session, play: Callable[[], T], given: object = None, folders: Iterable[Path] = ()) -> T:
        """Bring people, with homes as they were opened or at a stage, to where `play` brings them; what that gave.

        given: what `play` depends on besides them. folders: what it fills besides their homes. What it gives is copied
        for each test, and holds no session. Clocks are set as they were, randomness follows from what was written.
        """
        key = self._key(people, play, given)
        if key not in self._told:
            self._told[key] = self._keep(play(), people, folders)
        told = self._told[key]
        for session, left in zip(people, told.people, strict=True):
            session.close()
            shutil.rmtree(session.home.path)
            vars(session).update(vars(_opened(left, session.home.path)))
            self._at[session] = key
        for folder, kept in zip(folders, told.folders, strict=True):
            shutil.copytree(kept, folder, dirs_exist_ok=True)
        said: T = copy.deepcopy(told.said)
        return said

    def joined(self, *people: Session, play: Callable[[], Session]) -> Session:
        """What `play` makes besides, of people's homes: one more, beside that of the first of them."""
        made: list[Session] = []

        def played() -> str:
            made.append(play())
            return made[0].home.path.name

        key = self._key(people, play, None)
        name = self.at(*people, play=played, given=key)
        if made:
            self._told[key] = self._keep(None, made, ())
            made[0].close()
            shutil.rmtree(made[0].home.path)
        joined = _opened(self._told[key].people[0], people[0].home.path.parent / name)
        self._at[joined] = key
        return joined

    def empty(self, name: str) -> Path:
        """An empty folder, at the same place for each test: homes remember where it is."""
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _key(self, people: tuple[Session, ...], play: Callable[[], object], given: object) -> Key:
        assert isinstance(play, FunctionType), "two of one name are told apart by their code"
        before = [self._at.get(one, ()) for one in people]
        return (play.__code__, given, *before)

    def _keep(self, said: object, people: Iterable[Session], folders: Iterable[Path]) -> _Told:
        room = self._folder / str(len(self._told))
        left: list[_Left] = []
        for number, one in enumerate(people):
            one.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            kept = room / str(number)
            _copy(one.home.path, kept)
            left.append(_Left(kept, one.key, one.clock.now()))
        copied = [Path(shutil.copytree(folder, room / f"folder {no}")) for no, folder in enumerate(folders)]
        return _Told(copy.deepcopy(said), left, copied)


def _opened(left: _Left, path: Path) -> Session:
    """A copy of a home, as when its story ended."""
    _copy(left.kept, path)
    session = Session(Home(path), left.key, connection.open_store(Home(path).store, left.key), Hands(left.now))
    session.random = seeded((path.name, own.written(session.db)))
    return session


def _copy(home: Path, to: Path) -> None:
    shutil.copytree(home, to)
    key_file = home.with_suffix(".key")
    if key_file.exists():
        shutil.copy2(key_file, to.with_suffix(".key"))
