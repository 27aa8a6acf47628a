from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cast import Cast
from tests.e2e.hired import fund, hired, settle
from tests.e2e.people import Person, exchange


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """James has proposed on Lisa's post; both know it."""

    def play() -> str:
        post = lisa.does("post", "Campaign", "--kind", "ads")["id"]
        exchange(lisa, james)
        made = james.does("propose", post, "--price", "100EUR")
        exchange(lisa, james)
        return str(made["id"])

    return cast.at("hire log", lisa, james, play=play)


def test_the_log_tells_every_event_of_a_deal_newest_first(lisa: Person, deal: str) -> None:
    lisa.does("shortlist", deal)
    found = lisa.does("log", deal)
    kinds = [entry["kind"] for entry in found]
    assert kinds[0] == "deal.shortlisted"
    assert kinds[-3:] == ["deal.opened", "wrap", "genesis"]
    assert [entry["lamport"] for entry in found] == sorted((entry["lamport"] for entry in found), reverse=True)
    assert {entry["space"] for entry in found} == {deal}
    assert found[-1]["at"] is None
    assert found[-3]["at"] == "2026-11-20T12:00:00Z"
    assert lisa.does("log", deal, "--sort", "oldest") == found[::-1]


def test_an_act_is_pending_until_the_agents_device_takes_it_up(lisa: Person, james: Person, deal: str) -> None:
    assert status_of(james, deal, "deal.proposed") == ("pending", None)
    lisa.does("shortlist", deal)
    exchange(lisa, james)
    assert status_of(james, deal, "deal.proposed") == ("valid", None)


def test_what_came_too_late_is_void_with_its_reason(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("decline", deal)
    james.does("withdraw", deal)
    exchange(lisa, james)
    lisa.does("message", deal, "sorry")
    exchange(lisa, james)
    for person in (lisa, james):
        assert status_of(person, deal, "deal.withdrawn") == ("void", "deal.wrong_state")
    assert [entry["kind"] for entry in james.does("log", deal, "--state", "void")] == ["deal.withdrawn"]


def test_an_event_is_local_then_at_a_place_then_seen(lisa: Person, james: Person, deal: str, tmp_path: Path) -> None:
    lisa.does("shortlist", deal)
    assert delivery_of(lisa, deal, "deal.shortlisted") == "local"
    (tmp_path / "stick").mkdir()
    lisa.does("sync", str(tmp_path / "stick"))
    assert delivery_of(lisa, deal, "deal.shortlisted") == "folder"
    exchange(lisa, james)
    assert delivery_of(lisa, deal, "deal.shortlisted") == "folder", "he has it, and has not said so yet"
    james.does("message", deal, "thanks")
    exchange(lisa, james)
    assert delivery_of(lisa, deal, "deal.shortlisted") == "seen"
    assert delivery_of(lisa, deal, "message.sent") == "seen"


def status_of(person: Person, deal: str, kind: str) -> tuple[str, str | None]:
    (entry,) = person.does("log", deal, "--kind", kind)
    return entry["status"], entry["reason"]


def delivery_of(person: Person, deal: str, kind: str) -> str:
    (entry,) = person.does("log", deal, "--kind", kind)
    return str(entry["delivery"])


def test_the_log_of_everything_and_of_a_board(lisa: Person, james: Person, board: str, deal: str) -> None:
    spaces = {entry["space"] for entry in lisa.does("log", "--limit", "1000")}
    assert spaces == {board, deal, "self"}
    assert {entry["kind"] for entry in lisa.does("log", board, "--with", "@james")} == {"profile.published"}
    assert {entry["kind"].partition(".")[0] for entry in lisa.does("log", "--kind", "post")} == {"post"}
    assert lisa.does("log", "--since", "2026-11-21") == []
    assert len(lisa.does("log", "--limit", "3")) == 3


def test_show_takes_any_id_and_any_event(lisa: Person, james: Person, board: str, deal: str) -> None:
    (entry,) = lisa.does("log", deal, "--kind", "deal.proposed")
    assert lisa.does("show", entry["id"]) == entry
    assert lisa.does("show", entry["id"][:12]) == entry
    said = lisa.does("message", deal, "Hello")
    assert lisa.does("show", said["id"])["text"] == "Hello"
    assert lisa.does("show", board)["name"] == "marketing"
    assert lisa.does("show", "@james")["person"]["handle"] == "james"
    assert lisa.does("show", "me")["person"]["handle"] == "lisa"
    assert [lisa.fails("show", given).exit for given in ("", "four", "post-abc")] == [3, 3, 2]
    assert "ids look like post-" in lisa.fails("show", "post-abc").error["hint"]
    assert lisa.does("show", f"{deal}/1")["title"] == "Campaign"
    post = lisa.does("show", deal)["post"]
    assert lisa.does("show", post)["title"] == "Campaign"
    assert lisa.fails("show", f"{deal}/2").code == "milestone.unknown"
    assert lisa.fails("log", post).code == "usage.bad_id"


def test_a_board_never_synced_says_so_on_every_read(lisa: Person, deal: str) -> None:
    for call in (["deals"], ["messages"], ["bookings"], ["inbox"], ["log"], ["show", deal]):
        said = lisa.run(*call, "--json").json["warnings"]
        assert any("never synced" in warning for warning in said), call


def test_a_review_is_shown_in_its_deal_and_from_the_board(lisa: Person, james: Person, board: str) -> None:
    deal = hired(lisa, james)
    fund(lisa, f"{deal}/1")
    lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")
    settle(lisa, james)
    sealed = lisa.does("review", deal, "--stars", "5", "--text", "Great")["id"]
    assert lisa.does("show", sealed)["text"] == "Great", "what one has sealed oneself one may read"
    exchange(lisa, james)
    assert james.does("show", sealed)["stars"] is None
    james.does("review", deal, "--stars", "4", "--text", "Clear")
    settle(lisa, james)
    settle(lisa, james)
    (published,) = [one for one in lisa.does("reviews", "@james") if one["state"] == "open"]
    assert lisa.does("show", published["id"])["stars"] == 5
    post = lisa.does("post", "Next", "--kind", "ads")["id"]
    exchange(lisa, james)
    james.does("propose", post, "--price", "100EUR")
    exchange(lisa, james)
    assert lisa.does("deals", post)[0]["compare"]["paid_reviews"] == 1
