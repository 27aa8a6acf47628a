"""The order of a deal's guarded events: who is its agent device, and what that device took up when.

Every event of the agent device covers, through `prev` and `seen`, transitively, whatever its writer had;
the place of the first agent event that covers an event is that event's *uptake*. docs/spec/order.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

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
class Taken:
    """The agent device took up what it covers, and says nothing else."""

    KIND: ClassVar[str] = "taken"


class Place(NamedTuple):
    """Where one event stands. `seen` holds (device, seq) pairs; ids and devices are base64url text."""

    device: str
    seq: int
    id: str
    lamport: int
    seen: Sequence[tuple[str, int]]

    def rank(self) -> tuple[int, bytes, int, bytes]:
        """Its order among events of one uptake."""
        return self.lamport, raw(self.device), self.seq, raw(self.id)


class Handover(NamedTuple):
    """A valid `agent.device` event: where it stands, the new device, and the agent event it follows."""

    place: Place
    device: str
    after: str


class Line(NamedTuple):
    """The agent's events in order, and the device whose turn it is: it may have written nothing yet."""

    events: list[Place]
    device: str


def cover(frontier: dict[str, int], tip: Place, find: Callable[[str, int], Place]) -> list[Place]:
    """What `tip` covers beyond `frontier` (highest seq covered per device), `tip` last; the frontier moves along.

    `find` gives the event at (device, seq). Each event is walked once in its life, so the cost is that of
    the news alone.
    """
    news: list[Place] = []
    todo: list[tuple[str, int]] = [(tip.device, tip.seq - 1), *tip.seen]
    while todo:
        device, seq = todo.pop()
        first = frontier.get(device, -1) + 1
        if seq < first:
            continue
        frontier[device] = seq
        for number in range(first, seq + 1):
            place = find(device, number)
            news.append(place)
            todo.extend(place.seen)
    frontier[tip.device] = max(tip.seq, frontier.get(tip.device, -1))
    news.sort(key=Place.rank)
    news.append(tip)
    return news


def agent_line(
    opening: Place,
    first_device: str,
    chains: Callable[[str], Sequence[Place]],
    handovers: Iterable[Handover],
    is_movement: Callable[[Place], bool],
) -> Line:
    """The agent's events in order, over all devices that held the role, and who holds it now.

    Of two successors of one agent event the branch with a movement stands; on neither, a handover beats the
    old device, and the smaller id another handover.
    """
    holders = [first_device]
    line = [place for place in chains(first_device) if place.rank() >= opening.rank() or place.device != opening.device]
    known = {opening.id: -1} | {place.id: index for index, place in enumerate(line)}
    for handover in sorted(handovers, key=lambda h: (h.place.lamport, h.place.id)):
        at = known.get(handover.after)
        # Never back to a device that had it: what that device writes later would decide about its first handover.
        if at is None or handover.device in holders or any(is_movement(place) for place in line[at + 1 :]):
            continue
        fresh = [place for place in chains(handover.device) if place.seq >= _first_seq(handover)]
        line = line[: at + 1] + fresh
        holders.append(handover.device)
        known = {opening.id: -1} | {place.id: index for index, place in enumerate(line)}
    return Line(line, holders[-1])


def _first_seq(handover: Handover) -> int:
    """From where the new device's chain counts: its own handover, or all of it when the old device wrote that."""
    return handover.place.seq if handover.place.device == handover.device else 0
