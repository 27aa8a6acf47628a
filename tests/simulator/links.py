"""How devices of a run meet.

In conversations that are cut anywhere, in folders that a third program keeps alike, by segments carried in any order.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from chaise_cli.errors import ChaiseError
from chaise_cli.ids import SpaceId, raw
from chaise_cli.ledger.segment import Segment
from chaise_cli.session import syncing, upkeep
from chaise_cli.session.replica import HomeReplica, HomeSigner
from chaise_cli.store import events, relays
from sync import wire
from sync.conversation import converse
from sync.engine import Tally
from sync.replica import Problem, Replica, Signer
from sync.transports.folder import BASE
from tests.fakes.links import Queues, QueueStream
from tests.simulator.checks import Broken
from tests.simulator.devices import Device
from tests.simulator.fuse import FILES, Killed


@dataclass
class Met:
    """What one side of a meeting came to. dead: the process died in it."""

    moved: int = 0
    problems: list[str] = field(default_factory=list)
    failure: ChaiseError | None = None
    dead: bool = False

    def add(self, done: syncing.Done) -> Met:
        """With what an exchange did."""
        self.moved += done.sent + done.received
        self.problems += done.problems
        self.failure = self.failure or done.failure
        if done.alarm is not None:
            self.problems.append(done.alarm.sentence())
        return self


class _Cut:
    """A stream that ends after so many more bytes, whoever says them."""

    def __init__(self, stream: QueueStream, left: int | None) -> None:
        self._stream, self._left = stream, left

    def read(self, size: int) -> bytes:
        """As `wire.Stream`."""
        if self._left is None:
            return self._stream.read(size)
        data = self._stream.read(min(size, self._left)) if self._left else b""
        self._left -= len(data)
        return data

    def write(self, data: bytes) -> None:
        """As `wire.Stream`. Raises PeerClosed."""
        if self._left is not None:
            data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
            self._stream.write(data)
            if rest:
                raise wire.PeerClosed
            return
        self._stream.write(data)


class _Conversation:
    """A transport: the leading side of a conversation in memory."""

    def __init__(self, stream: wire.Stream, random: Callable[[int], bytes]) -> None:
        self._stream, self._random = stream, random

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`."""
        converse(wire.Channel(self._stream), replica, signer, tally, leads=True, random=self._random)


def contact(one: Device, other: Device, cut: int | None = None) -> tuple[Met, Met]:
    """`one` syncs with `other`, as `sync ssh://…` and `sync --stdio` do it, until the stream is cut.

    An exchange of the leader may take a second conversation: what fell due is sent at once.
    """
    far = Met()
    near = Met()
    stream = _Redialled(one, other, far, cut)
    try:
        near.add(syncing._exchange(one.session, None, other.label, stream, lambda *_: None))
    except Killed:
        near.dead = True
    return near, far


class _Redialled:
    """A transport that starts the far side anew for each exchange."""

    def __init__(self, one: Device, other: Device, far: Met, cut: int | None) -> None:
        self._one, self._other, self._far, self._cut = one, other, far, cut

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`."""
        if self._far.dead:
            raise wire.PeerClosed
        ends = Queues()
        served = Thread(target=_serve, args=(self._other, ends.far, self._far, _fuse_of(self._other)))
        served.start()
        try:
            _Conversation(_Cut(ends.near, self._cut), self._one.session.random).exchange(replica, signer, tally)
        finally:
            ends.near.close()
            served.join()


def _fuse_of(device: Device) -> Callable[[], None]:
    """What makes a thread's writes this device's."""

    def light() -> None:
        FILES.fuse = device.fuse

    return light


def _serve(device: Device, stream: QueueStream, met: Met, light: Callable[[], None]) -> None:
    """What `syncing.serve` does, on a stream in memory."""
    light()
    tally = Tally()
    try:
        try:
            replica, signer = HomeReplica(device.session), HomeSigner(device.session)
            converse(wire.Channel(stream), replica, signer, tally, leads=False, random=device.session.random)
        except ChaiseError as error:
            met.failure = met.failure or error
        done = tally.exchange()
        met.moved += done.sent + done.received
        met.problems += [problem.text for problem in done.problems]
        if done.received:
            met.problems += upkeep.run(device.session)
    except Killed:
        met.dead = True
    finally:
        stream.close()


def invited(device: Device, where: str, invite: str) -> None:
    """Remember a relay with the invite that opens it: another one where it has lost the last."""
    session = device.session
    with session.admitting():
        relays.set_invite(session.db, syncing.add_place(session, where, auto=False), invite)


def visit(device: Device, place: Path | str) -> Met:
    """The device syncs with a folder, or with a relay by its address."""
    met = Met()
    try:
        met.add(syncing.sync_with(device.session, str(place)))
    except Killed:
        met.dead = True
    return met


def copy_files(chance: random.Random, source: Path, to: Path) -> int:
    """What a program that keeps folders alike does meanwhile: some of the files, in any order; how many."""
    files = [path for path in sorted((source / BASE).rglob("*")) if path.is_file() and not path.name.startswith(".")]
    missing = [path for path in files if _differs(path, to / path.relative_to(source))]
    chance.shuffle(missing)
    kept = missing[: chance.randint(0, len(missing))] if chance.random() < 0.6 else missing
    for path in kept:
        at = to / path.relative_to(source)
        at.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, at)
    return len(kept)


def _differs(path: Path, other: Path) -> bool:
    return not other.exists() or (path.suffix == ".json" and path.read_bytes() != other.read_bytes())


def carry(chance: random.Random, giver: Device, taker: Device) -> tuple[int, list[Problem]]:
    """Some segments of the spaces that both may see: some left out, some twice, in any order; how many were kept."""
    kept, problems = 0, list[Problem]()
    for space in giver.spaces("board", "deal"):
        if not _may_have(giver, taker, space.id):
            continue
        runs = _pieces(giver, space.id, chance.randint(1, 6))
        runs = [run for run in runs if chance.random() < 0.8]
        runs += [run for run in runs if chance.random() < 0.2]
        chance.shuffle(runs)
        for run in runs:
            done = HomeReplica(taker.session).admit(raw(space.id), [run])
            kept += done.accepted
            problems += done.problems
    return kept, problems


def _may_have(giver: Device, taker: Device, space: SpaceId) -> bool:
    """Boards that the taker is on, deals whose wraps name it."""
    if events.find_space(taker.session.db, space) is not None:
        return True
    info = next(one for one in giver.replica().spaces() if one.id == raw(space))
    return info.kind == "deal" and raw(taker.session.me.identity) in info.names


def _pieces(giver: Device, space: SpaceId, size: int) -> list[Segment]:
    replica = giver.replica()
    found: list[Segment] = []
    for head in replica.heads(raw(space)):
        at = 0
        while (run := replica.read(raw(space), head, at, size)) is not None:
            found.append(run)
            at = run.last_seq + 1
    return found


def meet(*devices: Device, round_most: int = 12) -> list[tuple[Device, Device, Met]]:
    """All sync with all, honestly, until nothing moves; what each meeting came to, for both sides."""
    told: list[tuple[Device, Device, Met]] = []
    for _ in range(round_most):
        moved = 0
        for one in devices:
            for other in devices:
                if one is other:
                    continue
                near, far = contact(one, other)
                told += [(one, other, near), (other, one, far)]
                moved += near.moved + far.moved
        if not moved:
            return told
    raise Broken("syncing never comes to rest")
