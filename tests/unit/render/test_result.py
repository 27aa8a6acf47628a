"""The objects of `chaise_cli.result` and `chaise_cli.shapes`, key by key as they are promised."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from chaise_cli.domain.money import Money, parse
from chaise_cli.errors import (
    ChaiseError,
    Conflict,
    Corrupt,
    Denied,
    Newer,
    NoKey,
    NotFound,
    RailDeclined,
    RailUnknown,
    Refused,
    RequestReused,
    StillWaiting,
    Unreachable,
    Usage,
)
from chaise_cli.result import (
    ID_KEYS,
    VERBS,
    WITHOUT_ID,
    Next,
    Result,
    error_json,
    exit_of,
    items,
    shape_of,
    to_json,
)
from chaise_cli.shapes import SHAPES

PROMISED = {
    "money": "minor currency text",
    "person": "id handle name",
    "next": "who command until",
    "error": "code message hint retryable details exit",
    "identity": "id handle name role currency tz device home unlocked_until",
    "device": "id name kind since state agent_of seen",
    "pairing": "until via limited code_file device",
    "board": "id name at members",
    "profile": "id person headline bio skills rates location links tz email",
    "service": "id person title kind price days skills",
    "post": "id board title kind skills budget deadline location brief client version state deals",
    "deal": "id post client talent agent agent_device secured currency terms_hash cover valid_until final contested "
    "state milestones totals may",
    "milestone": "id deal n title amount due criteria final state funded held released refunded payable paid_out "
    "reversed review_deadline files may",
    "op": "id request_id kind amount total to state ref grant",
    "grant": "id deal name by can milestone max per_day spent until approvals approved delivered_for_ms policy state "
    "final",
    "contest": "id contested histories",
    "file": "name size digest fetched",
    "journal_entry": "at text ref postings",
    "booking": "id deal organizer attendees final start end tz url uid sequence turn offers slots state",
    "message": "id deal by at text files",
    "policy": "name digest rules files milestone verdict",
    "policy_case": "name expect wanted ok verdict total reasons",
    "run": "id deal milestone by at policy verdict total reasons delivery files status reason",
    "review": "id deal by about stars recommend text state secured agent self_paid",
    "balance": "currency funded held released refunded disputed payable paid_out reversed",
    "balance_by": "deal person month currency funded held released refunded disputed payable paid_out reversed",
    "reconciliation": "rail since until agreed unbooked unshown differing own sums",
    "statement": "lines attested known unmatched due",
    "inbox_item": "id deal kind text at waits_for until next",
    "agenda_item": "at tz kind of consequence",
    "place": "peer kind auto synced_at boards spaces unsent problem caught",
    "calendar_copy": "uid calendar booking did start end command",
    "pushed_calendar": "url user private entries changed pushed_at pulled_at",
    "log_entry": "id space kind by device seq lamport at status reason delivery branch grant",
    "sync": "peers",
    "backup": "file size at identity device spaces events files requests newer_here problems",
    "verify": "events spaces balances problems forks chains files pages subset",
    "calendar": "name kind where tentative email every read_at until entries skipped busy stale problem",
    "relay": "url relay store invite invite_id withdrawn",
    "relay_entry": "id",
    "sync_status": "spaces events",
    "serving": "at peers",
    "sim": "url store control",
    "round": "consented moved declined reversed problems",
    "doctor": "checks",
    "availability": "zone hours days calls",
    "free_slot": "start end tz theirs",
}
OPTIONAL = {
    "identity": "recovery_file",
    "board": "invite",
    "profile": "reputation reliability",
    "service": "description state",
    "post": "tz",
    "deal": "title signing_keys compare terms terms_diff",
    "milestone": "tz op would",
    "op": "run milestone text",
    "run": "again differs",
    "grant": "file",
    "file": "milestone by at kind path",
    "booking": "note until lapsed may move repeats move_repeats shifted reason why ended_by late lost contested "
    "missing",
    "message": "kind unread branch milestone revoked",
    "review": "at withheld vouched final",
    "agenda_item": "deal",
}


PAGE = Path(__file__).parents[3] / "docs" / "spec" / "results.md"
EXITS = {
    ChaiseError: 1,
    Usage: 2,
    NotFound: 3,
    NoKey: 4,
    Refused: 5,
    Conflict: 6,
    Denied: 7,
    StillWaiting: 8,
    RailDeclined: 9,
    RailUnknown: 10,
    Corrupt: 11,
    RequestReused: 12,
    Unreachable: 13,
    Newer: 14,
}


class OverRelease(Refused):
    """A refusal with data of every kind."""

    code = "escrow.over_release"
    message = "{milestone} has {free} to release"
    hint = "see chaise show {milestone}"
    milestone: str
    free: Money


def keys(shape: type, *, required: bool) -> set[str]:
    """A shape's keys; asked of the hints, since the class cannot see through annotations kept as text."""
    hints = get_type_hints(shape, include_extras=True)
    return {key for key, kind in hints.items() if (get_origin(kind) is not NotRequired) is required}


def test_every_promised_object_has_exactly_its_keys() -> None:
    assert {name: keys(shape, required=True) for name, shape in SHAPES.items()} == {
        name: set(promised.split()) for name, promised in PROMISED.items()
    }


