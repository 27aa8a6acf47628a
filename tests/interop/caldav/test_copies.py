"""Calls on calendar servers: Radicale, and a fake that keeps the same rules."""

from __future__ import annotations

import re

from chaise_cli.domain.copies import Read, Span
from chaise_cli.domain.when import WEEK
from chaise_cli.export.copies import read
from chaise_cli.session.caldav import Server
from tests.e2e.people import exchange
from tests.fakes.calendar_servers import PASSWORD, USER
from tests.interop.caldav.conftest import Desk

START = 1_795_305_600_000  # 2026-11-22T00:00:00Z


def test_a_push_makes_a_calendar_with_one_entry_a_call(desk: Desk) -> None:
    assert desk.first() == [(desk.uid, "created")]
    assert list(desk.there.entries()) == [f"{desk.uid}.ics"]
    entry = desk.there.entry(desk.uid)
    assert f"UID:{desk.uid}" in entry
    assert "DTSTART;TZID=Europe/Berlin:20261125T150000" in entry
    assert "DTEND;TZID=Europe/Berlin:20261125T153000" in entry
    assert "STATUS:CONFIRMED" in entry
    assert entry.count("BEGIN:VEVENT") == entry.count("BEGIN:VTIMEZONE") == 1
    assert not re.search(r"^(METHOD|ORGANIZER|ATTENDEE|X-WR-CALNAME)", entry, re.MULTILINE)
    assert desk.push() == []


def test_a_moved_call_replaces_its_entry(desk: Desk) -> None:
    desk.first()
    desk.lisa.does("book", desk.call, "--at", "2026-11-26 10:00")
    assert sorted(desk.push()) == [(desk.uid, "updated"), (f"{desk.uid}-1", "created")]
    exchange(desk.lisa, desk.james)
    desk.james.does("accept", desk.call)
    exchange(desk.lisa, desk.james)
    assert sorted(desk.push()) == [(desk.uid, "updated"), (f"{desk.uid}-1", "deleted")]
    assert list(desk.there.entries()) == [f"{desk.uid}.ics"]
    assert "DTSTART;TZID=Europe/Berlin:20261126T100000" in desk.there.entry(desk.uid)


def test_a_change_made_there_is_a_draft_until_it_is_signed(desk: Desk) -> None:
    desk.first()
    desk.there.edit(desk.uid, r"20261125T150000", "20261127T110000")
    desk.there.edit(desk.uid, r"20261125T153000", "20261127T114500")
    pulled = desk.lisa.run("calendar", "pull", "--json")
    (found,) = pulled.data
    command = f"chaise book {desk.call} --at 2026-11-27T11:00+01:00 --tz Europe/Berlin --for 45m"
    assert (found["did"], found["start"], found["command"]) == ("moved", "2026-11-27T10:00:00Z", command)
    assert [step["command"] for step in pulled.json["next"]] == [command]
    assert desk.lisa.does("show", desk.call)["start"] == "2026-11-25T14:00:00Z"
    assert desk.push() == [(desk.uid, "moved")]
    assert "20261127T110000" in desk.there.entry(desk.uid)
    desk.lisa.does(*command.split()[1:])
    exchange(desk.lisa, desk.james)
    desk.james.does("accept", desk.call)
    exchange(desk.lisa, desk.james)
    assert desk.push() == [(desk.uid, "updated")]
    assert desk.lisa.does("calendar", "pull") == []
    entry = desk.there.entry(desk.uid)
    assert ("20261127T110000" in entry, "STATUS:CONFIRMED" in entry) == (True, True)


def test_a_push_does_not_write_over_a_change_it_has_not_seen(desk: Desk) -> None:
    desk.first()
    desk.there.edit(desk.uid, r"20261125T15(00|30)00", r"20261125T16\g<1>00")
    desk.lisa.does("book", desk.call, "--at", "2026-12-01 10:00")  # so there is something to be said of the entry
    assert (desk.uid, "moved") in desk.push()
    assert "20261125T160000" in desk.there.entry(desk.uid)
    assert (desk.uid, "updated") in desk.push("--restore")
    assert "20261125T150000" in desk.there.entry(desk.uid)


def test_what_an_agreement_overtook_is_written_over(desk: Desk) -> None:
    desk.first()
    desk.there.edit(desk.uid, r"20261125T15(00|30)00", r"20261125T16\g<1>00")
    desk.moved_by_both()
    assert desk.push() == [(desk.uid, "updated")]
    assert "20261126T100000" in desk.there.entry(desk.uid)


def test_what_is_deleted_there_is_hidden_and_not_cancelled(desk: Desk) -> None:
    desk.first()
    desk.there.delete(desk.uid)
    assert [item["did"] for item in desk.lisa.does("calendar", "pull")] == ["hidden"]
    assert desk.lisa.does("show", desk.call)["state"] == "confirmed"
    assert desk.push() == []
    assert desk.lisa.does("calendar", "pull") == []
    assert desk.push("--restore") == [(desk.uid, "created")]
    desk.there.delete(desk.uid)
    desk.moved_by_both()
    assert desk.push() == [(desk.uid, "created")]


def test_words_and_alarms_of_ones_own_are_no_change(desk: Desk) -> None:
    desk.first()
    desk.there.edit(desk.uid, r"^SUMMARY:.*$", "SUMMARY:James!")
    assert desk.lisa.does("calendar", "pull") == []
    assert desk.push() == []
    assert "SUMMARY:James!" in desk.there.entry(desk.uid)


