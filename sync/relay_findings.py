"""What a relay can be caught at, each by its name. docs/spec/relay.md.

A relay is believed only as far as its receipts reach. Each class here is one way in which what it says now
does not go with what it signed before; the texts name the relay by its address.
"""

from __future__ import annotations

from typing import Final

from chaise_cli.errors import Corrupt

OWN: Final = "had signed"
OTHERS: Final = "showed somebody else"


class LyingRelay(Corrupt):
    """What a relay says does not go with what it signed, or is not what it says it is."""

    code = "relay.false_head"
    message = "{relay} gave an answer that does not hold{about}: {why}"
    hint = "do not rely on this relay; what is held here is complete, and goes to your other places: chaise peers"
    relay: str
    about: str  # ' for deal-…', or nothing where it concerns no single space
    why: str


class RolledBack(LyingRelay):
    """The relay knows less than it has signed."""

    code = "relay.rolled_back"
    message = "{relay} has fallen back behind what it had signed{about}: {why}"


class Wiped(LyingRelay):
    """The relay has lost a space, or everything."""

    code = "relay.wiped"
    message = "{relay} has lost what it had signed to keep{about}: {why}"
    hint = "it was filled up again from here; ask its operator what happened"


class Split(LyingRelay):
    """The relay has signed two orders of the same events."""

    code = "relay.split"
    message = "{relay} has shown two different histories{about}: {why}"


class Replaced(LyingRelay):
    """Another relay answers at the address."""

    code = "relay.replaced"
    message = "another relay answers at {relay} now{about}: {why}"
    hint = "if its operator says so too, all is well: it was filled up again from here"


class Withheld(LyingRelay):
    """The relay keeps from one what it has signed for another."""

    code = "relay.withheld"
    message = "{relay} withholds what it has signed to keep{about}: {why}"


MILD = (Wiped, Replaced)  # losses that are made good from here: told as a warning, not by the exit status
