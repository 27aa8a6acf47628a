from __future__ import annotations

import pytest

from chaise_cli.domain import escrow, journal
from chaise_cli.domain.journal import Posting
from chaise_cli.domain.money import Money
from chaise_cli.ids import EventId, public
from tests.unit.domain.deal_world import ADA, JAMES, LISA, NOON, SPACE, hired, name

DEAL = public("deal", SPACE)
ESCROW, FEES = f"liabilities:escrow:{DEAL}:1", f"liabilities:fees:{DEAL}:1"
OWED_JAMES = f"liabilities:payable:{public('id', JAMES)}"
OWED_LISA = f"liabilities:payable:{public('id', LISA)}"
RAIL = "assets:rail:manual"


def test_each_movement_makes_its_entry_in_the_book() -> None:
    world = hired(10_000, client_fee=300, talent_fee=500, agent_of=ADA)
    world.fund()
    world.record(LISA, *escrow.release(world.deal, world.by(LISA), 1, total=Money(6_000, "EUR")))
    world.record(JAMES, *escrow.refund(world.deal, world.by(JAMES), 1))
    world.settle()
    world.pay_all()
    assert [(entry.text.split()[0], entry.ref, entry.postings) for entry in world.deal.entries] == [
        ("held", "transfer 4711", (Posting(RAIL, 10_300), Posting(ESCROW, -10_000), Posting(FEES, -300))),
        (
            "released",
            None,
            (
                Posting(ESCROW, 6_000),
                Posting(FEES, 180),
                Posting(OWED_JAMES, -5_700),
                Posting("income:fees", -480),
            ),
        ),
        ("refunded", None, (Posting(ESCROW, 4_000), Posting(FEES, 120), Posting(OWED_LISA, -4_120))),
        ("paid", "transfer 4711", (Posting(OWED_JAMES, 5_700), Posting(RAIL, -5_700))),
        ("paid", "transfer 4711", (Posting(OWED_LISA, 4_120), Posting(RAIL, -4_120))),
    ]
    assert world.deal.entries[0].at == NOON
    assert world.deal.entries[0].currency == "EUR"


def test_lines_of_nothing_are_left_out() -> None:
    world = hired(10_000)
    world.fund()
    assert [posting.account for posting in world.deal.entries[0].postings] == [RAIL, ESCROW]


def test_an_entry_that_does_not_balance_is_a_bug() -> None:
    book = journal.Book("manual", f"{DEAL}/1", "EUR")
    with pytest.raises(AssertionError, match="does not balance"):
        journal._entry(book, EventId(name("e")), NOON, "x", None, Posting(RAIL, 1))


def test_entries_are_drained_by_their_holder() -> None:
    world = hired(10_000)
    world.fund()
    world.deal = world.deal._replace(entries=())
    world.release()
    assert [entry.text.split()[0] for entry in world.deal.entries] == ["released"]