def test_a_call_that_was_called_off_goes_after_a_month(desk: Desk) -> None:
    desk.first()
    desk.lisa.does("cancel", desk.call)
    assert desk.push() == [(desk.uid, "updated")]
    assert "STATUS:CANCELLED" in desk.there.entry(desk.uid)
    desk.lisa.now = "2026-12-19T00:00:00Z"
    assert desk.push() == []
    desk.lisa.now = "2026-12-21T00:00:00Z"
    assert desk.push() == [(desk.uid, "deleted")]
    assert desk.there.entries() == {}


def test_a_calendar_with_other_entries_is_not_ours(desk: Desk) -> None:
    desk.there.ask("MKCALENDAR")
    desk.there.add("dentist.ics", "dentist")
    (desk.lisa.folder / "password").write_text(PASSWORD)
    given = ("--user", USER, "--password-file", str(desk.lisa.folder / "password"))
    refused = desk.lisa.fails("calendar", "push", desk.url, *given)
    assert (refused.code, refused.exit) == ("calendar.not_ours", 5)
    assert list(desk.there.entries()) == ["dentist.ics"]
    assert desk.lisa.fails("calendar", "push").code == "calendar.not_pushed_to"


def test_what_others_put_there_later_is_left_alone(desk: Desk) -> None:
    desk.first()
    desk.there.add("dentist.ics", "dentist")
    assert desk.lisa.does("calendar", "pull") == []
    desk.moved_by_both()
    desk.push("--restore")
    assert sorted(desk.there.entries()) == sorted([f"{desk.uid}.ics", "dentist.ics"])


def test_another_device_takes_up_the_same_calendar(desk: Desk) -> None:
    """Forgetting a calendar leaves what another device would find: entries of ours that it knows nothing of."""
    desk.first()
    assert [item["did"] for item in desk.lisa.does("calendar", "forget", desk.url)] == ["forgotten"]
    assert desk.first() == [(desk.uid, "updated")]
    assert desk.push() == []
    assert list(desk.there.entries()) == [f"{desk.uid}.ics"]


def test_a_wrong_password_is_told_and_shown_nowhere(desk: Desk) -> None:
    wrong = desk.lisa.folder / "wrong"
    wrong.write_text("swordfish")
    refused = desk.lisa.fails("calendar", "push", desk.url, "--user", USER, "--password-file", str(wrong))
    assert (refused.code, refused.exit) == ("calendar.not_let_in", 4)
    assert "swordfish" not in refused.err + refused.out
    assert desk.lisa.fails("calendar", "pull").code == "calendar.not_pushed_to"


def test_private_entries_say_nothing_but_the_time(faked: Desk) -> None:
    faked.first("--private")
    entry = faked.there.entry(faked.uid)
    assert "SUMMARY:Busy" in entry
    assert not re.search(r"James|meet\.example|Kick-off", entry)


def test_the_servers_free_busy_is_our_agreed_time(at_radicale: Desk) -> None:
    """Worked out by hand: 15:00 in Berlin, an hour ahead of UTC in November, for half an hour."""
    at_radicale.first()
    with Server(at_radicale.url, USER, PASSWORD) as asked:
        said = [file.decode().replace("\r\n", "\n") for file in asked.busy(START, START + WEEK)]
    assert [re.findall(r"^FREEBUSY[^:]*:(.*)$", file, re.MULTILINE) for file in said] == [
        ["20261125T140000Z/20261125T143000Z"]
    ]


def test_a_server_that_sums_nothing_up_gives_the_entries(faked: Desk) -> None:
    faked.first()
    with Server(faked.url, USER, PASSWORD) as asked:
        (said,) = asked.busy(START, START + WEEK)
    assert read(said) == Read(Span(1_795_615_200_000, 1_795_617_000_000, "Europe/Berlin"), cancelled=False)


def test_a_checkin_that_another_device_wrote_or_that_got_an_alarm_there_is_no_change(faked: Desk) -> None:
    call = faked.lisa.does("book", faked.call, "--at", "2026-12-01 15:00", "--every", "week", "--times", "3")
    exchange(faked.lisa, faked.james)
    faked.james.does("accept", call["id"])
    exchange(faked.lisa, faked.james)
    faked.first()
    assert "RRULE:FREQ=WEEKLY;INTERVAL=1;COUNT=3" in faked.there.entry(faked.uid)
    faked.there.edit(faked.uid, r"^SUMMARY:.*$", "SUMMARY:James!")
    assert faked.lisa.does("calendar", "pull") == []
    faked.lisa.does("calendar", "forget", faked.url)
    assert faked.first() == [(faked.uid, "updated")], "whoever knows nothing of it finds it as it would be written"
    faked.there.edit(faked.uid, "COUNT=3", "COUNT=4")
    (found,) = faked.lisa.does("calendar", "pull")
    assert (found["did"], found["command"]) == ("changed", None)
    faked.lisa.does("cancel", call["id"], "--on", "2026-12-08 15:00")
    assert faked.push() == [(faked.uid, "updated")]
    entry = faked.there.entry(faked.uid)
    assert ("EXDATE;TZID=Europe/Berlin:20261208T150000" in entry, "COUNT=3" in entry) == (True, True)
