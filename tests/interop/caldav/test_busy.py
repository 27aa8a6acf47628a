"""Busy time read from calendar servers: summed up by Radicale, and from the entries of one that sums nothing up."""

from __future__ import annotations

from chaise_cli.domain.busy import Busy
from chaise_cli.store import busy
from tests.fakes.calendar_servers import PASSWORD, USER, Fake
from tests.interop.caldav.conftest import Desk

DENTIST = Busy(1_796_112_000_000, 1_796_115_600_000)  # 2026-12-01, 08:00 to 09:00 in UTC


def test_what_a_server_has_is_kept_free(desk: Desk) -> None:
    desk.there.ask("MKCALENDAR")
    desk.there.add("dentist.ics", "dentist")
    password = desk.james.folder / "password"
    password.write_text(PASSWORD)
    given = ("--user", USER, "--password-file", str(password))
    added = desk.james.does("calendar", "add", desk.url, *given, "--name", "mine")
    assert (added["kind"], added["busy"], added["problem"]) == ("caldav", 1, None)
    assert PASSWORD not in str(added)
    with desk.james.session() as session:
        assert busy.intervals(session.db, 0, 1 << 53) == [DENTIST]
    assert desk.james.fails("book", desk.deal, "--at", "2026-12-01T03:30-05:00").code == "booking.overlap"
    assert desk.james.does("book", desk.deal, "--at", "2026-12-01T04:00-05:00")["state"] == "proposed"
    desk.there.ask("DELETE", "dentist.ics")
    assert desk.james.does("calendar", "refresh")[0]["busy"] == 0
    assert desk.james.does("calendar", "add", desk.url, "--every", "2h")["kind"] == "caldav"
    assert len(desk.james.does("calendars")) == 1


def test_a_wrong_password_leaves_the_calendar_unread(faked: Desk) -> None:
    faked.first()
    wrong = faked.james.folder / "wrong"
    wrong.write_text("swordfish")
    unread = faked.james.fails("calendar", "add", faked.url, "--user", USER, "--password-file", str(wrong))
    assert (unread.code, unread.data["busy"]) == ("calendar.unread", 0)
    assert "swordfish" not in unread.out + unread.err


def test_only_a_server_asks_for_a_name_and_only_of_what_we_do_not_fill(faked: Desk) -> None:
    faked.first()
    given = ("--user", USER, "--password-file", str(faked.lisa.folder / "password"))
    for where in (faked.url, str(faked.lisa.folder)):
        assert faked.lisa.fails("calendar", "add", where, *given).code == "calendar.bad_place"
    assert faked.lisa.does("calendars") == []


def test_no_output_shows_more_of_an_address_than_its_host(fake: Fake, faked: Desk) -> None:
    """Of a calendar that is gone or has moved as well: the path is often the secret."""
    faked.there.ask("MKCALENDAR")
    password = faked.james.folder / "password"
    password.write_text(PASSWORD)
    secret = faked.url.replace("calls", "s3cret")
    gone = faked.james.fails("calendar", "add", secret, "--user", USER, "--password-file", str(password))
    assert gone.data["name"] == "127.0.0.1"
    assert gone.data["problem"]
    fake.says = (301, {"Location": f"{secret}v2/"}, "")
    moved = faked.james.fails("calendar", "refresh")
    assert "s3cret" not in gone.out + gone.err + moved.out + moved.err + faked.james.run("calendars").out
