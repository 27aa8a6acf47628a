from __future__ import annotations

import pytest

from chaise_cli.ids import IdentityId, base32, text
from chaise_cli.session.session import Session
from chaise_cli.store import people
from chaise_cli.store.people import Known

ANN, BOB = IdentityId(text(b"\x01" * 32)), IdentityId(text(b"\x02" * 32))


def known(handle: str = "ann", name: str = "Ann") -> Known:
    return Known(handle, name, "UTC", None)


def test_the_newest_claim_stands(lisa: Session) -> None:
    for at, name in ((5, "Ann"), (3, "Old"), (9, "New"), (7, "Late")):
        people.remember(lisa.db, ANN, known(name=name), at)
    found = people.find(lisa.db, ANN)
    assert found is not None
    assert found.name == "New"


def test_the_word_given_in_a_deal_beats_any_profile(lisa: Session) -> None:
    people.remember(lisa.db, ANN, known(name="Deal"), 1, dealt=True)
    people.remember(lisa.db, ANN, known(name="Profile"), 9)
    found = people.find(lisa.db, ANN)
    assert found is not None
    assert found.name == "Deal"


@pytest.mark.parametrize("order", [(10, 5, 7), (5, 7, 10), (7, 10, 5), (5, 10, 7)])
def test_of_words_given_in_deals_the_newest_stands_whatever_came_first(lisa: Session, order: tuple[int, ...]) -> None:
    """The profile, at 10, is newer than both."""
    for at in order:
        people.remember(lisa.db, ANN, known(name=f"At {at}"), at, dealt=at != 10)
    found = people.find(lisa.db, ANN)
    assert found is not None
    assert found.name == "At 7"


@pytest.mark.parametrize("first", [ANN, BOB])
def test_two_of_one_handle_are_told_apart_by_their_ids(lisa: Session, first: IdentityId) -> None:
    for who in (first, BOB if first == ANN else ANN):
        people.remember(lisa.db, who, known(), 1)
    shown = {people.shown_handle(lisa.db, who, "ann") for who in (ANN, BOB)}
    assert shown == {"ann." + base32(b"\x01" * 32, 4), "ann." + base32(b"\x02" * 32, 4)}


def test_whom_we_have_dealt_with_keeps_the_handle(lisa: Session) -> None:
    people.remember(lisa.db, ANN, known(), 1, dealt=True)
    people.remember(lisa.db, BOB, known(), 9)
    assert people.shown_handle(lisa.db, ANN, "ann") == "ann"
    assert people.shown_handle(lisa.db, BOB, "ann") != "ann"
    assert people.named(lisa.db, "ann") == [ANN]
    assert people.named(lisa.db, "ann." + base32(b"\x02" * 32, 4)) == [BOB]


def test_nobody_answers_to_an_unknown_name(lisa: Session) -> None:
    assert people.named(lisa.db, "nobody") == []
    assert people.named(lisa.db, "nobody.abcd") == []
    assert people.find(lisa.db, ANN) is None
