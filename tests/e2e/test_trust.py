"""Reviews: sealed by both sides, opened together, vouched for, and shown on the board."""

from __future__ import annotations

import pytest

from chaise_cli.domain.review import Content, ReviewPublished, Voucher
from chaise_cli.ids import IdentityId, text
from chaise_cli.session import finding, writing
from chaise_cli.store import events
from tests.e2e.cast import Cast
from tests.e2e.hired import events_of, fund, hired, kept_up, settle
from tests.e2e.people import Person, exchange


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """A deal of which money was released, and both know it."""

    def play() -> str:
        made = hired(lisa, james)
        fund(lisa, f"{made}/1")
        lisa.does("release", f"{made}/1", "--confirm", "600.00 EUR to @james")
        settle(lisa, james)
        return made

    return cast.at("trust", lisa, james, play=play)


def both_reviewed(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("review", deal, "--stars", "5", "--recommend", "--text", "Great work")
    james.does("review", deal, "--stars", "4", "--text", "Clear brief")
    for _ in range(4):
        settle(lisa, james)


def test_nobody_reads_a_review_before_writing_their_own(lisa: Person, james: Person, deal: str) -> None:
    mine = lisa.run("review", deal, "--stars", "5", "--text", "Great work", "--json")
    assert (mine.data["state"], mine.data["stars"], mine.data["text"]) == ("sealed", 5, "Great work")
    assert mine.json["next"][0]["who"] == "James"
    settle(lisa, james)
    theirs = james.does("reviews", deal)[0]
    assert (theirs["state"], theirs["stars"], theirs["text"]) == ("sealed", None, "")
    with james.session() as session:
        bodies = [bytes(row[0]) for row in session.db.execute("SELECT body FROM event").fetchall()]
    assert not any(b"Great work" in body for body in bodies)


def test_both_open_once_both_are_in(lisa: Person, james: Person, deal: str) -> None:
    both_reviewed(lisa, james, deal)
    for who in (lisa, james):
        found = {one["by"]["handle"]: one for one in who.does("reviews", deal)}
        assert {handle: (one["state"], one["stars"]) for handle, one in found.items()} == {
            "lisa": ("open", 5),
            "james": ("open", 4),
        }
        assert all(one["vouched"] and not one["secured"] for one in found.values())
    before = events_of(lisa), events_of(james)
    settle(lisa, james)
    assert (events_of(lisa), events_of(james)) == before


def test_an_unanswered_review_opens_after_fourteen_days(lisa: Person, james: Person, deal: str) -> None:
    james.does("review", deal, "--stars", "4", "--text", "Clear brief")
    settle(lisa, james)
    lisa.now = james.now = "2026-12-03T12:00:00Z"
    settle(lisa, james)
    assert lisa.does("reviews", deal)[0]["state"] == "sealed"
    lisa.now = james.now = "2026-12-04T13:00:00Z"
    for _ in range(3):
        settle(lisa, james)
    assert lisa.does("reviews", deal)[0]["state"] == "open"
    before = events_of(lisa)
    settle(lisa, james)
    assert events_of(lisa) == before
    assert lisa.fails("review", deal, "--stars", "1", "--text", "late").code == "review.too_late"


def test_a_published_review_is_there_for_the_whole_board_once(
    lisa: Person, james: Person, deal: str, board: str
) -> None:
    both_reviewed(lisa, james, deal)
    with lisa.session() as session:
        rows = session.db.execute("SELECT count(*), count(DISTINCT author) FROM opinion").fetchone()
    assert tuple(rows) == (2, 2)
    about = james.does("reviews", "@james")
    assert [(one["by"]["handle"], one["stars"], one["deal"]) for one in about] == [("lisa", 5, deal)]


def test_a_stranger_on_the_board_reads_the_review_but_not_the_deal(
    lisa: Person, james: Person, deal: str, board: str
) -> None:
    both_reviewed(lisa, james, deal)
    ada = Person(lisa.folder, "ada", role="client", tz="Europe/Paris")
    ada.does("board", "join", "-", stdin=lisa.does("board", "invite", board)["invite"])
    exchange(lisa, james, ada)
    found = ada.does("reviews", "@james")
    assert [(one["stars"], one["deal"], one["self_paid"]) for one in found] == [(5, None, True)]
    assert deal not in ada.run("reviews", "@james", "--json").out


def test_saying_the_same_again_changes_nothing_and_something_else_is_refused(lisa: Person, deal: str) -> None:
    lisa.does("review", deal, "--stars", "5", "--text", "Great work")
    before = events_of(lisa)
    again = lisa.run("review", deal, "--stars", "5", "--text", "Great work", "--json")
    assert (again.exit, again.json["replayed"]) == (0, True)
    assert events_of(lisa) == before
    assert lisa.fails("review", deal, "--stars", "1", "--text", "Changed my mind").code == "review.twice"


def test_reviews_are_narrowed_and_sorted(lisa: Person, james: Person, deal: str) -> None:
    both_reviewed(lisa, james, deal)
    assert [one["stars"] for one in lisa.does("reviews", "--sort", "stars")] == [5, 4]
    assert lisa.does("reviews", "--state", "sealed") == []
    assert lisa.does("reviews", "--since", "2026-11-21") == []
    assert len(lisa.does("reviews", "--limit", "1")) == 1


def test_a_review_that_somebody_vouched_for_themselves_is_not_shown(
    lisa: Person, james: Person, deal: str, board: str
) -> None:
    with james.session() as session, session.writing():
        me, lisas = session.me.identity, IdentityId(finding.find(session, lisa.id, "id").id)
        said = Content(me, lisas, 1, None, "never worked together")
        zeros = text(bytes(32))
        forged = Voucher(
            zeros, said.digest(), me, lisas, "talent", True, lisas, session.me.device, ("{}",), text(bytes(64))
        )
        space = next(one for one in events.spaces(session.db, "board"))
        writing.Writer(session).write(space, [ReviewPublished(lisas, 1, None, said.text, forged)])
    exchange(lisa, james)
    assert lisa.does("reviews", "@lisa") == []


@pytest.mark.parametrize(
    ("words", "exit_", "code"),
    [
        (("review", "{deal}", "--stars", "6"), 2, "usage.out_of_range"),
        (("review", "{deal}"), 2, "usage.stars_wanted"),
        (("review", "{deal}", "--stars", "5", "--text", "x" * 6001), 2, "usage.bad_field"),
        (("review", "post-0000", "--stars", "5"), 2, "usage.bad_id"),
        (("reviews", "book-0000"), 2, "usage.bad_id"),
        (("reviews", "--state", "lost"), 2, "usage.not_a_choice"),
        (("reviews", "--sort", "lost"), 2, "usage.not_a_choice"),
        (("reviews", "@nobody"), 3, "person.unknown"),
    ],
)
def test_what_cannot_be_asked_has_its_own_code(
    lisa: Person, deal: str, words: tuple[str, ...], exit_: int, code: str
) -> None:
    refused = lisa.fails(*(word.format(deal=deal) for word in words))
    assert (refused.exit, refused.code) == (exit_, code), refused.error


def test_nobody_reviews_before_money_moved(lisa: Person, james: Person, board: str) -> None:
    made = hired(lisa, james)
    assert lisa.fails("review", made, "--stars", "5", "--text", "x").code == "review.not_yet"
    assert kept_up(lisa, james) == []
