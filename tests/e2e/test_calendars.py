"""Busy time of other calendars, at the command line: read, kept free, told when it is old."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.people import NOON, Person, exchange

AT, LATER = "2026-11-25 09:00", "2026-11-26 09:00"  # New York
UTC = "20261125T140000Z"


def calendar(*starts: str, length: str = "PT1H") -> str:
    entries = [
        f"BEGIN:VEVENT\nUID:{n}@secret\nSUMMARY:Dentist\nDTSTART:{start}\nDURATION:{length}\nEND:VEVENT\n"
        for n, start in enumerate(starts)
    ]
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{''.join(entries)}END:VCALENDAR\n"


class Pair(NamedTuple):
    """Lisa in Berlin and James in New York, and their deal: made once, since no test here needs them fresh."""

    lisa: Person
    james: Person
    deal: str


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("calendars")
    lisa = Person(folder, "lisa", role="client", tz="Europe/Berlin", email="lisa@example.org")
    james = Person(folder, "james", role="talent", tz="America/New_York")
    james.does("board", "join", "-", stdin=lisa.does("board", "create", "marketing")["invite"])
    exchange(lisa, james)
    deal = str(lisa.does("message", "@james", "Hello James")["deal"])
    exchange(lisa, james)
    return Pair(lisa, james, deal)


@pytest.fixture
def lisa(pair: Pair) -> Person:
    return pair.lisa


@pytest.fixture
def deal(pair: Pair) -> str:
    return pair.deal


@pytest.fixture
def james(pair: Pair) -> Iterator[Person]:
    """James, who has no calendars and calls yet, and afterwards none any more."""
    yield pair.james
    pair.james.now = NOON
    exchange(pair.lisa, pair.james)
    for call in pair.james.does("bookings", "--state", "proposed", "--state", "confirmed"):
        verb = "cancel" if call["state"] == "confirmed" else "withdraw" if call["turn"] == "client" else "decline"
        pair.james.does(verb, call["id"])
    exchange(pair.lisa, pair.james)
    for person in (pair.james, pair.lisa):
        for one in person.does("calendars"):
            person.does("calendar", "remove", one["name"])


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A calendar in which James is busy on 25 November from 9 to 10 in New York."""
    path = tmp_path / "work.ics"
    path.write_text(calendar(UTC))
    return path


def test_a_talent_takes_no_time_at_which_another_calendar_has_something(
    lisa: Person, james: Person, deal: str, work: Path
) -> None:
    added = james.does("calendar", "add", str(work))
    assert (added["name"], added["kind"], added["entries"], added["busy"], added["stale"]) == (
        "work",
        "file",
        1,
        1,
        False,
    )
    call = lisa.does("book", deal, "--at", AT, "--at", LATER, "--tz", "America/New_York")["id"]
    exchange(lisa, james)
    refused = james.fails("accept", call)
    assert (refused.code, refused.exit, refused.error["details"]["booking"]) == ("booking.overlap", 5, "")
    assert "by another calendar" in refused.error["message"]
    assert james.fails("book", deal, "--at", "2026-11-25 09:45").code == "booking.overlap"
    assert james.does("accept", call, "--slot", "2")["state"] == "confirmed"
    assert james.does("book", call, "--at", AT, "--allow-overlap")["state"] == "confirmed"


def test_a_file_that_changed_is_read_anew_before_a_time_is_taken(
    lisa: Person, james: Person, deal: str, work: Path
) -> None:
    james.does("calendar", "add", str(work))
    work.write_text(calendar("20261126T140000Z"))
    assert james.does("book", deal, "--at", AT)["state"] == "proposed"
    assert james.fails("book", deal, "--at", LATER).code == "booking.overlap"


def test_the_client_is_warned_alone(lisa: Person, james: Person, deal: str, work: Path) -> None:
    lisa.does("calendar", "add", str(work))
    answer = lisa.run("book", deal, "--at", "2026-11-25 15:00", "--json")
    assert answer.exit == 0
    assert answer.json["warnings"] == [
        "another calendar has something at the time of 25 Nov 2026 15:00 Berlin (+01:00)"
    ]


