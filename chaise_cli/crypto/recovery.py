"""The recovery code: 160 bits on paper, from which an identity's root keys and a store's recovery slot follow.

Written out once by `init` and never stored. Nine groups of four characters, the last one a checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NewType

from chaise_cli.crypto import checked_text
from chaise_cli.crypto.derivation import derive
from chaise_cli.errors import NoKey

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 20
_USE: Final = "recovery"
RecoveryCode = NewType("RecoveryCode", bytes)  # 20 random bytes


class BadRecoveryCode(NoKey):
    """The text is not a recovery code; tells the wrong group where that can be known."""

    code = "key.bad_recovery_code"
    message = "this is not a recovery code: {reason}{where}"
    hint = "compare it with the paper, group by group; capitals, dashes and spaces do not matter"
    reason: str
    where: str  # " (group 3)", or empty
    group: int | None  # counted from 1


def generate(random: Callable[[int], bytes]) -> RecoveryCode:
    """A new code; `random` gives as many unpredictable bytes as it is asked for."""
    code = random(SIZE)
    assert len(code) == SIZE, "the random source gave another number of bytes"
    return RecoveryCode(code)


def write(code: RecoveryCode) -> str:
    """The code as it is shown and written down: nine groups of four, joined by dashes."""
    return checked_text.write(code, _USE)


def parse(text: str) -> RecoveryCode:
    """The code behind what somebody typed. Raises BadRecoveryCode."""
    try:
        return RecoveryCode(checked_text.read(text, _USE, SIZE))
    except checked_text.Misspelt as error:
        where = f" (group {error.group})" if error.group else ""
        raise BadRecoveryCode(reason=error.reason, where=where, group=error.group) from None


def root_signing_seed(code: RecoveryCode) -> bytes:
    """32 bytes for the root's `Ed25519Signer`; the hash of its public key is the identity's id."""
    return derive(code, "root-signing")


def root_box_seed(code: RecoveryCode) -> bytes:
    """32 bytes for the root's `BoxKey`, to which the self space is wrapped."""
    return derive(code, "root-box")


def store_slot_key(code: RecoveryCode, salt: bytes) -> bytes:
    """32 bytes that seal the store key in its recovery slot; `salt` stands in the slot."""
    return derive(code, "slot-recovery", salt=salt)
