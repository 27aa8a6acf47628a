from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.render.terminal import safe
from chaise_cli.session.fetching import NAME_MOST, safe_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("site.tar", "site.tar"),
        ("../../.ssh/authorized_keys", "authorized_keys"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        (".bashrc", "_bashrc"),
        ("..", "file"),
        ("", "file"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("a\x1b[2Jb.txt", "a_[2Jb.txt"),
        ("gepj\u202eexe.png", "gepj_exe.png"),
        ("report .pdf ", "report .pdf"),
        ("trailing...", "trailing"),
    ],
)
def test_a_foreign_name_cannot_steer(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@given(st.text(max_size=300))
def test_any_name_becomes_one_plain_visible_part_of_a_path(name: str) -> None:
    made = safe_name(name.encode("utf-8", "replace").decode())
    assert made
    assert made not in {".", ".."}
    assert Path(made).name == made
    assert not made.startswith(".")
    assert len(made.encode()) <= NAME_MOST + 16
    assert "\x1b" not in safe(made)


def test_a_long_name_keeps_its_ending() -> None:
    made = safe_name("x" * 500 + ".tar")
    assert made.endswith("x.tar")
    assert len(made.encode()) <= NAME_MOST
