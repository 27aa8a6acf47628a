"""Certificates: what binds a signing key to an identity. docs/spec/keys.md, docs/spec/envelope.md.

A certificate is canonical JSON `{"v","kind","identity","device","name","at","by","sig"}`: `by` is the key
that signs (the root's, or an admin device's), `sig` its signature over the rest. An identity is the hash
of its root's public key, so a chain of certificates that begins with the root proves itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from chaise_cli import ids
from chaise_cli.crypto import signing
from chaise_cli.errors import Corrupt
from chaise_cli.ledger import canonical

LONGEST: Final = 4  # certificates from a device up to the root
NAME_LIMIT: Final = 64
_IDENTITY_TAG: Final = b"chaise/1 identity\0"
_KEYS: Final = {"v", "kind", "identity", "device", "name", "at", "by", "sig"}

Kind = Literal["admin", "device", "grant"]


class BadCertificate(Corrupt):
    """A device's certificates do not prove whose it is."""

    code = "certificate.bad"
    message = "a device's certificate does not hold: {why}"
    hint = "the sender's software is broken or hostile; nothing of this device was kept"
    why: str


class Certificate(NamedTuple):
    """One checked certificate. Keys and the identity are base64url text."""

    kind: Kind
    identity: ids.IdentityId
    device: ids.DeviceId
    name: str
    at: int
    by: str
    sig: str

    def value(self) -> dict[str, object]:
        """Its JSON value."""
        return {"v": 1, **self._asdict()}


def identity_of(root_public: bytes) -> ids.IdentityId:
    """The identity whose root key this is."""
    return ids.IdentityId(ids.text(sha256(_IDENTITY_TAG + root_public).digest()))


def issue(
    signer: signing.Signer, kind: Kind, identity: ids.IdentityId, device: ids.DeviceId, name: str, at: int
) -> Certificate:
    """A certificate for `device`, signed by the root or an admin device of `identity`."""
    made = Certificate(kind, identity, device, name, at, ids.text(signer.public), "")
    return made._replace(sig=ids.text(signer.sign(signing.TAGS.certificate, _signed(made))))


def _signed(certificate: Certificate) -> bytes:
    value = certificate.value()
    del value["sig"]
    return canonical.encode(value)


def check(values: object) -> Sequence[Certificate]:
    """The certificates of a device, its own first, the root-signed one last. Raises BadCertificate.

    Every link but the first must be an admin certificate of the key that signed the one before; the last
    is signed by the root whose hash is the identity. All must name the same identity.
    """
    if not isinstance(values, list) or not 0 < len(values) <= LONGEST:
        raise BadCertificate(why="no certificate, or too many")
    chain = [_read(value) for value in values]
    for place, certificate in enumerate(chain):
        above = chain[place + 1] if place + 1 < len(chain) else None
        _check_link(certificate, above, first=place == 0)
    return chain


def _check_link(certificate: Certificate, above: Certificate | None, *, first: bool) -> None:
    issuer = ids.raw(certificate.by)
    if above is None:
        if identity_of(issuer) != certificate.identity:
            raise BadCertificate(why="it does not lead to the root")
    elif above.device != certificate.by or above.identity != certificate.identity:
        raise BadCertificate(why="it was issued by another device than the one that follows")
    if not first and certificate.kind != "admin":
        raise BadCertificate(why="its issuer may not certify")
    signing.admit_key(issuer, torsion=False)
    signing.admit_key(ids.raw(certificate.device), torsion=False)
    if not signing.verify(issuer, signing.TAGS.certificate, _signed(certificate), ids.raw(certificate.sig)):
        raise BadCertificate(why="wrong signature")


def _read(value: object) -> Certificate:
    if not isinstance(value, dict) or set(value) != _KEYS or type(value["v"]) is not int or value["v"] != 1:
        raise BadCertificate(why="unknown form")
    certificate = Certificate(**{key: value[key] for key in Certificate._fields})
    texts = (certificate.identity, certificate.device, certificate.name, certificate.by, certificate.sig)
    if not all(isinstance(text, str) for text in texts) or certificate.kind not in ("admin", "device", "grant"):
        raise BadCertificate(why="unknown form")
    if type(certificate.at) is not int or certificate.at < 0 or len(certificate.name) > NAME_LIMIT:
        raise BadCertificate(why="a field out of range")
    try:
        sizes = [len(ids.raw(text)) for text in (certificate.identity, certificate.device, certificate.by)]
        size = len(ids.raw(certificate.sig))
    except ValueError as error:
        raise BadCertificate(why="a key that is not base64url") from error
    if sizes != [32, 32, 32] or size != 64:
        raise BadCertificate(why="a key or signature of the wrong size")
    return certificate
