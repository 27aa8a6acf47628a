"""Homes of people who met on one board, opened in this process, and what carries events between them.

`market` makes the three homes once; a test opens copies of them, which takes a millisecond. Clocks stand where
they are put, and randomness follows from a seed, so that a test says the same twice.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from chaise_cli.domain import talk
from chaise_cli.domain.body import replace
from chaise_cli.domain.deal import DealInvited, DealProposed
from chaise_cli.domain.directory import PostPublished
from chaise_cli.domain.terms import Planned
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, raw, text
from chaise_cli.ledger.segment import Segment
from chaise_cli.session import access, boards, dealing, founding, opening, writing
from chaise_cli.session import home as homes
from chaise_cli.session.checking import Part
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.session import Session
from chaise_cli.store import check, connection, events, own
from sync.replica import Admission, Head, SpaceInfo

__all__ = [
    "HomeReplica",
    "boards",
    "events",
    "homes",
    "own",
    "raw",
    "replace",
    "talk",
]  # what tests reach through this module

NOON_MS: Final = 1_795_176_000_000
PEOPLE: Final = {"lisa": "client", "james": "talent", "mallory": "talent"}
POST: Final = PostPublished("Campaign", "marketing", ("seo",), None, None, "UTC", "", "Sell chairs.")
OFFER: Final = DealProposed("EUR", (Planned("Plan", 60_000, None), Planned("Do", 90_000, None)), "UTC", "Hello.", None)


class Hands:
    """A clock that a test sets."""

    def __init__(self, now: int = NOON_MS) -> None:
        self.at = now

    def now(self) -> int:
        return self.at


class Market(NamedTuple):
    """A folder with a home and a key file for each of `PEOPLE`, and the board that all of them are on."""

    folder: Path
    board: SpaceId

    def copy(self, name: str, to: Path) -> homes.Home:
        """A copy of somebody's home in the folder `to`."""
        to.mkdir(parents=True, exist_ok=True)
        return homes.Home(Path(shutil.copytree(self.folder / name, to / name)))

    def whole(self, to: Path) -> Market:
        """A copy of everybody's home and key file in a folder of their own."""
        return Market(Path(shutil.copytree(self.folder, to)), self.board)

    def open(self, name: str, to: Path, clock: Hands | None = None) -> Session:
        """A copy of somebody's home in the folder `to`, opened."""
        return reopen(self.copy(name, to), self.key(name), clock)

    def key(self, name: str) -> Path:
        """Somebody's key file."""
        return self.folder / f"{name}.key"

    @contextmanager
    def visit(self, to: Path, *names: str) -> Iterator[list[Session]]:
        """Copies of several people's homes; closed at the end. Their clocks are `session.clock`, of `Hands`."""
        opened = [self.open(name, to) for name in names]
        try:
            yield opened
        finally:
            for session in opened:
                session.close()


def seeded(seed: object) -> Callable[[int], bytes]:
    """A random source that gives the same bytes for the same seed."""
    return random.Random(repr(seed)).randbytes


def reopen(home: homes.Home, key: Path, clock: Hands | None = None) -> Session:
    """The home, opened with its key file."""
    session = access.open_session(home, access.Keys(key_file=key), clock or Hands())
    session.random = seeded((home.path.name, own.written(session.db)))
    return session


def copied(session: Session, to: Path, key: Path) -> Session:
    """A copy of somebody's home, anchor and all, as it stands."""
    session.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    to.mkdir(parents=True, exist_ok=True)
    home = homes.Home(Path(shutil.copytree(session.home.path, to / session.home.path.name)))
    made = reopen(home, key)
    made.random = seeded((home.path.name, "copy"))
    return made


def client(session: Session, deal: SpaceId) -> bytes | None:
    """The client's identity in a deal that is held."""
    row = session.db.execute("SELECT client FROM deal WHERE space = ?", (space_no(session, deal),)).fetchone()
    return row[0] if row else None


def found(folder: Path, name: str, role: str, clock: Hands | None = None, seed: str = "") -> Session:
    """A new home with a key file beside it."""
    settings = own.Settings(name, name.title(), role, "EUR", "UTC", None)
    secrets = founding.Secrets(None, folder / f"{name}.key")
    return founding.found(
        homes.Home(folder / name), settings, secrets, "laptop", clock or Hands(), seeded(name + seed)
    ).session


