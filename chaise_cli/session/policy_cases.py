"""`policy test`: cases judged without money, a deal or a home. docs/spec/policies.md, Cases without money."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import deal_view, money, verdict
from chaise_cli.domain.deal import Facts
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.policy import COUNT_MOST, BadPolicy, path_of
from chaise_cli.domain.runs import WORDS
from chaise_cli.domain.terms import CRITERIA_MOST, MILESTONES_MOST
from chaise_cli.domain.transitions import MILESTONE_STATES
from chaise_cli.errors import ChaiseError, Denied
from chaise_cli.ids import LENGTH, EventId, IdentityId, prefix_range, read_public, text
from chaise_cli.session import evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaise_cli.session.evidence import Source

CASES_MOST: Final = 1000
BYTES_MOST: Final = 1 << 20
_AMOUNTS: Final = ("amount", "funded", "released", "refunded")
_KNOWN: Final = frozenset(
    {*_AMOUNTS, "name", "expect", "total", "milestone", "state", "criteria", "talent", "client", "talent_key"}
    | {"client_key", "delivered", "evidence"}
)
_DELIVERED: Final = ("delivered", "changes", "released")


class CasesFailed(Denied):
    """The policy says something else than its author meant."""

    code = "policy.cases_failed"
    message = "{failed} of {all} cases came out otherwise, the first is {name!r}"
    hint = "mend the policy or the case; the reasons stand beside each"
    failed: int
    all: int
    name: str


class Tried(NamedTuple):
    """What became of all cases."""

    shapes: list[dict[str, Any]]
    problem: ChaiseError | None


def run(source: Source, path: Path) -> Tried:
    """Judge every case. Raises BadPolicy for what is no case, CannotJudge, BadPath, BadKeyLine."""
    table = evidence.toml(evidence.read(path, BYTES_MOST))
    cases = table.get("case")
    if table.keys() != {"case"} or not isinstance(cases, list) or not 1 <= len(cases) <= CASES_MOST:
        raise BadPolicy(where=path.name, why=f"has 1 to {CASES_MOST} tables [[case]] and nothing else")
    shapes = [_tried(source, f"case {n}", case, path.parent) for n, case in enumerate(cases, start=1)]
    failed = [shape["name"] for shape in shapes if not shape["ok"]]
    problem = CasesFailed(failed=len(failed), all=len(shapes), name=failed[0]) if failed else None
    return Tried(shapes, problem)


def _tried(source: Source, where: str, case: Any, folder: Path) -> dict[str, Any]:
    if not isinstance(case, dict):
        raise BadPolicy(where=where, why="is a table")
    unknown = sorted(case.keys() - _KNOWN)
    if unknown:
        raise BadPolicy(where=where, why=f"unknown key {unknown[0][:40]!r}")
    name, expect = _word(where, case, "name"), _word(where, case, "expect")
    if expect not in WORDS:
        raise BadPolicy(where=where, why=f"expect is one of {', '.join(WORDS)}")
    currency = _currency(where, source, case)
    wanted = _amount(where, case, "total", currency, None)
    if (wanted is not None) != (expect == "allow"):
        raise BadPolicy(where=where, why="total stands beside expect = allow, and only there")
    found = _evidence(where, case, folder)
    facts = _facts(where, case, currency, found)
    said = verdict.judge(source.policy, facts, evidence.evidence(source.policy, found))
    total = deal_view.money(said.total, currency) if said.total is not None else None
    as_wished = said.word == expect and said.total == (wanted.minor if wanted else None)
    told = {"verdict": said.word, "total": total, "reasons": list(said.reasons)}
    return {"name": name, "expect": expect, "wanted": wanted.shape() if wanted else None, "ok": as_wished} | told


def _facts(where: str, case: Mapping[str, Any], currency: str, found: Mapping[str, bytes]) -> Facts:
    amount = _amount(where, case, "amount", currency, money.parse(f"100{currency}"))
    assert amount, "there is one by default"
    minor = {key: _minor(where, case, key, currency, amount.minor if key == "funded" else 0) for key in _AMOUNTS[1:]}
    state, delivered = case.get("state", "delivered"), case.get("delivered", [])
    if state not in MILESTONE_STATES:
        raise BadPolicy(where=where, why=f"state is one of {', '.join(MILESTONE_STATES)}")
    if not isinstance(delivered, list) or not all(path in found for path in delivered):
        raise BadPolicy(where=where, why="delivered lists paths of evidence")
    client, talent = _identity(where, case, "client", 1), _identity(where, case, "talent", 2)
    named = ((client, "client_key"), (talent, "talent_key"))
    keys = {str(side): evidence.key_of(_line(where, case, key)) for side, key in named if key in case}
    return Facts(
        n=_count(where, case, "milestone", 1, MILESTONES_MOST) or 1,
        state=state,
        amount=amount.minor,
        reach=minor["funded"] - minor["refunded"],
        currency=currency,
        criteria=_count(where, case, "criteria", 0, CRITERIA_MOST),
        client=client,
        talent=talent,
        keys=keys,
        delivery=EventId(text(bytes(32))) if state in _DELIVERED or delivered else None,
        delivered=tuple(evidence.digest(found[path]) for path in delivered),
    )


def _evidence(where: str, case: Mapping[str, Any], folder: Path) -> dict[str, bytes]:
    table = case.get("evidence", {})
    if not isinstance(table, dict):
        raise BadPolicy(where=where, why="evidence is a table from paths to files")
    files = evidence.gathered(folder, {path_of(file) for file in table.values()})
    for path, file in table.items():
        if file not in files:
            raise evidence.CannotJudge(path=str(file)[:80], why=f"{where} wants it, and it is not there")
        path_of(path)
    return {path: files[file] for path, file in table.items()}


def _currency(where: str, source: Source, case: Mapping[str, Any]) -> str:
    """The currency of a case: of its own first amount, else of the policy's, else EUR."""
    usual = next((rule.total.currency for rule in source.policy.rules if isinstance(rule.total, Money)), "EUR")
    amounts = (_parsed(where, case, key, usual) for key in ("total", *_AMOUNTS) if key in case)
    return next((amount.currency for amount in amounts), usual)


