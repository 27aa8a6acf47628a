"""Servers that mean harm, or know no better: nothing goes where they point, and what is not ours is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.calendar_servers import PASSWORD, USER, Fake
from tests.interop.caldav.conftest import Desk


@pytest.fixture
def other() -> Iterator[Fake]:
    """Another server of this machine, which is as private as an address can be."""
    with Fake().serving() as server:
        yield server


def given(desk: Desk) -> tuple[str, ...]:
    password = desk.lisa.folder / "password"
    password.write_text(PASSWORD)
    return (desk.url, "--user", USER, "--password-file", str(password))


def test_no_redirect_is_followed_by_whatever_asks(fake: Fake, other: Fake, faked: Desk) -> None:
    """Whoever it leads to would get the password, or be asked from inside a private network."""
    faked.first()
    faked.moved_by_both()
    url, *login = given(faked)
    asking = [("push",), ("push", "--restore"), ("push", url, *login), ("pull",)]
    for status in (301, 302, 303, 307, 308):
        fake.says = (status, {"Location": f"{other.base}calls/"}, "")
        for argv in asking:
            assert faked.lisa.fails("calendar", *argv).code == "calendar.bad_answer"
        assert faked.james.fails("calendar", "add", url, *login, "--name", "mine").code == "calendar.unread"
    assert other.asked == []


def listing(monkeypatch: pytest.MonkeyPatch, fake: Fake, *hrefs: str) -> None:
    """The server lists these beside what it has."""
    answer = fake.answer

    def more(method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, str], str]:
        status, told, said = answer(method, path, headers, body)
        extra = "".join(
            f'<response><href>{href}</href><propstat><prop><getetag>"9"</getetag></prop>'
            "<status>HTTP/1.1 200 OK</status></propstat></response>"
            for href in hrefs
        )
        return status, told, said.replace("</multistatus>", f"{extra}</multistatus>")

    monkeypatch.setattr(fake, "answer", more)


HREFS = (
    *("/lisa/calls/dentist.ics", "http://elsewhere.example/lisa/calls/dentist.ics", "/lisa/other/dentist.ics"),
    *("/lisa/calls//dentist.ics", "/lisa/calls/../calls/dentist.ics", "/lisa/calls/%2e%2e/calls/dentist.ics"),
    *("/lisa/calls/sub%2Fdentist.ics", "dentist.ics", "./dentist.ics", "//elsewhere.example", ""),
    *("/lisa/calls/0123456789abcdefghjkmnpqrstvwxyz.ics/x", "/lisa/other/0123456789abcdefghjkmnpqrstvwxyz.ics"),
)


def test_a_calendar_is_ours_only_when_every_thing_listed_is(
    fake: Fake, faked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever way it is written: what does not lie in the collection under one of our names is somebody's."""
    faked.there.ask("MKCALENDAR")
    for href in HREFS:
        with monkeypatch.context() as patched:
            listing(patched, fake, href)
            refused = faked.lisa.fails("calendar", "push", *given(faked))
        assert (href, refused.code, fake.calendars["/lisa/calls"]) == (href, "calendar.not_ours", {})


def test_an_address_in_a_listing_is_asked_for_nothing(
    fake: Fake, other: Fake, faked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is listed only the name counts; it is asked for where the calendar is."""
    faked.first()
    listing(monkeypatch, fake, f"{other.base}calls/{faked.uid}.ics", "/lisa/calls/../../etc/passwd",
            f"/lisa/calls/%2e%2e/{faked.uid}.ics", f"/lisa/calls/x%2F{faked.uid}.ics",
            f"/lisa/calls/{faked.uid}.ics%0d%0aX-Bad: 1", f"/lisa/calls/{faked.uid}%00.ics")  # fmt: skip
    fake.asked.clear()
    assert faked.lisa.does("calendar", "pull") == []
    faked.moved_by_both()
    assert faked.push("--restore") == [(faked.uid, "updated")]
    assert other.asked == []
    assert {asked.partition(" ")[2] for asked in fake.asked} == {"/lisa/calls/", f"/lisa/calls/{faked.uid}.ics"}


LISTS = (
    '<!DOCTYPE m [<!ENTITY a "aaaa">]><multistatus xmlns="DAV:"><response><href>&a;</href></response></multistatus>',
    '<!DOCTYPE m SYSTEM "http://127.0.0.1:1/x"><multistatus xmlns="DAV:"/>',
    '<multistatus xmlns="DAV:">' + "<response>" * 5_000 + "</multistatus>",
    '<multistatus xmlns="DAV:"><response><href>' + "x" * 5_000 + "</href></response></multistatus>",
    '<?xml version="1.0" encoding="utf-7"?><multistatus xmlns="DAV:"/>',
    "<html>Log in</html>",
)


def test_a_list_that_would_make_us_ask_or_swell_is_none(fake: Fake, faked: Desk) -> None:
    faked.first()
    for body in LISTS:
        fake.says = (207, {}, body)
        for argv in (("pull",), ("push", *given(faked))):
            assert faked.lisa.fails("calendar", *argv).code == "calendar.bad_answer"
    fake.says = None
    assert faked.lisa.does("calendar", "pull") == []