def market(folder: Path) -> Market:
    """Lisa, James and Mallory on Lisa's board, each with the others' profiles."""
    folder.chmod(0o700)
    sessions = [found(folder, name, role) for name, role in PEOPLE.items()]
    made = boards.create(sessions[0], "market", None, None)
    for session in sessions[1:]:
        boards.join(session, made.board["invite"], None, None)
    meet(*sessions)
    board = events.spaces(sessions[0].db, "board")[0].id
    for session in sessions:
        session.close()
    return Market(folder, board)


def runs(session: Session, space: SpaceId, limit: int = 1000, held: frozenset[Head] = frozenset()) -> list[Segment]:
    """What a home holds of a space but chains that end in `held`, as it travels, in pieces of about `limit` events."""
    replica = HomeReplica(session)
    heads = [head for head in replica.heads(raw(space)) if head not in held]
    return [run for head in heads for run in _history(replica, raw(space), head, 0, limit)]


def _history(replica: HomeReplica, space: bytes, head: Head, at: int, limit: int) -> Iterator[Segment]:
    while (run := replica.read(space, head, at, limit)) is not None:
        yield run
        at = run.last_seq + 1


def deliver(to: Session, space: SpaceId, segments: Sequence[Segment]) -> Admission:
    """Offer segments to a home."""
    return HomeReplica(to).admit(raw(space), segments)


class Known(NamedTuple):
    """What a home knows: its spaces, and the heads of each."""

    spaces: Sequence[SpaceInfo]
    heads: dict[bytes, Sequence[Head]]


def _stamp(session: Session) -> tuple[int, int]:
    """What changes when a row of a home's store was touched, in a transaction that was undone too."""
    return session.db.total_changes, connection.data_version(session.db)


_known: WeakKeyDictionary[Any, tuple[object, Known]] = WeakKeyDictionary()


def known(session: Session) -> Known:
    """What a home knows, asked anew only after a row of its store was touched, by whomever."""
    stamp = _stamp(session)
    if (kept := _known.get(session.db)) and kept[0] == stamp:
        return kept[1]
    replica = HomeReplica(session)
    spaces = replica.spaces()
    found = Known(spaces, {info.id: replica.heads(info.id) for info in spaces})
    _known[session.db] = stamp, found
    return found


def carry(giver: Session, taker: Session, limit: int = 1000) -> bool:
    """What `taker` may have and lacks: the boards it is on, and the deals whose wraps name it. Whether it was any."""
    me, gave, here, there = raw(taker.me.identity), False, known(giver), known(taker)
    for info in here.spaces:
        held_there = there.heads.get(info.id)
        if info.kind == "self" or (info.kind == "board" and held_there is None):
            continue
        if info.kind == "deal" and me not in info.names:
            continue
        news = _news(giver, info.id, here.heads[info.id], held_there or (), limit)
        if news:
            deliver(taker, SpaceId(text(info.id)), news)
            gave, there = True, known(taker)
    return gave


def _news(giver: Session, space: bytes, heads: Sequence[Head], held_there: Sequence[Head], limit: int) -> list[Segment]:
    """What leads to heads of a home and is not held where those others are."""
    source, news = HomeReplica(giver), list[Segment]()
    for head in heads:
        if head in held_there:
            continue
        shared = [source.common(space, head, other) for other in held_there if other.device == head.device]
        at = 1 + max((seq for seq in shared if seq is not None), default=-1)
        news += _history(source, space, head, at, limit)
    return news


def meet(*sessions: Session) -> None:
    """Everybody learns everything they may from everybody, until nothing is new."""
    for _ in range(2):
        gave = [carry(giver, taker) for giver in sessions for taker in sessions if giver is not taker]
        if not any(gave):
            return


def post(session: Session, board: SpaceId, body: Any = POST) -> EventId:
    """Publish something on a board; its id."""
    with session.writing():
        return writing.Writer(session).write(session.space(space_no(session, board)), [body])[-1]


def open_deal(session: Session, other: IdentityId, about: EventId | None = None, *, client: bool) -> SpaceId:
    """A deal with somebody whose profile is here; its id."""
    with session.writing():
        them, board = opening.counterpart(session, about, other)
        return opening.open_deal(session, writing.Writer(session), them, board, about, client=client).id