def _word(where: str, case: Mapping[str, Any], key: str) -> str:
    value = case.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= 120 or not value.isprintable():
        raise BadPolicy(where=where, why=f"{key} is a short text")
    return value


def _line(where: str, case: Mapping[str, Any], key: str) -> str:
    value = case[key]
    if not isinstance(value, str):
        raise BadPolicy(where=where, why=f"{key} is the line of a public key")
    return value


def _amount(where: str, case: Mapping[str, Any], key: str, currency: str, usual: Money | None) -> Money | None:
    if key not in case:
        return usual
    amount = _parsed(where, case, key, currency)
    if amount.currency != currency:
        raise BadPolicy(where=where, why=f"{key} is an amount in {currency}")
    return amount


def _parsed(where: str, case: Mapping[str, Any], key: str, currency: str) -> Money:
    if not isinstance(case[key], str):
        raise BadPolicy(where=where, why=f"{key} is an amount as text")
    try:
        return money.parse(case[key], currency)
    except ChaiseError as error:
        raise BadPolicy(where=where, why=error.sentence()) from error


def _minor(where: str, case: Mapping[str, Any], key: str, currency: str, usual: int) -> int:
    amount = _amount(where, case, key, currency, None)
    return usual if amount is None else amount.minor


def _count(where: str, case: Mapping[str, Any], key: str, usual: int, most: int) -> int:
    value = case.get(key, usual)
    if type(value) is not int or not 0 <= value <= min(most, COUNT_MOST):
        raise BadPolicy(where=where, why=f"{key} is a whole number up to {most}")
    return value


def _identity(where: str, case: Mapping[str, Any], key: str, number: int) -> IdentityId:
    """The identity of a full id, as far as the id tells; some other one where none is given."""
    if key not in case:
        return IdentityId(text(bytes([number]) * 32))
    _, chars = read_public(_word(where, case, key), "id")
    if len(chars) != LENGTH:
        raise BadPolicy(where=where, why=f"{key} is a full id")
    return IdentityId(text(prefix_range(chars)[0]))
