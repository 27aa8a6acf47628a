"""`release --policy`, `policy check`, `policy explain`, `policy key`: what they let go, refuse, and put on record."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain.runs import Verdict
from chaise_cli.session import policing
from tests.e2e.hired import events_of, settle, writer_of
from tests.e2e.people import Answer, Person

JUNIT = '<testsuite tests="2">{0}<testcase name="a"/><testcase name="b">{1}</testcase></testsuite>'
PASSED = JUNIT.format("", "")
FAILED = JUNIT.format("", "<failure/>")
RULE = '[[rule]]\nmilestone = "{n}"\ntotal = {total}\nrequire = [{require}]\n'
TESTS = '{ junit = "build/junit.xml", min_tests = 2 }'
TO_JAMES = ("--confirm", "600.00 EUR to @james")


@pytest.fixture
def deal(funded: str) -> str:
    """Signed terms of two milestones, 600 and 1400 EUR; the money of the first is held."""
    return funded


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A folder as a CI job sees it: a policy over a report, and the report of tests that passed."""
    folder = tmp_path / "job"
    (folder / "build").mkdir(parents=True)
    write(folder, RULE.format(n=1, total='"all"', require=TESTS))
    (folder / "build/junit.xml").write_text(PASSED)
    return folder


def write(job: Path, *rules: str) -> None:
    (job / "release.toml").write_text("version = 1\n" + "".join(rules))


def release(who: Person, deal: str, job: Path, *more: str) -> Answer:
    return who.run("release", f"{deal}/1", "--policy", str(job / "release.toml"), *more, "--json")


def carry_files(one: Person, other: Person) -> None:
    for path in (one.home / "objects").iterdir():
        (other.home / "objects" / path.name).write_bytes(path.read_bytes())


def test_what_the_policy_allows_goes_with_the_verdict_on_record(lisa: Person, deal: str, job: Path) -> None:
    done = release(lisa, deal, job, *TO_JAMES)
    assert (done.exit, done.data["released"]["minor"], done.data["op"]["total"]["minor"]) == (0, 60_000, 60_000)
    run = lisa.does("show", done.data["op"]["run"])
    assert (run["verdict"], run["total"]["minor"], run["status"]) == ("allow", 60_000, "valid")
    assert run["reasons"] == ["build/junit.xml: 2 ran, 0 failed, 0 skipped"]
    assert [file["name"] for file in run["files"]] == ["release.toml", "build/junit.xml"]
    assert (
        run["policy"] == run["files"][0]["digest"] == lisa.does("policy", "check", str(job / "release.toml"))["digest"]
    )
    kinds = [entry["kind"] for entry in lisa.does("log", deal)]
    assert kinds.index("release.authorized") < kinds.index("run.recorded")


def test_a_repeat_is_no_new_run(lisa: Person, deal: str, job: Path) -> None:
    release(lisa, deal, job, *TO_JAMES)
    before = events_of(lisa)
    again = release(lisa, deal, job)
    assert (again.exit, again.json["replayed"], again.json["events"]) == (0, True, [])
    assert events_of(lisa) == before


def test_a_denied_release_moves_nothing_and_brings_the_milestone_with_the_reasons(
    lisa: Person, deal: str, job: Path
) -> None:
    (job / "build/junit.xml").write_text(FAILED)
    before = events_of(lisa)
    denied = release(lisa, deal, job, *TO_JAMES)
    assert (denied.exit, denied.code, denied.data["released"]["minor"]) == (7, "policy.denied", 0)
    assert denied.error["details"]["reasons"] == ["build/junit.xml: 2 ran, 1 failed, 0 skipped; at most 0 may fail"]
    assert events_of(lisa) == before


def test_evidence_that_is_not_there_is_waited_for(lisa: Person, deal: str, job: Path) -> None:
    (job / "build/junit.xml").unlink()
    waiting = release(lisa, deal, job, *TO_JAMES)
    assert (waiting.exit, waiting.code) == (8, "policy.waiting")
    assert waiting.error["details"]["reasons"] == ["build/junit.xml is not there"]


def test_a_refusal_goes_on_record_when_that_is_wanted(lisa: Person, deal: str, job: Path) -> None:
    (job / "build/junit.xml").write_text(FAILED)
    denied = release(lisa, deal, job, "--record", *TO_JAMES)
    assert (denied.exit, denied.code) == (7, "policy.denied")
    recorded = next(entry for entry in lisa.does("log", deal) if entry["kind"] == "run.recorded")
    assert (recorded["status"], denied.json["events"]) == ("valid", [recorded["id"]])
    run = lisa.does("policy", "explain", f"run-{recorded['id']}")
    assert (run["verdict"], run["again"]["verdict"], run["total"], run["differs"]) == ("deny", "deny", None, [])


