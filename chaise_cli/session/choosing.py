"""Words and things that options take: states to filter by, keys to sort by. What does not fit is a typed error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class NotAChoice(Usage):
    """An option's word is not one of those it takes."""

    code = "usage.not_a_choice"
    message = "{option} does not take {given!r}"
    hint = "it takes one of: {choices}"
    option: str
    given: str
    choices: str


class NotForThis(Usage):
    """The verb means nothing for such a thing, or the option does not."""

    code = "usage.not_for_this"
    message = "{verb} does not fit {given}"
    hint = "{why}"
    verb: str
    given: str
    why: str


def one_of(given: str, choices: Collection[str], option: str) -> str:
    """`given`, if it is among `choices`. Raises NotAChoice."""
    if given not in choices:
        raise NotAChoice(option=option, given=given[:40], choices=", ".join(choices))
    return given


def some_of(given: Sequence[str] | None, choices: Collection[str], option: str) -> tuple[str, ...]:
    """Each of `given`, if it is among `choices`; empty wants all. Raises NotAChoice."""
    return tuple(one_of(word, choices, option) for word in given or ())
