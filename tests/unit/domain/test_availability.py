from __future__ import annotations

import tomllib
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import availability_file, shape, slots
from chaise_cli.domain.availability import (
    RUNS_MOST,
    TOLD_DAYS,
    CallKind,
    DatedHours,
    FreeLength,
    Hours,
    Run,
    SelfAvailability,
    is_outdated,
    told,
)
from chaise_cli.domain.availability_file import BadAvailability
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking_acts import Taken
from chaise_cli.domain.when import DAY, MINUTE, read_instant
from tests.unit.domain.hours_cast import NIGHT, availabilities, hours, taken

FILE: Final = """
zone = "Europe/Berlin"

[hours]
mon = ["09:00-12:00", "13:00-17:30"]
tue = ["09:00-24:00"]

[days]
2026-12-24 = []
2026-12-19 = ["10:00-11:00"]

[calls.intro]
lengths = ["15m", "30m"]
after = "15m"
notice = "4h"
window = "30d"
per_day = 3
place = "https://meet.example/x"

[calls.review]
lengths = ["1h30m"]
"""
NOW: Final = read_instant("2026-11-22T10:00:00Z")


def read(text: str) -> SelfAvailability:
    return availability_file.read(tomllib.loads(text))


def test_a_file_is_read_with_what_it_leaves_out_filled_in() -> None:
    assert read(FILE) == SelfAvailability(
        "Europe/Berlin",
        ((Hours(540, 720), Hours(780, 1050)), (Hours(540, 1440),), (), (), (), (), ()),
        (DatedHours("2026-12-19", (Hours(600, 660),)), DatedHours("2026-12-24", ())),
        (
            CallKind("intro", (15, 30), 30, 0, 15, 240, 30, 3, None, "https://meet.example/x"),
            CallKind("review", (90,), 30, 0, 0, 0, 60, None, None, None),
        ),
    )


def test_a_zone_is_enough() -> None:
    own = read('zone = "UTC"')
    assert own.week == ((),) * 7
    assert own.kinds == (CallKind("call", (30,), 30, 0, 0, 0, 60, None, None, None),)


@given(availabilities())
def test_what_is_written_reads_as_the_same(drawn: tuple[SelfAvailability, int]) -> None:
    own = drawn[0]
    shape.check(own)
    assert read(availability_file.to_toml(own)) == own


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", "the file", "zone is missing"),
        ('zone = "CET"', "zone", "not the name of a time zone"),
        ('zone = "UTC"\nzones = 1', "the file", "'zones' means nothing here"),
        ('zone = "UTC"\nhours.monday = []', "hours", "'monday' means nothing here"),
        ('zone = "UTC"\nhours = 1', "hours", "is a table"),
        ('zone = "UTC"\nhours.mon = "09:00-12:00"', "hours.mon", "is a list of ranges"),
        ('zone = "UTC"\nhours.mon = ["9-12"]', "hours.mon", "'9-12' is not a range"),
        ('zone = "UTC"\nhours.mon = ["12:00-09:00"]', "hours.mon", "does not end later"),
        ('zone = "UTC"\nhours.mon = ["23:00-24:01"]', "hours.mon", "a day ends at 24:00"),
        ('zone = "UTC"\nhours.mon = ["09:00-12:00", "11:59-13:00"]', "hours.mon", "11:59-13:00 begins before"),
        ('zone = "UTC"\ndays.2026-02-30 = []', "days", "is not a day"),
        ('zone = "UTC"\ndays.20261224 = []', "days", "is not a day"),
        ('zone = "UTC"\ncalls.x = 1', "calls.x", "is a table"),
        ('zone = "UTC"\ncalls.x.length = "1h"', "calls.x", "'length' means nothing here"),
        ('zone = "UTC"\ncalls.x.lengths = "1h"', "calls.x.lengths", "is a list"),
        ('zone = "UTC"\ncalls.x.lengths = [30]', "calls.x.lengths", "'30' is not a length of time"),
        ('zone = "UTC"\ncalls.x.lengths = ["90s"]', "calls.x.lengths", "counts whole minutes"),
        ('zone = "UTC"\ncalls.x.lengths = []', "lengths", "must have 1 to 4 items"),
        ('zone = "UTC"\ncalls.x.window = "25h"', "calls.x.window", "counts whole days"),
        ('zone = "UTC"\ncalls.x.step = "4m"', "calls.x.step", "must be from 5m to 12h"),
        ('zone = "UTC"\ncalls.x.before = "1d"', "calls.x.before", "must be from 0m to 3h"),
        ('zone = "UTC"\ncalls.x.notice = "31d"', "calls.x.notice", "must be from 0m to 30d"),
        ('zone = "UTC"\ncalls.x.window = "367d"', "calls.x.window", "must be from 1d to 366d"),
        ('zone = "UTC"\ncalls.x.lengths = ["0m"]', "calls.x.lengths", "must be from 1m to 1d"),
        ('zone = "UTC"\ncalls.x.after = "181m"', "calls.x.after", "from 0m to 3h"),
        ('zone = "UTC"\ncalls.x.per_day = "3"', "per_day", "must be a whole number from 1 to 100"),
        ('zone = "UTC"\ncalls.x.place = "http://x"', "place", "must be a link"),
        ('zone = "UTC"\ncalls.X = {}', "name", "must be 1 to 40 of a-z"),
        ('zone = "UTC"\ncalls.x = {}\ncalls.y = {}', "calls", "a length belongs to one kind"),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_refused(text: str, where: str, why: str) -> None:
    with pytest.raises(BadAvailability) as caught:
        read(text)
    assert caught.value.where == where
    assert why in caught.value.why


