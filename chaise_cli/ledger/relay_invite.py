"""Invites to a relay: twenty random bytes as checked text, of which the relay keeps the hash. docs/spec/relay.md."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from chaise_cli.crypto import checked_text
from chaise_cli.errors import Usage

SIZE: Final = 20
_USE: Final = "relay-invite"


class BadRelayInvite(Usage):
    """The text is not an invite to a relay."""

    code = "relay.bad_invite"
    message = "this is not an invite to a relay: {why}"
    hint = "copy all nine groups of it; who runs the relay prints one with: chaise relay invite"
    why: str


def write(data: bytes) -> str:
    """The invite as people copy it: nine groups of four characters."""
    assert len(data) == SIZE, "an invite has 20 bytes"
    return checked_text.write(data, _USE)


def read(text: str) -> bytes:
    """The bytes of an invite. Raises BadRelayInvite."""
    try:
        return checked_text.read(text, _USE, SIZE)
    except checked_text.Misspelt as error:
        raise BadRelayInvite(why=error.reason) from None


def digest(data: bytes) -> bytes:
    """What a relay keeps of an invite."""
    return sha256(data).digest()