def test_a_smaller_total_may_be_named_and_a_greater_one_not(lisa: Person, deal: str, job: Path) -> None:
    write(job, RULE.format(n=1, total='"400.00 EUR"', require=TESTS))
    over = release(lisa, deal, job, "--total", "401EUR", "--confirm", "401.00 EUR to @james")
    assert (over.exit, over.code, over.error["details"]["total"]["minor"]) == (7, "policy.over_total", 40_000)
    zero = release(lisa, deal, job, "--total", "0EUR", "--confirm", "400.00 EUR to @james")
    assert (zero.exit, zero.data["released"]["minor"]) == (7, 0)
    part = release(lisa, deal, job, "--total", "300EUR", "--confirm", "300.00 EUR to @james")
    assert (part.exit, part.data["released"]["minor"]) == (0, 30_000)
    rest = release(lisa, deal, job, "--confirm", "100.00 EUR to @james")
    assert (rest.exit, rest.data["released"]["minor"], rest.data["held"]["minor"]) == (0, 40_000, 20_000)


def test_a_rehearsal_tells_what_would_be_signed_and_keeps_nothing(lisa: Person, deal: str, job: Path) -> None:
    before = (events_of(lisa), sorted((lisa.home / "objects").iterdir()))
    shown = release(lisa, deal, job, "--dry-run")
    assert shown.data["would"]["kinds"] == ["run.recorded", "release.authorized", "money.released"]
    assert "--policy" in shown.json["next"][0]["command"]
    assert (events_of(lisa), sorted((lisa.home / "objects").iterdir())) == before


def test_the_talent_releases_nothing_by_a_policy(james: Person, deal: str, job: Path, lisa: Person) -> None:
    settle(lisa, james)
    assert (refused := release(james, deal, job, *TO_JAMES)).exit == 5
    assert refused.code == "deal.not_yours"


def test_options_that_make_no_sense_together_are_wrong_usage(lisa: Person, deal: str, job: Path) -> None:
    assert lisa.fails("release", f"{deal}/1", "--evidence", str(job)).code == "usage.policy_wanted"
    assert release(lisa, deal, job, "--amount", "1EUR", "--request-id", "x").code == "usage.no_step_under_policy"
    assert lisa.fails("release", deal, "--policy", str(job / "release.toml")).code == "usage.milestone_wanted"


def test_checking_judges_and_writes_nothing(lisa: Person, deal: str, job: Path) -> None:
    before = events_of(lisa)
    found = lisa.does("policy", "check", str(job / "release.toml"), f"{deal}/1")
    assert (found["verdict"]["verdict"], found["verdict"]["total"]["minor"]) == ("allow", 60_000)
    other = lisa.fails("policy", "check", str(job / "release.toml"), f"{deal}/2")
    assert (other.exit, other.data["verdict"]["verdict"]) == (8, "wait")  # its money is not held
    assert events_of(lisa) == before


def test_the_other_side_gets_the_same_verdict_from_what_is_attached(
    lisa: Person, james: Person, deal: str, job: Path
) -> None:
    run = release(lisa, deal, job, *TO_JAMES).data["op"]["run"]
    settle(lisa, james)
    early = james.fails("policy", "explain", run)
    assert (early.exit, early.code, early.data["verdict"]) == (8, "file.not_here", "allow")
    carry_files(lisa, james)
    told = james.does("policy", "explain", run, "--policy", str(job / "release.toml"), "--evidence", str(job))
    assert (told["again"], told["differs"]) == (
        {"verdict": "allow", "total": told["total"], "reasons": told["reasons"]},
        [],
    )
    assert james.does("show", run)["status"] == "valid"


def test_an_edited_policy_and_swapped_evidence_are_told(lisa: Person, james: Person, deal: str, job: Path) -> None:
    run = release(lisa, deal, job, *TO_JAMES).data["op"]["run"]
    settle(lisa, james)
    carry_files(lisa, james)
    write(job, RULE.format(n=1, total='"1.00 EUR"', require=TESTS))
    (job / "build/junit.xml").write_text(FAILED)
    found = james.fails("policy", "explain", run, "--policy", str(job / "release.toml"), "--evidence", str(job))
    assert (found.exit, found.code) == (11, "policy.other_verdict")
    assert found.data["differs"] == [
        "release.toml is another policy than the one that was judged",
        "build/junit.xml is not what was judged",
    ]
    (job / "build/junit.xml").unlink()
    gone = james.fails("policy", "explain", run, "--evidence", str(job))
    assert gone.data["differs"] == ["build/junit.xml was judged, and is not here"]


def test_a_verdict_that_was_never_given_is_found_out(lisa: Person, james: Person, deal: str, job: Path) -> None:
    """A broken client records allow over a report in which a test failed."""
    (job / "build/junit.xml").write_text(FAILED)
    with lisa.session() as session, session.writing():
        one = policing.case(job / "release.toml", None, 1)
        event = policing._record(writer_of(session, deal), one, Verdict("allow", 60_000, ("all well",)))
    recorded = next(entry for entry in lisa.does("log", deal) if entry["kind"] == "run.recorded")
    assert event
    settle(lisa, james)
    carry_files(lisa, james)
    found = james.fails("policy", "explain", f"run-{recorded['id']}")
    assert (found.exit, found.data["again"]["verdict"]) == (11, "deny")
    assert found.data["differs"] == ["the policy says deny, the record allow"]


