"""Release policies: what a policy file may say, read strictly from what TOML makes of it. docs/spec/policies.md.

The verdict is made in `verdict`; reading files, and TOML itself, is for the edge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chaise_cli.domain import money
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.runs import PATH_MOST, PATHS_MOST
from chaise_cli.domain.terms import MILESTONES_MOST
from chaise_cli.errors import ChaiseError, Usage
from chaise_cli.ids import ALPHABET, LENGTH

BYTES_MOST: Final = 64 << 10
RULES_MOST: Final = 50
REQUIRED_MOST: Final = 20
STARS_MOST: Final = 4
TAG_PATH: Final = "build/tag.txt"
COUNT_MOST: Final = 10**9 - 1
_PART: Final = re.compile(r"[A-Za-z0-9._+@ -]+")
_FULL_ID: Final = re.compile(f"id-[{ALPHABET}]{{{LENGTH}}}")
_SIDES: Final = ("talent", "client")


class BadPolicy(Usage):
    """The file is no policy."""

    code = "policy.bad"
    message = "{where}: {why}"
    hint = "chaise policy check FILE says what is wrong; docs/spec/policies.md has the whole grammar"
    where: str
    why: str


class HandleInPolicy(Usage):
    """A policy that names somebody by what anybody may call themselves."""

    code = "policy.handle"
    message = "{where}: {given!r} is not a full id"
    hint = "write talent or client, or the 26 characters that chaise show {given} --ids prints behind id-"
    where: str
    given: str


class BadPath(Usage):
    """A path that could lead out of the folder of the evidence."""

    code = "policy.bad_path"
    message = "{path!r} does not name a file inside the folder of the evidence"
    hint = "write a relative path of letters, digits and . _ + @ - as in build/junit.xml; see --evidence DIR"
    path: str


class JUnit(NamedTuple):
    """A report in which at most `failures` cases failed, `min_tests` ran, and at most `max_skipped` were skipped."""

    path: str
    failures: int
    min_tests: int
    max_skipped: int | None


class Git(NamedTuple):
    """A tag whose name fits, signed by somebody (None: whoever), and handed over in the last delivery or not."""

    path: str
    tag: str
    signed_by: str | None  # talent, client, or a full public id
    delivered: bool


class File(NamedTuple):
    """A JSON file that is this value, or contains it."""

    path: str
    how: str  # equals or contains
    value: Any


Requirement = JUnit | Git | File


class Share(NamedTuple):
    """The share of a milestone's criteria that a file says are met."""

    path: str


class Rule(NamedTuple):
    """What lets how much of a milestone go. milestone None: of each; total None: all that is held."""

    milestone: int | None
    total: Money | Share | None
    require: tuple[Requirement, ...]


class Policy(NamedTuple):
    """Rules, in the order of the file, which changes nothing."""

    rules: tuple[Rule, ...]

    @property
    def paths(self) -> list[str]:
        """Every file that is named, once and sorted."""
        named = {item.path for rule in self.rules for item in rule.require}
        return sorted(named | {rule.total.path for rule in self.rules if isinstance(rule.total, Share)})

    def of(self, n: int) -> list[Rule]:
        """The rules for a milestone."""
        return [rule for rule in self.rules if rule.milestone in {None, n}]

    def paths_of(self, n: int) -> list[str]:
        """The files that matter for a milestone."""
        return Policy(tuple(self.of(n))).paths


def read(table: Mapping[str, Any]) -> Policy:
    """The policy in a table as TOML gives it. Raises BadPolicy, HandleInPolicy, BadPath."""
    _keys(table, "policy", {"version", "rule"}, {"version", "rule"})
    if table["version"] != 1 or isinstance(table["version"], bool):
        raise BadPolicy(where="policy", why="version has to be 1")
    rules = table["rule"]
    if not isinstance(rules, list) or not 1 <= len(rules) <= RULES_MOST:
        raise BadPolicy(where="policy", why=f"there are 1 to {RULES_MOST} tables [[rule]]")
    policy = Policy(tuple(_rule(f"rule {n}", rule) for n, rule in enumerate(rules, start=1)))
    if len(policy.paths) > PATHS_MOST:
        raise BadPolicy(where="policy", why=f"names more than {PATHS_MOST} files")
    return policy


def _rule(where: str, rule: Any) -> Rule:
    _keys(rule, where, {"milestone", "total", "require"}, {"milestone", "total", "require"})
    require = rule["require"]
    if not isinstance(require, list) or not 1 <= len(require) <= REQUIRED_MOST:
        raise BadPolicy(where=where, why=f"require has 1 to {REQUIRED_MOST} items")
    items = tuple(_requirement(f"{where}, require {n}", item) for n, item in enumerate(require, start=1))
    return Rule(_milestone(where, rule["milestone"]), _total(where, rule["total"]), items)


def _milestone(where: str, given: Any) -> int | None:
    if given == "*":
        return None
    if not isinstance(given, str) or not re.fullmatch("[1-9][0-9]{0,2}", given) or int(given) > MILESTONES_MOST:
        raise BadPolicy(where=where, why='milestone is a number as text, "1", or "*"')
    return int(given)


