"""A reader of VTIMEZONE text that knows no zones: RFC 5545 section 3.6.5, written apart from our writer."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Observance(NamedTuple):
    kind: str
    dtstart: datetime
    offset_from: timedelta
    offset_to: timedelta
    name: str
    rrule: dict[str, str]


def observances(text: str) -> list[Observance]:
    """The observances of one VTIMEZONE; whatever the grammar or the project's rules forbid is an AssertionError."""
    assert text.endswith("END:VTIMEZONE\r\n")
    lines = text.split("\r\n")[:-1]
    assert not any("\n" in line or len(line.encode()) > 75 for line in lines)
    assert lines[0] == "BEGIN:VTIMEZONE"
    assert lines[1].startswith("TZID:")
    found, body = [], lines[2:-1]
    while body:
        begin, kind = body[0].split(":")
        end = body.index(f"END:{kind}")
        assert begin == "BEGIN"
        properties = dict(line.split(":", 1) for line in body[1:end])
        assert len(properties) == end - 1, "a property is repeated"
        found.append(_observance(kind, properties))
        body = body[end + 1 :]
    assert found
    return found


def _observance(kind: str, properties: dict[str, str]) -> Observance:
    assert kind in {"STANDARD", "DAYLIGHT"}
    assert properties.keys() - {"RRULE"} == {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"}
    rrule = dict(part.split("=") for part in properties["RRULE"].split(";")) if "RRULE" in properties else {}
    assert rrule.keys() in (set(), {"FREQ", "BYMONTH", "BYDAY"}), "no UNTIL, nothing else"
    start = datetime.strptime(properties["DTSTART"], "%Y%m%dT%H%M%S")  # noqa: DTZ007  (a wall clock)
    offset_from, offset_to = _offset(properties["TZOFFSETFROM"]), _offset(properties["TZOFFSETTO"])
    return Observance(kind, start, offset_from, offset_to, properties["TZNAME"], rrule)


def _offset(text: str) -> timedelta:
    assert len(text) in {5, 7}
    assert text != "-0000"
    size = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]), seconds=int(text[5:] or 0))
    return {"+": size, "-": -size}[text[0]]


class Reader:
    """Tells the instant of a wall clock from nothing but the text."""

    def __init__(self, text: str, until_year: int) -> None:
        """`until_year`: how far recurring onsets are followed."""
        onsets = [
            (onset - each.offset_from, onset, each.offset_to)
            for each in observances(text)
            for onset in _onsets(each, until_year)
        ]
        onsets.sort()
        self._walls = [wall for _, wall, _ in onsets]
        self._offsets = [offset for _, _, offset in onsets]
        assert self._walls == sorted(self._walls), "onsets out of order"

    def instant(self, wall: datetime) -> datetime:
        """The instant of `wall` (naive): by the onset that comes last before it, on the clock before the change."""
        place = bisect_right(self._walls, wall) - 1
        assert place >= 0, "a time before every observance"
        return (wall - self._offsets[place]).replace(tzinfo=UTC)


def _onsets(each: Observance, until_year: int) -> list[datetime]:
    if not each.rrule:
        return [each.dtstart]
    assert each.rrule["FREQ"] == "YEARLY"
    days = [_day(each, year) for year in range(each.dtstart.year, until_year + 1)]
    assert days[0] == each.dtstart, "DTSTART does not fit its rule"
    return days


def _day(each: Observance, year: int) -> datetime:
    week, weekday = int(each.rrule["BYDAY"][:-2]), WEEKDAYS.index(each.rrule["BYDAY"][-2:])
    month = int(each.rrule["BYMONTH"])
    first = each.dtstart.replace(year=year, month=month, day=1)
    of_month = [first + timedelta(days=n) for n in range(31)]
    fitting = [day for day in of_month if day.month == month and day.weekday() == weekday]
    return fitting[week if week < 0 else week - 1]
