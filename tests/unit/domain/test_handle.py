from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import handle
from chaise_cli.domain.handle import BadHandle


@given(st.text(max_size=40))
def test_a_handle_reads_as_itself(text: str) -> None:
    try:
        read = handle.read(text)
    except BadHandle:
        return
    assert handle.read(read) == read == handle.read(f" @{read} ")
    assert 0 < len(read) <= handle.MOST
    assert not set(read) & set("@./ _")


@given(st.text(max_size=80))
def test_a_name_suggests_a_handle_or_none(name: str) -> None:
    try:
        suggested = handle.from_name(name)
    except BadHandle:
        return
    assert handle.read(suggested) == suggested


@pytest.mark.parametrize(
    "text", ["me", "@me", "ME", "", "-", "a b", "a.b", "-a", "a-", "x" * 33, "a/b", "a\u202eb", "…"]
)
def test_what_cannot_be_typed_behind_an_at_is_refused(text: str) -> None:
    with pytest.raises(BadHandle):
        handle.read(text)


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("Lisa", "lisa"), ("Ana  M. O'Neill", "ana-m-o-neill"), ("李小龍", "李小龍"), ("ＡＢＣ", "abc")],
)
def test_a_name_becomes_what_one_would_type(name: str, suggested: str) -> None:
    assert handle.from_name(name) == suggested
