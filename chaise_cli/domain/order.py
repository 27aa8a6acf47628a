"""The order of a deal's guarded events: who is its agent device, and what that device took up when.

Every event of the agent device covers, through `prev` and `seen`, transitively, whatever its writer had;
the place of the first agent event that covers an event is that event's *uptake*. A chain may be a tree, so the
agent's line is a way through a tree of all that devices in the role have said. docs/spec/order.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.shape import Device, Event
from chaise_cli.ids import raw


@body
class AgentDevice:
    """The role moves to `device`; `after` is the last agent event its writer knows, or the opening."""

    KIND: ClassVar[str] = "agent.device"
    device: Device
    after: Event


@body
class AgentSettled:
    """One side's word on which event of the agent was the last, where two histories of it have moved money."""

    KIND: ClassVar[str] = "agent.settled"
    last: Event


@body
class Taken:
    """The agent device took up what it covers, and says nothing else."""

    KIND: ClassVar[str] = "taken"


class Place(NamedTuple):
    """Where one event stands. Ids and devices are base64url text; `seen` holds (branch, seq) pairs.

    branch: names the run of its chain without a fork, by its device, and behind a fork also by its first event.
    """

    device: str
    seq: int
    id: str
    lamport: int
    seen: Sequence[tuple[str, int]]
    branch: str

    def rank(self) -> tuple[int, bytes, int, bytes]:
        """Its order among events of one uptake."""
        return self.lamport, raw(self.device), self.seq, raw(self.id)


class Handover(NamedTuple):
    """A valid `agent.device` event: where it stands, the new device, and the agent event it follows."""

    place: Place
    device: str
    after: str


class Line(NamedTuple):
    """The agent's events in order, and the device whose turn it is: it may have written nothing yet.

    contested: where several ways on have moved money, the first event of each; empty when there is nothing to settle.
    """

    events: list[Place]
    device: str
    contested: Sequence[str] = ()
    holders: tuple[str, ...] = ()  # every device that has had the role on the way, in turn


class Branches(NamedTuple):
    """How the chains of a space branch: the first seq of a branch, and the branch it leaves (None for a stem)."""

    first: Callable[[str], int]
    stem: Callable[[str], str | None]


STRAIGHT: Final = Branches(lambda _: 0, lambda _: None)  # where no chain has a fork


def cover(
    frontier: dict[str, int], tip: Place, find: Callable[[str, int], Place], branches: Branches = STRAIGHT
) -> list[Place]:
    """What `tip` covers beyond `frontier` (highest seq covered per branch), `tip` last; the frontier moves along.

    `find` gives the event at (branch, seq). Each event is walked once in its life, so the cost is that of
    the news alone.
    """
    if not tip.seen and frontier.get(tip.branch) == tip.seq - 1:  # it had no news
        frontier[tip.branch] = tip.seq
        return [tip]
    news: list[Place] = []
    todo: list[tuple[str, int]] = [(tip.branch, tip.seq - 1), *tip.seen]
    begun: set[str] = set()  # branches whose stem is covered: once, or damage could send this round in a circle
    while todo:
        branch, seq = todo.pop()
        covered = frontier.get(branch)
        first = branches.first(branch) if covered is None else covered + 1
        if covered is None and branch not in begun and (stem := branches.stem(branch)) is not None:
            begun.add(branch)
            todo.append((stem, first - 1))
        if seq < first:
            continue
        frontier[branch] = seq
        for number in range(first, seq + 1):
            place = find(branch, number)
            news.append(place)
            todo.extend(place.seen)
    frontier[tip.branch] = max(tip.seq, frontier.get(tip.branch, -1))
    news.sort(key=Place.rank)
    news.append(tip)
    return news


class Opening(NamedTuple):
    """A `deal.opened` that may count: where it stands, and the device it names as the agent's."""

    place: Place
    device: str


class Said(NamedTuple):
    """What devices that may have the role have said, by sealed events: of each device in the order (seq, id).

    before: the id of the sealed event before one on its chain, None for the first. settled: ids that both sides have
    named as the last event, in the order in which that counts.
    """

    chains: Mapping[str, Sequence[Place]]
    before: Mapping[str, str | None]
    handovers: Iterable[Handover]
    moves: Collection[str]
    settled: Sequence[str] = ()


