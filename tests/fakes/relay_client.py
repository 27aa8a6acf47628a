"""What a client of a relay needs in a test: a connection that ends in a desk in this process, and a memory."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from hashlib import sha256
from typing import Any, Final

from chaise_cli.ledger import receipt as receipts
from chaise_cli.ledger.receipt import Receipt
from chaise_cli.ledger.segment import Segment
from sync import engine, relay_link
from sync.engine import Exchange
from sync.relay.contract import T
from sync.relay.desk import Desk, Request
from sync.relay.limits import Limits
from sync.relay.memory import Memory
from sync.relay_memory import Reached, Run, Tip
from sync.transports.relay import Relay
from sync.web import Answer, Link, NoAnswer, address
from tests.fakes.relays import relay
from tests.fakes.replica import Device, MemoryReplica, scribble

WHERE: Final = "http://localhost:8787"
NOON_MS: Final = 1_795_176_000_000

Change = Callable[[str, bytes, Answer], Answer]  # path, body of the request, the true answer


class DeskLink(Link):
    """Every request goes to a desk. change: what somebody in between, or the relay itself, makes of an answer."""

    def __init__(self, desk: Desk, change: Change | None = None, where: str = WHERE) -> None:
        super().__init__(address(where))
        self.desk, self.change = desk, change
        self.asked: list[tuple[str, int, int]] = []  # path, bytes there and back
        self.cut_at: int | None = None  # so many requests are answered, then the connection breaks
        self.cut_after = False  # it breaks after the relay has done what it was asked

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        limit: int,
        deadline_s: float,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        assert deadline_s <= 75
        last = self.cut_at is not None and len(self.asked) >= self.cut_at
        if last and not self.cut_after:
            raise NoAnswer(host="localhost", why="the connection broke")
        given = Request(
            method, relay_link.authority(self.to), self.to.path + path, list(headers.items()), body, b"here"
        )
        said = self.desk.answer(given)
        if said.wait is not None:
            said = said.wait.again() or said
        there = sum(len(name) + len(value) + 4 for name, value in headers.items()) + len(body) + len(path) + 60
        self.asked.append((path, there, len(said.body) + 160))
        if last:
            raise NoAnswer(host="localhost", why="the connection broke")
        found = {"content-type": said.kind, "date": formatdate(self.desk.relay.clock() / 1000, usegmt=True)}
        if said.retry_s is not None:
            found["retry-after"] = str(said.retry_s)
        answer = Answer(said.status, found, said.body)
        answer = self.change(path, body, answer) if self.change else answer
        assert len(answer.body) <= limit
        return answer


class Log:
    """What is remembered of one space."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []  # where known; zeros where not
        self.number = 0
        self.head = receipts.START
        self.receipt: Receipt | None = None
        self.tips: dict[bytes, Tip] = {}
        self.heads: dict[int, bytes] = {0: receipts.START}