def test_a_calendar_that_is_gone_is_a_warning_and_keeps_what_it_had(
    lisa: Person, james: Person, deal: str, work: Path
) -> None:
    james.does("calendar", "add", str(work))
    work.unlink()
    james.now = "2026-11-20T15:00:00Z"
    answer = james.run("book", deal, "--at", LATER, "--json")
    told = "the calendar work was last read 3h ago, and cannot be: No such file or directory"
    assert answer.json["warnings"] == [told]
    assert james.fails("book", deal, "--at", AT).code == "booking.overlap"
    refused = james.fails("book", deal, "--at", LATER, "--strict-busy")
    assert (refused.code, refused.exit, refused.error["message"]) == ("booking.busy_stale", 5, told)
    again = james.run("calendar", "refresh", "--json")
    assert (again.exit, again.code, again.data[0]["busy"], again.data[0]["stale"]) == (13, "calendar.unread", 1, True)


def test_a_time_beyond_what_is_known_is_told(lisa: Person, james: Person, deal: str, work: Path) -> None:
    james.does("calendar", "add", str(work))
    answer = james.run("book", deal, "--at", "2028-01-10 09:00", "--until", "2026-12-01 10:00", "--json")
    assert [warning.partition(" 2027")[0] for warning in answer.json["warnings"]] == [
        "calendars are known only until 23 Dec"
    ]


def test_a_folder_is_a_calendar_of_one_entry_a_file(james: Person, tmp_path: Path) -> None:
    folder = tmp_path / "personal"
    folder.mkdir()
    assert james.fails("calendar", "add", str(folder)).code == "calendar.bad_place"
    for n, start in enumerate([UTC, "20261126T140000Z"]):
        (folder / f"{n}.ics").write_text(calendar(start))
    (folder / "broken.ics").write_text("nothing")
    (folder / ".draft.ics").write_text("nothing")
    answer = james.run("calendar", "add", str(folder), "--name", "me", "--json")
    assert (answer.data["kind"], answer.data["name"], answer.data["busy"], answer.data["skipped"]) == (
        "folder",
        "me",
        2,
        1,
    )
    assert answer.json["warnings"] == ["me, broken.ics, line 1: there is no calendar in it"]
    (folder / "1.ics").unlink()
    assert james.does("calendar", "refresh", "me")[0]["busy"] == 1
    for path in folder.iterdir():
        path.unlink()
    emptied = james.run("calendar", "refresh", "--json")
    assert (emptied.exit, emptied.data[0]["busy"]) == (13, 1)  # more likely not mounted than empty


def test_a_file_in_a_folder_may_have_any_name(james: Person, tmp_path: Path) -> None:
    """A name is other people's words: it is shown so that no terminal obeys it, and need not even be text."""
    folder = tmp_path / "me"
    folder.mkdir()
    (folder / "good.ics").write_text(calendar(UTC))
    for name in (b"\xff\xfe.ics", b"\x1b[31mred\n.ics", "\u202ecod.ics".encode()):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123  a path has no such bytes
            file.write(b"nothing")
    answer = james.run("calendar", "add", str(folder), "--name", "me", "--json")
    assert (answer.data["busy"], answer.data["skipped"], len(answer.json["warnings"])) == (1, 3, 3)
    (folder / "good.ics").write_text(calendar(UTC, "20261126T140000Z"))
    said = james.run("calendar", "refresh")
    assert said.exit == 0, said.err
    assert "\x1b" not in said.out + said.err
    assert "\u202e" not in said.out + said.err


def test_links_are_followed_to_ordinary_files_alone(james: Person, tmp_path: Path) -> None:
    """A link may lead out of the folder, as one to another program's does; it cannot make anybody wait."""
    folder, kept = tmp_path / "linked", tmp_path / "kept"
    kept.mkdir()
    (kept / "a.ics").write_text(calendar(UTC))
    folder.symlink_to(kept)
    (kept / "b.ics").symlink_to(kept / "a.ics")
    assert james.does("calendar", "add", str(folder), "--name", "me")["entries"] == 2
    for target, why in (("c.ics", "levels"), ("/dev/zero", "ordinary"), (".", "directory"), ("nowhere", "No such")):
        (kept / "c.ics").unlink(missing_ok=True)
        (kept / "c.ics").symlink_to(target)
        unread = james.fails("calendar", "refresh")
        assert unread.code == "calendar.unread"
        assert why in unread.error["message"]
        assert unread.data[0]["busy"] == 1, "what was read before still counts"


