from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.deal import Facts
from chaise_cli.domain.policy import Policy, read
from chaise_cli.domain.runs import REASONS_MOST, Verdict
from chaise_cli.domain.verdict import Evidence, judge
from chaise_cli.ids import EventId, public, text
from tests.unit.domain.deal_world import JAMES, LISA, name

TAG = b"object " + b"a" * 40 + b"\ntype commit\ntag ms1-v1\ntagger J <j@e> 1 +0000\n\nmilestone\n"
KEY = name("key")
GOOD = b'<testsuite><testcase name="a"/><testcase name="b"/></testsuite>'
SKIPPED = b"<testsuite><testcase/><testcase><skipped/></testcase></testsuite>"
BAD = b"<testsuite><testcase/><testcase><failure/></testcase></testsuite>"
JUNIT = {"junit": "j", "min_tests": 2}
ACCEPT = {"file": "a", "contains": {"verdict": "pass"}}
FACTS = Facts(
    n=1, state="delivered", amount=60_000, reach=60_000, currency="EUR", criteria=3, client=LISA, talent=JAMES,
    keys={JAMES: KEY}, delivery=EventId(name("delivery")), delivered=(text(hashlib.sha256(TAG).digest()),),
)  # fmt: skip


def policy(*require: object, total: object = "all", milestone: str = "1") -> Policy:
    return read({"version": 1, "rule": [{"milestone": milestone, "total": total, "require": list(require)}]})


def git(**wanted: object) -> dict[str, Any]:
    return {"git": {"tag": "ms1-*", "path": "t"} | wanted}


def said(of: Policy, facts: Facts = FACTS, signer: str | None = None, **files: bytes) -> Verdict:
    return judge(of, facts, Evidence(files, {"t": signer} if signer else {}))


def test_all_that_is_required_lets_the_total_go() -> None:
    assert said(policy(JUNIT, ACCEPT), j=GOOD, a=b'{"verdict":"pass","by":"qa"}') == Verdict(
        "allow", 60_000, ("j: 2 ran, 0 failed, 0 skipped", "a contains what it should")
    )


@pytest.mark.parametrize("report", [BAD, SKIPPED, b"", b"<x/>", b"<testsuite/>"])
def test_a_report_that_is_not_good_enough_denies(report: bytes) -> None:
    assert said(policy(JUNIT), j=report).word == "deny"


def test_skipped_cases_are_limited_only_where_that_is_asked_for() -> None:
    assert said(policy({"junit": "j"}), j=SKIPPED).word == "allow"
    assert said(policy({"junit": "j", "max_skipped": 0}), j=SKIPPED).word == "deny"
    assert said(policy({"junit": "j", "failures": 1}), j=BAD).word == "allow"


def test_what_is_missing_waits_and_what_failed_denies_whatever_is_missing() -> None:
    assert said(policy(JUNIT, ACCEPT), j=GOOD) == Verdict("wait", None, ("a is not there",))
    assert said(policy(JUNIT, ACCEPT), j=BAD).word == "deny"


@pytest.mark.parametrize(
    ("change", "word", "why"),
    [
        ({"state": "cancelled"}, "deny", "is cancelled"),
        ({"state": "refunded"}, "deny", "is refunded"),
        ({"state": "disputed"}, "deny", "is disputed"),
        ({"reach": 0, "state": "planned"}, "wait", "nothing is held"),
        ({"reach": -5}, "wait", "nothing is held"),
        ({"state": "changes"}, "wait", "changes were asked for"),
        ({"n": 2}, "deny", "no rule is about milestone 2"),
        ({"state": "funded"}, "allow", "2 ran"),
        ({"state": "released"}, "allow", "2 ran"),
    ],
)
def test_the_state_of_the_milestone_comes_first(change: dict[str, Any], word: str, why: str) -> None:
    found = said(policy(JUNIT), FACTS._replace(**change), j=GOOD)
    assert found.word == word
    assert why in found.reasons[0]


def test_no_rule_lets_more_go_than_can() -> None:
    assert said(policy(JUNIT, total="900EUR"), j=GOOD).total == 60_000
    assert said(policy(JUNIT, total="400EUR"), j=GOOD).total == 40_000
    assert said(policy(JUNIT, total="400USD"), j=GOOD).word == "deny"
    assert said(policy(JUNIT, total="400USD"), FACTS._replace(currency="USD"), j=GOOD).total == 40_000


@pytest.mark.parametrize(
    ("criteria", "total"),
    [({"1": True, "2": False, "3": True}, 40_000), ({"3": True}, 20_000), ({"1": True, "2": True, "3": True}, 60_000)],
)
def test_a_share_is_as_large_as_the_criteria_met(criteria: dict[str, bool], total: int) -> None:
    found = said(policy(JUNIT, total={"criteria": "c"}), j=GOOD, c=json.dumps(criteria).encode())
    assert (found.word, found.total) == ("allow", total)


@pytest.mark.parametrize(
    "criteria", [b"{}", b'{"4":true}', b'{"1":1}', b'{"1":"true"}', b"[true]", b"", b'{"0":true}', b'{"1":false}']
)
def test_criteria_that_are_not_met_or_not_the_milestones_deny(criteria: bytes) -> None:
    assert said(policy(JUNIT, total={"criteria": "c"}), j=GOOD, c=criteria).word == "deny"


