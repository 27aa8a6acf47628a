from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.hired import events_of, kept_up
from tests.e2e.people import Person, exchange

# James lives in New York, Lisa in Berlin; it is noon UTC on Friday, 20 November 2026. New York is 5 hours behind UTC.
HOURS = """
zone = "America/New_York"

[hours]
mon = ["09:00-11:00"]
tue = ["09:00-10:00", "20:00-24:00"]

[days]
2026-11-30 = []

[calls.intro]
lengths = ["30m", "1h"]
step = "30m"
after = "15m"
notice = "4h"
window = "30d"
per_day = 2
place = "https://meet.example/james"
"""
MONDAY = [f"2026-11-23T{at}Z" for at in ("14:00:00", "14:30:00", "15:00:00", "15:30:00")]


@pytest.fixture
def told(lisa: Person, james: Person, deal: str) -> str:
    """James has said when he takes calls, and has told Lisa."""
    james.does("availability", "--set", "-", stdin=HOURS)
    james.does("availability", "--share", deal)
    exchange(lisa, james)
    return deal


def starts(who: Person, what: str, *options: str) -> list[str]:
    return [slot["start"] for slot in who.does("book", what, "--slots", *options)]


def offered(lisa: Person, james: Person, deal: str, at: str, *options: str) -> str:
    """A call that Lisa offers and James knows of."""
    made = lisa.does("book", deal, "--at", at, *options)
    exchange(lisa, james)
    return str(made["id"])


def test_availability_is_set_once_shown_and_written_as_it_was_read(james: Person, deal: str, tmp_path: Path) -> None:
    (tmp_path / "hours.toml").write_text(HOURS)
    made = james.run("availability", "--set", str(tmp_path / "hours.toml"), "--json")
    assert (made.exit, len(made.json["events"])) == (0, 1)
    assert made.data["hours"][0] == {"day": "mon", "hours": ["09:00-11:00"]}
    assert made.data["days"] == [{"day": "2026-11-30", "hours": []}]
    assert made.data["calls"][0]["lengths"] == [30, 60]
    again = james.run("availability", "--set", "-", "--json", stdin=james.run("availability", "--toml").out)
    assert (again.json["replayed"], again.json["events"], again.data) == (True, [], made.data)
    assert james.does("availability") == made.data
    assert james.does("whoami")["tz"] == "America/New_York"


def test_what_is_no_availability_is_refused_and_an_example_can_be_set(james: Person) -> None:
    for text in ("zone = ", 'zone = "UTC"\nnope = 1', f"a = {'[' * 2000}"):
        answer = james.fails("availability", "--set", "-", stdin=text)
        assert (answer.exit, answer.code) == (2, "availability.bad")
    assert james.fails("availability").code == "availability.none"
    assert james.fails("availability", "--toml", "--set", "-", stdin=HOURS).exit == 2
    example = james.run("availability", "--toml").out
    assert example.startswith("# An example")
    assert james.does("availability", "--set", "-", stdin=example)["zone"] == "America/New_York"


def test_the_client_sees_free_times_on_both_clocks_and_one_of_them_can_be_agreed(
    lisa: Person, james: Person, told: str
) -> None:
    answer = lisa.run("book", told, "--slots", "--in", "4d", "--json")
    assert [slot["start"] for slot in answer.data] == MONDAY
    assert answer.data[0] == {
        "start": MONDAY[0], "end": "2026-11-23T14:30:00Z", "tz": "Europe/Berlin", "theirs": "America/New_York",
    }  # fmt: skip
    assert answer.json["next"][0]["command"] == f"chaise book {told} --at {MONDAY[0]} --for 30m"
    assert answer.json["warnings"] == answer.json["events"] == []
    shown = lisa.run("book", told, "--slots", "--in", "4d").out
    assert "23 Nov 2026 15:00 Berlin (+01:00)" in shown
    assert "23 Nov 2026 09:00 New York (-05:00)" in shown
    call = offered(lisa, james, told, MONDAY[0])
    assert james.does("accept", call)["url"] == "https://meet.example/james"


def test_what_is_taken_anywhere_is_told_to_nobody(lisa: Person, james: Person, told: str) -> None:
    call = offered(lisa, james, told, MONDAY[1])
    james.does("accept", call)
    exchange(lisa, james)
    assert starts(lisa, told, "--in", "4d") == [MONDAY[0], MONDAY[2], MONDAY[3]], "her own call is in the way"
    assert james.run("availability", "--share", told, "--json").json["replayed"] is False
    assert james.run("availability", "--share", told, "--json").json["replayed"] is True
    exchange(lisa, james)
    assert starts(lisa, told, "--in", "4d") == [MONDAY[3]], "15 minutes are free before it and behind it"
    assert starts(james, told, "--in", "4d") == [MONDAY[3]]
    assert starts(lisa, call, "--in", "4d") == [MONDAY[3]]
    assert starts(james, call, "--in", "4d") == MONDAY, "a move leaves its own old time out"