class RelayMemory:
    """A relay as a client remembers it, in memory."""

    def __init__(self, replica: MemoryReplica, invite: str | None = None) -> None:
        self.replica = replica
        self.given = invite
        self.key: bytes | None = None
        self.device: bytes | None = None
        self.open: set[bytes] = set()
        self.logs: dict[bytes, Log] = {}
        self.shown: dict[bytes, Receipt] = {}
        self.incidents: list[tuple[bytes | None, str, bytes]] = []
        self.objects: set[tuple[bytes, bytes]] = set()
        self.refused: set[bytes] = set()
        self.revoked: list[bytes] = []
        self.struck: set[bytes] = set()
        self.parts: dict[bytes, bytes] = {}

    def relay(self) -> bytes | None:
        return self.key

    def begin(self, relay: bytes) -> None:
        self.key, self.device = relay, None
        self.open, self.logs, self.objects, self.struck = set(), {}, set(), set()

    def registered(self, device: bytes) -> bool:
        return self.device == device

    def note_registered(self, device: bytes | None, boards: Collection[bytes]) -> None:
        self.device = device
        self.open = set() if device is None else self.open | set(boards)

    def doors(self) -> frozenset[bytes]:
        return frozenset(self.open)

    def close_doors(self, boards: Collection[bytes]) -> None:
        self.open -= set(boards)

    def door_seed(self, space: bytes) -> bytes | None:
        key = self.replica.access_key(space)
        return sha256(b"door" + key).digest() if key else None

    def invite(self) -> str | None:
        return self.given

    def reached(self) -> Mapping[bytes, Reached]:
        return {
            space: Reached(log.number, log.head, log.receipt)
            for space, log in self.logs.items()
            if log.number and space not in self.refused
        }

    def tips(self) -> Mapping[bytes, Sequence[Tip]]:
        return {space: list(log.tips.values()) for space, log in self.logs.items()}

    def head_at(self, space: bytes, number: int) -> bytes | None:
        log = self.logs.get(space)
        return log.heads.get(number) if log else None

    def claims(self) -> Mapping[bytes, Receipt]:
        return dict(self.shown)

    def drop_claim(self, space: bytes) -> None:
        del self.shown[space]

    @contextmanager
    def together(self) -> Iterator[None]:
        yield

    def extend(self, space: bytes, since: int, runs: Sequence[Run], to: Reached) -> None:
        log = self.logs.setdefault(space, Log())
        if log.number != since:
            return
        log.number, log.head, log.receipt = to
        for run in runs:
            log.heads[run.first - 1] = run.head
            log.tips.pop(run.prev, None)
            log.tips[run.last] = Tip(run.device, run.seq + run.length - 1, run.last)
        log.heads[to.number] = to.head

    def restart(self, space: bytes) -> None:
        self.logs[space] = Log()
        self.open.discard(space)

    def refuse(self, space: bytes) -> None:
        self.refused.add(space)

    def settle(self, space: bytes) -> None:
        pass

    def found(self, space: bytes | None, code: str, proof: bytes, *, anew: bool) -> bool:
        new = anew or (space, code, proof) not in self.incidents
        if new:
            self.incidents.append((space, code, proof))
        return new

    def to_strike(self) -> Sequence[bytes]:
        return [device for device in self.revoked if device not in self.struck]

    def note_struck(self, device: bytes) -> None:
        self.struck.add(device)

    def forget_struck(self) -> None:
        self.struck = set()

    def naming(self, address: bytes) -> Sequence[bytes]:
        return [space for space in self.replica.held if address in self.replica._files(space)]

    def part_size(self, address: bytes) -> int:
        return len(self.parts.get(address, b""))

    def add_part(self, address: bytes, offset: int, data: bytes) -> None:
        self.parts[address] = self.parts.get(address, b"")[:offset] + data

    def part(self, address: bytes) -> Iterable[bytes]:
        return [self.parts[address]]

    def drop_part(self, address: bytes) -> None:
        self.parts.pop(address, None)

    def object_there(self, space: bytes, address: bytes) -> bool:
        return (space, address) in self.objects

    def note_object(self, space: bytes, address: bytes) -> None:
        self.objects.add((space, address))


class Client:
    """One person's way to one relay."""

    def __init__(
        self,
        replica: MemoryReplica,
        desk: Desk,
        *,
        invite: str | None = None,
        change: Change | None = None,
        now: Callable[[], int] | None = None,
    ) -> None:
        self.replica, self.memory = replica, RelayMemory(replica, invite)
        self.link = DeskLink(desk, change)
        self.slept: list[float] = []  # how long the relay was waited for, and nobody slept
        self._now = now or desk.relay.clock

    def sync(self) -> Exchange:
        """One exchange."""
        self.link.asked.clear()
        pause = relay_link.Pause(self.slept.append, lambda: sum(self.slept))
        way = Relay(WHERE, self.memory, self._now, link=self.link, pause=pause)
        return engine.exchange(self.replica, self.replica.device, way)

    @property
    def codes(self) -> list[str]:
        """What the relay was caught at so far."""
        return [code for _, code, _ in self.memory.incidents]