def test_a_share_waits_for_its_file_and_is_denied_without_criteria() -> None:
    assert said(policy(JUNIT, total={"criteria": "c"}), j=GOOD).word == "wait"
    assert said(policy(JUNIT, total={"criteria": "c"}), FACTS._replace(criteria=0), j=GOOD, c=b"{}").word == "deny"


def test_a_tag_counts_when_it_was_delivered_byte_for_byte() -> None:
    wanted = policy(git(matches="delivery"))
    assert said(wanted, t=TAG).reasons == (f"t: the tag ms1-v1 of commit {'a' * 40}, as delivered",)
    assert said(wanted, t=TAG + b"\n").word == "deny"
    assert said(wanted, FACTS._replace(delivery=None, delivered=()), t=TAG).word == "wait"
    assert said(policy(git(tag="ms2-*", matches="delivery")), t=TAG).word == "deny"
    assert said(wanted, t=b"no tag").word == "deny"


def test_a_tag_counts_when_the_key_that_its_side_named_signed_it() -> None:
    for who in ("talent", public("id", JAMES)):
        assert said(policy(git(signed_by=who)), signer=KEY, t=TAG).word == "allow"
        assert said(policy(git(signed_by=who)), signer=name("other"), t=TAG).word == "deny"
        assert said(policy(git(signed_by=who)), t=TAG).word == "deny"
        assert said(policy(git(signed_by=who)), FACTS._replace(keys={LISA: KEY}), signer=KEY, t=TAG).word == "deny"
    assert said(policy(git(signed_by="client")), signer=KEY, t=TAG).word == "deny"
    stranger = said(policy(git(signed_by=public("id", name("mallory")))), signer=KEY, t=TAG)
    assert "who is no side of this deal" in stranger.reasons[0]


def test_a_look_alike_id_is_nobodys() -> None:
    """The full id differs from James's in its last character alone."""
    mine = public("id", JAMES)
    other = mine[:-1] + ("0" if mine[-1] != "0" else "1")
    assert said(policy(git(signed_by=other)), signer=KEY, t=TAG).word == "deny"


def test_reasons_are_lines_each_once_and_not_too_many() -> None:
    crowd = Policy(tuple(rule for n in range(30) for rule in policy({"file": f"f{n}", "equals": 1}).rules))
    found = said(crowd)
    assert len(found.reasons) == REASONS_MOST
    odd = said(policy(JUNIT), j=b"<x\xc2\x9b31m/>")
    assert odd.reasons[0].isprintable()
    assert said(policy(JUNIT, JUNIT), j=BAD).reasons == said(policy(JUNIT), j=BAD).reasons


FILES = {
    "j": st.sampled_from([GOOD, SKIPPED, BAD, b"?", None]),
    "a": st.sampled_from([b'{"verdict":"pass"}', b'{"verdict":"fail"}', b"{", None]),
    "c": st.sampled_from([b'{"1":true}', b'{"1":true,"2":true}', b'{"1":false}', b"x", None]),
}
REQUIRE = st.lists(st.sampled_from([JUNIT, {"junit": "j"}, ACCEPT]), min_size=1, max_size=3)
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "milestone": st.sampled_from(["1", "*", "2"]),
            "total": st.sampled_from(["all", "100EUR", "400EUR", "5USD", {"criteria": "c"}]),
            "require": REQUIRE,
        }
    ),
    min_size=1,
    max_size=5,
)
RANK = {"deny": 0, "wait": 0, "allow": 1}


def evidence(files: dict[str, bytes | None]) -> Evidence:
    return Evidence({path: data for path, data in files.items() if data is not None})


@given(RULES, st.fixed_dictionaries(FILES), st.sampled_from(["j", "a", "c"]), st.sampled_from([b"?", None]))
def test_worse_evidence_lets_nothing_more_go(
    rules: list[dict[str, Any]], files: dict[str, bytes | None], path: str, worse: bytes | None
) -> None:
    """One file that gets lost or broken: no allow comes of it, no higher total."""
    wanted = read({"version": 1, "rule": rules})
    before, after = judge(wanted, FACTS, evidence(files)), judge(wanted, FACTS, evidence(files | {path: worse}))
    assert RANK[after.word] <= RANK[before.word]
    assert (after.total or 0) <= (before.total or 0)


@given(RULES, st.fixed_dictionaries(FILES), st.randoms())
def test_the_order_of_rules_and_requirements_changes_no_verdict(
    rules: list[dict[str, Any]], files: dict[str, bytes | None], dice: Any
) -> None:
    other = [rule | {"require": dice.sample(rule["require"], len(rule["require"]))} for rule in rules]
    dice.shuffle(other)
    one, two = (judge(read({"version": 1, "rule": each}), FACTS, evidence(files)) for each in (rules, other))
    assert (one.word, one.total) == (two.word, two.total)


@given(RULES, st.fixed_dictionaries(FILES), st.integers(-10, 70_000))
def test_only_an_allow_has_a_total_and_it_fits(
    rules: list[dict[str, Any]], files: dict[str, bytes | None], reach: int
) -> None:
    found = judge(read({"version": 1, "rule": rules}), FACTS._replace(reach=reach), evidence(files))
    assert (found.total is not None) == (found.word == "allow")
    assert found.total is None or 0 < found.total <= reach
    assert found.reasons
