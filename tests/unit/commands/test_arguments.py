from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import MilestoneSpec, deadline, milestone, moment
from chaise_cli.commands.here import Here
from chaise_cli.commands.loose_time import Ambiguous, read_loose
from chaise_cli.domain import when
from chaise_cli.domain.money import Money
from chaise_cli.errors import ChaiseError


def ms(*parts: int) -> int:
    return when.in_ms(datetime(*parts, tzinfo=UTC))  # type: ignore[misc, arg-type]  # year to second


NOW = ms(2026, 11, 20, 10)  # a Friday
BERLIN = "Europe/Berlin"
SCRIPT = Here(NOW, BERLIN)
PERSON = Here(NOW, BERLIN, loose=True)


def refusal(read: Callable[[str], object], text: str) -> str:
    with pytest.raises(ChaiseError) as refused:
        read(text)
    assert refused.value.exit == 2
    assert refused.value.sentence()
    refused.value.advice()
    return refused.value.code


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("Setup=600EUR@2026-12-01", MilestoneSpec("Setup", Money(60_000, "EUR"), ms(2026, 12, 1, 23))),
        ("Run = 1400 EUR", MilestoneSpec("Run", Money(140_000, "EUR"))),
        ("a=b@c=600EUR@2026-12-01T12:00Z", MilestoneSpec("a=b@c", Money(60_000, "EUR"), ms(2026, 12, 1, 12))),
        ("Mail me@home=5JPY", MilestoneSpec("Mail me@home", Money(5, "JPY"))),
    ],
)
def test_a_milestone_splits_at_the_last_signs(text: str, spec: MilestoneSpec) -> None:
    assert milestone(text, SCRIPT) == spec


def test_a_milestone_may_take_the_deals_currency() -> None:
    assert milestone("Setup=600", SCRIPT, "EUR").amount == Money(60_000, "EUR")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Setup", "usage.bad_milestone"),
        ("=600EUR", "usage.bad_milestone"),
        (" =600EUR", "usage.bad_milestone"),
        ("Setup=600EUR@", "usage.bad_milestone"),
        ("Setup=", "money.unreadable"),
        ("Setup=-1EUR", "money.unreadable"),
        ("Setup=600EUR@soon", "time.unreadable"),
        ("Set\x1bup=600EUR", "usage.not_text"),
        ("x" * 201 + "=600EUR", "usage.too_long"),
    ],
)
def test_a_malformed_milestone_is_refused(text: str, code: str) -> None:
    assert refusal(lambda given: milestone(given, SCRIPT), text) == code


def test_a_script_writes_iso_and_nothing_else() -> None:
    assert moment("2026-11-25T15:00", SCRIPT) == ms(2026, 11, 25, 14)
    assert deadline("2026-12-20", SCRIPT) == ms(2026, 12, 20, 23)
    assert arguments.since("2026-11-01", SCRIPT) == ms(2026, 10, 31, 23)
    assert refusal(lambda text: moment(text, SCRIPT), "tomorrow 15:00") == "time.unreadable"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("tomorrow 15:00", ms(2026, 11, 21, 14)),
        ("Today at 11pm", ms(2026, 11, 20, 22)),
        ("friday 9:30am", ms(2026, 11, 27, 8, 30)),
        ("sat, 12:15 am", ms(2026, 11, 20, 23, 15)),
        ("+3d 08:00", ms(2026, 11, 23, 7)),
        ("+2w 08:00", ms(2026, 12, 4, 7)),
        ("5 Dec 15:00", ms(2026, 12, 5, 14)),
        ("Dec 5 2026 3pm", ms(2026, 12, 5, 14)),
        ("19 Nov 12:00", ms(2027, 11, 19, 11)),
        ("20 Nov 12:00", ms(2026, 11, 20, 11)),
        ("29 Feb 12:00", ms(2028, 2, 29, 11)),
        ("13/12/2026 12:00", ms(2026, 12, 13, 11)),
        ("5 Dec 2026 15:00 +05:00", ms(2026, 12, 5, 10)),
        ("5 Dec 2026 15:00:30 UTC", ms(2026, 12, 5, 15) + 30_000),
        ("Sunday 29 Nov 12:00", ms(2026, 11, 29, 11)),
        ("2026-11-25 15:00", ms(2026, 11, 25, 14)),
    ],
)
def test_a_person_may_write_as_people_do(text: str, instant: int) -> None:
    assert moment(text, PERSON) == instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [("today", ms(2026, 11, 20, 23)), ("friday", ms(2026, 11, 27, 23)), ("5 Dec", ms(2026, 12, 5, 23))],
)
def test_a_day_in_words_is_a_deadline_at_its_end(text: str, instant: int) -> None:
    assert deadline(text, PERSON) == instant


