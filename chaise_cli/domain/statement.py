"""A bank's statement against what is due: which payment is which operation. Pure; docs/spec/books.md.

A payment is an operation's when it names it by our reference and moves the exact amount, in its currency and
direction. Whatever is less than certain is listed and attests nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.errors import Usage
from chaise_cli.ids import EventId, public

SHORT: Final = 12  # characters of an operation's id in a reference: 60 bits, and within the 18 some banks carry
PREFIX: Final = "op-"
ID_MOST: Final = 120  # characters of a bank's own id; an attestation's reference holds it with the day
_NOISE: Final = re.compile(r"[^0-9a-z]")
_READ: Final = str.maketrans("ilo", "110")  # what people and banks write for the digits of an id
_MARK: Final = PREFIX.replace("-", "").translate(_READ)


class BadStatement(Usage):
    """The statement cannot be read with certainty; nothing of it was used."""

    code = "statement.unreadable"
    message = "the statement cannot be read, {where}: {why}"
    hint = "nothing was attested; the columns of a CSV are named with --columns, see docs/spec/books.md"
    where: str
    why: str


class Line(NamedTuple):
    """One payment on a statement. `amount` is negative for what went out; `id` is the bank's own.

    n: the line of a CSV file, of camt.053 the payment's number in the file. booked: the bank's day, `2026-12-15`.
    unsettled: why it is no movement of its own, `pending` or `reversal`; empty for one that is booked.
    """

    n: int
    booked: str
    amount: Money
    texts: tuple[str, ...]
    party: str
    id: str
    unsettled: str = ""

    @property
    def ref(self) -> str:
        """What an attestation of this payment is known by, whenever the statement is read again."""
        return f"bank {self.booked} {self.id}"


class Awaited(NamedTuple):
    """An operation whose money has still to move; `amount` as a statement has it.

    turn: operations of one turn are paid in their order, and a later payment covers what is before it.
    """

    op: EventId
    turn: str
    amount: Money


class Match(NamedTuple):
    """A payment and the operation that it settles."""

    line: Line
    op: EventId


class Unmatched(NamedTuple):
    """A payment that settles nothing, why, and the operations that it names."""

    line: Line
    why: str
    ops: tuple[EventId, ...] = ()


class Matching(NamedTuple):
    """What a statement comes to; `due` is what no payment on it settles."""

    matched: tuple[Match, ...]
    known: tuple[Line, ...]
    unmatched: tuple[Unmatched, ...]
    due: tuple[Awaited, ...]


def reference(op: EventId) -> str:
    """The short reference a payer is told to write: `op-` and twelve characters of the operation's id."""
    return public("op", op)[: len(PREFIX) + SHORT]


def written(line: Line) -> set[str]:
    """The beginnings of operations' ids that a payment may name, without `op-`.

    Banks drop dashes, break lines anywhere and write capitals, so only letters and digits count.
    """
    found = set()
    for text in (*line.texts, " ".join(line.texts)):
        plain = _NOISE.sub("", text.lower()).translate(_READ)
        at = plain.find(_MARK)
        while at >= 0:
            start = at + len(_MARK)
            if len(plain) >= start + SHORT:
                found.add(plain[start : start + SHORT])
            at = plain.find(_MARK, at + 1)
    return found


def match(lines: Sequence[Line], awaited: Sequence[Awaited], booked: Mapping[str, Sequence[Money]]) -> Matching:
    """Which of `awaited`, in their order, the payments settle; no payment settles two, no operation is settled twice.

    booked: what the book has under references, as a statement would have it.
    """
    shorts: dict[str, list[EventId]] = {}
    for item in awaited:
        shorts.setdefault(reference(item.op).removeprefix(PREFIX), []).append(item.op)
    known: list[Line] = []
    unmatched: list[Unmatched] = []
    naming: dict[EventId, list[Line]] = {}
    seen: set[str] = set()
    for line in lines:
        ops = tuple(sorted({op for short in written(line) for op in shorts.get(short, ())}))
        why = _not_its_own(line, seen, booked)
        seen.add(line.ref)
        if why == "known":
            known.append(line)
        elif why or len(ops) != 1:
            unmatched.append(Unmatched(line, why or ("ambiguous" if ops else "unnamed"), ops))
        else:
            naming.setdefault(ops[0], []).append(line)
    matched, due = _settled(awaited, naming, unmatched)
    unmatched.sort(key=lambda item: item.line.n)
    return Matching(tuple(matched), tuple(known), tuple(unmatched), tuple(due))


def _not_its_own(line: Line, seen: set[str], booked: Mapping[str, Sequence[Money]]) -> str:
    """Why a payment is not looked at: empty for one that is."""
    if line.unsettled:
        return line.unsettled
    if line.ref in seen:
        return "repeated"
    if line.ref in booked:
        return "known" if line.amount in booked[line.ref] else "other_amount_booked"
    return ""


def _settled(
    awaited: Sequence[Awaited], naming: Mapping[EventId, Sequence[Line]], unmatched: list[Unmatched]
) -> tuple[list[Match], list[Awaited]]:
    """The operations with the one payment that fits, and those that stay; other payments go to `unmatched`."""
    matched: list[Match] = []
    open_: dict[str, list[Awaited]] = {}  # of each turn, what no payment has covered yet
    for item in awaited:
        before = open_.setdefault(item.turn, [])
        before.append(item)
        owed = Money(sum(one.amount.minor for one in before), item.amount.currency)
        lines = naming.get(item.op, ())
        fitting = [line for line in lines if line.amount == owed]
        if len(fitting) == 1:
            matched.append(Match(fitting[0], item.op))
            before.clear()
        else:
            unmatched += [Unmatched(line, "ambiguous", (item.op,)) for line in fitting]
        unmatched += [Unmatched(line, _differs(line, item, owed), (item.op,)) for line in lines if line.amount != owed]
    left = {one.op for items in open_.values() for one in items}
    return matched, [item for item in awaited if item.op in left]


def _differs(line: Line, item: Awaited, owed: Money) -> str:
    if line.amount.currency != owed.currency:
        return "other_currency"
    if (line.amount.minor < 0) != (owed.minor < 0):
        return "other_direction"
    return "earlier_due" if line.amount == item.amount else "other_amount"