def test_agreed_calls_outside_the_hours_are_named_when_these_change_and_are_shown(
    lisa: Person, james: Person, told: str
) -> None:
    inside = offered(lisa, james, told, MONDAY[1], "--for", "1h")
    late = offered(lisa, james, told, "2026-11-25T01:30:00Z", "--every", "week", "--times", "3")  # Tuesdays, 20:30
    for call in (inside, late):
        james.does("accept", call)
    assert james.run("availability", "--json").json["warnings"] == []
    changed = HOURS.replace('"09:00-11:00"', '"09:00-09:45", "09:45-10:00"').replace(', "20:00-24:00"', "")
    answer = james.run("availability", "--set", "-", "--json", stdin=changed)
    warned = [
        f"{call} at {at} lies outside these hours; another time: chaise book {call} --at TIME"
        for call, at in (
            (inside, "23 Nov 2026 09:30 New York (-05:00)"),
            (late, "24 Nov 2026 20:30 New York (-05:00), with 2 times more,"),
        )
    ]
    assert answer.json["warnings"] == warned
    assert james.run("availability", "--json").json["warnings"] == warned
    james.does("cancel", late)
    james.does("availability", "--set", "-", stdin=changed.replace("09:45-10:00", "09:45-10:30"))
    assert james.run("availability", "--json").json["warnings"] == [], "ranges that touch are one"
    exchange(lisa, james)
    lisa.does("availability", "--set", "-", stdin=HOURS.replace("America/New_York", "Europe/Berlin"))
    (hers,) = lisa.run("availability", "--json").json["warnings"]
    assert hers.startswith(f"{inside} at 23 Nov 2026 15:30 Berlin (+01:00) lies"), "she is its client"


def test_the_device_that_told_tells_anew_until_it_is_told_to_stop(lisa: Person, james: Person, told: str) -> None:
    james.does("accept", offered(lisa, james, told, MONDAY[1]))
    before = events_of(james)
    assert kept_up(james) == []
    assert events_of(james) == before, "it told within the hour"
    lisa.now = james.now = "2026-11-20T13:00:00Z"
    assert kept_up(james) == []
    assert events_of(james) == before + 1
    assert kept_up(james) == []
    exchange(lisa, james)
    assert starts(lisa, told, "--in", "4d") == [MONDAY[3]]
    warned = lisa.run("book", told, "--at", MONDAY[2], "--json").json["warnings"]
    assert warned == ["@james has not told 23 Nov 2026 16:00 Berlin (+01:00) as free"]
    james.does("availability", "--unshare", told)
    assert james.run("availability", "--unshare", told, "--json").json["replayed"]
    lisa.now = james.now = "2026-11-29T13:00:00Z"
    after = events_of(james)
    assert kept_up(james) == []
    assert events_of(james) <= after + 1, "the offer that lapsed, and no free times"
    exchange(lisa, james)
    assert lisa.fails("book", told, "--slots").code == "availability.not_told"


def test_lengths_days_and_windows_are_kept(lisa: Person, james: Person, told: str) -> None:
    assert starts(lisa, told, "--for", "1h", "--in", "4d") == MONDAY[:3]
    tuesday = [at for at in starts(lisa, told, "--for", "1h") if at.startswith("2026-11-2")][3:]
    late = ["2026-11-25T01:00:00Z", "2026-11-25T01:30:00Z", "2026-11-25T02:00:00Z"]
    assert tuesday[:4] == ["2026-11-24T14:00:00Z", *late]
    assert not [at for at in starts(lisa, told, "--in", "30d") if at.startswith("2026-11-30")]
    assert max(starts(lisa, told, "--in", "300d")) < "2026-12-20T12:00:00Z"
    answer = lisa.fails("book", told, "--slots", "--for", "45m")
    assert (answer.exit, answer.code) == (5, "availability.no_such_length")
    assert answer.error["details"]["lengths"] == "30m, 1h"
    assert lisa.fails("book", told, "--slots", "--for", "90s").code == "booking.bad_length"
    lisa.does("availability", "--set", "-", stdin='zone = "Europe/Berlin"\nhours.mon = ["15:30-16:45"]')
    assert starts(lisa, told, "--in", "4d") == MONDAY[1:3], "her own hours count too"
    lisa.now = "2026-11-23T10:30:00Z"
    passed = lisa.run("book", told, "--slots", "--in", "1d", "--json")
    assert [slot["start"] for slot in passed.data] == [MONDAY[2]], "later than four hours of notice"
    assert "told these times on 20 Nov 2026 13:00 Berlin" in passed.json["warnings"][0]


