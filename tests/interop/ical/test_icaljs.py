"""What ical.js makes of our files. It trusts a VTIMEZONE alone, so it shows whether ours tells the truth."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from chaise_cli.export.ical import Person, calendar
from chaise_cli.export.vtimezone import vtimezone
from tests.unit.export.calls import CALL, DUE, JAMES, LISA, OFFER
from tests.unit.export.zone_cases import FIRST_PASS, HAND_WORKED, dense, each_zone, twice, utc

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = timedelta(hours=1)


def parts(wall: datetime) -> list[int]:
    return [wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second]


def windows() -> list[tuple[datetime, datetime, timedelta]]:
    """Two years densely, the same after 2038, and twenty years in one file."""
    return [
        (utc("2026-01-01T00:00Z"), utc("2028-06-01T00:00Z"), timedelta(days=11)),
        (utc("2039-01-01T00:00Z"), utc("2041-01-01T00:00Z"), timedelta(days=30)),
        (utc("2025-01-01T00:00Z"), utc("2045-12-01T00:00Z"), timedelta(days=180)),
    ]


@pytest.mark.parametrize("window", windows(), ids=["now", "after_2038", "twenty_years"])
def test_every_zone_is_right_around_every_change(
    icaljs: Callable[[dict[str, Any]], Any], window: tuple[datetime, datetime, timedelta]
) -> None:
    """Hours that happen twice are left out: we write them in UTC, and ical.js would read the second pass.

    Of zones that differ in nothing but their name one is read.
    """
    first, last, step = window
    zones, expected, known = {}, {}, set()
    for name in each_zone():
        pairs = [(at, at.astimezone(ZoneInfo(name))) for at in dense(ZoneInfo(name), first, last, step)]
        told = [(at, wall) for at, wall in pairs if not twice(wall)]
        walls, written = [parts(wall) for _, wall in told], vtimezone(name, first, last)
        nameless = json.dumps([written.replace(f"TZID:{name}", "TZID:"), walls])
        if nameless not in known:
            known.add(nameless)
            zones[name] = {"vtimezone": written, "walls": walls}
            expected[name] = [int(at.timestamp()) for at, _ in told]
    found = icaljs({"zones": zones})
    assert [name for name in expected if found[name] != expected[name]] == []


def test_every_zone_is_right_when_the_file_has_one_time_only(icaljs: Callable[[dict[str, Any]], Any]) -> None:
    at = utc("2040-07-01T12:00Z")
    walls = {name: [parts(at.astimezone(ZoneInfo(name)))] for name in each_zone()}
    zones = {name: {"vtimezone": vtimezone(name, at, at), "walls": wall} for name, wall in walls.items()}
    found = icaljs({"zones": zones})
    assert [name for name in zones if found[name] != [int(at.timestamp())]] == []


def test_wall_clocks_mean_the_instants_worked_out_by_hand(icaljs: Callable[[dict[str, Any]], Any]) -> None:
    zones, expected = {}, {}
    for name in sorted({zone for zone, _, _ in HAND_WORKED}):
        cases = [(datetime.fromisoformat(wall), utc(at)) for zone, wall, at in HAND_WORKED if zone == name]
        text = vtimezone(name, min(at for _, at in cases), max(at for _, at in cases))
        zones[name] = {"vtimezone": text, "walls": [parts(wall) for wall, _ in cases]}
        expected[name] = [int(at.timestamp()) for _, at in cases]
    assert icaljs({"zones": zones}) == expected


def test_a_whole_file_has_every_call_at_its_instant(icaljs: Callable[[dict[str, Any]], Any]) -> None:
    """Also in hours that happen twice, in both passes."""
    cases = [
        (zone, utc(at) + later) for zone, _, at in HAND_WORKED + FIRST_PASS for later in (0 * HOUR, HOUR, 2 * HOUR)
    ]
    calls = [CALL._replace(uid=f"u{n}", tz=zone, start=at, end=at + HOUR) for n, (zone, at) in enumerate(cases)]
    answer = icaljs({"file": calendar(calls, name="Calls").decode()})
    found = {entry["uid"]: (entry["start"], entry["end"]) for entry in answer["entries"]}
    assert found == {call.uid: (int(call.start.timestamp()), int(call.end.timestamp())) for call in calls}
    used = {tzid for entry in answer["entries"] for tzid in entry["tzids"]}
    assert used - {"UTC"} == set(answer["zones"])
    assert len(answer["zones"]) == len(set(answer["zones"]))


def test_people_texts_and_alarms_arrive(icaljs: Callable[[dict[str, Any]], Any]) -> None:
    call = CALL._replace(
        summary="C:\\New; \u00fc, x", description="two\nlines " * 20, organizer=Person('L"i;s:a', "l@example.com")
    )
    answer = icaljs({"file": calendar([call, OFFER], [DUE], name="Calls").decode()})
    entries = {entry["uid"]: entry for entry in answer["entries"]}
    found = entries[call.uid]
    assert answer["method"] is None
    assert found["summary"] == "C:\\New; \u00fc, x"
    assert found["description"] == "two\nlines " * 20 + "\n\nhttps://meet.example/x"
    assert found["location"] == "https://meet.example/x"
    assert found["organizer"] == "mailto:l@example.com"
    assert found["attendees"] == [["mailto:james@example.com", "James", "ACCEPTED"]]
    assert (found["status"], found["sequence"]) == ("CONFIRMED", 1)
    assert found["dtstamp"] == int(call.modified.timestamp())
    assert found["conference"][-1] == "https://meet.example/x"
    assert found["triggers"] == [-900]
    assert entries[OFFER.uid]["attendees"] == [["mailto:james@example.com", JAMES.name, "NEEDS-ACTION"]]
    assert entries[f"{OFFER.uid}-1"]["status"] == entries[f"{OFFER.uid}-2"]["status"] == "TENTATIVE"
    due = entries[DUE.uid]
    assert due["start"] == due["end"] == int(DUE.at.timestamp())
    assert due["triggers"] == [-604_800, -259_200, -86_400, -7_200]


def test_a_published_feed_arrives_with_its_cancellation_and_who_published_what(
    icaljs: Callable[[dict[str, Any]], Any],
) -> None:
    gone, due = CALL._replace(status="cancelled", sequence=2), DUE._replace(organizer=LISA)
    answer = icaljs({"file": calendar([gone], [due], name="Calls", method="PUBLISH").decode()})
    entry, date = answer["entries"]
    assert answer["method"] == "PUBLISH"
    assert (entry["organizer"], date["organizer"]) == ("mailto:lisa@example.com",) * 2
    assert (date["attendees"], date["status"], len(date["triggers"])) == ([], "CONFIRMED", 4)
    assert (entry["status"], entry["sequence"], entry["attendees"], entry["triggers"]) == ("CANCELLED", 2, [], [])
