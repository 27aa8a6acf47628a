"""The signed statement that a device is revoked; it proves itself, wherever it stands. docs/spec/devices.md.

Signed is canonical JSON `{"at","device","identity","keeps"}` by the root, or by an admin device of the identity.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaise_cli import ids
from chaise_cli.crypto import signing
from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import canonical, certificate


def sign(
    signer: signing.Signer, identity: ids.IdentityId, device: ids.DeviceId, keeps: Sequence[ids.DeviceId], at: int
) -> str:
    """The signature of the statement, base64url."""
    return ids.text(signer.sign(signing.TAGS.revocation, _signed(identity, device, keeps, at)))


def holds(
    identity: ids.IdentityId,
    device: ids.DeviceId,
    keeps: Sequence[ids.DeviceId],
    at: int,
    by: str,
    certificates: Sequence[str],
    signature: str,
) -> bool:
    """Whether the statement is signed by the identity's root (no certificates) or by an admin device of it."""
    try:
        if not certificates:
            if certificate.identity_of(ids.raw(by)) != identity:
                return False
            signing.admit_key(ids.raw(by), torsion=False)
        else:
            first = certificate.check([canonical.decode(one.encode()) for one in certificates])[0]
            if (first.device, first.identity, first.kind) != (by, identity, "admin"):
                return False
    except (ChaiseError, ValueError):
        return False
    signed = _signed(identity, device, keeps, at)
    return list(keeps) == sorted(set(keeps)) and signing.verify(
        ids.raw(by), signing.TAGS.revocation, signed, ids.raw(signature)
    )


def _signed(identity: str, device: str, keeps: Sequence[str], at: int) -> bytes:
    return canonical.encode({"at": at, "device": device, "identity": identity, "keeps": list(keeps)})
