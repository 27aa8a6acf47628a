from __future__ import annotations

import os
from pathlib import Path

import pytest

from chaise_cli.domain.policy import BadPolicy, HandleInPolicy
from chaise_cli.session import evidence
from chaise_cli.session.evidence import CannotJudge, gathered, parsed, read_policy

POLICY = b'version = 1\n[[rule]]\nmilestone = "1"\ntotal = "all"\nrequire = [{ junit = "build/j.xml" }]\n'


def test_files_are_read_as_they_are_and_what_is_missing_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build/j.xml").write_bytes(b"<x/>")
    assert gathered(tmp_path, ["build/j.xml", "build/none", "none/j.xml", "build/j.xml/x"]) == {"build/j.xml": b"<x/>"}


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_bytes(b"x")
    (inside / "link").symlink_to(outside / "secret")
    (inside / "folder").symlink_to(outside)
    (inside / "gone").symlink_to(outside / "nothing")
    for path in ("link", "folder/secret", "gone"):
        with pytest.raises(CannotJudge, match="a link leads out"):
            gathered(inside, [path])


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert gathered(tmp_path, ["link"]) == {"link": b"x"}


def test_only_plain_files_of_a_bounded_size_are_evidence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_bytes(bytes(evidence.EVIDENCE_MOST + 1))
    (tmp_path / "fits").write_bytes(bytes(evidence.EVIDENCE_MOST))
    for path in ("folder", "pipe", "big"):
        with pytest.raises(CannotJudge):
            gathered(tmp_path, [path])
    assert len(gathered(tmp_path, ["fits"])["fits"]) == evidence.EVIDENCE_MOST


def test_a_policy_is_known_by_the_hash_of_its_very_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(POLICY)
    (tmp_path / "b.toml").write_bytes(POLICY + b"\n")
    one, two = read_policy(tmp_path / "a.toml"), read_policy(tmp_path / "b.toml")
    assert one.policy == two.policy
    assert one.digest != two.digest
    with pytest.raises(CannotJudge):
        read_policy(tmp_path / "none.toml")
    (tmp_path / "big.toml").write_bytes(POLICY + b"#" * (64 << 10))
    with pytest.raises(CannotJudge):
        read_policy(tmp_path / "big.toml")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"version = ",
        b"\xff",
        POLICY.replace(b'"all"', b"2026-12-01"),
        POLICY.replace(b"version = 1", b"version = 1\nversion = 1"),
        POLICY + b"unknown = 1\n",
        POLICY.replace(b'"build/j.xml"', b"[" * 20_000 + b"]" * 20_000),
        POLICY.replace(b'junit = "build/j.xml"', b'file = "f", equals = 1.5'),
        POLICY.replace(b'junit = "build/j.xml"', b'file = "f", equals = 2026-12-01'),
    ],
    ids=range(9),
)
def test_what_is_no_policy_is_told_as_that(content: bytes) -> None:
    with pytest.raises(BadPolicy):
        parsed(content)


def test_a_handle_is_refused_in_the_file() -> None:
    wanted = b'git = { tag = "x", signed_by = "@james" }'
    with pytest.raises(HandleInPolicy):
        parsed(POLICY.replace(b'junit = "build/j.xml"', wanted))


def test_a_key_of_small_order_signs_for_nobody(tmp_path: Path) -> None:
    assert not evidence._is_sound(bytes(32))