@contextmanager
def deal_writer(session: Session, deal: SpaceId) -> Iterator[dealing.DealWriter]:
    """One transaction in a deal that is held."""
    with session.writing():
        yield dealing.DealWriter(session, writing.Writer(session), session.space(space_no(session, deal)))


def write(session: Session, deal: SpaceId, *bodies: Any) -> list[EventId]:
    """Write decided bodies into a deal."""
    with deal_writer(session, deal) as writer:
        return writer.write(bodies)


def peek(session: Session, deal: SpaceId) -> dealing.DealWriter:
    """A deal as a decision sees it, with nothing to be written."""
    return dealing.DealWriter(session, writing.Writer(session), session.space(space_no(session, deal)))


def write_raw(session: Session, space: SpaceId, *bodies: Any) -> list[EventId]:
    """Write bodies that no rule of ours has looked at: what hostile or older software may sign."""
    with session.writing():
        return writing.Writer(session).write(session.space(space_no(session, space)), bodies)


def space_no(session: Session, space: SpaceId) -> int:
    """The row of a space that is held."""
    held = events.find_space(session.db, space)
    assert held is not None, "the space is not held"
    return held.no


def deals_invite() -> Any:
    """An invitation that a client may write."""
    return DealInvited("come")


def device(session: Session) -> DeviceId:
    """The device key in use."""
    return session.me.device


_TABLES: Final = ("deal", "milestone", "op", "entry", "booking", "occurrence", "review", "message", "file", "listing",
                  "opinion", "profile", "board_name", "told")  # fmt: skip


def state(session: Session, space: SpaceId) -> dict[str, list[Any]]:
    """What a home makes of a space, without the row numbers that are its own: events with verdicts, and tables."""
    no = space_no(session, space)
    query = (
        "SELECT c.device, e.seq, e.id, e.kind, e.lamport, e.uptake, e.void, c.identity, c.void FROM event e"
        " JOIN chain c ON c.no = e.chain WHERE c.space = ? ORDER BY c.device, e.seq, e.id"
    )
    found = {"event": session.db.execute(query, (no,)).fetchall()}
    rows = session.db.execute("SELECT no, device, root FROM chain WHERE space = ?", (no,)).fetchall()
    devices = {row: device + root for row, device, root in rows}
    for table in _TABLES:
        rows = session.db.execute(f"SELECT * FROM {table} WHERE space = ?", (no,))  # noqa: S608
        columns = [column[0] for column in rows.description]
        found[table] = sorted((_portable(dict(zip(columns, row, strict=True)), devices) for row in rows), key=repr)
    query = "SELECT chain, seq FROM pending WHERE space = ?"
    found["pending"] = sorted((devices[chain], seq) for chain, seq in session.db.execute(query, (no,)).fetchall())
    return found


def _portable(row: dict[str, Any], devices: dict[int, bytes]) -> dict[str, Any]:
    row.pop("space")
    if "chain" in row:
        row["chain"] = devices[row["chain"]]
    return row


_unsound: WeakKeyDictionary[Any, tuple[SpaceId, object, list[str]]] = WeakKeyDictionary()


def unsound(session: Session, space: SpaceId) -> list[str]:
    """Tables of a space that a fold from nothing would fill otherwise; folded anew only after something was written."""
    if (kept := _unsound.get(session.db)) and kept[:2] == (space, _stamp(session)):
        return kept[2]
    found = check.differing(session.db, events.space_numbered(session.db, space_no(session, space)))
    _unsound[session.db] = space, _stamp(session), found
    return found


def share_with(*name: bytes) -> Part:
    """A small share of a full check in which what has this name is looked at, and little else."""
    return next(part for n in range(1, 101) if (part := Part(n, 100)).takes(*name))


def verdicts(session: Session, space: SpaceId) -> dict[bytes, str | None]:
    """Why each event of a space counts for nothing, None where it counts."""
    return {row[2]: row[6] for row in state(session, space)["event"]}


def waiting(session: Session) -> int:
    """How many events of a home wait for a key or for what they cite."""
    found: int = session.db.execute("SELECT count(*) FROM waiting").fetchone()[0]
    return found