def test_ones_own_hours_count_where_the_other_side_told_nothing(lisa: Person, james: Person, deal: str) -> None:
    assert james.fails("availability", "--share", deal).code == "availability.none"
    assert james.fails("book", deal, "--slots", "--met").code == "booking.nothing_said"
    assert james.fails("book", deal, "--at", "2026-11-25 15:00", "--in", "3d").code == "usage.not_for_this"
    assert lisa.fails("book", deal, "--slots").code == "availability.not_told"
    assert lisa.fails("book", "@james", "--slots").code == "availability.not_told"
    james.does("availability", "--set", "-", stdin=HOURS)
    answer = james.run("book", deal, "--slots", "--in", "4d", "--json")
    assert [slot["start"] for slot in answer.data] == MONDAY
    assert "these are free on your side alone" in answer.json["warnings"][0]
    assert starts(james, "@lisa", "--in", "4d") == MONDAY
    exchange(lisa, james)
    assert lisa.fails("book", deal, "--slots").code == "availability.not_told"


def test_the_talents_buffers_notice_and_limits_hold_where_the_talent_acts(
    lisa: Person, james: Person, told: str
) -> None:
    soon = offered(lisa, james, told, "2026-11-20T15:59:00Z", "--for", "30m")
    assert james.fails("accept", soon).code == "booking.short_notice"
    assert james.does("accept", soon, "--beyond-limits")["state"] == "confirmed"
    near = offered(lisa, james, told, "2026-11-20T16:40:00Z", "--for", "30m")
    answer = james.fails("accept", near)
    assert (answer.exit, answer.code) == (5, "booking.overlap")
    assert "keeps time free around it" in answer.error["message"]
    james.does("accept", offered(lisa, james, told, "2026-11-20T18:00:00Z", "--for", "30m"))
    third = offered(lisa, james, told, "2026-11-20T20:00:00Z", "--for", "30m")
    assert james.fails("accept", third).error["details"]["start"] == "2026-11-20T20:00:00Z"
    full = "the day of 20 Nov 2026 15:00 New York (-05:00) is full: you want at most"
    assert full in james.run("accept", third).err
    assert james.fails("book", third, "--at", "2026-11-20T21:00:00Z").code == "booking.full"
    moved = james.does("book", third, "--at", "2026-11-21T21:00:00Z")
    assert (moved["turn"], moved["start"]) == ("client", "2026-11-21T21:00:00Z")
    made = james.does("book", told, "--at", "2026-11-22T12:00:00Z")
    assert (made["until"], made["url"]) == ("2026-11-22T08:00:00Z", "https://meet.example/james")


def test_who_tells_that_no_time_is_free_is_warned(lisa: Person, james: Person, deal: str) -> None:
    james.does("availability", "--set", "-", stdin='zone = "America/New_York"')
    told = james.run("availability", "--share", deal, "--json")
    assert told.json["warnings"] == ["none of your times is free, and so they were told: chaise availability"]
    james.does("availability", "--set", "-", stdin=HOURS)
    assert james.run("availability", "--share", deal, "--json").json["warnings"] == []
    exchange(lisa, james)
    assert starts(lisa, deal, "--in", "4d") == MONDAY


def test_a_day_of_25_hours_offers_the_repeated_hour_twice(lisa: Person, james: Person, deal: str) -> None:
    lisa.now = james.now = "2027-10-30T12:00:00Z"
    james.does("availability", "--set", "-", stdin='zone = "Europe/Berlin"\nhours.sun = ["02:00-03:00"]')
    james.does("availability", "--share", deal)
    exchange(lisa, james)
    repeated = ["2027-10-31T00:00:00Z", "2027-10-31T00:30:00Z", "2027-10-31T01:00:00Z", "2027-10-31T01:30:00Z"]
    assert starts(lisa, deal, "--in", "2d") == repeated
    shown = lisa.run("book", deal, "--slots", "--in", "2d").out
    assert "02:30 Berlin (+02:00)" in shown
    assert "02:30 Berlin (+01:00)" in shown
