"""Availability in few words, and what tests draw of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from chaise_cli.domain.availability import CallKind, DatedHours, Hours, SelfAvailability
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking_acts import Taken
from chaise_cli.domain.when import DAY, MINUTE

CALL: Final = CallKind("call", (30,), 30, 0, 0, 0, 60, None, None, None)
NIGHT: Final = Hours(0, 1440)
CHANGES: Final = {  # zone → days on which its clocks change: gaps, repeated hours, at midnight, by half an hour
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "America/Asuncion": ("2023-10-01", "2023-03-26"),
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "Pacific/Apia": ("2011-12-30", "2021-04-04"),
    "Asia/Kathmandu": ("2026-05-05",),
}


def hours(*ranges: Hours, zone: str = "Europe/Berlin", **kind: Any) -> SelfAvailability:
    """The same hours every day, for one kind of call."""
    return SelfAvailability(zone, (ranges,) * 7, (), (replace(CALL, **kind),))


@st.composite
def _ranges(draw: st.DrawFn) -> tuple[Hours, ...]:
    edges = draw(st.lists(st.integers(0, 288), max_size=4, unique=True))
    ordered = sorted(edges)
    pairs = zip(ordered[::2], ordered[1::2], strict=False)
    return tuple(Hours(opens * 5, closes * 5) for opens, closes in pairs)


@st.composite
def kinds(draw: st.DrawFn, name: str = "call", lengths: tuple[int, ...] | None = None) -> CallKind:
    """A kind of calls; buffers and limits often tight."""
    few = st.none() | st.integers(1, 3)
    found = lengths or draw(st.sampled_from([(5,), (30, 45), (15, 60, 90)]))
    return CallKind(
        name, found, draw(st.sampled_from([5, 10, 15, 30, 45, 60])), draw(st.sampled_from([0, 0, 5, 10, 60])),
        draw(st.sampled_from([0, 0, 5, 15])), draw(st.sampled_from([0, 60, 1440])), draw(st.integers(1, 60)),
        draw(few), draw(few), draw(st.sampled_from([None, "https://meet.example/\\"])),
    )  # fmt: skip


@st.composite
def availabilities(draw: st.DrawFn) -> tuple[SelfAvailability, int]:
    """An availability, and an instant (a whole minute) on the day of a change in its zone or the day before."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    day = date.fromisoformat(draw(st.sampled_from(CHANGES[zone]))) - timedelta(draw(st.integers(0, 1)))
    few = [draw(_ranges()) for _ in range(3)]
    other = draw(st.sampled_from([(), (0,), (1,)]))
    dated = tuple(DatedHours((day + timedelta(n)).isoformat(), draw(_ranges())) for n in other)
    long = [draw(kinds("long", (120,))) for _ in range(draw(st.integers(0, 1)))]
    now = (day - date(1970, 1, 1)).days * DAY + draw(st.integers(-600, 1440)) * MINUTE
    return SelfAvailability(zone, (*few, *few, few[0]), dated, (draw(kinds()), *long)), now


@st.composite
def taken(draw: st.DrawFn, now: int) -> list[Taken]:
    """Calls and other busy times of the next two days, some of one booking."""
    found = []
    for name in draw(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=6)):
        start = now + draw(st.integers(-300, 2880)) * MINUTE
        found.append(Taken(start, start + draw(st.sampled_from([5, 15, 30, 60, 120, 400])) * MINUTE, name))
    return found
