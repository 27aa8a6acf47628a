"""The root of an identity, for as long as its owner has typed the recovery code: it outranks every device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.crypto import boxes, recovery, signing
from chaise_cli.errors import NoKey
from chaise_cli.ledger import certificate

if TYPE_CHECKING:
    from chaise_cli.session.session import Session


class OtherRoot(NoKey):
    """The recovery code is another identity's."""

    code = "key.other_root"
    message = "this recovery code is of another identity"
    hint = "take the one that was written down when this identity was made"


def signer(session: Session, code: str) -> signing.Ed25519Signer:
    """The root's signing key. Raises BadRecoveryCode, OtherRoot."""
    made = signing.Ed25519Signer(recovery.root_signing_seed(recovery.parse(code)))
    if certificate.identity_of(made.public) != session.me.identity:
        raise OtherRoot
    return made


def box(code: str) -> boxes.BoxKey:
    """The root's box key, which every key of self is wrapped to. Raises BadRecoveryCode."""
    return boxes.BoxKey(recovery.root_box_seed(recovery.parse(code)))
