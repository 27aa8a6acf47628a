"""Certificates: what binds a signing key to an identity. docs/spec/keys.md, docs/spec/envelope.md, docs/spec/grants.md.

A certificate is canonical JSON `{"v","kind","identity","device","name","at","by","sig"}`: `by` is the key
that signs (the root's, or an admin device's), `sig` its signature over the rest. An identity is the hash
of its root's public key, so a chain of certificates that begins with the root proves itself. That of a grant also
names the one space it is for and until when; a grant certifies runs and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Literal, NamedTuple, get_args

from chaise_cli import ids
from chaise_cli.crypto import signing
from chaise_cli.errors import Corrupt
from chaise_cli.ledger import canonical

LONGEST: Final = 4  # certificates from a device up to the root
NAME_LIMIT: Final = 64
_IDENTITY_TAG: Final = b"chaise/1 identity\0"
_KEYS: Final = {"v", "kind", "identity", "device", "name", "at", "by", "sig"}
_GRANT_KEYS: Final = _KEYS | {"space", "until"}
_AHEAD: Final = {"run": 2, "grant": 1}  # certificates before those of a device, by the kind of the first

Kind = Literal["admin", "device", "grant", "run"]


class BadCertificate(Corrupt):
    """A device's certificates do not prove whose it is."""

    code = "certificate.bad"
    message = "a device's certificate does not hold: {why}"
    hint = "the sender's software is broken or hostile; nothing of this device was kept"
    why: str


class Certificate(NamedTuple):
    """One checked certificate. Keys and the identity are base64url text; space and until are a grant's alone."""

    kind: Kind
    identity: ids.IdentityId
    device: ids.DeviceId
    name: str
    at: int
    by: str
    sig: str
    space: str = ""
    until: int = 0

    @property
    def is_device(self) -> bool:
        """Whether it makes its key a device of the identity: a grant and its runs act in one deal and are none."""
        return self.kind in ("admin", "device")

    def value(self) -> dict[str, object]:
        """Its JSON value."""
        value = {"v": 1, **self._asdict()}
        if self.kind != "grant":
            del value["space"], value["until"]
        return value


def identity_of(root_public: bytes) -> ids.IdentityId:
    """The identity whose root key this is."""
    return ids.IdentityId(ids.text(sha256(_IDENTITY_TAG + root_public).digest()))


def issue(
    signer: signing.Signer,
    kind: Kind,
    identity: ids.IdentityId,
    device: ids.DeviceId,
    name: str,
    at: int,
    space: str = "",
    until: int = 0,
) -> Certificate:
    """A certificate for `device`, signed by the root, an admin device of `identity` or, a run's, by its grant's key."""
    made = Certificate(kind, identity, device, name, at, ids.text(signer.public), "", space, until)
    return made._replace(sig=ids.text(signer.sign(signing.TAGS.certificate, _signed(made))))


def _signed(certificate: Certificate) -> bytes:
    value = certificate.value()
    del value["sig"]
    return canonical.encode(value)


def check(values: object) -> Sequence[Certificate]:
    """The certificates of a key, its own first, the root-signed one last. Raises BadCertificate.

    Every link but the first must be an admin certificate of the key that signed the one before; the last
    is signed by the root whose hash is the identity. All must name the same identity. Before those of an admin device
    may stand a grant's, and before that a run's: what the key may do, the first one's kind tells.
    """
    if not isinstance(values, list) or not 0 < len(values) <= LONGEST + max(_AHEAD.values()):
        raise BadCertificate(why="no certificate, or too many")
    chain = [read(value) for value in values]
    ahead = _AHEAD.get(chain[0].kind, 0)
    if not 0 < len(chain) - ahead <= LONGEST:
        raise BadCertificate(why="no certificate of a device, or too many")
    for place, certificate in enumerate(chain):
        above = chain[place + 1] if place + 1 < len(chain) else None
        wanted = "grant" if ahead == 2 and place == 1 else "admin"
        if place and certificate.kind != wanted:
            raise BadCertificate(why="its issuer may not certify")
        _check_link(certificate, above)
    return chain


def _check_link(certificate: Certificate, above: Certificate | None) -> None:
    issuer = ids.raw(certificate.by)
    if above is None:
        if identity_of(issuer) != certificate.identity:
            raise BadCertificate(why="it does not lead to the root")
    elif above.device != certificate.by or above.identity != certificate.identity:
        raise BadCertificate(why="it was issued by another device than the one that follows")
    signing.admit_key(issuer, torsion=False)
    signing.admit_key(ids.raw(certificate.device), torsion=False)
    if not is_signed(certificate):
        raise BadCertificate(why="wrong signature")


def is_signed(certificate: Certificate) -> bool:
    """Whether the key that it names as its issuer's has signed it."""
    signed = _signed(certificate)
    return signing.verify(ids.raw(certificate.by), signing.TAGS.certificate, signed, ids.raw(certificate.sig))


def read(value: object) -> Certificate:
    """One certificate of the right form; `is_signed` and `check` tell whether it holds. Raises BadCertificate."""
    if not isinstance(value, dict) or type(value.get("v")) is not int or value["v"] != 1:
        raise BadCertificate(why="unknown form")
    if set(value) != (_GRANT_KEYS if value.get("kind") == "grant" else _KEYS):
        raise BadCertificate(why="unknown form")
    certificate = Certificate(**{key: part for key, part in value.items() if key != "v"})
    texts = (certificate.identity, certificate.device, certificate.name, certificate.by, certificate.sig)
    if not all(isinstance(text, str) for text in texts) or certificate.kind not in get_args(Kind):
        raise BadCertificate(why="unknown form")
    if any(type(at) is not int or at < 0 for at in (certificate.at, certificate.until)):
        raise BadCertificate(why="a field out of range")
    if len(certificate.name) > NAME_LIMIT or not isinstance(certificate.space, str):
        raise BadCertificate(why="a field out of range")
    space = certificate.space if certificate.kind == "grant" else certificate.identity
    try:
        sizes = [len(ids.raw(text)) for text in (certificate.identity, certificate.device, certificate.by, space)]
        size = len(ids.raw(certificate.sig))
    except ValueError as error:
        raise BadCertificate(why="a key that is not base64url") from error
    if sizes != [32, 32, 32, 32] or size != 64:
        raise BadCertificate(why="a key or signature of the wrong size")
    return certificate
