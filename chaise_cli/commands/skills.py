"""Skills: small tags, normalised so that two people who mean one thing write one word. docs/spec/results.md."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from chaise_cli.errors import Usage
from chaise_cli.render.terminal import safe

SKILL_LIMIT: Final = 40  # characters of one skill
SKILLS_LIMIT: Final = 30  # skills of one post, profile or service

_SKILL_SIGNS: Final = "+#.-"


class BadSkill(Usage):
    """A skill is a short tag in small letters."""

    code = "usage.bad_skill"
    message = "{given!r} is not a skill"
    hint = "a skill has 1 to 40 letters, digits, + # . or -, such as seo, c++ or node.js"
    given: str


class TooMany(Usage):
    """More of something than is taken."""

    code = "usage.too_many"
    message = "{count} {what} are more than the {limit} that are taken"
    what: str
    count: int
    limit: int


def skill(text: str) -> str:
    """A skill as it is compared: NFKC, small letters, white space and `_` as `-`. Raises BadSkill."""
    tag = "-".join(re.split(r"[\s_]+", unicodedata.normalize("NFKC", text).casefold().strip()))
    tag = unicodedata.normalize("NFKC", tag)  # folding can leave a form that is not composed
    known = all(char in _SKILL_SIGNS or unicodedata.category(char)[0] in "LMN" for char in tag)
    named = any(char.isalnum() for char in tag) and tag.strip("-") == tag
    if len(tag) > SKILL_LIMIT or not known or not named or safe(tag) != tag:
        raise BadSkill(given=text[:60])
    return tag


def skills(tags: Sequence[str]) -> list[str]:
    """The skills in the order given, each once. Raises BadSkill, TooMany."""
    read = list(dict.fromkeys(skill(tag) for tag in tags))
    if len(read) > SKILLS_LIMIT:
        raise TooMany(what="skills", count=len(read), limit=SKILLS_LIMIT)
    return read
