"""Two programs that share nothing but docs/spec agree on every vector: this one and tests/interop/verifier (Node)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from tests.interop import make_vectors, verdicts
from tests.interop.cases import chance, forks, grants, thirds
from tests.interop.cases.common import Case
from tests.volume import soaking

VERIFIER: Final = Path(__file__).with_name("verifier") / "verifier.mjs"
OLDEST: Final = 20  # of Node


def _missing(what: str) -> NoReturn:
    if os.environ.get("CHAISE_FOREIGN_REQUIRED") == "1":
        pytest.fail(f"{what} is required and was not found")
    pytest.skip(f"{what} was not found")


@cache
def node() -> str:
    """A Node that is new enough; skips without one, fails in the full check."""
    found = shutil.which("node")
    if found is None:
        _missing("node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST:
        _missing(f"node {OLDEST} or newer")
    return found


def foreign(*argv: str | Path) -> list[Any]:
    """What the other program says, a JSON value a line."""
    done = subprocess.run([node(), VERIFIER, *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def vectors(name: str) -> list[dict[str, Any]]:
    """The vectors of a file."""
    read: list[dict[str, Any]] = json.loads(make_vectors.FOLDER.joinpath(name).read_text(encoding="utf-8"))
    return read


@pytest.mark.parametrize("name", make_vectors.FILES)
def test_the_files_are_what_the_script_makes(name: str) -> None:
    """Its verdicts are this program's, so that neither a file nor a rule drifts without the other."""
    assert make_vectors.FOLDER.joinpath(name).read_text(encoding="utf-8") == make_vectors.content(name)


def test_a_second_program_agrees_on_every_vector() -> None:
    """In one run of it, which takes long to warm up; no two vectors share a name."""
    wanted = [vector for name in make_vectors.FILES for vector in vectors(name)]
    found = foreign("vectors", *(make_vectors.FOLDER / name for name in make_vectors.FILES))
    assert [one["name"] for one in found] == [one["name"] for one in wanted]
    differing = {
        one["name"]: (one["verdict"], one.get("why", ""))
        for one, vector in zip(found, wanted, strict=True)
        if (one["verdict"], one.get("values")) != (vector["expect"], vector.get("values"))
    }
    assert not differing


def test_no_two_vectors_share_a_name_and_most_are_invalid() -> None:
    every = [vector for name in make_vectors.FILES for vector in vectors(name)]
    assert len({vector["name"] for vector in every}) == len(every) >= 150
    assert sum(vector["expect"] != "ok" for vector in every) > len(every) / 2
    assert {vector["kind"] for vector in every} == set(verdicts.KINDS)


def test_no_file_of_vectors_is_there_that_nobody_makes() -> None:
    assert {path.name for path in make_vectors.FOLDER.glob("*.json")} == set(make_vectors.FILES)


def test_the_second_program_uses_what_node_brings_and_nothing_else() -> None:
    for path in VERIFIER.parent.iterdir():
        imported = [line for line in path.read_text().splitlines() if line.startswith("import ")]
        sources = {line.rpartition(" from ")[2].strip("'") for line in imported}
        assert all(source.startswith(("node:", "./")) for source in sources), path.name


@pytest.mark.parametrize(
    ("deal", "seeds"),
    [(chance.deal, 30), (forks.deal, 30), (thirds.deal, 30), (grants.deal, 15)],
    ids=["devices", "copies and revocations", "a third party", "grants"],
)
def test_a_second_program_folds_deals_of_chance_alike(tmp_path: Path, deal: Callable[[int], Case], seeds: int) -> None:
    """Deals of fixed seeds, with acts nobody sensible would write, crossing and from several devices.

    Ten times as many in a soak.
    """
    rows = []
    for seed in range(10 * seeds if soaking() else seeds):
        made = deal(seed)
        verdict, values = verdicts.judge(made.kind, made.given)
        rows.append({"name": made.name, "kind": made.kind, "input": made.given, "verdict": verdict, "values": values})
    path = tmp_path / "deals.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = foreign("vectors", path)
    assert [(one["name"], one["verdict"]) for one in found] == [(row["name"], row["verdict"]) for row in rows]
    assert [one["name"] for one, row in zip(found, rows, strict=True) if one["values"] != row["values"]] == []
