from __future__ import annotations

import pytest

from chaise_cli import ids
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import BadId, IdentityId, SpaceId, public, text
from chaise_cli.session import finding
from chaise_cli.session.finding import (
    Ambiguous,
    BadMilestoneId,
    FullIdWanted,
    Named,
    TwoOfAName,
    Unknown,
    UnknownPerson,
)
from chaise_cli.session.session import Session
from chaise_cli.store import people
from tests.fakes import homes
from tests.fakes.homes import Market


@pytest.fixture
def deal(lisa: Session, james: Session) -> SpaceId:
    return homes.open_deal(lisa, james.me.identity, client=True)


@pytest.mark.parametrize("length", [4, 8, 25, 26])
def test_an_id_is_found_by_its_beginning(lisa: Session, deal: SpaceId, length: int) -> None:
    given = public("deal", deal)[: 5 + length]
    assert finding.find(lisa, given, "deal") == finding.find(lisa, given.upper()) == Named("deal", deal)


def test_a_milestone_is_written_behind_its_deal(lisa: Session, deal: SpaceId) -> None:
    assert finding.find(lisa, public("deal", deal) + "/2").n == 2


@pytest.mark.parametrize("number", ["", "0", "x", "1000", "-1", "²", "1/2", " 1"])
def test_anything_else_there_is_refused(lisa: Session, deal: SpaceId, number: str) -> None:
    with pytest.raises(BadMilestoneId):
        finding.find(lisa, f"{public('deal', deal)}/{number}")


def test_an_id_of_another_kind_does_not_fit(lisa: Session, deal: SpaceId) -> None:
    with pytest.raises(BadId):
        finding.find(lisa, public("deal", deal), "post")


@pytest.mark.parametrize(
    "kind", ["deal", "board", "post", "svc", "book", "msg", "rev", "op", "dev", "id", "grant", "run"]
)
def test_nothing_answers_to_an_id_that_is_not_here(lisa: Session, kind: str) -> None:
    with pytest.raises(Unknown):
        finding.find(lisa, public(kind, text(b"\x55" * 32)))


def test_a_beginning_of_two_names_both(lisa: Session) -> None:
    for end in (1, 2):
        people.remember(lisa.db, IdentityId(text(b"\x99" * 31 + bytes([end]))), people.Known("x", "X", None, None), 1)
    with pytest.raises(Ambiguous) as caught:
        finding.find(lisa, public("id", text(b"\x99" * 32))[:10])
    assert caught.value.candidates.count("id-") == 2


def test_a_script_writes_ids_in_full(lisa: Session, deal: SpaceId) -> None:
    full = public("deal", deal) + "/1"
    assert finding.find(lisa, full, exact=True).n == 1
    with pytest.raises(FullIdWanted) as caught:
        finding.find(lisa, public("deal", deal)[:12] + "/1", exact=True)
    assert caught.value.full == full


def test_people_are_called_by_handle_or_id(lisa: Session, james: Session) -> None:
    for given in ("@james", public("id", james.me.identity), public("id", james.me.identity)[:9]):
        assert finding.person(lisa, given) == james.me.identity
    for given in ("@me", "me", "@lisa"):
        assert finding.person(lisa, given) == lisa.me.identity


def test_somebody_who_uses_our_handle_is_not_mistaken_for_us(lisa: Session, james: Session) -> None:
    people.remember(lisa.db, james.me.identity, people.Known("lisa", "L", None, None), 2**50)
    with pytest.raises(TwoOfAName):
        finding.person(lisa, "@lisa")
    assert finding.person(lisa, "@me") == lisa.me.identity


def test_an_unknown_handle_is_said_to_be_one(lisa: Session) -> None:
    with pytest.raises(UnknownPerson):
        finding.person(lisa, "@nobody")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "-",
        "deal-",
        "deal-abc",
        "deal-" + "u" * 8,
        "deal",
        "@",
        "deal-%_%_",
        "' OR 1=1",
        "é-4tq8xm2k",
        "deal-" + "1" * 27,
    ],
)
def test_what_is_no_id_is_refused_by_name(lisa: Session, given: str) -> None:
    with pytest.raises(ChaiseError) as caught:
        finding.find(lisa, given)
    assert caught.value.exit in {2, 3}


def test_the_look_alikes_are_read_as_digits(lisa: Session, deal: SpaceId) -> None:
    shown = public("deal", deal)
    assert ids.read_public(shown.replace("1", "l").replace("0", "O"))[1] == shown[5:]


def test_a_deal_is_found_from_what_lies_in_it(lisa: Session, deal: SpaceId, market: Market) -> None:
    sent = homes.write(lisa, deal, homes.talk.MessageSent("Hello", ()))[-1]
    assert finding.deal_of(lisa, finding.find(lisa, public("msg", sent))) == deal
    assert finding.deal_of(lisa, Named("deal", deal)) == deal
    with pytest.raises(Unknown):
        finding.deal_of(lisa, Named("book", text(bytes(32))))
    assert finding.space_no(lisa, market.board) == homes.space_no(lisa, market.board)
