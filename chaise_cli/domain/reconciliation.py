"""A rail's statement against the book: what only one of them has, and what they say differently. docs/spec/rails.md.

Both go by the reference of a payment, whenever either of them dates it: a rail's clock is not the agent's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.ids import EventId, SpaceId

NAME_LEAST: Final = 4  # letters and digits of a reference that is looked for in a bank's texts


class Shown(NamedTuple):
    """A line of a statement. at: ms. amount: signed, above zero where money came in; cost: what the rail took besides.

    key: our own name for the payment, where the rail tells it. texts: what else it may be known by in the book.
    """

    at: int
    ref: str
    kind: str
    amount: Money
    cost: Money
    key: str | None = None
    texts: tuple[str, ...] = ()


class Booked(NamedTuple):
    """An entry of the book that moved money on the rail; amount and cost as a statement has them."""

    event: EventId
    deal: SpaceId
    at: int
    text: str
    ref: str
    amount: Money
    cost: Money


class Differing(NamedTuple):
    """Lines and entries of one reference that do not come to the same."""

    ref: str
    lines: tuple[Shown, ...]
    entries: tuple[Booked, ...]


class Sum(NamedTuple):
    """What lines and entries of one currency come to, costs taken off, in minor units."""

    currency: str
    statement: int
    book: int


class Reconciled(NamedTuple):
    """What a comparison came to. agreed: how many references both have alike.

    own: lines that belong in no book of deals: they moved the agent's own money, or gave back what had come too late.
    """

    agreed: int
    unbooked: tuple[Shown, ...]
    unshown: tuple[Booked, ...]
    differing: tuple[Differing, ...]
    own: tuple[Shown, ...]
    sums: tuple[Sum, ...]

    @property
    def differences(self) -> int:
        """How many things stand on one side alone, or otherwise on the other."""
        return len(self.unbooked) + len(self.unshown) + len(self.differing)


class Period(NamedTuple):
    """`since` ≤ at < `until`, in ms."""

    since: int
    until: int

    def has(self, at: int) -> bool:
        """Whether an instant lies in it."""
        return self.since <= at < self.until


def compare(lines: Sequence[Shown], entries: Sequence[Booked], period: Period, own: Iterable[Shown] = ()) -> Reconciled:
    """The lines and the entries of a period, each against all that the other side has of the same reference.

    own: lines, all of them among `lines`, that have nothing to do with a deal.
    """
    aside = tuple(own)
    shown = _by_ref(line for line in lines if line not in aside)
    booked = _by_ref(entries)
    _name(shown, booked)
    agreed, unbooked, unshown, differing = 0, list[Shown](), list[Booked](), list[Differing]()
    sums: dict[str, list[int]] = {}
    for ref in sorted(shown.keys() | booked.keys()):
        here, there = tuple(shown.get(ref, ())), tuple(booked.get(ref, ()))
        if not any(period.has(at) for at in [*(line.at for line in here), *(entry.at for entry in there)]):
            continue
        _add(sums, 0, _total(here))
        _add(sums, 1, _total(there))
        if _total(here) == _total(there):
            agreed += 1
        elif not there:
            unbooked += here
        elif not here:
            unshown += there
        else:
            differing.append(Differing(ref, here, there))
    return Reconciled(
        agreed,
        tuple(sorted(unbooked, key=lambda line: line.at)),
        tuple(sorted(unshown, key=lambda entry: entry.at)),
        tuple(differing),
        tuple(line for line in aside if period.has(line.at)),
        tuple(Sum(currency, *sums[currency]) for currency in sorted(sums)),
    )


T = TypeVar("T", Shown, Booked)


def _by_ref(items: Iterable[T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for item in items:
        found.setdefault(item.ref, []).append(item)
    return found


def _name(shown: dict[str, list[Shown]], booked: dict[str, list[Booked]]) -> None:
    """Give lines the reference that a person booked them under, where one alone fits and comes to the same."""
    open_ = {_plain(ref): ref for ref in booked if ref not in shown}
    for ref in [ref for ref in shown if ref not in booked]:
        said = {_plain(text) for line in shown[ref] for text in line.texts}
        fitting = [
            known
            for plain, known in open_.items()
            if len(plain) >= NAME_LEAST
            and any(plain in text for text in said)
            and _total(shown[ref]) == _total(booked[known])
        ]
        if len(fitting) == 1:
            shown[fitting[0]] = shown.pop(ref)
            del open_[_plain(fitting[0])]


def _plain(text: str) -> str:
    """Letters and digits alone: banks lose the rest, and write capitals."""
    return "".join(char for char in text.casefold() if char.isalnum())


def _total(items: Iterable[Shown | Booked]) -> dict[str, tuple[int, int]]:
    """What references come to in each currency: amounts and costs."""
    found: dict[str, tuple[int, int]] = {}
    for item in items:
        for currency, amount, cost in (
            (item.amount.currency, item.amount.minor, 0),
            (item.cost.currency, 0, item.cost.minor),
        ):
            kept = found.get(currency, (0, 0))
            found[currency] = (kept[0] + amount, kept[1] + cost)
    return {currency: both for currency, both in found.items() if both != (0, 0)}


def _add(sums: dict[str, list[int]], side: int, total: dict[str, tuple[int, int]]) -> None:
    for currency, (amount, cost) in total.items():
        sums.setdefault(currency, [0, 0])[side] += amount - cost