def test_a_calendar_is_written_over_a_link_and_not_through_it(lisa: Person, tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "calls.ics"
    victim.write_text("mine")
    link.symlink_to(victim)
    lisa.does("bookings", "--ics", str(link))
    assert (victim.read_text(), link.is_symlink(), link.stat().st_mode & 0o777) == ("mine", False, 0o600)


def test_copies_of_our_own_calls_take_no_time(lisa: Person, james: Person, deal: str, tmp_path: Path) -> None:
    """A calendar into which our calls were exported gives them back; a move would collide with itself."""
    call = lisa.does("book", deal, "--at", "2026-11-25 15:00")["id"]
    exchange(lisa, james)
    james.does("accept", call)
    feed = tmp_path / "all.ics"
    james.does("bookings", "--ics", str(feed))
    assert james.does("calendar", "add", str(feed))["busy"] == 1
    assert james.does("book", call, "--at", "2026-11-25 09:15")["state"] == "confirmed"


def test_nothing_but_times_is_kept(james: Person, work: Path) -> None:
    answer = james.run("calendar", "add", str(work), "--json")
    with james.session() as session:
        kept = [tuple(row) for row in session.db.execute("SELECT * FROM busy").fetchall()]
        told = session.db.execute("SELECT * FROM calendar").fetchall()
    assert [(ends - begins, uid) for _, begins, ends, uid in kept] == [(3_600_000, "")]
    assert "Dentist" not in str([answer, kept, told])
    assert "secret" not in str([answer, kept, told])


def test_calendars_are_named_changed_and_forgotten(james: Person, work: Path) -> None:
    other = work.parent / "other" / "work.ics"
    other.parent.mkdir()
    other.write_text(calendar(UTC).replace("SUMMARY", "STATUS:TENTATIVE\nSUMMARY"))
    james.does("calendar", "add", str(work))
    assert james.does("calendar", "add", str(other))["name"] == "work-2"
    assert james.fails("calendar", "add", str(other), "--name", "work").code == "calendar.name_taken"
    again = james.does("calendar", "add", str(other), "--no-tentative", "--every", "1d", "--name", "plans")
    assert (again["name"], again["busy"], again["every"]) == ("plans", 0, "1d")
    assert [one["name"] for one in james.does("calendars")] == ["plans", "work"]
    assert james.run("calendars", "--ids").out == "plans\nwork\n"
    assert "work" in james.run("calendars").out
    assert james.does("calendar", "remove", "work")["busy"] == 1
    assert james.fails("calendar", "remove", "work").code == "calendar.unknown"
    assert [one["name"] for one in james.does("calendars")] == ["plans"]


def test_what_is_no_calendar_is_not_remembered(james: Person) -> None:
    for where in (
        *("nowhere.ics", "http://example.org/a.ics", "ftp://example.org/a.ics"),
        *("https://me:secret@example.org/a", "https://"),
    ):
        refused = james.fails("calendar", "add", where)
        assert (refused.code, refused.exit) == ("calendar.bad_place", 2)
        assert "secret" not in refused.err
    assert james.does("calendars") == []


def test_times_that_another_calendar_has_are_offered_to_nobody(
    lisa: Person, james: Person, deal: str, work: Path
) -> None:
    hours = (
        'zone = "America/New_York"\n[hours]\nwed = ["09:00-11:00"]\n[calls.intro]\nlengths = ["30m"]\nstep = "30m"\n'
    )
    james.does("availability", "--set", "-", stdin=hours)
    james.does("calendar", "add", str(work))
    free = [f"2026-11-25T15:{minute}:00Z" for minute in ("00", "30")]
    assert [slot["start"] for slot in james.does("book", deal, "--slots", "--in", "6d")] == free
    james.does("availability", "--share", deal)
    exchange(lisa, james)
    assert [slot["start"] for slot in lisa.does("book", deal, "--slots", "--in", "6d")] == free
    work.unlink()
    told = james.run("book", deal, "--slots", "--in", "6d", "--json").json["warnings"]
    assert any("the calendar work was last read" in warning for warning in told)


def test_a_checkin_is_taken_for_sure_only_when_calendars_are_known_until_its_last_time(
    lisa: Person, james: Person, deal: str, work: Path
) -> None:
    james.does("calendar", "add", str(work))
    call = lisa.does("book", deal, "--at", LATER, "--tz", "America/New_York", "--every", "366d", "--times", "5")["id"]
    exchange(lisa, james)
    refused = james.fails("accept", call, "--strict-busy")
    assert refused.code == "booking.busy_stale"
    assert "known only until" in refused.error["message"]
    taken = james.run("accept", call, "--json")
    assert any("known only until" in one for one in taken.json["warnings"])
