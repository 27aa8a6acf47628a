from __future__ import annotations

import json
import typing
from typing import Any

import pytest

from chaise_cli import shapes
from chaise_cli.domain import deal_view, escrow, hiring
from chaise_cli.domain.deal_view import balances, deal_shape, entry_shape, milestone_shape, op_shape, terms_shape
from chaise_cli.domain.money import Money
from chaise_cli.domain.talk import Attachment
from chaise_cli.ids import IdentityId, public
from tests.unit.domain.deal_world import ADA, JAMES, LAPTOP, LISA, World, hired, in_state, name

HANDLES = {LISA: "lisa", JAMES: "james", ADA: "ada"}


def person(identity: IdentityId) -> shapes.Person:
    return {"id": public("id", identity), "handle": HANDLES[identity], "name": HANDLES[identity].title()}


def keys(shape: type, value: object) -> None:
    """The value has the promised keys of a shape and no others, and JSON knows all of it."""
    assert isinstance(value, dict)
    hints = typing.get_type_hints(shape, include_extras=True)
    optional = {key for key, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
    assert set(value) - optional == set(hints) - optional
    json.dumps(value)


def test_a_deal_before_anybody_named_a_price_has_no_currency() -> None:
    shown = deal_shape(World().deal, person)
    keys(shapes.Deal, shown)
    assert (shown["state"], shown["currency"], shown["milestones"], shown["terms_hash"]) == ("talking", None, [], None)


def test_a_proposal_shows_its_milestones_as_planned() -> None:
    world = World()
    world.propose(60_000, 140_000)
    shown = deal_shape(world.deal, person)
    assert [(ms["state"], ms["amount"]["text"]) for ms in shown["milestones"]] == [
        ("planned", "600.00 EUR"),
        ("planned", "1400.00 EUR"),
    ]
    assert (shown["cover"], shown["may"][0]["verb"]) == ("I can do this", "propose")


def test_an_offer_shows_its_own_milestones_and_the_hash_to_accept() -> None:
    world = World()
    world.propose(60_000)
    parts = hired(1_000).deal.agreed.milestones
    world.offer(hiring.draft(world.deal, milestones=parts, currency="JPY"))
    shown = deal_shape(world.deal, person)
    assert world.deal.offer is not None
    assert shown["terms_hash"] == world.deal.offer.hash
    assert (shown["currency"], shown["milestones"][0]["amount"]["text"]) == ("JPY", "1000 JPY")
    world.record(JAMES, *hiring.decline(world.deal, world.by(JAMES)))
    assert deal_shape(world.deal, person)["currency"] == "EUR"


@pytest.mark.parametrize("state", ["planned", "funding", "funded", "delivered", "changes", "released", "cancelled"])
def test_a_milestone_shows_the_promised_keys_in_every_state(state: str) -> None:
    world = in_state(state)
    shown = deal_shape(world.deal, person)
    keys(shapes.Deal, shown)
    first = shown["milestones"][0]
    keys(shapes.Milestone, first)
    assert (first["id"], first["state"]) == (f"{shown['id']}/1", state)
    assert (first["review_deadline"] is not None) == (state == "delivered")
    assert shown["agent_device"] == public("dev", LAPTOP)
    assert not shown["secured"]


def test_money_with_a_third_person_is_secured() -> None:
    shown = deal_shape(hired(agent_of=ADA).deal, person)
    assert (shown["secured"], shown["agent"]) == (True, person(ADA))


def test_an_operation_shows_what_it_moves_and_how_far_it_is() -> None:
    world = in_state("funded")
    ask = escrow.release(world.deal, world.by(LISA), 1, amount=Money(10_000, "EUR"), request_id="r1")
    op = world.record(LISA, *ask)
    shown = op_shape(world.deal, world.deal.ops[op], person)
    keys(shapes.Op, shown)
    assert shown == {
        "id": public("op", op),
        "request_id": "r1",
        "kind": "release",
        "amount": {"minor": 10_000, "currency": "EUR", "text": "100.00 EUR"},
        "total": None,
        "to": person(JAMES),
        "state": "authorized",
        "ref": None,
        "grant": None,
    }
    world.settle()
    world.pay_all()
    done = op_shape(world.deal, world.deal.ops[op], person)
    assert (done["state"], done["ref"], done["amount"]["minor"]) == ("moved", "transfer 4711", 10_000)
    assert milestone_shape(world.deal, world.ms(), op=done)["op"] == done


def test_a_repeat_shows_the_operation_it_repeats() -> None:
    world = in_state("funded")
    first, again = (escrow.release(world.deal, world.by(LISA), 1) for _ in range(2))
    world.record(LISA, *first)
    repeat = world.record(LISA, *again)
    world.settle()
    shown = op_shape(world.deal, world.deal.ops[repeat], person)
    assert (shown["state"], shown["amount"]["minor"]) == ("released", 60_000)


def test_files_tell_whether_their_content_is_here() -> None:
    file = Attachment("site.tar", 7, name("content"), name("address"), name("key"))
    shown = deal_view.file_shape(file, lambda _: True)
    keys(shapes.File, shown)
    assert shown["fetched"]
    assert not deal_view.file_shape(file)["fetched"]


def test_the_journal_shows_money_in_its_postings() -> None:
    world = in_state("funded")
    shown = entry_shape(world.deal.entries[0])
    keys(shapes.JournalEntry, shown)
    assert [posting["amount"]["text"] for posting in shown["postings"]] == ["600.00 EUR", "-600.00 EUR"]


def test_balances_add_up_per_currency() -> None:
    yen = hired(500, currency="JPY")
    yen.fund()
    shown = balances([in_state("released").deal, in_state("funded").deal, yen.deal, World().deal])
    for each in shown:
        keys(shapes.Balance, each)
    assert [(each["currency"], each["held"]["minor"], each["payable"]["minor"]) for each in shown] == [
        ("EUR", 60_000, 60_000),
        ("JPY", 500, 0),
    ]


def test_terms_can_be_read_before_they_are_signed() -> None:
    shown: dict[str, Any] = terms_shape(hired(60_000, 140_000).deal.agreed, person)
    json.dumps(shown)
    assert shown["total"]["text"] == "2000.00 EUR"
    assert [part["n"] for part in shown["milestones"]] == [1, 2]
    assert set(typing.get_type_hints(type(hired().deal.agreed))) <= set(shown)
