"""The statement that a device is revoked proves itself, or counts for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from chaise_cli.crypto import signing
from chaise_cli.ids import DeviceId, text
from chaise_cli.ledger import canonical, certificate, revocation

ROOT = signing.Ed25519Signer(bytes(32))
OTHER = signing.Ed25519Signer(bytes([1]) * 32)
ADMIN = signing.Ed25519Signer(bytes([2]) * 32)
ME = certificate.identity_of(ROOT.public)
LOST, KEPT = (DeviceId(text(bytes([n]) * 32)) for n in (7, 3))


def certified(signer: signing.Ed25519Signer, kind: certificate.Kind = "admin") -> tuple[str, ...]:
    made = certificate.issue(ROOT, kind, ME, DeviceId(text(signer.public)), "x", 1)
    return (canonical.encode(made.value()).decode(),)


def statement(signer: signing.Ed25519Signer = ROOT, certificates: tuple[str, ...] = (), **other: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"identity": ME, "device": LOST, "keeps": (KEPT,), "at": 5}
    signature = revocation.sign(signer, said["identity"], said["device"], said["keeps"], said["at"])
    return said | {"by": text(signer.public), "certificates": certificates, "signature": signature} | other


def test_the_root_or_an_admin_device_signs_it() -> None:
    assert revocation.holds(**statement())
    assert revocation.holds(**statement(ADMIN, certified(ADMIN)))


@pytest.mark.parametrize(
    "wrong",
    [
        statement(OTHER),
        statement(ADMIN),
        statement(ADMIN, certified(ADMIN, "device")),
        statement(ADMIN, certified(ADMIN, "grant")),
        statement(ADMIN, certified(OTHER)),
        statement(ADMIN, ("{}",)),
        statement(ADMIN, ("no JSON",)),
        statement(identity=certificate.identity_of(OTHER.public)),
        statement(device=KEPT),
        statement(keeps=()),
        statement(keeps=(KEPT, KEPT)),
        statement(keeps=(LOST, KEPT)),
        statement(at=6),
        statement(signature=text(bytes(64))),
        statement(by=text(bytes(32))),
    ],
    ids=str,
)
def test_anything_else_is_no_statement(wrong: dict[str, Any]) -> None:
    assert not revocation.holds(**wrong)


def test_its_signature_serves_for_nothing_else() -> None:
    """The same bytes under the tag of certificates, say, are no revocation."""
    said = canonical.encode({"at": 5, "device": LOST, "identity": ME, "keeps": [KEPT]})
    assert not revocation.holds(**statement(signature=text(ROOT.sign(signing.TAGS.certificate, said))))
    assert revocation.holds(**statement(signature=text(ROOT.sign(signing.TAGS.revocation, said))))