class _Way(NamedTuple):
    """One way on from an event of the agent: by the same device, or handed over to another."""

    handed: bool
    id: str
    starts: Sequence[Place]
    device: str


class Tree:
    """Everything that devices in the role have said from one opening on, and which way through it stands."""

    def __init__(self, opening: Opening, said: Said) -> None:
        self._said, self._opening = said, opening
        self._after: dict[str, list[Place]] = {}
        for places in said.chains.values():
            for place in places:
                before = said.before[place.id]
                if before is not None:
                    self._after.setdefault(before, []).append(place)
        self._places: dict[str, Place] = {}
        self._handed: dict[str, list[_Way]] = {}
        self._follows: dict[str, str] = {}
        self._grow(opening.place.id, self._begins())
        self._hand_over()
        self._moving = self._find_moving()
        self._wanted = self._find_wanted()

    def _begins(self) -> list[Place]:
        opening, device = self._opening.place, self._opening.device
        if opening.device == device:
            return [opening] if opening.id in self._said.before else []  # it may name a device of somebody else
        return [place for place in self._said.chains.get(device, ()) if self._said.before[place.id] is None]

    def _grow(self, after: str, starts: Sequence[Place]) -> None:
        """Take in what stands on a device's chain from these events on; they follow the event `after`."""
        for start in starts:
            if start.id != after:
                self._follows[start.id] = after
        todo = list(starts)
        while todo:
            place = todo.pop()
            self._places[place.id] = place
            for following in self._after.get(place.id, ()):
                self._follows[following.id] = place.id
                todo.append(following)

    def _hand_over(self) -> None:
        """Each device gets the role by the first handover that names it behind an event in the tree.

        By a later one of its own it goes on from another event, where the first was overtaken by movements: one on the
        way to which it did not have the role, or what it moved could be taken out of a contest, or follow itself.
        """
        holders = {self._opening.device}
        for handover in sorted(self._said.handovers, key=lambda h: (h.place.lamport, h.place.id)):
            again = handover.device in holders
            if handover.after not in self._places and handover.after != self._opening.place.id:
                continue
            if again and not self._may_go_on(handover):
                continue
            starts = [handover.place] if again else self._starts(handover)
            holders.add(handover.device)
            self._handed.setdefault(handover.after, []).append(
                _Way(handed=True, id=handover.place.id, starts=starts, device=handover.device)
            )
            if again and handover.place.id in self._places:  # what it moves from here on follows what it names now
                self._follows[handover.place.id] = handover.after
            else:
                self._grow(handover.after, starts)

    def _may_go_on(self, handover: Handover) -> bool:
        """Whether a device that has the role somewhere may take it behind another event, by a word of its own.

        It may stand on another history than the first, as where a copied home has taken the role twice.
        """
        if handover.place.device != handover.device:
            return False
        at: str | None = handover.after
        while at in self._places:
            if self._places[at].device == handover.device:
                return False
            at = self._follows.get(at)
        return handover.device != self._opening.device

    def _starts(self, handover: Handover) -> list[Place]:
        """From where the new device's chain counts: its own handover, or all of it when another device wrote that."""
        if handover.place.device == handover.device:
            return [handover.place]
        return [place for place in self._said.chains.get(handover.device, ()) if self._said.before[place.id] is None]

    def _find_moving(self) -> set[str]:
        """The events with a movement at them or behind them."""
        found: set[str] = set()
        for moved in self._said.moves:
            at: str | None = moved if moved in self._places else None
            while at is not None and at not in found:
                found.add(at)
                at = self._follows.get(at)
        return found

    def _find_wanted(self) -> dict[str, str]:
        """For events on the way to one that both sides have named: the event that follows there."""
        wanted: dict[str, str] = {}
        for last in self._said.settled:
            path: list[str] = []
            at: str | None = last if last in self._places else None
            while at is not None and at not in path:
                path.append(at)
                at = self._follows.get(at)
            pairs = list(zip(path[1:], path, strict=False))
            if all(wanted.get(before, after) == after for before, after in pairs):  # else settled otherwise before
                wanted |= dict(pairs)
        return wanted

    @property
    def moves(self) -> bool:
        """Whether money has moved behind this opening."""
        return any(id_ in self._said.moves for id_ in self._places)

    @property
    def is_settled(self) -> bool:
        """Whether both sides have named an event behind this opening as the last."""
        return any(last in self._places for last in self._said.settled)

    def ends(self) -> list[str]:
        """The events that are the last of their history."""
        return [id_ for id_ in self._places if id_ not in self._after]

    def line(self) -> Line:
        """The way that stands."""
        line: list[Place] = []
        holders = [self._opening.device]
        contested: Sequence[str] = ()
        at = self._opening.place.id
        if at in self._places:
            line.append(self._places[at])
        taken = {at}
        at = self._go_on(at, holders[-1], line, taken)
        while options := self._options(at, holders, taken):
            way, start, disputed = self._choose(at, options)
            contested = contested or disputed
            if way.device != holders[-1]:
                holders.append(way.device)
            if start is None:
                break
            line.append(start)
            taken.add(start.id)
            at = self._go_on(start.id, holders[-1], line, taken)
        return Line(line, holders[-1], sorted(contested), tuple(holders))

    def _go_on(self, at: str, device: str, line: list[Place], taken: set[str]) -> str:
        """Follow the device that has the role to where there is a choice, or nothing more: mostly that is the end."""
        while at in self._places and at not in self._handed:
            following = self._after.get(at, ())
            if len(following) != 1:
                break
            (place,) = following
            if place.device != device or place.id in taken:
                break
            at = place.id
            line.append(place)
            taken.add(at)
        return at

    def _options(self, at: str, holders: Sequence[str], taken: set[str]) -> list[tuple[_Way, Place | None]]:
        """The ways on from an event and the first event of each, without devices that had the role on the way here."""
        own = self._after.get(at, ()) if at in self._places else self._begins()
        straight = [_Way(handed=False, id=place.id, starts=[place], device=place.device) for place in own]
        handed = [way for way in self._handed.get(at, ()) if way.device not in holders]
        found = [(way, start) for way in (*straight, *handed) for start in way.starts or (None,)]
        return [(way, start) for way, start in found if start is None or start.id not in taken]

    def _choose(self, at: str, options: Sequence[tuple[_Way, Place | None]]) -> tuple[_Way, Place | None, list[str]]:
        """The way that stands behind an event, its first event, and the ways among which the sides have to choose."""
        wanted = self._wanted.get(at)
        settled = [option for option in options if option[1] is not None and option[1].id == wanted]
        moving = [option for option in options if option[1] is not None and option[1].id in self._moving]
        way, start = min(settled or moving or options, key=_preference)
        disputed = [] if settled or len(moving) < 2 else [one.id for _, one in moving if one is not None]
        return way, start, disputed