# Told to others


@given(availabilities(), st.data())
def test_what_is_told_are_the_free_times_of_every_length(
    drawn: tuple[SelfAvailability, int], data: st.DataObject
) -> None:
    own, now = drawn
    busy = data.draw(taken(now))
    times = told(own, busy, now)
    shape.check(times)
    for kind in own.kinds:
        for minutes in kind.lengths:
            of = times.of(minutes)
            assert of is not None
            assert (of.step, of.notice, of.place) == (kind.step, kind.notice, kind.place)
            assert of.starts(now, now + DAY) == slots.free(own, minutes, busy, now, now + DAY)


def test_so_many_days_are_told_as_fit() -> None:
    many = tuple(Hours(n * 180, n * 180 + 35) for n in range(8))
    own = hours(*many, lengths=(5, 15, 30, 35), step=5, window=366)
    own = replace(own, kinds=(*own.kinds, replace(own.kinds[0], name="odd", lengths=(6, 7, 8, 9))))
    times = told(own, [], NOW)
    assert RUNS_MOST // 2 < sum(len(one.runs) for one in times.lengths) <= RUNS_MOST
    last = max(run.first for one in times.lengths for run in one.runs)
    assert NOW + (TOLD_DAYS // 2 - 1) * DAY < last < NOW + TOLD_DAYS // 2 * DAY
    whole = told(hours(NIGHT, step=5, lengths=(5,)), [], NOW)
    shape.check(whole)
    assert whole.lengths[0].runs == (Run(NOW + 5 * MINUTE, TOLD_DAYS * 288 - 1),)


def test_free_times_are_told_anew_when_they_are_wrong_though_not_all_day_and_after_a_week() -> None:
    own, hour = hours(Hours(540, 1020)), DAY // 24
    before = told(own, [], NOW)
    tomorrow = before.lengths[0].runs[1].first
    busy = [Taken(tomorrow, tomorrow + 30 * MINUTE, "")]

    def outdated(later: int, taken: list[Taken], now_own: SelfAvailability = own) -> bool:
        return is_outdated(before, NOW, told(now_own, taken, NOW + later), NOW + later)

    assert not outdated(2 * hour, [])
    assert outdated(2 * hour, busy)
    assert not outdated(hour - 1, busy), "within an hour"
    assert not outdated(tomorrow - NOW + hour, busy), "nobody can book what has passed"
    assert not outdated(6 * DAY, [])
    assert outdated(7 * DAY, [])
    assert outdated(2 * hour, [], hours(Hours(540, 1020), notice=60))
    assert outdated(2 * hour, [], hours(Hours(540, 1050)))
    assert not is_outdated(before, NOW, before, NOW + 8 * DAY), "the same again says nothing"


def some(*runs: tuple[int, int]) -> FreeLength:
    return FreeLength(30, 30, 0, None, tuple(Run(NOW + first * MINUTE, count) for first, count in runs))


def starts(of: FreeLength, begin: int = 0, end: int = 1440) -> list[int]:
    return [(at - NOW) // MINUTE for at in of.starts(NOW + begin * MINUTE, NOW + end * MINUTE)]


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [(0, 1440, [0, 30, 60, 100, 130]), (1, 100, [30, 60]), (30, 101, [30, 60, 100]), (61, 61, []), (131, 1440, [])],
)
def test_the_starts_of_a_time_are_those_that_lie_in_it(begin: int, end: int, found: list[int]) -> None:
    assert starts(some((0, 3), (100, 2)), begin, end) == found


def test_whatever_somebody_writes_there_are_no_more_starts_than_steps() -> None:
    hostile: Any = some(*[(n % 7, 10_000) for n in range(1_000)])
    shape.check(hostile)
    assert len(starts(hostile, 0, 1440)) == 48
    assert starts(some((100, 1), (0, 2), (100, 1), (101, 1))) == [100, 101]
