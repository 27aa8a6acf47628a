"""The manual rail: people move the money, and the agent says so with a reference.

Nothing is sent anywhere. `instruction` is what a person has to do, `reference` is what counts as an attestation
that it was done. docs/spec/money.md, Rails.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from chaise_cli.errors import Usage

if TYPE_CHECKING:
    from chaise_cli.domain.money import Money

NAME: Final = "manual"
REFERENCE_MOST: Final = 200  # characters


class BadReference(Usage):
    """A reference is a line that a bank statement, or a person, can be asked about."""

    code = "rail.bad_reference"
    message = "a reference has 1 to {most} characters on one line"
    hint = 'write what the payment is known by: --ref "transfer 4711"'
    most: int


def reference(given: str) -> str:
    """The reference without white space around it. Raises BadReference."""
    line = given.strip()
    if not 0 < len(line) <= REFERENCE_MOST or any(unicodedata.category(char) in {"Cc", "Cs"} for char in line):
        raise BadReference(most=REFERENCE_MOST)
    return line


def instruction(kind: str, amount: Money, who: str, of: str) -> str:
    """What a person has to do: collect from `who`, or pay to them. `of`: what the payment is for, as people type it."""
    if kind == "fund":
        return f"collect {amount.text} from {who} for {of}"
    return f"pay {amount.text} to {who} for {of}"
