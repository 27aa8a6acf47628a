"""Views of release policies: the file, its cases, and runs on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, Table, View
from chaise_cli.render.eye import Eye, money, named

if TYPE_CHECKING:
    from chaise_cli.shapes_policy import Policy, PolicyCase, Run, Verdict


def _said(said: Verdict | PolicyCase | Run | None) -> list[tuple[str, str]]:
    if said is None:
        return []
    return [("verdict", said["verdict"]), ("in all", money(said["total"])), ("because", "\n".join(said["reasons"]))]


def _policy_row(policy: Policy, eye: Eye) -> list[Cell]:
    verdict = policy["verdict"]
    return [
        policy["name"],
        str(policy["rules"]),
        eye.ids(policy["milestone"] or ""),
        verdict["verdict"] if verdict else "",
    ]


def _policy_page(policy: Policy, eye: Eye) -> list[Block]:
    pairs = [
        ("policy", policy["name"]),
        ("digest", policy["digest"]),
        ("rules", str(policy["rules"])),
        ("files", "\n".join(policy["files"])),
        ("milestone", eye.ids(policy["milestone"] or "")),
        *_said(policy["verdict"]),
    ]
    return [Fields(pairs)]


def _case_row(case: PolicyCase, _eye: Eye) -> list[Cell]:
    wanted = " ".join(word for word in (case["expect"], money(case["wanted"])) if word)
    found = " ".join(word for word in (case["verdict"], money(case["total"])) if word)
    return ["ok" if case["ok"] else "FAILED", case["name"], wanted, found, "; ".join(case["reasons"])]


def _case_page(case: PolicyCase, _eye: Eye) -> list[Block]:
    return [Fields([("case", case["name"]), ("expected", case["expect"]), *_said(case)])]


def _run_row(run: Run, eye: Eye) -> list[Cell]:
    return [eye.ids(run["id"]), eye.ids(run["milestone"]), run["verdict"], money(run["total"]), run["status"]]


def _run_page(run: Run, eye: Eye) -> list[Block]:
    again = run.get("again")
    pairs = [
        ("run", run["id"]),
        ("milestone", eye.ids(run["milestone"])),
        ("by", named(run["by"], eye)),
        ("at", eye.when(run["at"])),
        ("status", " ".join(word for word in (run["status"], run["reason"]) if word)),
        ("policy", run["policy"]),
        ("delivery", run["delivery"] or ""),
        *_said(run),
        ("judged again", again["verdict"] if again else ""),
        ("and allows", money(again["total"]) if again else ""),
        ("differs", "\n".join(run.get("differs", ()))),
    ]
    rows = [[file["name"], str(file["size"]), file["digest"]] for file in run["files"]]
    return [Fields(pairs), Table(_FILES, rows, "Judged")]


_FILES: Final = [Column("FILE", flex=True), Column("BYTES", right=True), Column("DIGEST", flex=True, drop=1)]
_POLICY: Final = [Column("POLICY"), Column("RULES", right=True), Column("MILESTONE"), Column("VERDICT")]
_CASE: Final = [
    Column(""),
    Column("CASE", flex=True),
    Column("EXPECTED"),
    Column("FOUND"),
    Column("BECAUSE", wrap=True),
]
_RUN: Final = [Column("RUN"), Column("MILESTONE"), Column("VERDICT"), Column("IN ALL", right=True), Column("STATUS")]

VIEWS: Final = {
    "policy": View(lambda _eye: _POLICY, _policy_row, _policy_page, "no policy"),
    "policy_case": View(lambda _eye: _CASE, _case_row, _case_page, "no cases"),
    "run": View(lambda _eye: _RUN, _run_row, _run_page, "no runs"),
}
