"""What replication costs a client: bytes and round trips when little is new, and a cold pull from a relay.

The relay is a process of its own on this machine; CPU and memory are the client's alone. Bytes are those of the
whole connection, heads of HTTP included, without TLS.
"""

from __future__ import annotations

import socket
from threading import Thread
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from benchmarks import cold_sync, memory, world
from benchmarks.measure import Figure, median
from benchmarks.tap import Said, Tap
from chaise_cli.ids import raw
from chaise_cli.session import access, peering, syncing
from chaise_cli.session.replica import HomeReplica, HomeSigner
from chaise_cli.session.serving import Serving
from chaise_cli.store import events
from sync import engine, handshake, wire
from sync.conversation import converse
from sync.dialogue import Dialogue
from sync.engine import Tally
from sync.transports.stdio import IDLE_S, Pipes
from tests.fakes.relay_process import RelayProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

EVENTS: Final = 100_000  # with 1,000 spaces; a smaller run has fewer of both
SPACES: Final = 1_000
ROUNDS: Final = 9
ALTERNATELY: Final = 50  # messages of each side in turn
FREE: Final = ("--max-requests", "10000000", "--quiet")
KIB: Final = 1024


def figures(folder: Path, total: int, notes: list[str]) -> list[Figure]:
    """Little new in a wide home, one cold pull, and one small event in a pack."""
    found = []
    for name, part in (("wide", _wide), ("cold", _cold)):
        own = folder / name
        own.mkdir()
        with RelayProcess(own, f"sqlite:{own / 'relay.db'}", *FREE) as relay:
            found += part(own, relay, total, notes)
    (folder / "packs").mkdir()
    return found + _packs(folder / "packs")


def _wide(folder: Path, relay: RelayProcess, total: int, notes: list[str]) -> list[Figure]:
    """Two people with many deals at a relay, of which they know all: what each further contact costs."""
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    host, port = urlsplit(relay.url).hostname, urlsplit(relay.url).port
    assert host
    assert port
    with Tap((host, port)) as tap:
        _enter(lisa, relay, tap.url)
        _enter(james, relay, tap.url)
        deals = _fill(lisa, james, tap.url, total)
        held = _count(lisa, "event"), _count(lisa, "space")
        notes.append(f"little new: at {held[0]:,} events and {held[1]:,} spaces, {_count(lisa, 'chain'):,} chains")
        idle = _contact(lisa, tap)
        wall = median(lambda: _sync(lisa, tap.url), ROUNDS)
        tap.take()
        news = [_one_event(lisa, james, deal, tap) for deal in deals[-ROUNDS:]]
    said = _dialogue(lisa, james)
    return [
        Figure("nothing new, relay: round trips", idle.trips, "round trips", 1),
        Figure("nothing new, relay: bytes both ways", idle.both, "B", KIB),
        Figure("nothing new, relay: time of it all, p50", wall * 1000, "ms"),
        *_one_event_figures(news),
        *said,
        *_over_http(lisa, james),
    ]


