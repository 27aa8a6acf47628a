from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain.policy import BadPath, BadPolicy
from chaise_cli.session import evidence, policy_cases
from chaise_cli.session.evidence import CannotJudge
from chaise_cli.session.policy_cases import CasesFailed

POLICY = """version = 1
[[rule]]
milestone = "*"
total = "all"
require = [{ junit = "build/junit.xml" }]
[[rule]]
milestone = "2"
total = { criteria = "c.json" }
require = [{ git = { tag = "ms*", matches = "delivery" } }]
"""
TAG = "object " + "a" * 40 + "\ntype commit\ntag ms1\ntagger J <j@e> 1 +0000\n\nx\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "release.toml").write_text(POLICY)
    (tmp_path / "ok.xml").write_text("<testsuite><testcase/></testsuite>")
    (tmp_path / "bad.xml").write_text("<testsuite><testcase><error/></testcase></testsuite>")
    (tmp_path / "tag").write_text(TAG)
    (tmp_path / "half.json").write_text('{"1": true}')
    return tmp_path


def run(folder: Path, *cases: str) -> policy_cases.Tried:
    path = folder / "cases.toml"
    path.write_text("".join(f"[[case]]\n{case}\n" for case in cases))
    return policy_cases.run(evidence.read_policy(folder / "release.toml"), path)


def one(**fields: Any) -> str:
    given = {"name": '"a case"', "expect": '"wait"'} | fields
    return "\n".join(f"{key} = {value}" for key, value in given.items() if value is not None)


OK = '{ "build/junit.xml" = "ok.xml" }'


def test_every_case_is_judged_as_it_would_be_with_money(folder: Path) -> None:
    tried = run(
        folder,
        one(expect='"allow"', total='"100EUR"', evidence=OK),
        one(expect='"deny"', evidence='{ "build/junit.xml" = "bad.xml" }'),
        one(),
        one(evidence=OK, state='"changes"'),
        one(evidence=OK, funded='"0EUR"'),
        one(expect='"allow"', total='"300JPY"', amount='"500JPY"', refunded='"200JPY"', evidence=OK),
        one(
            expect='"allow"', total='"50EUR"', milestone=2, criteria=2, delivered='["build/tag.txt"]',
            evidence='{ "build/tag.txt" = "tag", "c.json" = "half.json" }',
        ),
    )  # fmt: skip
    assert [shape["ok"] for shape in tried.shapes] == [True] * 7
    assert tried.problem is None


def test_a_case_that_comes_out_otherwise_fails_the_table(folder: Path) -> None:
    tried = run(folder, one(), one(name='"too much"', expect='"allow"', total='"101EUR"', evidence=OK))
    assert [shape["ok"] for shape in tried.shapes] == [True, False]
    assert isinstance(tried.problem, CasesFailed)
    assert tried.problem.details() == {"failed": 1, "all": 2, "name": "too much"}


@pytest.mark.parametrize(
    "fields",
    [
        {"name": None},
        {"expect": '"maybe"'},
        {"expect": '"allow"'},
        {"total": '"1EUR"'},
        {"unknown": "1"},
        {"state": '"done"'},
        {"milestone": "101"},
        {"criteria": "true"},
        {"amount": '"1 pound"'},
        {"amount": '"5EUR"', "funded": '"5USD"'},
        {"evidence": "[]"},
        {"delivered": '["x"]'},
        {"talent_key": "1"},
        {"talent": '"id-1ame"'},
    ],
    ids=str,
)
def test_what_is_no_case_is_wrong_usage(folder: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(BadPolicy):
        run(folder, one(**fields))


def test_a_table_has_cases_and_nothing_else(folder: Path) -> None:
    for content in ("", "case = 1", "case = [1]", f"more = 1\n[[case]]\n{one()}"):
        (folder / "cases.toml").write_text(content)
        with pytest.raises(BadPolicy):
            policy_cases.run(evidence.read_policy(folder / "release.toml"), folder / "cases.toml")


def test_the_files_of_cases_are_beside_the_table(folder: Path) -> None:
    with pytest.raises(BadPath):
        run(folder, one(evidence='{ "build/junit.xml" = "../ok.xml" }'))
    with pytest.raises(BadPath):
        run(folder, one(evidence='{ "../junit.xml" = "ok.xml" }'))
    with pytest.raises(CannotJudge):
        run(folder, one(evidence='{ "build/junit.xml" = "none.xml" }'))
