"""The CI files of docs/examples/ci: their steps are run, as they stand, in a scratch repository with real homes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.architecture.tree import ROOT
from tests.e2e.hired import fund, hired, settle
from tests.e2e.people import NOON, Person

EXAMPLES: Final = ROOT / "docs/examples/ci"
TAG: Final = "ms1-v1"
PASSING: Final = "def test_one():\n    assert 1 == 1\n\n\ndef test_two():\n    assert 2 == 2\n"
yaml: Any = import_module("yaml")  # it has no types

pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("ssh-keygen")), reason="git and ssh-keygen make the tag, and are missing"
)


class Job(NamedTuple):
    """One job of an example: its shell steps, what it is given, and where its artifacts lie in the next one."""

    steps: list[str]
    env: dict[str, str]
    artifacts: str
    text: str


def github(name: str) -> Job:
    job = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())["jobs"][name]
    downloads = [step["with"]["path"] for step in job["steps"] if "download-artifact" in step.get("uses", "")]
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert not any("${{" in step for step in steps), "what others name must not become shell"
    assert "GRANT" not in job["env"], "the step that releases has the key, and no other"
    return Job(steps, job["env"], downloads[0] if downloads else "", json.dumps(job))


def gitlab(name: str) -> Job:
    job = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text())[name]
    steps = ["\n".join(job["script"]), "\n".join(job.get("after_script", []))]
    return Job([step for step in steps if step], job.get("variables", {}), "build", json.dumps(job))


SYSTEMS: Final = {"github": github, "gitlab": gitlab}


def git(repository: Path, *words: str) -> str:
    who = ("-c", "user.name=James", "-c", "user.email=james@example.org", "-c", "gpg.format=ssh")
    key = ("-c", f"user.signingkey={repository.parent / 'id.pub'}")
    made = subprocess.run(["git", "-C", repository, *who, *key, *words], capture_output=True, check=True, text=True)
    return made.stdout


def tagged(folder: Path, tests: str) -> Path:
    """James's repository: some tests, and a signed tag on them."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "id"], check=True)
    origin = folder / "origin"
    origin.mkdir()
    (origin / "test_site.py").write_text(tests)
    git(origin, "init", "-q")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "the site")
    git(origin, "tag", "-s", "-m", "milestone 1", TAG)
    return origin


def delivered(lisa: Person, james: Person, origin: Path) -> str:
    """A milestone whose money is held and whose delivery is the exported tag."""
    deal = hired(lisa, james)
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    export = origin.parent / f"{TAG}.tag"
    export.write_text(git(origin, "cat-file", "tag", TAG))
    james.does("policy", "key", deal, str(origin.parent / "id.pub"))
    james.does("deliver", f"{deal}/1", "--file", str(export))
    settle(lisa, james)
    return f"{deal}/1"


@contextmanager
def checkout(origin: Path, folder: Path) -> Iterator[Path]:
    """The tag as a runner checks it out: the commit alone, without the tag's own object."""
    work = folder / "checkout"
    subprocess.run(["git", "clone", "-q", "--no-tags", origin, work], check=True)
    yield work
    shutil.rmtree(work)


def run(job: Job, where: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The steps of a job one after the other, each in a shell that stops at the first failure; the last one's end."""
    tools = Path(sys.executable).parent
    clean = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "HOME": str(where), "LC_ALL": "C.UTF-8"}
    clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # ours are not James's
    done = None
    for step in job.steps:
        done = subprocess.run(
            ["sh", "-ec", step], cwd=where, env=clean | env, capture_output=True, text=True, check=False
        )
    assert done is not None, "a job without steps"
    return done


def played(system: str, lisa: Person, james: Person, folder: Path, tests: str) -> tuple[str, Any]:
    """Both jobs of an example; the milestone, and how the release ended."""
    origin = tagged(folder, tests)
    milestone = delivered(lisa, james, origin)
    tested, releasing = SYSTEMS[system]("test"), SYSTEMS[system]("release")
    work = folder / "release"
    work.mkdir()
    with checkout(origin, folder) as there:
        ended = run(tested, there, {"TAG": TAG, "CI_COMMIT_TAG": TAG})
        assert ended.returncode == 0, ended.stderr
        shutil.copytree(there / "build", work / releasing.artifacts)
    key = folder / "ci.key"
    until = ("--max", "600EUR", "--until", "2026-12-31", "--policy", str(EXAMPLES / "release.toml"))
    lisa.does("grant", "create", "--can", "release", "--deal", milestone[:-2], *until, "-o", str(key))
    lisa.does("sync")
    given = {"POLICY": (EXAMPLES / "release.toml").read_text(), "MILESTONE": milestone, "CHAISE_NOW": NOON}
    grant = {"GRANT": key.read_text() if system == "github" else str(key)}  # a secret there, a file here
    ended = run(releasing, work, given | grant)
    assert not (work / "ci.key").exists()
    lisa.does("sync")
    return milestone, ended


@pytest.fixture
def board(lisa: Person, james: Person, tmp_path: Path) -> str:
    """A board in a shared folder, which the jobs reach too."""
    (tmp_path / "shared").mkdir()
    made = lisa.does("board", "create", "marketing", "--at", str(tmp_path / "shared"))
    james.does("board", "join", "-", stdin=made["invite"])
    lisa.does("sync")
    return str(made["id"])


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_tag_whose_tests_pass_is_paid_for(
    system: str, lisa: Person, james: Person, board: str, tmp_path: Path
) -> None:
    milestone, ended = played(system, lisa, james, tmp_path, PASSING)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert (result["data"]["op"]["state"], result["data"]["op"]["to"]["handle"]) == ("authorized", "james")
    assert lisa.does("policy", "explain", result["data"]["op"]["run"])["differs"] == []
    assert lisa.does("show", milestone)["state"] == "released"


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_tag_whose_tests_fail_is_not(system: str, lisa: Person, james: Person, board: str, tmp_path: Path) -> None:
    milestone, ended = played(system, lisa, james, tmp_path, PASSING.replace("2 == 2", "2 == 3"))
    assert (ended.returncode, json.loads(ended.stdout)["error"]["code"]) == (7, "policy.denied")
    assert lisa.does("show", milestone)["released"]["minor"] == 0


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_job_that_runs_foreign_code_is_given_no_secret_and_the_other_no_code(system: str) -> None:
    tested, releasing = SYSTEMS[system]("test"), SYSTEMS[system]("release")
    assert not any(word in tested.text for word in ("secrets", "CHAISE", "POLICY", "chaise"))
    assert "checkout" not in releasing.text
    assert releasing.text.count("GIT_STRATEGY") == (system == "gitlab")


def test_the_policy_of_the_examples_is_a_policy(lisa: Person) -> None:
    assert lisa.does("policy", "check", str(EXAMPLES / "release.toml"))["rules"] == 1