def _preference(option: tuple[_Way, Place | None]) -> tuple[bool, str, str]:
    """A handover before the old device, then the smaller id."""
    way, start = option
    return not way.handed, way.id, start.id if start else ""


def agent_line(opening: Opening, said: Said) -> Line:
    """The agent's events in order, over all devices that held the role, and who holds it now.

    Of two ways on from one agent event the one with a movement stands; with movements on both the two sides have to
    settle which; on neither, a handover beats the old device, and the smaller id another handover or history.
    """
    return Tree(opening, said).line()


def leads(opening: Opening, said: Said) -> list[Line]:
    """For each last event of a history in the tree the line that leads to it, whatever both sides have named."""
    return [agent_line(opening, said._replace(settled=[end])) for end in Tree(opening, said).ends()]


def standing(openings: Sequence[tuple[Opening, Said]]) -> tuple[int, Line]:
    """Which of several openings of one space counts, by its index, and the agent's line behind it.

    Their maker's chain has a fork before or at them. As elsewhere the one with a movement stands, and the sides settle
    between several; on none, the one that another device than its maker's took up first, then the smaller id.
    """
    trees = [Tree(*one) for one in openings]
    lines = [tree.line() for tree in trees]
    settled = [at for at, tree in enumerate(trees) if tree.is_settled]
    moving = [at for at, tree in enumerate(trees) if tree.moves]

    def preference(at: int) -> tuple[bool, tuple[int, bytes, int, bytes], str]:
        place = openings[at][0].place
        taker = next((one for one in lines[at].events if one.device != place.device), None)
        return taker is None, taker.rank() if taker else (0, b"", 0, b""), place.id

    best = min(settled or moving or range(len(openings)), key=preference)
    if settled or len(moving) < 2:
        return best, lines[best]
    return best, lines[best]._replace(contested=sorted(openings[at][0].place.id for at in moving))