def _total(where: str, given: Any) -> Money | Share | None:
    if given == "all":
        return None
    if isinstance(given, dict):
        _keys(given, f"{where}, total", {"criteria"}, {"criteria"})
        return Share(path_of(given["criteria"]))
    try:
        amount = money.parse(given) if isinstance(given, str) else None
    except ChaiseError as error:
        raise BadPolicy(where=f"{where}, total", why=error.sentence()) from error
    if amount is None or amount.minor <= 0:
        raise BadPolicy(where=f"{where}, total", why='is "all", an amount as "600.00 EUR", or { criteria = PATH }')
    return amount


def _requirement(where: str, item: Any) -> Requirement:
    kinds = [kind for kind in _READERS if isinstance(item, dict) and kind in item]
    if len(kinds) != 1:
        raise BadPolicy(where=where, why="is one of { junit = … }, { git = … }, { file = … }")
    return _READERS[kinds[0]](where, item)


def _junit(where: str, item: Mapping[str, Any]) -> JUnit:
    _keys(item, where, {"junit", "failures", "min_tests", "max_skipped"}, {"junit"})
    counts = {name: _count(where, name, given) for name, given in item.items() if name != "junit"}
    path = path_of(item["junit"])
    return JUnit(path, counts.get("failures", 0), counts.get("min_tests", 1), counts.get("max_skipped"))


def _git(where: str, item: Mapping[str, Any]) -> Git:
    _keys(item, where, {"git"}, {"git"})
    wanted, where = item["git"], f"{where}, git"
    _keys(wanted, where, {"tag", "signed_by", "matches", "path"}, {"tag"})
    tag, matches = wanted["tag"], wanted.get("matches")
    if not isinstance(tag, str) or not re.fullmatch(r"[^\x00-\x20\x7f]{1,200}", tag) or tag.count("*") > STARS_MOST:
        raise BadPolicy(where=where, why=f"tag is a pattern as ms1-*, with at most {STARS_MOST} stars")
    if matches not in {None, "delivery"} if isinstance(matches, str | None) else True:
        raise BadPolicy(where=where, why='matches can only be "delivery"')
    if matches is None and "signed_by" not in wanted:
        raise BadPolicy(where=where, why="wants signed_by or matches: a name alone proves nothing")
    signed_by = _signer(where, wanted["signed_by"]) if "signed_by" in wanted else None
    return Git(path_of(wanted.get("path", TAG_PATH)), tag, signed_by, matches == "delivery")


def _signer(where: str, given: Any) -> str:
    if given in _SIDES:
        return str(given)
    if not isinstance(given, str) or not _FULL_ID.fullmatch(given):
        raise HandleInPolicy(where=where, given=str(given)[:60])
    return given


def _file(where: str, item: Mapping[str, Any]) -> File:
    _keys(item, where, {"file", "equals", "contains"}, {"file"})
    hows = [how for how in ("equals", "contains") if how in item]
    if len(hows) != 1:
        raise BadPolicy(where=where, why="wants one of equals and contains")
    value = item[hows[0]]
    if hows[0] == "contains" and (not isinstance(value, dict | list) or not value):
        raise BadPolicy(where=where, why="contains has a table or a list that is not empty")
    for inner in _values(value):
        if not isinstance(inner, str | int | dict | list):  # bool is an int
            raise BadPolicy(where=where, why="only text, whole numbers, true and false can be compared")
    return File(path_of(item["file"]), hows[0], value)


_READERS: Final[dict[str, Callable[[str, Mapping[str, Any]], Requirement]]] = {
    "junit": _junit,
    "git": _git,
    "file": _file,
}


def _values(value: Any) -> Iterator[Any]:
    yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(item)


def path_of(given: Any) -> str:
    """A path as evidence is named. Raises BadPath.

    >>> path_of("build/junit.xml")
    'build/junit.xml'
    """
    parts = given.split("/") if isinstance(given, str) and len(given) <= PATH_MOST else [""]
    if not all(_PART.fullmatch(part) and part.strip(". ") for part in parts):
        raise BadPath(path=str(given)[:80])
    return str(given)


def _count(where: str, name: str, given: Any) -> int:
    if type(given) is not int or not 0 <= given <= COUNT_MOST:
        raise BadPolicy(where=where, why=f"{name} is a whole number from 0 up")
    return given


def _keys(table: Any, where: str, known: set[str], wanted: set[str]) -> None:
    if not isinstance(table, dict):
        raise BadPolicy(where=where, why=f"is a table with {', '.join(sorted(wanted))}")
    unknown, missing = sorted(table.keys() - known), sorted(wanted - table.keys())
    if unknown:
        raise BadPolicy(where=where, why=f"unknown key {unknown[0][:40]!r}")
    if missing:
        raise BadPolicy(where=where, why=f"{missing[0]} is missing")
