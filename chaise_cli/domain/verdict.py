"""The verdict of a release policy: a pure function of the policy, what the deal says, and the evidence.

No clock: conditions of time belong to a grant, so that both sides get the same verdict from the same bytes whenever
they ask. docs/spec/policies.md, The verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from chaise_cli.domain import git_tag, junit, plain_json
from chaise_cli.domain.deal import Facts
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.policy import File, Git, JUnit, Policy, Requirement, Rule, Share
from chaise_cli.domain.runs import REASONS_MOST, Verdict
from chaise_cli.ids import public, text

REASON_MOST: Final = 200
_OVER: Final = frozenset({"cancelled", "refunded", "disputed"})
MET, MISSING, FAILED = "met", "missing", "failed"


class Evidence(NamedTuple):
    """The files by their path, and for each tag that is signed the key, as text, that made its signature."""

    files: Mapping[str, bytes]
    signers: Mapping[str, str] = {}


class _Finding(NamedTuple):
    """What became of one requirement, in words."""

    outcome: str
    why: str


def judge(policy: Policy, facts: Facts, evidence: Evidence) -> Verdict:
    """What the policy says of a milestone, given this evidence. Total and deterministic."""
    if facts.state in _OVER:
        return _verdict("deny", [f"milestone {facts.n} is {facts.state}"])
    if facts.reach <= 0:
        return _verdict("wait", [f"nothing is held for milestone {facts.n}"])
    if facts.state == "changes":
        return _verdict("wait", [f"changes were asked for, and milestone {facts.n} was not delivered again"])
    rules = policy.of(facts.n)
    if not rules:
        return _verdict("deny", [f"no rule is about milestone {facts.n}"])
    found = [_judged(rule, facts, evidence) for rule in rules]
    allowing = [one for one in found if one.word == "allow"]
    if allowing:
        best = max(one.total or 0 for one in allowing)
        return _verdict("allow", (why for one in allowing if one.total == best for why in one.reasons), best)
    word = "wait" if any(one.word == "wait" for one in found) else "deny"
    return _verdict(word, (why for one in found if one.word == word for why in one.reasons))


def _judged(rule: Rule, facts: Facts, evidence: Evidence) -> Verdict:
    """One rule by itself."""
    findings = [_checked(item, facts, evidence) for item in rule.require]
    total, finding = _total(rule, facts, evidence)
    findings += [finding] if finding else []
    for outcome, word in ((FAILED, "deny"), (MISSING, "wait")):
        reasons = [one.why for one in findings if one.outcome == outcome]
        if reasons:
            return _verdict(word, reasons)
    return _verdict("allow", [one.why for one in findings], min(total, facts.reach))


def _verdict(word: str, reasons: Iterable[str], total: int | None = None) -> Verdict:
    """Reasons as lines, each once and not too many of them."""
    return Verdict(word, total, tuple(dict.fromkeys(map(_line, reasons)))[:REASONS_MOST])


def _line(reason: str) -> str:
    shown = "".join(char if char.isprintable() else "?" for char in reason)
    return shown if len(shown) <= REASON_MOST else shown[: REASON_MOST - 1] + "…"


def _total(rule: Rule, facts: Facts, evidence: Evidence) -> tuple[int, _Finding | None]:
    """What a rule lets go, and what its criteria come to where it asks for them."""
    wanted = rule.total
    if wanted is None:
        return facts.reach, None
    if isinstance(wanted, Share):
        return _share(wanted, facts, evidence)
    if wanted.currency != facts.currency:
        return 0, _Finding(FAILED, f"the total is in {wanted.currency}, the deal in {facts.currency}")
    return wanted.minor, None


def _share(wanted: Share, facts: Facts, evidence: Evidence) -> tuple[int, _Finding]:
    path, count = wanted.path, facts.criteria
    if not count:
        return 0, _Finding(FAILED, f"milestone {facts.n} has no criteria")
    if path not in evidence.files:
        return 0, _absent(path)
    names = {str(n) for n in range(1, count + 1)}
    try:
        said: Any = plain_json.read(evidence.files[path])
    except plain_json.Unreadable as error:
        return 0, _Finding(FAILED, f"{path}: {error}")
    if not isinstance(said, dict) or not said.keys() <= names or not all(type(met) is bool for met in said.values()):
        return 0, _Finding(FAILED, f"{path} is not an object from criteria, 1 to {count}, to true or false")
    met = sum(said.values())
    total = facts.amount * met // count
    return total, _Finding(MET if total else FAILED, f"{path}: {met} of {count} criteria are met")


def _checked(item: Requirement, facts: Facts, evidence: Evidence) -> _Finding:
    data = evidence.files.get(item.path)
    if isinstance(item, Git) and item.delivered and facts.delivery is None:
        return _Finding(MISSING, f"milestone {facts.n} was not delivered yet")
    if data is None:
        return _absent(item.path)
    if isinstance(item, JUnit):
        return _junit(item, data)
    if isinstance(item, Git):
        return _git(item, data, facts, evidence.signers.get(item.path))
    return _file(item, data)


def _absent(path: str) -> _Finding:
    return _Finding(MISSING, f"{path} is not there")


def _junit(item: JUnit, data: bytes) -> _Finding:
    try:
        report = junit.read(data)
    except junit.Unreadable as error:
        return _Finding(FAILED, f"{item.path}: {error}")
    told = f"{item.path}: {report.ran} ran, {report.failed} failed, {report.skipped} skipped"
    if report.failed > item.failures:
        return _Finding(FAILED, f"{told}; at most {item.failures} may fail")
    if report.ran < item.min_tests:
        return _Finding(FAILED, f"{told}; at least {item.min_tests} have to run")
    if item.max_skipped is not None and report.skipped > item.max_skipped:
        return _Finding(FAILED, f"{told}; at most {item.max_skipped} may be skipped")
    return _Finding(MET, told)


def _git(item: Git, data: bytes, facts: Facts, signer: str | None) -> _Finding:
    try:
        tag = git_tag.read(data)
    except git_tag.Unreadable as error:
        return _Finding(FAILED, f"{item.path}: {error}")
    if not git_tag.fits(tag.name, item.tag):
        return _Finding(FAILED, f"{item.path}: the tag {tag.name} is not called {item.tag}")
    if item.delivered and text(hashlib.sha256(data).digest()) not in facts.delivered:
        return _Finding(FAILED, f"{item.path}: the tag {tag.name} is not among the files of the last delivery")
    told = f"{item.path}: the tag {tag.name} of commit {tag.commit}"
    if item.signed_by is not None:
        refusal = _unsigned(item.signed_by, facts, signer)
        if refusal:
            return _Finding(FAILED, f"{item.path}: the tag {tag.name} {refusal}")
        told += f", signed by {item.signed_by}"
    return _Finding(MET, told + (", as delivered" if item.delivered else ""))


def _unsigned(wanted: str, facts: Facts, signer: str | None) -> str | None:
    """Why the tag is not signed as it should be; None when it is."""
    sides = {"client": facts.client, "talent": facts.talent}
    who = sides.get(wanted) or next((side for side in sides.values() if public("id", side) == wanted), None)
    if who is None:
        return f"should be signed by {wanted}, who is no side of this deal"
    if who not in facts.keys:
        return f"should be signed by {wanted}, who named no key: chaise policy key"
    if signer is None:
        return "has no SSH signature that holds"
    return None if signer == facts.keys[who] else f"is signed by another key than that of {wanted}"


def _file(item: File, data: bytes) -> _Finding:
    try:
        found = plain_json.read(data)
    except plain_json.Unreadable as error:
        return _Finding(FAILED, f"{item.path}: {error}")
    same = plain_json.equal if item.how == "equals" else plain_json.contains
    if same(found, item.value):
        return _Finding(MET, f"{item.path} {item.how} what it should")
    return _Finding(FAILED, f"{item.path} does not {item.how.removesuffix('s')} what it should")
