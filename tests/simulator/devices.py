"""The devices of a run: homes on disk, opened in this process, that crash and are copied, restored and mistimed."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from chaise_cli.ids import IdentityId, raw
from chaise_cli.session import access
from chaise_cli.session import home as homes
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.session import Session
from chaise_cli.store import connection, events
from chaise_cli.store.events import Space
from tests.fakes.homes import Hands
from tests.simulator.fuse import FILES, Fuse, FusedStore

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
_LEFT_OUT: Final = shutil.ignore_patterns("*-shm")

Place = tuple[bytes, bytes, int]  # space, device, seq


class Line(NamedTuple):
    """The agent's line of a deal when the deal had `length` events."""

    length: int
    events: list[bytes]


@dataclass(eq=False)
class Device:
    """One installation. `acked`: events it was told are written, by id, with the kind of each."""

    label: str
    person: str
    home: homes.Home
    key: Path
    chance: random.Random
    around: frozenset[str] = frozenset()  # who takes part in the run
    holder: IdentityId | None = None  # whom terms may name to hold the money
    quiet: bool = False
    clock: Hands = field(default_factory=Hands)
    acked: dict[bytes, str] = field(default_factory=dict)
    settled: dict[bytes, tuple[Any, ...]] = field(default_factory=dict)  # what was taken up, and its verdict
    lines: dict[bytes, Line] = field(default_factory=dict)  # by deal
    keys: set[bytes] = field(default_factory=set)  # the device keys it has had
    above: set[bytes] = field(default_factory=set)  # the keys of those that let it in
    backups: list[Path] = field(default_factory=list)
    fuse: Fuse = field(default_factory=Fuse)
    opened: Session | None = None
    looked: tuple[object, ...] = ()  # how the store stood when its laws were last looked at

    def is_unchanged(self) -> bool:
        """Whether nothing was written, in the store or to what it should hold, since this was last asked."""
        database = self.session.db
        stamp = (database, database.total_changes, connection.data_version(database), len(self.acked))
        before, self.looked = self.looked, stamp
        return stamp == before

    @property
    def session(self) -> Session:
        """The open home."""
        if self.opened is None:
            self.open()
        assert self.opened is not None, "just opened"
        return self.opened

    @property
    def folder(self) -> Path:
        """Where its home, its backups and what it attaches lie."""
        return self.home.path.parent

    def open(self) -> None:
        """Open the home as the next command does."""
        session = access.open_session(self.home, access.Keys(key_file=self.key), self.clock)
        session.random = self.chance.randbytes
        self.fuse = Fuse(self._keep_image)
        fused: Any = FusedStore(session.db, self.fuse)
        session.db = fused
        self.opened = session
        self.keys.add(raw(session.me.device))

    def close(self) -> None:
        """Let go of the home."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None

    def light(self, left: int | None = None) -> None:
        """From here on this thread's writes are this device's; it dies at the write numbered `left`."""
        self.fuse.set(left)
        FILES.fuse = self.fuse

    # Crashes, backups, copies

    def _keep_image(self) -> None:
        shutil.copytree(self.home.path, self._image, ignore=_LEFT_OUT)

    @property
    def _image(self) -> Path:
        return self.folder / "image"

    def revive(self) -> None:
        """After a crash: go on with what the disk held at that instant."""
        acting, FILES.fuse = FILES.fuse, Fuse()
        dead = self.fuse
        self.close()
        shutil.rmtree(self.home.path)
        self._image.rename(self.home.path)
        self.open()
        FILES.fuse = self.fuse if acting is dead else acting

    def back_up(self) -> None:
        """Copy the home's folder away."""
        self.close()
        at = self.folder / f"backup-{len(self.backups)}"
        shutil.copytree(self.home.path, at)
        self.backups.append(at)

    def restore(self, backup: Path, *, with_anchor: bool) -> None:
        """Put the home back as it was, with the anchor of that time or the one of today."""
        self.close()
        anchor = self.home.anchor.read_bytes()
        shutil.rmtree(self.home.path)
        shutil.copytree(backup, self.home.path)
        if not with_anchor:
            self.home.anchor.write_bytes(anchor)
        self.settled.clear()
        self.lines.clear()
        self.open()

    def clone(self, label: str, folder: Path, chance: random.Random) -> Device:
        """A copy of the whole home that goes on by itself."""
        self.close()
        folder.mkdir(mode=0o700)
        home = homes.Home(Path(shutil.copytree(self.home.path, folder / "home")))
        clock = Hands(self.clock.at)
        return Device(
            label,
            self.person,
            home,
            self.key,
            chance,
            self.around,
            self.holder,
            clock=clock,
            acked=dict(self.acked),
            keys=set(self.keys),
            above=set(self.above),
        )

    # Looking

    def events(self) -> dict[Place, set[bytes]]:
        """Everything it holds, by place in a chain; more than one event at a place is a fork."""
        query = (
            "SELECT s.id, c.device, e.seq, e.id FROM event e JOIN chain c ON c.no = e.chain"
            " JOIN space s ON s.no = c.space"
        )
        found: dict[Place, set[bytes]] = {}
        for space, device, seq, id_ in self.session.db.execute(query).fetchall():
            found.setdefault((space, device, seq), set()).add(id_)
        return found

    def own_events(self) -> dict[bytes, str]:
        """What it has written with any of its keys: id and kind."""
        query = "SELECT e.id, e.kind FROM event e JOIN chain c ON c.no = e.chain WHERE c.device = ?"
        return {id_: kind or "" for key in self.keys for id_, kind in self.session.db.execute(query, (key,)).fetchall()}

    def spaces(self, *kinds: str) -> list[Space]:
        """The spaces it holds, of these kinds, in the order of their ids."""
        return sorted((one for kind in kinds for one in events.spaces(self.session.db, kind)), key=lambda one: one.id)

    def digest(self) -> str:
        """A hash of all it holds, to compare two runs by."""
        rows = sorted((*place, id_) for place, ids in self.events().items() for id_ in ids)
        return sha256(repr(rows).encode()).hexdigest()[:12]

    def replica(self) -> HomeReplica:
        """The home as replication sees it."""
        return HomeReplica(self.session)
