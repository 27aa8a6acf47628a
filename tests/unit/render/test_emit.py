from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from chaise_cli.errors import Refused, StillWaiting
from chaise_cli.render import views
from chaise_cli.render.emit import Format, NoIds, OutputOptions, emit, emit_error, note
from chaise_cli.render.rows import columns_of
from chaise_cli.result import VERBS, WITHOUT_ID, Next, Result
from chaise_cli.shapes import SHAPES
from tests.unit.render.samples import DEAL, OTHER_DEAL, SAMPLES, eur, milestone

ATTACK = "\x1b]0;owned\x07\u202e\u200b\x9b\u2028\udc80[red]:smile:"
FORMS: tuple[Format, ...] = ("human", "csv", "json", "jsonl")
SCREEN = OutputOptions(tz="Europe/Berlin")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")  # what rich writes: colours, nothing else


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class Odd(Refused):
    """A refusal that quotes somebody."""

    code = "test.odd"
    message = "{name} is odd"
    hint = "ask {name}"
    name: str


def attacked(value: Any) -> Any:
    """`value` with an attack in every text, ids and instants and numbers left as they are."""
    if isinstance(value, dict):
        kept = (
            "id",
            "currency",
            "at",
            "until",
            "due",
            "start",
            "end",
            "tz",
            "deadline",
            "review_deadline",
            "valid_until",
            "synced_at",
            "read_at",
            "pushed_at",
        )
        return {
            key: inner if key in (*kept, "unlocked_until", "since", "seen") else attacked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [attacked(inner) for inner in value]
    return value + ATTACK if isinstance(value, str) else value


def shown(shape: str, *, many: bool, data: Any = None, options: OutputOptions = SCREEN) -> str:
    """What stdout gets of a sample."""
    item = SAMPLES[shape] if data is None else data
    verb = next((verb for verb, answer in VERBS.items() if shape in answer.shapes), "show")
    verb = "show" if not many and shape in VERBS["show"].shapes else verb
    out, kept = io.StringIO(), sys.stdout
    sys.stdout = Tty() if options.color else out
    try:
        emit(Result(verb, [item, item] if many else item, shape=shape), options)
        return sys.stdout.getvalue()
    finally:
        sys.stdout = kept


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


def test_there_is_a_view_for_every_shape_a_verb_answers_with() -> None:
    assert {shape for answer in VERBS.values() for shape in answer.shapes} == views.MODULES.keys() == SAMPLES.keys()


def test_the_table_of_views_names_all_there_are() -> None:
    """Each in the module that has it, and in no other."""
    folder = Path(views.__file__).parent
    modules = [f"chaise_cli.render.{path.stem}" for path in sorted(folder.glob("views_*.py"))]
    held = [(shape, name) for name in modules for shape in getattr(import_module(name), "VIEWS", ())]
    assert sorted(held) == sorted(views.MODULES.items())


@pytest.mark.parametrize("shape", SAMPLES)
def test_nothing_foreign_reaches_a_person_unseen(shape: str) -> None:
    """As a list and as a page, in each form."""
    data = attacked(SAMPLES[shape])
    for form in FORMS:
        for many in (True, False):
            printed = shown(shape, many=many, data=data, options=OutputOptions(form, tz="Europe/Berlin"))
            assert printed, (form, many)
            assert printed.replace("\n", "").isprintable(), (form, many)


@pytest.mark.parametrize("many", [True, False], ids=["list", "page"])
@pytest.mark.parametrize("shape", SAMPLES)
def test_colour_adds_colour_alone(shape: str, *, many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    data = attacked(SAMPLES[shape])
    plain = shown(shape, many=many, data=data)
    colored = shown(shape, many=many, data=data, options=SCREEN._replace(color=True))
    assert "\x1b[" in colored
    bare = ESCAPES.sub("", colored)
    assert bare.replace("\n", "").isprintable()
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


@pytest.mark.parametrize("shape", [shape for answer in VERBS.values() if answer.many for shape in answer.shapes])
def test_every_list_fits_in_80_columns(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(line) for line in shown(shape, many=True).splitlines()) <= 80


def test_a_pipe_gets_everything_and_nothing_is_cut() -> None:
    long = SAMPLES["post"] | {"title": "A very long title " * 10}
    assert ("A very long title " * 10).strip() in shown("post", many=True, data=long)


def test_money_is_aligned_to_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [milestone(1, "Setup", "600", "planned"), milestone(2, "Run", "12000", "planned")]
    emit_result = Result("fund", steps)
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    emit(emit_result, SCREEN)
    ends = {line.index(" EUR") for line in out.getvalue().splitlines()[1:]}
    assert len(ends) == 1


def test_an_acting_verb_shows_a_summary_and_show_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Result("hire", SAMPLES["deal"]), SCREEN)
    summary = capsys.readouterr().out
    emit(Result("show", SAMPLES["deal"], shape="deal"), SCREEN)
    page = capsys.readouterr().out
    assert page.startswith(summary)
    assert "Milestones" in page
    assert "Milestones" not in summary


def test_a_call_is_shown_in_the_zones_of_both_sides() -> None:
    page = shown("booking", many=False)
    assert "25 Nov 2026 15:00 Berlin (+01:00)" in page
    assert "25 Nov 2026 09:00 New York (-05:00)" in page


def test_proposals_are_set_against_their_post() -> None:
    compare: dict[str, object] = {"total": eur("2600"), "over_budget": eur("100"), "last_due": "2026-12-21T23:00:00Z"}
    compare |= {"after_deadline": True, "paid_reviews": 4}
    printed = shown("deal", many=True, data=SAMPLES["deal"] | {"compare": compare})
    assert "over by 100.00 EUR" in printed
    assert "after the deadline" in printed


def test_what_is_not_final_says_so() -> None:
    assert "delivered (not final)" in shown("milestone", many=True)


def test_who_holds_the_money_is_said() -> None:
    assert "held by the client, not secured" in shown("deal", many=False)
    secured = SAMPLES["deal"] | {"secured": True, "agent": {"id": "id-0", "handle": "ada", "name": "Ada"}}
    assert "held by @ada" in shown("deal", many=False, data=secured)
    for state in ("talking", "invited", "proposed", "shortlisted", "offered", "declined", "withdrawn"):
        unsigned = SAMPLES["deal"] | {"state": state}
        assert "held by nobody before terms are signed" in shown("deal", many=False, data=unsigned)


def test_ids_are_short_until_two_look_alike() -> None:
    assert "deal-7k3m9q2x " in shown("deal", many=True)
    out, kept = io.StringIO(), sys.stdout
    sys.stdout = out
    try:
        emit(Result("deals", [SAMPLES["deal"], SAMPLES["deal"] | {"id": OTHER_DEAL}]), SCREEN)
    finally:
        sys.stdout = kept
    assert "deal-7k3m9q2xa" in out.getvalue()
    assert "deal-7k3m9q2xz" in out.getvalue()


def test_the_store_may_say_how_short_an_id_is(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Result("deals", [SAMPLES["deal"]]), SCREEN, short=lambda full: full[:9])
    assert "deal-7k3m " in capsys.readouterr().out


def test_next_is_said_on_stderr_with_short_ids(capsys: pytest.CaptureFixture[str]) -> None:
    step = Next("James", f"chaise accept {DEAL}", "2026-12-15T14:00:00Z")
    emit(Result("hire", SAMPLES["deal"], next=[step], warnings=[f"late {ATTACK}"], replayed=True), SCREEN)
    err = capsys.readouterr().err
    assert "next: James: chaise accept deal-7k3m9q2x (until 15 Dec 2026 15:00 Berlin (+01:00))\n" in err
    assert "warning: late <U+001B>]0;owned<U+0007>" in err
    assert "note: this had been done before" in err


def test_quiet_keeps_warnings_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    options = SCREEN._replace(quiet=True)
    step = Next("James", "chaise sync")
    emit(Result("hire", SAMPLES["deal"], next=[step], warnings=["late"], replayed=True, error=StillWaiting()), options)
    note("nothing to say", options)
    assert capsys.readouterr().err == "warning: late\nerror: a bug in Chaise [bug]\n"


def test_an_empty_list_says_so_on_stderr_and_leaves_stdout_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert emit(Result("posts", []), SCREEN) == 0
    assert capsys.readouterr() == ("", "no posts here yet\n")


@pytest.mark.parametrize(("form", "printed"), [("jsonl", ""), ("ids", ""), ("csv", "id,board,title")])
def test_an_empty_list_in_a_script_format(form: Format, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    emit(Result("posts", []), OutputOptions(form))
    assert capsys.readouterr().out.startswith(printed)


def test_json_is_the_whole_result_and_says_nothing_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    status = emit(Result("hire", SAMPLES["deal"], next=[Next("a", "b")], error=StillWaiting()), OutputOptions("json"))
    out, err = capsys.readouterr()
    assert (status, err, json.loads(out)["ok"]) == (8, "", False)


def test_jsonl_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Result("posts", [SAMPLES["post"], SAMPLES["post"]]), OutputOptions("jsonl"))
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [SAMPLES["post"]] * 2


def test_ids_are_full_and_alone(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Result("hire", SAMPLES["deal"]), OutputOptions("ids"))
    emit(Result("files", [SAMPLES["file"]]), OutputOptions("ids"))
    assert capsys.readouterr().out == f"{DEAL}\n{SAMPLES['file']['digest']}\n"


@pytest.mark.parametrize("shape", sorted(WITHOUT_ID))
def test_what_has_no_id_says_so(shape: str) -> None:
    with pytest.raises(NoIds):
        shown(shape, many=True, options=OutputOptions("ids"))


@pytest.mark.parametrize("shape", SAMPLES)
def test_csv_has_the_same_columns_whatever_the_data(shape: str) -> None:
    rows = list(csv.reader(io.StringIO(shown(shape, many=True, options=OutputOptions("csv")))))
    assert len(rows) == 3
    assert len({len(row) for row in rows}) == 1
    assert len(set(rows[0])) == len(rows[0])


def test_csv_flattens_objects_and_joins_lists() -> None:
    rows = list(csv.DictReader(io.StringIO(shown("post", many=True, options=OutputOptions("csv")))))
    assert rows[0]["budget.min.minor"] == "150000"
    assert rows[0]["skills"] == "seo;ads"
    assert rows[0]["client.handle"] == "lisa"
    assert rows[0]["brief"].startswith("# What we need\n")
    deal = next(iter(csv.DictReader(io.StringIO(shown("deal", many=True, options=OutputOptions("csv"))))))
    assert deal["milestones"] == f"{DEAL}/1;{DEAL}/2"
    assert (deal["agent.id"], deal["secured"], deal["compare.total.text"]) == ("", "false", "")


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@sum(a)", "\t=1", "\r=1"])
def test_a_spreadsheet_computes_nothing(text: str) -> None:
    data = SAMPLES["post"] | {"title": text, "skills": ["seo", text]}
    row = next(iter(csv.DictReader(io.StringIO(shown("post", many=True, data=data, options=OutputOptions("csv"))))))
    assert row["title"][0] not in "=+-@\t\r"
    assert row["skills"].split(";")[1][0] not in "=+-@\t\r"


def test_a_failure_leaves_stdout_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert emit_error(Odd(name=f"James{ATTACK}"), SCREEN) == 5
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("error: James<U+001B>]0;owned")
    assert err.splitlines()[0].endswith("is odd [test.odd]")
    assert err.splitlines()[1].startswith("hint: ask James")


def test_a_failure_for_scripts_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    emit_error(Odd(name=ATTACK), OutputOptions("json"))
    out, err = capsys.readouterr()
    assert (out, json.loads(err)["error"]["details"]["name"]) == ("", ATTACK)


LOOK = """
import sys
from importlib import import_module
from pathlib import Path
from chaise_cli.render.emit import OutputOptions, emit
from chaise_cli.result import Result
emit(Result("boards", [{"id": "b", "name": "n", "at": [], "members": 1}]), OutputOptions(sys.argv[1]))
print(" ".join(sys.modules), file=sys.stderr)
"""
HEAVY = {
    "rich",
    "pydantic",
    "sqlite_utils",
    "icalendar",
    "httpx",
    "keyring",
    "asyncio",
    "platformdirs",
    "dateutil",
    "typer",
}
HEAVY |= {"importlib.metadata", "dataclasses", "inspect", "subprocess", "shutil"}


@pytest.mark.parametrize("form", ["human", "json", "jsonl", "ids", "csv"])
def test_a_pipe_loads_nothing_heavy_and_gets_no_escape(form: str) -> None:
    variables = os.environ | {"GITHUB_ACTIONS": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "PY_COLORS": "1"}
    done = subprocess.run([sys.executable, "-c", LOOK, form], env=variables, capture_output=True, check=True)
    assert b"\x1b" not in done.stdout
    loaded = set(done.stderr.decode().split())
    assert not loaded & HEAVY
    if form == "json":
        assert not loaded & {"csv", "zoneinfo", "chaise_cli.shapes", "chaise_cli.render.views"}


def test_what_no_list_has_is_no_column() -> None:
    columns = {path[0] for path in columns_of(SHAPES["deal"])}
    assert set(get_type_hints(SHAPES["deal"])) - columns == {"terms", "terms_diff"}
