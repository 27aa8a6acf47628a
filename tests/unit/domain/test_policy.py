from __future__ import annotations

import tomllib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.money import Money
from chaise_cli.domain.policy import (
    BadPath,
    BadPolicy,
    File,
    Git,
    HandleInPolicy,
    JUnit,
    Policy,
    Rule,
    Share,
    path_of,
    read,
)

JAMES = "id-1ame5bcdefghjkmnpqrstvwxyz"
WRONG_TOTAL: list[Any] = ["", "0EUR", "-1EUR", "1.001 EUR", "1 EURO", 600, None, {}, {"criteria": "c", "x": 1}]
WRONG_REQUIRE: list[Any] = [[], {}, "x", [{}], ["x"], [{"junit": "j", "file": "f"}], [{"sh": "x"}]]
WRONG_GIT: list[Any] = [{}, "x", {"tag": "x"}, {"tag": "", "matches": "delivery"}]
WRONG_MATCHES: list[Any] = ["tag", 1, ["delivery"], True]
WRONG_CONTAINS: list[Any] = [{}, [], 1, "x", True]
WRONG_EQUALS: list[Any] = [1.5, [0.1], {"a": {"b": 1.0}}]
WHOLE = """
version = 1
[[rule]]
milestone = "1"
total     = "all"
require   = [
  { junit = "build/junit.xml", failures = 0, min_tests = 20 },
  { git = { tag = "ms1-*", signed_by = "talent", matches = "delivery" } },
  { file = "build/accept.json", equals = { verdict = "pass" } },
]
[[rule]]
milestone = "*"
total = { criteria = "build/criteria.json" }
require = [ { junit = "build/junit.xml", max_skipped = 3 } ]
[[rule]]
milestone = "2"
total = "600.00 EUR"
require = [
  { git = { tag = "x", signed_by = "id-1ame5bcdefghjkmnpqrstvwxyz", path = "t" } },
  { file = "f", contains = [1] },
]
"""


def rule(**other: Any) -> dict[str, Any]:
    return {"milestone": "1", "total": "all", "require": [{"junit": "j"}]} | other


def policy(*rules: object, **other: Any) -> dict[str, Any]:
    return {"version": 1, "rule": list(rules)} | other


def test_the_whole_grammar_is_read() -> None:
    assert read(tomllib.loads(WHOLE)) == Policy(
        (
            Rule(
                1,
                None,
                (
                    JUnit("build/junit.xml", 0, 20, None),
                    Git("build/tag.txt", "ms1-*", "talent", delivered=True),
                    File("build/accept.json", "equals", {"verdict": "pass"}),
                ),
            ),
            Rule(None, Share("build/criteria.json"), (JUnit("build/junit.xml", 0, 1, 3),)),
            Rule(2, Money(60_000, "EUR"), (Git("t", "x", JAMES, delivered=False), File("f", "contains", [1]))),
        )
    )


def test_a_policy_names_its_files_once_and_by_milestone() -> None:
    found = read(tomllib.loads(WHOLE))
    assert found.paths == ["build/accept.json", "build/criteria.json", "build/junit.xml", "build/tag.txt", "f", "t"]
    assert found.paths_of(2) == ["build/criteria.json", "build/junit.xml", "f", "t"]
    assert found.paths_of(3) == ["build/criteria.json", "build/junit.xml"]


@pytest.mark.parametrize(
    "table",
    [
        {},
        policy(),
        policy(rule(), version=2),
        policy(rule(), version=True),
        policy(rule(), version="1"),
        policy(rule(), more=1),
        policy(*[rule()] * 51),
        policy("x"),
        {"version": 1, "rule": rule()},
        policy(rule(more=1)),
        policy({"milestone": "1", "total": "all"}),
        *(policy(rule(milestone=wrong)) for wrong in (1, "0", "01", "101", "", "one", "1 ", "**", None)),
        *(policy(rule(total=wrong)) for wrong in WRONG_TOTAL),
        *(policy(rule(require=wrong)) for wrong in WRONG_REQUIRE),
        policy(rule(require=[{"junit": "j"}] * 21)),
        policy(rule(require=[{"junit": "j", "unknown": 1}])),
        *(policy(rule(require=[{"junit": "j", "min_tests": wrong}])) for wrong in (-1, True, 1.0, "1", 10**9)),
        *(policy(rule(require=[{"git": wrong}])) for wrong in WRONG_GIT),
        *(policy(rule(require=[{"git": {"tag": "x", "matches": wrong}}])) for wrong in WRONG_MATCHES),
        policy(rule(require=[{"git": {"tag": "*" * 5, "matches": "delivery"}}])),
        policy(rule(require=[{"git": {"tag": "a b", "matches": "delivery"}}])),
        policy(rule(require=[{"git": {"tag": "x", "matches": "delivery"}, "more": 1}])),
        policy(rule(require=[{"file": "f"}])),
        policy(rule(require=[{"file": "f", "equals": 1, "contains": {"a": 1}}])),
        *(policy(rule(require=[{"file": "f", "contains": wrong}])) for wrong in WRONG_CONTAINS),
        *(policy(rule(require=[{"file": "f", "equals": wrong}])) for wrong in WRONG_EQUALS),
        policy(*[rule(require=[{"junit": f"{n}-{m}"} for m in range(10)]) for n in range(2)]),
    ],
    ids=str,
)
def test_what_the_grammar_does_not_know_is_no_policy(table: dict[str, Any]) -> None:
    with pytest.raises(BadPolicy):
        read(table)


@pytest.mark.parametrize("given_", ["@james", "james", "id-1ame", JAMES.upper(), f"{JAMES}x", 1, "Talent", ["talent"]])
def test_people_are_named_by_their_side_or_by_a_full_id(given_: object) -> None:
    with pytest.raises(HandleInPolicy):
        read(policy(rule(require=[{"git": {"tag": "x", "signed_by": given_}}])))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "./a",
        "a/.",
        "a//b",
        "a/",
        "a\\b",
        "C:\\x",
        "a\0b",
        "a\nb",
        "~/x\x7f",
        "ü",
        "x" * 201,
        1,
        None,
        "...",
        " ",
    ],
)
def test_a_path_stays_in_its_folder(path: object) -> None:
    with pytest.raises(BadPath):
        path_of(path)
    with pytest.raises(BadPath):
        read(policy(rule(require=[{"junit": path}])))


TABLES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 30)
    | st.floats()
    | st.sampled_from(["1", "*", "all", "talent", "delivery", "a/b", "5EUR"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "version",
                    "rule",
                    "milestone",
                    "total",
                    "require",
                    "junit",
                    "git",
                    "file",
                    "tag",
                    "matches",
                    "signed_by",
                    "equals",
                    "criteria",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(TABLES)
def test_whatever_is_given_is_a_policy_or_refused(value: Any) -> None:
    for table in (value, policy(value), policy(rule(require=[value])), policy(rule(require=[{"git": value}]))):
        if isinstance(table, dict):
            with suppress(BadPolicy, HandleInPolicy, BadPath):
                assert read(table).rules