@pytest.mark.parametrize(
    "text",
    ["05/12/2026", "5.12.27", "3pm", "15:00", "Dec 2026", "2026", "12", "Sunday 28 Nov 2026", "friday 3", "20261205"],
)
def test_what_can_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(Ambiguous):
        deadline(text, PERSON)


@pytest.mark.parametrize(
    "text",
    [
        "5 Dec 2026 15:00 CEST",
        "5 Dec 2026 15:00 EST",
        "5 Dec 2026 15:00 GMT+3",
        "5 Dec 2026 15:00Z-2",
        "soon",
        "",
        "tomorrow at noon",
        "tomorrow 25:00",
        "tomorrow 13pm",
        "٥ Dec 2026",
        "5 Dec 1066",
        "2026-02-30",
        "2026-11-25 3pm",
        "x" * 100,
    ],
)
def test_what_says_no_time_is_refused(text: str) -> None:
    assert refusal(lambda given: deadline(given, PERSON), text) == "time.unreadable"


def test_words_are_read_in_the_persons_zone() -> None:
    late = ms(2026, 11, 20, 23, 30)  # already Saturday in Berlin
    assert read_loose("today", late, BERLIN).day.isoformat() == "2026-11-21"
    assert read_loose("today", late, "America/New_York").day.isoformat() == "2026-11-20"


def test_a_loose_time_the_clocks_jump_over_is_refused_like_any_other() -> None:
    assert refusal(lambda text: moment(text, PERSON), "28 Mar 2027 02:30") == "time.does_not_exist"


@given(st.text(alphabet="0123456789 :/.,-+TZapmjandecfrisu", max_size=20))
def test_no_text_brings_down_the_loose_reader(text: str) -> None:
    try:
        read = read_loose(text, NOW, BERLIN)
    except ChaiseError as refused:
        code = refused.code
    else:
        code = "time." if when.FIRST_YEAR <= read.day.year <= when.LAST_YEAR else "out of range"
    assert code.startswith("time.")


def test_dateutil_is_loaded_only_for_a_person_who_needs_it() -> None:
    script = (
        "import sys\nfrom chaise_cli.commands.arguments import *\n"
        "def loaded(): return [name in sys.modules for name in ('dateutil', 'chaise_cli.render.editor')]\n"
        "deadline('2026-12-20', Here(0, 'UTC', loose=True)); print(*loaded())\n"
        "deadline('tomorrow', Here(0, 'UTC', loose=True)); print(*loaded())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["False", "False", "True", "False"]


@pytest.mark.parametrize("text", ["0", "6", "five", "5.0", "", "-1", "٥", "99999999999"])
def test_stars_are_one_to_five(text: str) -> None:
    assert [arguments.stars(str(number)) for number in range(1, 6)] == [1, 2, 3, 4, 5]
    assert refusal(arguments.stars, text) == "usage.out_of_range"


def test_a_list_has_a_limit() -> None:
    assert arguments.limit("10000") == 10_000
    assert refusal(arguments.limit, "10001") == "usage.out_of_range"


def test_durations_and_zones_are_read() -> None:
    assert arguments.duration("30m") == 30 * when.MINUTE
    assert arguments.zone(" Europe/Berlin ") == BERLIN
    assert refusal(arguments.zone, "CET") == "time.unknown_zone"


CLI = """
import sys
import typer
from chaise_cli.commands.arguments import *
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
@app.command()
def release(total: TotalOption = None, amount: AmountOption = None, budget: BudgetOption = None, tz: ZoneOption = None,
            stars: StarsOption = None, limit: LimitOption = None) -> None:
    print(total, amount, budget, tz, stars, limit)
try:
    app(sys.argv[1:], standalone_mode=False)
except Exception as error:
    print(type(error).__name__, getattr(error, "code", ""))
"""


@pytest.mark.parametrize(
    ("argv", "printed"),
    [
        ("--total 400EUR --stars 5 --limit 7 --tz UTC", "400.00 EUR None None UTC 5 7"),
        ("--budget 1..2EUR", "None None Range(least=EUR 1.00, most=EUR 2.00) None None None"),
        ("--total 400.001EUR", "TooManyDigits money.too_many_digits"),
        ("--stars 6", "OutOfRange usage.out_of_range"),
    ],
)
def test_options_read_their_values_and_their_errors_stay_typed(argv: str, printed: str) -> None:
    done = subprocess.run([sys.executable, "-c", CLI, *argv.split()], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == printed