def test_a_damaged_attachment_is_no_evidence(lisa: Person, deal: str, job: Path) -> None:
    run = release(lisa, deal, job, *TO_JAMES).data["op"]["run"]
    for path in (lisa.home / "objects").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    found = lisa.fails("policy", "explain", run)
    assert (found.exit, found.code, found.data["verdict"]) == (11, "file.damaged", "allow")


def git(repository: Path, *words: str) -> str:
    who = ("-c", "user.name=James", "-c", "user.email=james@example.org", "-c", "gpg.format=ssh")
    key = ("-c", f"user.signingkey={repository / 'key.pub'}")
    made = subprocess.run(["git", "-C", repository, *who, *key, *words], capture_output=True, check=True, text=True)
    return made.stdout


@pytest.fixture
def tag(tmp_path: Path, job: Path) -> Path:
    """James's repository with a signed tag, exported to where the policy expects it."""
    if not shutil.which("git") or not shutil.which("ssh-keygen"):
        pytest.skip("git and ssh-keygen make the tags of these tests, and are not installed")
    repository = tmp_path / "repository"
    repository.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", repository / "key"], check=True)
    git(repository, "init", "-q")
    git(repository, "commit", "-q", "--allow-empty", "-m", "work")
    git(repository, "tag", "-s", "-m", "milestone 1", "ms1-v1")
    (job / "build/tag.txt").write_text(git(repository, "cat-file", "tag", "ms1-v1"))
    return repository


def judged(lisa: Person, deal: str, job: Path) -> tuple[int, Any]:
    answer = lisa.run("policy", "check", str(job / "release.toml"), f"{deal}/1", "--json")
    return answer.exit, answer.data["verdict"]["reasons"]


def test_a_tag_that_the_talent_signed_and_delivered_lets_the_money_go(
    lisa: Person, james: Person, deal: str, job: Path, tag: Path
) -> None:
    require = '{ git = { tag = "ms1-*", signed_by = "talent", matches = "delivery" } }'
    write(job, RULE.format(n=1, total='"all"', require=require))
    settle(lisa, james)
    assert judged(lisa, deal, job) == (8, ["milestone 1 was not delivered yet"])
    james.does("deliver", f"{deal}/1", "--file", str(job / "release.toml"))
    settle(lisa, james)
    exit_, reasons = judged(lisa, deal, job)
    assert (exit_, reasons) == (7, ["build/tag.txt: the tag ms1-v1 is not among the files of the last delivery"])
    lisa.does("changes", f"{deal}/1", "the tag, please")
    assert judged(lisa, deal, job)[0] == 8
    settle(lisa, james)
    james.does("deliver", f"{deal}/1", "--file", str(job / "build/tag.txt"))
    settle(lisa, james)
    exit_, reasons = judged(lisa, deal, job)
    assert (exit_, reasons[0].split("should be")[1]) == (7, " signed by talent, who named no key: chaise policy key")
    named = james.does("policy", "key", deal, str(tag / "key.pub"))
    assert named["signing_keys"][0]["key"] == " ".join((tag / "key.pub").read_text().split()[:2])
    assert james.run("policy", "key", deal, str(tag / "key.pub"), "--json").json["replayed"] is True
    settle(lisa, james)
    run = release(lisa, deal, job, *TO_JAMES).data["op"]["run"]
    settle(lisa, james)
    carry_files(lisa, james)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tag / "next"], check=True)
    james.does("policy", "key", deal, str(tag / "next.pub"))  # later keys change nothing about what was judged
    assert james.does("policy", "explain", run)["again"]["verdict"] == "allow"


def test_another_key_and_an_altered_tag_are_refused(
    lisa: Person, james: Person, deal: str, job: Path, tag: Path
) -> None:
    write(job, RULE.format(n=1, total='"all"', require='{ git = { tag = "ms1-*", signed_by = "talent" } }'))
    settle(lisa, james)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tag / "other"], check=True)
    james.does("policy", "key", deal, str(tag / "other.pub"))
    settle(lisa, james)
    assert judged(lisa, deal, job) == (
        7,
        ["build/tag.txt: the tag ms1-v1 is signed by another key than that of talent"],
    )
    altered = (job / "build/tag.txt").read_text().replace("milestone 1", "milestone 2")
    (job / "build/tag.txt").write_text(altered)
    assert judged(lisa, deal, job) == (7, ["build/tag.txt: the tag ms1-v1 has no SSH signature that holds"])


def test_a_key_of_another_kind_is_refused(lisa: Person, deal: str, tmp_path: Path) -> None:
    (tmp_path / "id.pub").write_text("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ james@example\n")
    assert lisa.fails("policy", "key", deal, str(tmp_path / "id.pub")).code == "key.not_ssh"
