"""Calendar files as others might write them, drawn from a seed: what the two readers of busy time are compared over.

Every file has one entry with all that changes it, so that no interval hides another. Left out is what RFC 5545 leaves
open: a DTSTART that its own rule does not give.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from chaise_cli.export.vtimezone import vtimezone

FIRST, LAST = datetime(2025, 6, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
ZONES: Final = (
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"),
    *("Africa/Casablanca", "Europe/Dublin", "America/Nuuk"),
)
OWN: Final = "Office 7"  # a zone that its VTIMEZONE alone tells
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Style(NamedTuple):
    """How the times of an entry are written: `day` without a clock, else with this parameter or ending."""

    day: bool = False
    tzid: str = ""
    end: str = ""

    def line(self, name: str, *walls: datetime, kind: str = "") -> str:
        if self.day:
            return f"{name};VALUE=DATE:" + ",".join(f"{wall:%Y%m%d}" for wall in walls)
        zone = f";TZID={self.tzid}" if self.tzid else ""
        return f"{name}{kind}{zone}:" + ",".join(self.text(wall) for wall in walls)

    def text(self, wall: datetime) -> str:
        return f"{wall:%Y%m%dT%H%M%S}{self.end}"


def drawn(seed: int, count: int) -> dict[str, bytes]:
    """So many files by name."""
    return {f"{seed}/{n}": _file(Random(f"{seed}/{n}")) for n in range(count)}


def _file(draw: Random) -> bytes:
    tz = draw.choice(ZONES)
    spelled = draw.random() < 0.6
    style, zone = draw.choice([
        (Style(day=True), ""),
        (Style(end="Z"), ""),
        (Style(), ""),
        *[(Style(tzid=tz), vtimezone(tz, FIRST, LAST) if spelled else "")] * 4,
        (Style(tzid=OWN), vtimezone(tz, FIRST, LAST).replace(f"TZID:{tz}", f"TZID:{OWN}")),
    ])  # fmt: skip
    lines = [*zone.split("\r\n")[:-1], *_series(draw, style)]
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR")).encode()


def _series(draw: Random, style: Style) -> list[str]:
    start = datetime(2025, 6, 2) + timedelta(days=draw.randrange(560))  # noqa: DTZ001  a wall clock
    if not style.day:
        start += timedelta(minutes=15 * (draw.randrange(16, 80) if style.tzid == OWN else draw.randrange(96)))
    rule, step = _rule(draw, style, start)
    lines = [style.line("DTSTART", start), *_length(draw, style, start, rule), *rule]
    if draw.random() < 0.3:
        lines += _added(draw, style, start)
    steps = draw.sample(range(8), 4) if step else []
    if step and draw.random() < 0.5:
        lines.append(style.line("EXDATE", *(start + step * n for n in steps[: draw.randint(1, 2)])))
    entries = [_event(lines)]
    if step and draw.random() < 0.5:  # of others than those left out, which would contradict itself
        entries += [_override(draw, style, start + step * n) for n in steps[draw.randint(2, 3) :]]
        draw.shuffle(entries)
    return [line for entry in entries for line in entry]


def _event(lines: list[str]) -> list[str]:
    return ["BEGIN:VEVENT", "UID:one", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]


def _length(draw: Random, style: Style, start: datetime, rule: list[str]) -> list[str]:
    """Hours that lie on no change of a clock: how long those are is in the hand-made corpus."""
    if style.day:
        days = draw.randint(1, 3)
        ends = style.line("DTEND", start + timedelta(days=days))
        return draw.choice([[], [ends], [f"DURATION:P{days}D"]])
    if not 4 <= start.hour < 20 or "HOUR" in "".join(rule):
        return ["DURATION:PT10M"]
    minutes = 15 * draw.randint(1, 12)
    ends = style.line("DTEND", start + timedelta(minutes=minutes))
    return [draw.choice([ends, ends, f"DURATION:PT{minutes}M", "DURATION:P1D", "DURATION:P1DT2H"])]


def _rule(draw: Random, style: Style, start: datetime) -> tuple[list[str], timedelta | None]:
    """An RRULE that gives DTSTART, or none; and the step from one occurrence to the next where all are alike."""
    every = draw.randint(1, 3)
    day, nth = DAYS[start.weekday()], (start.day - 1) // 7 + 1
    days = ",".join({day: 0, **dict.fromkeys(draw.sample(DAYS, draw.randint(0, 3)))})
    week = draw.choice(["MO", "SU"])
    rules: list[tuple[str, timedelta | None]] = [
        ("", None),
        (f"FREQ=DAILY;INTERVAL={every}", timedelta(days=every)),
        (f"FREQ=WEEKLY;INTERVAL={every}", timedelta(weeks=every)),
        (f"FREQ=WEEKLY;INTERVAL={every};WKST={week};BYDAY={days}", None),
        (f"FREQ=DAILY;BYDAY={days}", None),
        (f"FREQ=MONTHLY;BYMONTHDAY={start.day}", None),
        (f"FREQ=MONTHLY;INTERVAL={every};BYDAY={nth}{day}", None),
        (f"FREQ=MONTHLY;BYDAY={day};BYSETPOS={nth},-1", None),
        (f"FREQ=MONTHLY;BYMONTHDAY={start.day},-1", None),
        (f"FREQ=YEARLY;BYMONTH={start.month};BYDAY={nth}{day}", None),
        ("FREQ=YEARLY", None),
        (f"FREQ=YEARLY;BYYEARDAY={start.timetuple().tm_yday},200,-1", None),
        (f"FREQ=YEARLY;BYWEEKNO={start.isocalendar().week};BYDAY={day}", None),
    ]  # fmt: skip
    if not style.day and style.tzid != OWN:  # readers differ about hours that such a zone skips: see the hand-made
        hours = draw.randint(5, 40)
        rules += [
            (f"FREQ=HOURLY;INTERVAL={hours}", timedelta(hours=hours)),
            (f"FREQ=DAILY;BYHOUR={start.hour},{(start.hour + 7) % 24}", None),
        ]
    rule, step = draw.choice(rules)
    if not rule:
        return [], None
    until = start + timedelta(days=draw.randint(20, 300))
    last = f"{until:%Y%m%d}" if style.day else style.text(until)
    ends = ["", f";COUNT={draw.randint(2, 40)}", f";UNTIL={last}{'Z' if style.tzid else ''}"]
    return [f"RRULE:{rule}{draw.choice(ends)}"], step


def _added(draw: Random, style: Style, start: datetime) -> list[str]:
    walls = [start + timedelta(days=draw.randint(1, 200), hours=draw.randrange(24)) for _ in range(draw.randint(1, 3))]
    if style.day or draw.random() < 0.6:
        return [style.line("RDATE", *walls)]
    # Never with a time of the rule, nor a whole offset from one: the foreign reader gives its length to that one.
    periods = [f"{style.text(wall + timedelta(minutes=7))}/PT{20 * (n + 1)}M" for n, wall in enumerate(walls)]
    zone = f";TZID={style.tzid}" if style.tzid else ""
    return [f"RDATE;VALUE=PERIOD{zone}:" + ",".join(periods)]


def _override(draw: Random, style: Style, at: datetime) -> list[str]:
    """An occurrence that was moved or called off."""
    lines = [style.line("RECURRENCE-ID", at)]
    moved = at + timedelta(days=draw.randint(-3, 3), hours=draw.randrange(6))
    length = "DURATION:P1D" if style.day else "DURATION:PT45M"
    how = draw.choice([["STATUS:CANCELLED"], ["TRANSP:TRANSPARENT"], [], []])
    return _event([*lines, style.line("DTSTART", moved if not how else at), length, *how])
