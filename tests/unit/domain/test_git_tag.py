from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import git_tag
from chaise_cli.domain.git_tag import Unreadable, fits, read

HEAD = b"object " + b"a" * 40 + b"\ntype commit\ntag ms1-v1\ntagger James <j@example.org> 1795000000 +0100\n\n"
ARMOR = git_tag.BEGIN + b"\nAAAA\n" + git_tag.END + b"\n"
SIGNED = HEAD + b"milestone 1\n" + ARMOR


def test_a_tag_is_read_with_what_its_signature_covers() -> None:
    tag = read(SIGNED)
    assert (tag.name, tag.commit) == ("ms1-v1", "a" * 40)
    assert (tag.payload, tag.armor) == (HEAD + b"milestone 1\n", ARMOR)
    assert read(HEAD + b"milestone 1\n").armor is None
    assert read(SIGNED.replace(b"a" * 40, b"b" * 64)).commit == "b" * 64


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD[1:],
        HEAD.replace(b"commit", b"tag"),
        HEAD.replace(b"a" * 40, b"a" * 41),
        HEAD.replace(b"a" * 40, b"A" * 40),
        HEAD.replace(b"tag ms1-v1\n", b"tag ms1 v1\n"),
        HEAD.replace(b"tag ms1-v1\n", b"tag \xff\n"),
        HEAD.replace(b"tag ms1-v1\n", b"tag ms1-v1\ntag ms2-v1\n"),
        HEAD.replace(b"\ntagger", b"\ntag ms2\ntagger"),
        HEAD.replace(b"\n", b"\r\n"),
        SIGNED + b"more",
        SIGNED + b"\n",
        SIGNED + ARMOR,
        HEAD + ARMOR + b"message\n" + ARMOR,
        SIGNED[: -len(git_tag.END) - 1],
        HEAD + git_tag.BEGIN + b"\n" + git_tag.END + b"\nAAAA\n" + git_tag.END + b"\n",
        HEAD + b"x" * git_tag.BYTES_MOST,
    ],
    ids=range(17),
)
def test_what_git_would_not_print_of_a_commits_tag_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


def test_a_marker_inside_a_line_of_the_message_is_text() -> None:
    assert read(HEAD + b"see " + git_tag.BEGIN + b" there\n" + ARMOR).armor == ARMOR


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_star_stands_for_any_text_and_a_letter_for_itself(before: str, after: str) -> None:
    plain = before.replace("*", "").replace("?", "")
    assert fits(plain + after, plain + "*")
    assert fits(plain, plain)
    assert not fits(plain + "x", plain)


def test_a_pattern_covers_the_whole_name_and_no_sign_of_it_is_special() -> None:
    assert not fits("v1-ms1-x", "ms1-*")
    assert not fits("ms1", "ms[1]")
    assert fits("ms.1", "ms.1")
    assert not fits("msx1", "ms.1")
    assert fits("a\nb", "a?b")