class Village(Memory):
    """A relay's store in memory where nobody is a stranger."""

    def run(self, work: Callable[[Any], T]) -> T:
        def among_friends(writing: Any) -> T:
            writing.meet = lambda _one, _other: True
            return work(writing)

        return super().run(among_friends)


def village() -> Desk:
    """A relay in this process that lets everybody in who brings an invite, and takes a great deal."""
    return Desk(relay(Village(), Limits(requests=1_000_000, sources=1_000_000)))


def copied(of: object) -> dict[str, Any]:
    """What a relay's store in memory, or a client's memory, holds now."""
    return {name: copy.deepcopy(value) for name, value in vars(of).items() if isinstance(value, dict | set)}


def put_back(of: object, state: dict[str, Any]) -> None:
    """Let it hold again what `copied` found."""
    for name, value in copy.deepcopy(state).items():
        setattr(of, name, value)


class RelayLink:
    """Both visit one relay in turn, the first a second time."""

    def __init__(self) -> None:
        self.desk = village()
        self.clients: dict[bytes, Client] = {}

    def visit(self, replica: MemoryReplica) -> Exchange:
        client = self.clients.get(replica.device.device)
        if client is None:
            client = Client(replica, self.desk, invite=self.desk.relay.new_invite())
            self.clients[replica.device.device] = client
        client.replica = client.memory.replica = replica
        return client.sync()

    def sync(self, one: MemoryReplica, other: MemoryReplica) -> tuple[Exchange, Exchange]:
        first, second = self.visit(one), self.visit(other)
        return both(first, self.visit(one)), second


def both(first: Exchange, again: Exchange) -> Exchange:
    """Two exchanges in a row as one."""
    sent, received = first.sent + again.sent, first.received + again.received
    return Exchange(sent, received, again.rejected, again.problems, first.failure or again.failure)


LISA, JAMES, ADA = Device("lisa"), Device("james"), Device("ada")


class Town:
    """A relay, and people with a deal who sync with it. `old` are states of the relay that can be put back."""

    def __init__(self, *devices: Device) -> None:
        self.desk = village()
        self.people = [
            Client(MemoryReplica(one), self.desk, invite=self.desk.relay.new_invite())
            for one in devices or (LISA, JAMES)
        ]
        first = self.people[0].replica
        self.deal = first.open("deal", [one.replica.identity() for one in self.people])
        scribble(first, self.deal, 5, random.Random(1))
        self.all_sync()

    def all_sync(self) -> list[Exchange]:
        return [clean(one.sync()) for one in [*self.people, *self.people]]

    def write(self, who: int, count: int = 1, seed: object = 0) -> None:
        scribble(self.people[who].replica, self.deal, count, random.Random(repr((who, seed))))

    def state(self) -> Any:
        return copied(self.desk.relay.store)

    def put_back(self, state: Any) -> None:
        put_back(self.desk.relay.store, state)

    def alike(self) -> bool:
        return all(one.replica.contents() == self.people[0].replica.contents() for one in self.people)

    def holds_all(self) -> bool:
        """Whether somebody who comes anew gets everything from the relay."""
        new = Client(MemoryReplica(self.people[-1].replica.device), self.desk)
        clean(new.sync())
        return new.replica.contents() == self.people[-1].replica.contents()


def clean(done: Exchange) -> Exchange:
    assert (done.failure, done.alarm, done.rejected, tuple(done.problems)) == (None, None, 0, ())
    return done


def codes(done: Exchange) -> set[str]:
    return {problem.code for problem in done.problems}


def runs(replica: MemoryReplica, space: bytes) -> list[Segment]:
    """Everything a replica holds of a space."""
    found: list[Segment] = []
    for head in replica.heads(space):
        at = 0
        while at <= head.seq and (run := replica.read(space, head, at, 1000)) is not None:
            found.append(run)
            at = run.last_seq + 1
    return found
