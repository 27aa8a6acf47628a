"""What every rail can be asked, and what it can answer: the Protocol, the outcomes, and how a payment is named.

An adapter moves the amount it is given, or says why not; it never decides one. docs/spec/rails.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NewType, Protocol, TypeAlias

from chaise_cli import ids
from chaise_cli.domain.money import Money
from chaise_cli.errors import Corrupt, Refused, RequestReused, Unreachable

Key = NewType("Key", str)
"""Our name for one payment: the rail's idempotency key, and the reference it is looked up by ever after."""

_TAG: Final = b"chaise/1 rail\x00"


class KeyReused(RequestReused):
    """A rail knows the key of a payment with other parameters."""

    code = "rail.key_reused"
    message = "the rail {rail} knows {key} as a payment with other parameters"
    hint = "nothing was moved now; compare the book with the rail's statement: chaise rail reconcile"
    rail: str
    key: str


class NoStatement(Unreachable):
    """A rail could not be asked for its statement, or answered with something else."""

    code = "rail.no_statement"
    message = "the rail {rail} gives no statement: {why}"
    hint = "nothing was compared; check the address and the network, then ask again"
    rail: str
    why: str


class NotOffered(Refused):
    """A rail that keeps no statement was asked for one; its `caps` say so beforehand."""

    code = "rail.not_offered"
    message = "the rail {rail} keeps no statement"
    hint = "import that of the bank which the money went through"
    rail: str


class Contradicted(Corrupt):
    """A rail told two ends of one payment that cannot both be true."""

    code = "rail.contradicted"
    message = "the rail said {before}, and now says {now}, of one payment"
    hint = "the first stands in the book; ask whoever runs the rail, and compare: chaise rail reconcile"
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be moved. party: whom the rail takes it from or gives it to, a full identity id.

    called: the party as people know them. purpose: what it is for, as people type it (`deal-7k3m9q2x/1`).
    """

    party: str
    called: str
    amount: Money
    purpose: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The money moved, under the rail's `ref`. fee: what the rail took for it, beside `amount`.

    reversible_until: until when somebody may claw it back, in ms since 1970; None for never.
    """

    ref: str
    amount: Money
    fee: Money
    reversible_until: int | None


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing moved, and under this key nothing ever will."""

    code: str


@dataclass(frozen=True, slots=True)
class Pending:
    """The rail has it, and does not know the end yet: ask again by `fetch` or `find`."""

    ref: str


@dataclass(frozen=True, slots=True)
class ActionNeeded:
    """Nothing moves until a person does what `text` says. ref: the rail's, where it keeps the payment open."""

    text: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have moved or not. Only a look-up by `our_reference` can tell; nothing is sent again before it did."""

    our_reference: Key
    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nobody was there to hear it: not one byte left, so it may be sent again whenever."""

    why: str


Outcome: TypeAlias = Succeeded | Declined | Pending | ActionNeeded | Unknown | NotSent


@dataclass(frozen=True, slots=True)
class Caps:
    """What a rail is able to do.

    moves_by_itself: money moves without a person. native_keys: a key that comes twice within the rail's horizon
    moves money once. refunds: a hold can be given back by its ref. statement: it lists what it moved.
    """

    moves_by_itself: bool
    native_keys: bool
    refunds: bool
    statement: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a rail's statement; the balance changes by `amount` less `fee`.

    at: ms since 1970. reference: our key, where we named it. kind: hold, payout, refund, chargeback or deposit.
    amount: signed, above zero where money came in. fee: from zero up.
    """

    at: int
    ref: str
    reference: str | None
    kind: str
    amount: Money
    fee: Money


class Rail(Protocol):
    """Something that really moves money. Trouble on the way is an outcome, never an exception.

    `hold`, `payout` and `refund` raise KeyReused alone: the key names another payment. Nothing moved then.
    """

    @property
    def name(self) -> str:
        """As terms and accounts name it."""

    def caps(self) -> Caps:
        """What it is able to do; asks nobody."""

    def hold(self, intent: Intent, key: Key) -> Outcome:
        """Take the amount from the party, into the agent's account."""

    def payout(self, intent: Intent, key: Key) -> Outcome:
        """Give the amount to the party, from the agent's account."""

    def refund(self, ref: str, intent: Intent, key: Key) -> Outcome:
        """Give back so much of the hold `ref`, to the party that paid it."""

    def find(self, our_reference: Key) -> Outcome | None:
        """What became of a payment. None: the rail was asked and has never seen it; Unknown: nobody could be asked.

        After None it may be sent again, under the same key and no other: the first request may still be on its way.
        """

    def fetch(self, ref: str) -> Outcome | None:
        """The same by the rail's own `ref`; a rail that answers Unknown has it named so in `our_reference`."""

    def statement(self, since: int, until: int) -> Sequence[Line]:
        """All lines with `since` ≤ at < `until`, in the rail's order. Raises NoStatement, NotOffered."""


def key(deal: ids.SpaceId, op: ids.EventId, step: str) -> Key:
    """The key of one step of an operation; every process and device of the agent makes the same one.

    33 characters that also fit into the reference of a bank transfer (35 in ISO 20022's EndToEndId).
    Source: docs/spec/rails.md, Keys.

    >>> key(ids.SpaceId("A" * 43), ids.EventId("A" * 43), "hold")
    'chaise-8v2wye855hggft4rqm466gwz7g'
    """
    named = _TAG + ids.raw(deal) + ids.raw(op) + step.encode()
    return Key(f"chaise-{ids.base32(hashlib.sha256(named).digest())}")


def drive(rail: Rail, key: Key, send: Callable[[], Outcome], *, tried: bool) -> Outcome:
    """What becomes of a payment: sent when it is new, else looked up, and sent again only if the rail never saw it.

    tried: whether an attempt may have left before, which has to be on disk before this is called.
    """
    if tried and (found := rail.find(key)) is not None:
        return found
    return send()


def final(outcome: Outcome) -> bool:
    """Whether nothing more will be heard of the payment."""
    return isinstance(outcome, Succeeded | Declined)


def later(known: Outcome | None, told: Outcome) -> Outcome:
    """Which of two answers about one payment stands, in whatever order they arrived.

    An end stands against every answer on the way to it; of two that are on the way the one told last stands, unless
    it knows less. Raises Contradicted when a rail tells two ends.
    """
    if known is None or _standing(told) > _standing(known):
        return told
    if final(known) and final(told) and known != told:
        raise Contradicted(before=str(known), now=str(told))
    return told if _standing(told) == _standing(known) else known


def _standing(outcome: Outcome) -> int:
    match outcome:
        case Succeeded() | Declined():
            return 3
        case Pending() | ActionNeeded():
            return 2
        case Unknown():
            return 1
        case NotSent():  # below: that a later attempt stayed here says nothing about an earlier one
            return 0
