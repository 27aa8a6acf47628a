"""Pushes and pulls in which something goes wrong, at a server that does as it is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chaise_cli.session import caldav
from chaise_cli.store import server_copies as store
from tests.fakes.calendar_servers import PASSWORD, USER, Fake
from tests.interop.caldav.conftest import Desk


def more_calls(desk: Desk, count: int) -> None:
    for day in range(count):
        desk.lisa.does("book", desk.deal, "--at", f"2026-12-0{day + 1} 10:00")


def test_nothing_to_do_asks_no_server(fake: Fake, faked: Desk) -> None:
    faked.first()
    fake.asked.clear()
    assert faked.push() == []
    assert fake.asked == []


def test_a_rehearsal_asks_no_server_and_keeps_nothing(fake: Fake, faked: Desk) -> None:
    assert faked.push(faked.url, "--dry-run") == [(faked.uid, "created")]
    assert fake.asked == []
    assert faked.lisa.fails("calendar", "push").code == "calendar.not_pushed_to"


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_push_that_is_cut_off_goes_on_where_it_stopped(fake: Fake, faked: Desk, cut: int) -> None:
    """Also when the write that was not answered had been done."""
    faked.first()
    more_calls(faked, 3)
    fake.cut = cut
    broken = faked.lisa.fails("calendar", "push")
    assert (broken.code, broken.exit, len(broken.data)) == ("calendar.no_answer", 13, cut)
    fake.cut = None
    assert len(faked.push()) == 3 - cut
    assert faked.push() == []
    assert faked.lisa.does("calendar", "pull") == []
    assert len(faked.there.entries()) == 4


@pytest.mark.parametrize("knows", ["tokens", "neither", "all, in pieces"])
def test_servers_that_know_less_serve_as_well(fake: Fake, faked: Desk, knows: str) -> None:
    fake.tokens, fake.etags = knows != "neither", knows == "all, in pieces"
    fake.piece = 1 if knows == "all, in pieces" else 1_000
    faked.first()
    more_calls(faked, 2)
    faked.push()
    assert faked.lisa.does("calendar", "pull") == []
    faked.there.edit(faked.uid, r"20261125T15(00|30)00", r"20261125T16\g<1>00")
    assert [item["did"] for item in faked.lisa.does("calendar", "pull")] == ["moved"]
    faked.there.delete(faked.uid)
    assert [item["did"] for item in faked.lisa.does("calendar", "pull")] == ["hidden"]
    faked.moved_by_both()
    assert (faked.uid, "created") in faked.push()


def test_a_token_that_the_server_forgot_begins_anew(fake: Fake, faked: Desk) -> None:
    faked.first()
    faked.lisa.does("calendar", "pull")
    faked.there.edit(faked.uid, r"20261125T15(00|30)00", r"20261125T16\g<1>00")
    fake.forget_tokens()
    assert [item["did"] for item in faked.lisa.does("calendar", "pull")] == ["moved"]


def test_a_calendar_that_is_suddenly_empty_hides_nothing(fake: Fake, faked: Desk) -> None:
    faked.first()
    more_calls(faked, 2)
    faked.push()
    for name in list(faked.there.entries()):
        faked.there.delete(name.removesuffix(".ics"))
    emptied = faked.lisa.fails("calendar", "pull")
    assert (emptied.code, emptied.exit) == ("calendar.emptied", 6)
    assert faked.lisa.fails("calendar", "pull").code == "calendar.emptied"
    assert sorted(did for _, did in faked.push("--restore")) == ["created"] * 3
    assert faked.lisa.does("calendar", "pull") == []


def test_a_calendar_that_is_gone_is_told_and_made_again_when_named(fake: Fake, faked: Desk) -> None:
    faked.first()
    fake.calendars.clear()
    assert faked.lisa.fails("calendar", "pull").code == "calendar.none_there"
    more_calls(faked, 1)
    assert faked.lisa.fails("calendar", "push").code == "calendar.none_there"
    assert sorted(did for _, did in faked.push(faked.url)) == ["created"] * 2


@pytest.mark.parametrize(
    ("pattern", "by"),
    [
        (r"^DTSTART.*$", "DTSTART;VALUE=DATE:20261125"),
        (r"^DTEND.*$", "RRULE:FREQ=DAILY"),
        (r"^DTSTART.*$", "DTSTART;TZID=Mars/Base:20261125T150000"),
        (r"VEVENT$", "VTODO"),
    ],
)
def test_what_no_call_can_be_is_a_change_without_a_draft(faked: Desk, pattern: str, by: str) -> None:
    faked.first()
    faked.there.edit(faked.uid, pattern, by)
    (found,) = faked.lisa.does("calendar", "pull")
    assert (found["did"], found["command"]) == ("changed", None)
    assert faked.push() == [(faked.uid, "changed")]
    assert faked.push("--restore") == [(faked.uid, "updated")]


def test_a_call_cancelled_there_is_a_draft_of_that(faked: Desk) -> None:
    faked.first()
    faked.there.edit(faked.uid, r"^STATUS:CONFIRMED", "STATUS:CANCELLED")
    (found,) = faked.lisa.does("calendar", "pull")
    assert (found["did"], found["command"]) == ("cancelled", f"chaise cancel {faked.call}")
    faked.lisa.does(*found["command"].split()[1:])
    assert faked.push() == [(faked.uid, "updated")]
    assert faked.lisa.does("calendar", "pull") == []


def test_a_move_that_was_offered_gives_the_agreed_time_its_entry_back(faked: Desk) -> None:
    """The edit has become an offer, which stands there as a time of its own."""
    faked.first()
    faked.there.edit(faked.uid, r"20261125T15(00|30)00", r"20261125T16\g<1>00")
    (found,) = faked.lisa.does("calendar", "pull")
    faked.lisa.does(*found["command"].split()[1:])
    assert sorted(faked.push()) == [(faked.uid, "updated"), (f"{faked.uid}-1", "created")]
    assert "T150000" in faked.there.entry(faked.uid)
    assert "T160000" in faked.there.entry(f"{faked.uid}-1")
    assert "STATUS:TENTATIVE" in faked.there.entry(f"{faked.uid}-1")


@pytest.mark.parametrize(
    ("says", "code", "told"),
    [
        ((302, {"Location": "https://else.example/x\u00a0y"}, ""), "calendar.bad_answer", "else.example"),
        ((500, {}, ""), "calendar.bad_answer", "status 500"),
        ((207, {}, "<html>"), "calendar.bad_answer", "no list"),
        ((403, {}, ""), "calendar.not_let_in", "403"),
    ],
)
def test_an_answer_of_no_use_is_told_and_changes_nothing(
    fake: Fake, faked: Desk, says: tuple[int, dict[str, str], str], code: str, told: str
) -> None:
    """A redirect is not followed: whoever it leads to would get the password."""
    faked.first()
    fake.says = says
    for argv in (("calendar", "push", faked.url), ("calendar", "push", "--restore")):
        refused = faked.lisa.fails(*argv)
        assert (refused.code, told in refused.error["message"]) == (code, True)
    fake.says = None
    assert faked.push("--restore") == []


def test_plain_http_goes_to_this_machine_alone(faked: Desk) -> None:
    refused = faked.lisa.fails("calendar", "push", "http://calendar.example/lisa/")
    assert (refused.code, refused.exit) == ("place.insecure", 2)


def test_a_password_is_asked_for_where_only_the_name_is_given(faked: Desk) -> None:
    assert faked.lisa.fails("calendar", "push", faked.url, "--user", "lisa").code == "usage.needs_input"
    typed = faked.lisa.run("calendar", "push", faked.url, "--user", "lisa", typed=["correct horse"])
    assert typed.exit == 0
    assert "correct horse" not in typed.out + typed.err
    assert list(faked.there.entries()) == [f"{faked.uid}.ics"]


def test_options_of_one_calendar_need_its_address(faked: Desk) -> None:
    faked.first()
    assert faked.lisa.fails("calendar", "push", "--private").code == "usage.not_for_this"
    assert faked.lisa.fails("calendar", "push", faked.url, "--password-file", "x").code == "usage.missing_text"
    assert faked.lisa.fails("calendar", "forget", "https://else.example/").code == "calendar.not_pushed_to"


def test_forgetting_leaves_the_entries(faked: Desk) -> None:
    faked.first()
    faked.lisa.does("calendar", "forget", faked.url)
    assert list(faked.there.entries()) == [f"{faked.uid}.ics"]
    assert faked.lisa.fails("calendar", "pull").code == "calendar.not_pushed_to"


def test_a_server_that_forgets_each_token_at_once_is_told_and_not_followed(
    fake: Fake, faked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    faked.first()
    more_calls(faked, 1)
    faked.push()
    fake.piece = 1
    answer = fake.answer

    def forgetful(method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, str], str]:
        if method == "REPORT" and re.search(r"<sync-token>\d", body):
            return 403, {}, '<error xmlns="DAV:"><valid-sync-token/></error>'
        return answer(method, path, headers, body)

    monkeypatch.setattr(fake, "answer", forgetful)
    assert faked.lisa.does("calendar", "pull") == []
    assert len(fake.asked) < 20


def test_a_list_of_changes_without_end_is_given_up(fake: Fake, faked: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    faked.first()
    monkeypatch.setattr(caldav, "_MOST", 10)
    tokens = iter(range(1_000))

    def endless(method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, str], str]:
        more = f"<response><href>{path}</href><status>HTTP/1.1 507 More</status></response>"
        return 207, {}, f'<multistatus xmlns="DAV:">{more}<sync-token>{next(tokens)}</sync-token></multistatus>'

    monkeypatch.setattr(fake, "answer", endless)
    assert faked.lisa.fails("calendar", "pull").code == "calendar.bad_answer"
    assert next(tokens) < 20


def test_an_entry_that_the_server_will_not_delete_is_not_told_as_deleted(
    fake: Fake, faked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    faked.first()
    offered = faked.lisa.does("book", faked.deal, "--at", "2026-12-01 10:00", "--at", "2026-12-02 10:00")
    faked.push()
    faked.lisa.does("withdraw", offered["id"])
    answer = fake.answer

    def stubborn(method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, str], str]:
        return (412, {}, "") if method == "DELETE" else answer(method, path, headers, body)

    with monkeypatch.context() as there:
        there.setattr(fake, "answer", stubborn)
        assert "deleted" not in {did for _, did in faked.push()}
    assert "deleted" in {did for _, did in faked.push()}


@pytest.mark.parametrize("at", ["push", "pull"])
def test_a_calendar_forgotten_meanwhile_is_told(
    fake: Fake, faked: Desk, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    faked.first()
    more_calls(faked, 1)
    answer = fake.answer

    def slow(method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, str], str]:
        forget_once()
        return answer(method, path, headers, body)

    def forget_once() -> None:
        monkeypatch.setattr(fake, "answer", answer)
        with faked.lisa.session() as session, session.admitting():
            store.forget(session.db, 1)

    monkeypatch.setattr(fake, "answer", slow)
    assert faked.lisa.fails("calendar", at).code == "calendar.not_pushed_to"
    assert faked.lisa.fails("calendar", "pull").code == "calendar.not_pushed_to"


def test_calendars_that_are_pushed_to_are_listed_and_none_is_told_as_none(faked: Desk) -> None:
    refused = faked.lisa.fails("calendar", "push")
    assert refused.error["message"] == "calls are pushed to no calendar on a server yet"
    assert "chaise calendar push URL --user NAME" in refused.error["hint"]
    assert faked.lisa.does("calendars", "--pushed") == []
    faked.first()
    noon = "2026-11-20T12:00:00Z"
    listed = {"url": faked.url, "user": USER, "private": False, "entries": 1, "changed": 0}
    assert faked.lisa.does("calendars", "--pushed") == [listed | {"pushed_at": noon, "pulled_at": None}]
    assert faked.lisa.does("calendars") == [], "busy time is read from none"
    faked.there.delete(faked.uid)
    faked.lisa.does("calendar", "pull")
    assert faked.lisa.does("calendars", "--pushed") == [
        listed | {"entries": 0, "changed": 1, "pushed_at": noon, "pulled_at": noon}
    ]
    shown = faked.lisa.run("calendars", "--pushed")
    assert faked.url in shown.out
    assert PASSWORD not in shown.out
    assert faked.lisa.run("calendars", "--pushed", "--ids").out == f"{faked.url}\n"


def test_a_first_push_that_was_cut_off_does_not_hold_a_call_back_that_moves_meanwhile(fake: Fake, faked: Desk) -> None:
    """What stands there is an older revision of ours, not what somebody made of it."""
    fake.cut = 0
    password = faked.lisa.folder / "password"
    password.write_text(PASSWORD)
    given = (faked.url, "--user", USER, "--password-file", str(password))
    assert faked.lisa.fails("calendar", "push", *given).code == "calendar.no_answer"
    fake.cut = None
    faked.moved_by_both("2026-11-26 10:00")
    assert faked.push() == [(faked.uid, "updated")]
    assert "20261126T100000" in faked.there.entry(faked.uid)


@pytest.mark.parametrize("tag", ['"\u65e5"', '"a\nX-Other: 1"'])
def test_an_etag_that_no_header_can_hold_is_as_none(
    fake: Fake, faked: Desk, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    faked.first()
    answer = fake.answer

    def odd(method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, str], str]:
        status, more, said = answer(method, path, headers, body)
        told = re.sub("<getetag>[^<]*<", f"<getetag>{tag}<", said)
        return status, {} if method == "GET" else more, told

    faked.there.edit(faked.uid, "Kick-off", "Hello")
    with monkeypatch.context() as there:
        there.setattr(fake, "answer", odd)
        assert faked.lisa.does("calendar", "pull") == []
    faked.moved_by_both("2026-11-26 10:00")
    assert faked.push() == [(faked.uid, "updated")]
