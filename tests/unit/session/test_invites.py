from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import checked_text
from chaise_cli.ids import ALPHABET, SpaceId, text
from chaise_cli.session import invites
from chaise_cli.session.invites import BadInvite, Invite, NewerInvite
from tests.architecture.tree import ROOT

KEY = st.binary(min_size=32, max_size=32)
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=120)
PLACES = st.text(st.characters(min_codepoint=33, max_codepoint=0x2000, exclude_categories=["C", "Z"]), min_size=1)
INVITES = st.builds(
    lambda board, secret, name, places: Invite(SpaceId(text(board)), secret, name, tuple(places)),
    KEY, KEY, NAMES, st.lists(PLACES, max_size=invites.PLACES_MOST),
)  # fmt: skip
ONE = Invite(SpaceId(text(bytes(range(32)))), bytes(range(32, 64)), "marketing", ("~/Shared/chaise",))
# docs/spec/board.md shows the same one.
VECTOR = (
    "chaise-board-1-000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFJ-0892-4CJ2-A9H7-50MJ-MASC-5MQ2-YC1H-"
    "68SK-8D9P-6WW3-JEHV-7GYK-WFR0-15PP-2WKB-CNT6-JVK7-0400-YZHF-ADM6-2WK5-CGQP-6T31-D5SP-A016-K"
)


@given(INVITES)
def test_what_is_written_is_read(invite: Invite) -> None:
    assert invites.read(invites.write(invite)) == invite


def test_the_longest_name_and_places_fit() -> None:
    long = ONE._replace(name="\U00020000" * 120, places=("x" * invites.PLACE_MOST,) * invites.PLACES_MOST)
    assert invites.read(invites.write(long)) == long


@given(INVITES)
def test_copying_may_change_case_dashes_and_white_space(invite: Invite) -> None:
    written = invites.write(invite)
    prefix, groups = written[: len(invites.PREFIX)], written[len(invites.PREFIX) :]
    assert invites.read(f"  {prefix.upper()}{groups.lower().replace('-', chr(10))}\r\n") == invite


@given(st.data())
def test_no_single_slip_goes_unnoticed(data: st.DataObject) -> None:
    written = invites.write(ONE)
    place = data.draw(st.integers(len(invites.PREFIX), len(written) - 1).filter(lambda at: written[at] != "-"))
    other = data.draw(st.sampled_from([char for char in ALPHABET.upper() if char != written[place]]))
    with pytest.raises(BadInvite):
        invites.read(written[:place] + other + written[place + 1 :])


@given(st.text(max_size=200))
def test_any_text_is_an_invite_or_refused(given_text: str) -> None:
    for whole in (given_text, invites.PREFIX + given_text):
        with pytest.raises((BadInvite, NewerInvite)):
            invites.read(whole)


@given(st.binary(max_size=200))
def test_any_content_is_an_invite_or_refused(content: bytes) -> None:
    """A checksum proves no good will: whoever writes one can put anything before it."""
    written = invites.PREFIX + checked_text.write(content, "board-invite")
    with suppress(BadInvite):
        assert invites.write(invites.read(written)) == written


@pytest.mark.parametrize(
    "places",
    [("",), ("a\nb",), ("\u202ea",), ("x" * 501,), ("a", "b", "c", "d", "e")],
    ids=["empty", "lines", "bidi", "long", "many"],
)
def test_places_are_short_plain_and_few(places: tuple[str, ...]) -> None:
    with pytest.raises(BadInvite):
        invites.read(invites.write(ONE._replace(places=places)))


@pytest.mark.parametrize("name", ["", "x" * 121, "two\nlines"])
def test_a_name_is_a_boards_name(name: str) -> None:
    with pytest.raises(BadInvite):
        invites.read(invites.write(ONE._replace(name=name)))


def test_a_later_form_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerInvite):
        invites.read("chaise-board-2-AAAA")


@pytest.mark.parametrize("start", ["chaise-board-2-", "chaise-board-10-", "CHAISE-BOARD-3-"])
def test_a_later_form_is_known_by_a_whole_number(start: str) -> None:
    with pytest.raises(NewerInvite):
        invites.read(start + "AAAA")


@pytest.mark.parametrize("start", ["000G-AAAA", "0-AAAA", "01-AAAA", "2", "\u0662-AAAA"])
def test_what_has_lost_a_part_of_its_beginning_is_of_no_later_form(start: str) -> None:
    """Else somebody who copied too little is sent away to upgrade."""
    with pytest.raises(BadInvite):
        invites.read("chaise-board-" + start)


def test_the_published_vector_holds() -> None:
    assert invites.write(ONE) == VECTOR
    assert VECTOR in (ROOT / "docs/spec/board.md").read_text().replace("\n", "")
