"""Where two histories of the agent have moved money: nothing guarded goes on until both sides settle which stands.

docs/spec/order.md. `order` says which way through the agent's events stands; this is what people may do about it.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaise_cli.domain.deal import Deal
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.order import AgentSettled
from chaise_cli.domain.recorded import By
from chaise_cli.errors import Conflict, NotFound, Refused
from chaise_cli.ids import EventId, IdentityId, public


class Contested(Conflict):
    """A guarded act in a deal of which two histories have moved money."""

    code = "deal.contested"
    message = "two histories of {deal} have moved money, and it is not settled which of them stands"
    hint = "both sides say which event was the last: chaise agent settle {deal}"
    deal: str


class NotContested(Refused):
    """There is nothing to settle."""

    code = "deal.not_contested"
    message = "nothing is contested in {deal}"
    hint = "chaise show {deal}"
    deal: str


class NotOnAWay(NotFound):
    """The event named as the last is on none of the histories."""

    code = "deal.no_such_last"
    message = "event {last} is not one of the agent's behind the place where the histories part"
    hint = "chaise agent settle {deal} shows both histories and the last event of each"
    deal: str
    last: str


class SettledOtherwise(Refused):
    """One's own signature already stands under another event."""

    code = "deal.settled_otherwise"
    message = "you have named another event as the last; that stands until the other side names one you can join"
    hint = "agree with the other side: chaise message {deal} TEXT"
    deal: str


class Moved(NamedTuple):
    """A movement on one of the histories; `amount` in minor units of the deal's currency."""

    id: EventId
    kind: str
    milestone: int
    amount: int
    at: int


class Word(NamedTuple):
    """Somebody named an event of a history as the last."""

    by: IdentityId
    last: EventId


class Way(NamedTuple):
    """One history of the agent from the place on where it parts from another."""

    first: EventId
    events: Sequence[EventId]
    device: str
    stands: bool
    moves: Sequence[Moved]
    words: Sequence[Word]


def settle(deal: Deal, by: By, ways: Sequence[Way], last: EventId) -> list[AgentSettled]:
    """Bodies by which one side says which event was the agent's last; none when it has said so already.

    Who has named another event may only join the other side, or each could end up with the other's choice.
    Raises NotContested, NotOnAWay, SettledOtherwise.
    """
    if not deal.contested:
        raise NotContested(deal=deal.public)
    way = next((way for way in ways if last in way.events), None)
    if way is None:
        raise NotOnAWay(deal=deal.public, last=public("op", last)[3:15])
    words = [word for each in ways for word in each.words]
    mine = {word.last for word in words if word.by == by.identity}
    if last in mine:
        return []
    if mine and not any(word.last == last and word.by != by.identity for word in words):
        raise SettledOtherwise(deal=deal.public)
    return [AgentSettled(last)]