def _fill(lisa: Session, james: Session, place: str, total: int) -> list[Space]:
    """Self, a board, and as many deals as make up the spaces, all with messages; both sides hold everything."""
    board = world.board(lisa, member=james)
    for one in (lisa, james, lisa):
        _sync(one, place)
    count = max(1, SPACES * total // EVENTS - 2)
    deals = [world.deal(lisa, world.counterpart(james), board.id) for _ in range(count)]
    left = total - _count(lisa, "event")
    for deal in deals:
        world.messages(lisa, deal, left // count // 2)
    _sync(lisa, place)
    _sync(james, place)
    for deal in deals:
        world.messages(james, _here(james, deal), left // count // 2)
    for one in (james, lisa, james, lisa):
        _sync(one, place)
    return deals


def _one_event_figures(news: Sequence[tuple[Said, Said, int]]) -> list[Figure]:
    """Of several events in different deals, each counted with what is said around it: the median, the most."""
    pushed = sorted(push.both for push, _, _ in news)
    pulled = sorted(pull.both for _, pull, _ in news)
    trips = max(said.trips for one in news for said in one[:2])
    return [
        Figure("one new event, relay: its own bytes", news[0][2], "B"),
        Figure("one new event, relay: push, both ways, with the event, p50", pushed[len(news) // 2], "B", 2 * KIB),
        Figure("one new event, relay: push, the most", pushed[-1], "B", 2 * KIB),
        Figure("one new event, relay: pull, both ways, with the event, p50", pulled[len(news) // 2], "B", 2 * KIB),
        Figure("one new event, relay: pull, the most", pulled[-1], "B", 2 * KIB),
        Figure("one new event, relay: round trips of a push or a pull", trips, "round trips", 2),
    ]


def _one_event(lisa: Session, james: Session, deal: Space, tap: Tap) -> tuple[Said, Said, int]:
    """What pushing, and pulling, one message takes; and the bytes of the event in both."""
    world.messages(lisa, deal, 1)
    pushed = _contact(lisa, tap, sent=1)
    pulled = _contact(james, tap, received=1)
    replica = HomeReplica(lisa)
    mine = next(head for head in replica.heads(raw(deal.id)) if head.device == HomeSigner(lisa).device)
    segment = engine.read_part(replica, raw(deal.id), mine, mine.seq, Tally())
    assert segment
    return pushed, pulled, engine.size_of(segment) - engine.size_of(segment._replace(events=()))


def _contact(session: Session, tap: Tap, sent: int = 0, received: int = 0) -> Said:
    """One sync, which moves so many events."""
    tap.take()
    done = _sync(session, tap.url)
    assert (done.sent, done.received) == (sent, received), done
    return tap.take()


def _dialogue(lisa: Session, james: Session) -> list[Figure]:
    """A conversation of two that hold the same, as over ssh, behind its handshake."""
    near, far = socket.socketpair()
    with near, far:
        thread = Thread(target=_follow, args=(james, far))
        thread.start()
        stream = _Counted(near)
        channel, replica, signer, tally = wire.Channel(stream), HomeReplica(lisa), HomeSigner(lisa), Tally()
        peer = handshake.lead(channel, replica, signer)
        channel.flush()
        proven = stream.take()
        Dialogue(channel, replica, peer, tally).lead()
        thread.join()
        said = stream.take()
    assert (tally.sent, tally.received) == (0, 0), "there is nothing new"
    return [
        Figure("nothing new, peer: round trips after the handshake", said.trips, "round trips", 1),
        Figure("nothing new, peer: bytes both ways after the handshake", said.both, "B", KIB),
        Figure("handshake of peers, both ways", proven.both, "B"),
    ]


def _follow(session: Session, end: socket.socket) -> None:
    own = access.again(session)
    pipes = Pipes(end.fileno(), end.fileno(), IDLE_S)
    converse(wire.Channel(pipes), HomeReplica(own), HomeSigner(own), Tally(), leads=False)
    own.close()


class _Counted(Pipes):
    """A stream that counts."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__(end.fileno(), end.fileno(), IDLE_S)
        self._said, self._spoke = Said(0, 0, 0), False

    def read(self, size: int) -> bytes:
        """As `wire.Stream`."""
        data = super().read(size)
        up, down, trips = self._said
        self._said, self._spoke = Said(up, down + len(data), trips + self._spoke), False
        return data

    def write(self, data: bytes) -> None:
        """As `wire.Stream`."""
        super().write(data)
        self._said, self._spoke = self._said._replace(up=self._said.up + len(data)), bool(data)

    def take(self) -> Said:
        """What was said since the last time; a word that waits for no answer is no round trip."""
        said, self._said = self._said, Said(0, 0, 0)
        return said


def _over_http(lisa: Session, james: Session) -> list[Figure]:
    """The same conversation, handshake included, with a home that `peer serve` offers."""
    serving = Serving(james, "127.0.0.1:0", None)
    serving.start()
    port = urlsplit(serving.url).port
    assert port
    try:
        with Tap(("127.0.0.1", port)) as tap:
            _sync(lisa, tap.url)
            said = _contact(lisa, tap)
    finally:
        serving.stop()
    return [Figure("nothing new, peer over HTTP, handshake and heads included, both ways", said.both, "B")]


def _cold(folder: Path, relay: RelayProcess, total: int, notes: list[str]) -> list[Figure]:
    """A second device that reads everything from a relay, in a process of its own."""
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    for one in (lisa, james):
        _enter(one, relay, relay.url)
    cold_sync.fill(lisa, james, relay.url, total)
    empty = world.joined(folder, james)
    path = empty.home.path
    empty.close()
    taken = memory.pull(path, folder / "joined.key", relay.url)
    notes.append(f"cold relay pull: {taken['events']:,} events on {_count(lisa, 'chain')} chains")
    return [
        Figure("cold relay pull", taken["events"] / taken["cpu"], "events/s of CPU", 8000, "more"),
        Figure("cold relay pull, wall time", taken["events"] / taken["wall"], "events/s"),
        Figure("cold relay pull, most memory", taken["peak"] / memory.MIB, "MiB", memory.BAR),
        *memory.figures(folder, james, folder / "james.key"),
    ]


def _packs(folder: Path) -> list[Figure]:
    """A deal in which two talk in turn, written to a folder that holds nothing of it yet."""
    used, fresh = folder / "used", folder / "fresh"
    for path in (used, fresh):
        path.mkdir()
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    board = world.board(lisa, member=james)
    deal = world.deal(lisa, world.counterpart(james), board.id)
    for one in (lisa, james, lisa):
        _sync(one, str(used))
    _sync(lisa, str(fresh))
    before = _size(fresh)
    for _ in range(ALTERNATELY):
        for one in (lisa, james):
            world.messages(one, _here(one, deal), 1)
            _sync(one, str(used))
            _sync(james if one is lisa else lisa, str(used))
    sent = _sync(lisa, str(fresh)).sent
    assert sent == 2 * ALTERNATELY, sent
    return [Figure("a message of 120 characters in a pack", (_size(fresh) - before) / sent, "B", 500)]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _enter(session: Session, relay: RelayProcess, url: str) -> None:
    """Let a home in at the relay."""
    _, error, problems = peering.add(session, url, (), auto=None, invite=relay.data["invite"])
    assert error is None, error
    assert not problems, problems


def _sync(session: Session, place: str) -> syncing.Done:
    done = syncing.sync_with(session, place)
    assert done.failure is None, done.failure
    assert not done.problems, done.problems
    return done


def _here(session: Session, space: Space) -> Space:
    found = events.find_space(session.db, space.id)
    assert found, "the deal has arrived"
    return found


def _count(session: Session, table: str) -> int:
    count: int = session.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    return count
