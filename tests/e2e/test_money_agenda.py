"""`agenda` and `wait`: what comes when, and waiting for it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.e2e.cast import Cast
from tests.e2e.hired import fund, hired, settle
from tests.e2e.people import Person


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """A deal whose first milestone is delivered and taken up at noon of 20 November."""

    def play() -> str:
        made = hired(lisa, james)
        fund(lisa, f"{made}/1")
        settle(lisa, james)
        james.does("deliver", f"{made}/1", "--note", "done")
        settle(lisa, james)
        return made

    return cast.at("money agenda", lisa, james, play=play)


def test_a_review_period_says_what_its_end_does_and_that_nothing_enforces_it(lisa: Person, deal: str) -> None:
    first = lisa.does("agenda")[0]
    assert (first["kind"], first["of"], first["at"]) == ("review", f"{deal}/1", "2026-12-04T12:00:00Z")
    said = "Pays James 600.00 EUR on 4 Dec 2026 13:00 Berlin (+01:00) unless you ask for changes"
    assert first["consequence"] == f"{said}; held by the client, so nothing enforces it"


def test_what_is_done_with_is_not_coming_up(lisa: Person, deal: str) -> None:
    assert [one["kind"] for one in lisa.does("agenda")] == ["review", "due"]
    lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")
    assert [one["of"] for one in lisa.does("agenda")] == [f"{deal}/2"]


def test_a_review_that_waits_for_its_answer_has_a_date(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")
    lisa.does("review", deal, "--stars", "5", "--text", "Great")
    found = lisa.does("agenda", "--kind", "opinion")
    assert [(one["at"], one["of"]) for one in found] == [("2026-12-04T12:00:00Z", deal)]
    assert found[0]["consequence"].startswith("James can no longer review")


def test_own_posts_expire_on_their_day(lisa: Person, james: Person, board: str) -> None:
    post = lisa.does("post", "Logo", "--deadline", "2026-12-20")
    assert [(one["kind"], one["of"], one["consequence"]) for one in lisa.does("agenda")] == [
        ("deadline", post["id"], "Logo expires")
    ]
    assert james.does("agenda") == []


def test_dates_narrow_by_day_kind_person_and_count(lisa: Person, deal: str) -> None:
    assert len(lisa.does("agenda", "--until", "2026-12-05")) == 1
    assert len(lisa.does("agenda", "--since", "2026-12-05")) == 1
    assert len(lisa.does("agenda", "--kind", "due", "--kind", "review")) == 2
    assert len(lisa.does("agenda", "--limit", "1")) == 1
    assert len(lisa.does("agenda", "--with", "@james")) == 2
    assert lisa.fails("agenda", "--kind", "party").code == "agenda.bad_kind"
    assert lisa.fails("agenda", "--until", "soon").exit == 2


def test_deadlines_go_into_a_calendar_that_is_the_same_every_time(lisa: Person, deal: str, tmp_path: Path) -> None:
    one, other = tmp_path / "one.ics", tmp_path / "other.ics"
    lisa.does("agenda", "--ics", str(one))
    lisa.does("agenda", "--ics", str(other))
    text = one.read_bytes()
    assert text == other.read_bytes()
    assert (text.count(b"BEGIN:VEVENT"), text.count(b"BEGIN:VALARM")) == (2, 8)
    assert b"SUMMARY:Pays James 600.00 EUR" in text
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    lisa.does("agenda", "--ics", str(one), "--private")
    assert b"James" not in one.read_bytes()
    assert lisa.fails("agenda", "--ics", str(tmp_path / "no" / "x.ics")).code == "calendar.unwritable"


def test_who_waits_is_told_reached_not_yet_or_never(lisa: Person, james: Person, deal: str) -> None:
    assert james.does("wait", f"{deal}/1", "--until", "funded", "--timeout", "0")["state"] == "delivered"
    late = james.fails("wait", f"{deal}/1", "--until", "released", "--timeout", "0")
    assert (late.exit, late.code, late.data["state"]) == (8, "wait.not_yet", "delivered")
    lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")
    settle(lisa, james)
    never = james.fails("wait", f"{deal}/1", "--until", "refunded")
    assert (never.exit, never.code) == (5, "wait.out_of_reach")
    assert james.does("wait", deal, "--until", "hired")["id"] == deal
    op = lisa.does("rail", "due")[0]["id"]
    assert lisa.does("wait", op, "--until", "released")["kind"] == "release"
    assert lisa.fails("wait", op, "--until", "moved", "--timeout", "0s").exit == 8


def test_a_post_is_waited_for_like_anything_else(lisa: Person, james: Person, deal: str) -> None:
    post = lisa.does("show", deal)["post"]
    assert james.does("wait", post, "--until", "filled")["state"] == "filled"
    assert james.fails("wait", post, "--until", "open", "--timeout", "0").exit == 5


@pytest.mark.parametrize(
    ("words", "exit_", "code"),
    [
        (("wait", "{deal}/1"), 2, "usage.bad_call"),
        (("wait", "{deal}/1", "--until", "confirmed", "--timeout", "0"), 2, "wait.no_such_state"),
        (("wait", "{deal}/9", "--until", "funded", "--timeout", "0"), 3, "milestone.unknown"),
        (("wait", "msg-0000", "--until", "funded"), 2, "usage.bad_id"),
        (("wait", "{deal}", "--until", "hired", "--timeout", "soon"), 2, "time.not_a_duration"),
    ],
)
def test_waiting_asked_for_wrongly_has_its_own_code(
    lisa: Person, deal: str, words: tuple[str, ...], exit_: int, code: str
) -> None:
    refused = lisa.fails(*(word.format(deal=deal) for word in words))
    assert (refused.exit, refused.code) == (exit_, code), refused.error