def test_what_may_be_missing_is_listed_too() -> None:
    optional = {name: keys(shape, required=False) for name, shape in SHAPES.items()}
    assert {name: found for name, found in optional.items() if found} == {
        name: set(listed.split()) for name, listed in OPTIONAL.items()
    }


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the page, without its head."""
    part = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def listed(shape: type) -> str:
    """The keys of a shape as the page writes them."""
    optional = keys(shape, required=False)
    return ", ".join(f"{key}?" if key in optional else key for key in get_type_hints(shape))


def test_the_page_lists_every_shape_with_its_keys_in_order() -> None:
    assert rows("Shapes") == [[name, listed(shape)] for name, shape in SHAPES.items()]


def inside(kind: object, found: dict[str, type]) -> dict[str, type]:
    """Every object that stands in another, by its name."""
    for part in get_args(kind) or get_type_hints(kind).values() if is_typeddict(kind) or get_args(kind) else ():
        if is_typeddict(part) and part.__name__.lower() not in found:
            found[part.__name__.lower()] = part
            inside(part, found)
        elif get_args(part):
            inside(part, found)
    return found


def test_the_page_lists_the_objects_inside_with_their_keys_in_order() -> None:
    found = dict[str, type]()
    for shape in SHAPES.values():
        inside(shape, found)
    named = {name: listed(shape) for name, shape in found.items() if shape not in SHAPES.values()}
    assert {row[0]: row[2] for row in rows("Objects inside them")} == named


def test_the_page_names_every_verb() -> None:
    named = re.findall("`([a-z ]+)`", " ".join(verbs for verbs, _ in rows("Which verb answers with what")))
    assert sorted(named) == sorted(VERBS)


def test_exit_codes_never_move() -> None:
    assert {base.exit for base in EXITS} == set(EXITS.values())
    assert all(base.exit == code for base, code in EXITS.items())
    assert [int(row[0]) for row in rows("Exit codes")] == [0, *EXITS.values(), 130]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_every_shape_can_be_read_at_run_time(shape: type) -> None:
    assert get_type_hints(shape)


def test_every_verb_answers_with_known_shapes() -> None:
    assert {shape for answer in VERBS.values() for shape in answer.shapes} <= SHAPES.keys()


def test_every_shape_has_an_id_or_is_listed_as_without() -> None:
    answered = {shape for answer in VERBS.values() for shape in answer.shapes}
    with_id = {shape for shape in answered if ID_KEYS.get(shape, "id") in PROMISED[shape].split()}
    assert with_id | WITHOUT_ID == answered
    assert not with_id & WITHOUT_ID


def test_a_result_is_one_versioned_object() -> None:
    result = Result("release", {"id": "x"}, ["e1"], next=[Next("James", "chaise accept x")], warnings=["late"])
    assert json.loads(to_json(result)) == {
        "schema": "chaise.release/1",
        "ok": True,
        "data": {"id": "x"},
        "events": ["e1"],
        "replayed": False,
        "next": [{"who": "James", "command": "chaise accept x", "until": None}],
        "warnings": ["late"],
    }


def test_an_empty_list_is_a_list() -> None:
    assert json.loads(to_json(Result("board create", [])))["data"] == []
    assert json.loads(to_json(Result("board create")))["schema"] == "chaise.board_create/1"


def test_a_result_that_still_counts_carries_its_error_beside_the_data() -> None:
    result = Result("release", {"id": "x"}, error=StillWaiting())
    answer = json.loads(to_json(result))
    assert (answer["ok"], answer["error"]["exit"], answer["data"]) == (False, 8, {"id": "x"})
    assert exit_of(result) == 8
    assert exit_of(Result("release", {})) == 0


def test_a_failure_is_an_object_with_its_data() -> None:
    error = OverRelease(milestone="deal-1/1", free=parse("400EUR"))
    assert json.loads(error_json(error)) == {
        "schema": "chaise.error/1",
        "ok": False,
        "error": {
            "code": "escrow.over_release",
            "message": "deal-1/1 has 400.00 EUR to release",
            "hint": "see chaise show deal-1/1",
            "retryable": False,
            "details": {
                "milestone": "deal-1/1",
                "free": {"minor": 40000, "currency": "EUR", "text": "400.00 EUR"},
            },
            "exit": 5,
        },
    }


def test_json_is_ascii_and_on_one_line() -> None:
    printed = to_json(Result("show", {"text": "\x1b\x7f\x9b\u202e\udc80\n日本"}))
    assert printed.isascii()
    assert printed.isprintable()


def test_values_json_has_no_word_for_become_plain() -> None:
    printed = error_json(Usage(seen={"b", "a"}, odd=1 + 2j, amount=parse("1JPY")))
    details = json.loads(printed)["error"]["details"]
    assert details == {
        "seen": ["a", "b"],
        "odd": "(1+2j)",
        "amount": {"minor": 1, "currency": "JPY", "text": "1 JPY"},
    }


def test_a_number_that_is_none_never_reaches_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(Result("show", {"x": float("nan")}))


def test_a_result_knows_its_shape_and_its_items() -> None:
    assert shape_of(Result("posts", [])) == "post"
    assert shape_of(Result("accept", {}, shape="booking")) == "booking"
    assert items(Result("posts", [{"id": "a"}])) == [{"id": "a"}]
    assert items(Result("post", {"id": "a"})) == [{"id": "a"}]
