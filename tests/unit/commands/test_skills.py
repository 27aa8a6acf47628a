from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.commands import skills
from chaise_cli.errors import ChaiseError


def refusal(read: Callable[[str], object], text: str) -> str:
    with pytest.raises(ChaiseError) as refused:
        read(text)
    assert refused.value.exit == 2
    assert refused.value.sentence()
    refused.value.advice()
    return refused.value.code


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("SEO", "seo"),
        (" Web  Design ", "web-design"),
        ("C++", "c++"),
        ("C#", "c#"),
        ("node.js", "node.js"),
        (".NET", ".net"),
        ("ＳＥＯ", "seo"),
        ("web_design", "web-design"),
        ("हिन्दी", "हिन्दी"),
        ("Straße", "strasse"),
        ("日本語", "日本語"),
    ],
)
def test_a_skill_is_one_small_tag(text: str, tag: str) -> None:
    assert skills.skill(text) == tag
    assert skills.skill(tag) == tag


@pytest.mark.parametrize(
    "text", ["", " ", "-", "++", "a/b", "seo;ads", "a,b", "s\x1bo", "se\u200bo", "seo\ufe0f", "x" * 41, "-a", "😀"]
)
def test_what_is_no_tag_is_no_skill(text: str) -> None:
    assert refusal(skills.skill, text) == "usage.bad_skill"


@given(st.text(max_size=45))
def test_a_skill_read_twice_stays_the_same(text: str) -> None:
    try:
        tag = skills.skill(text)
    except skills.BadSkill:
        return
    assert skills.skill(tag) == tag
    assert len(tag) <= skills.SKILL_LIMIT


def test_skills_keep_their_order_and_come_once() -> None:
    assert skills.skills(["SEO", "ads", "seo"]) == ["seo", "ads"]
    assert refusal(lambda _: skills.skills([f"s{n}" for n in range(31)]), "") == "usage.too_many"
