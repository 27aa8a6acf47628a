"""Signed requests after RFC 9421, in exactly one form: what a client sends and a relay accepts. docs/spec/relay.md.

The library builds and checks the signature base; the signature itself is made and judged by the ledger's rule.
Loaded only where a relay is spoken to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)

from chaise_cli import ids
from chaise_cli.ledger import request
from chaise_cli.ledger.request import Signer

AGE_S: Final = 300  # how far `created` may lie from the relay's clock, either way
LABEL: Final = "c"  # as short as may be, and no `alg`, which the key tells: both go with every request
TAG: Final = "chaise-1"
COVERED: Final = ("@method", "@authority", "@path", "content-digest")
FIELDS: Final = ("content-digest", "signature-input", "signature")
_DIGEST: Final = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:")
_SIGNATURE: Final = re.compile(r"c=:[A-Za-z0-9+/]{86}==:")
_INPUT: Final = re.compile(
    r'c=\("@method" "@authority" "@path" "content-digest"\);created=([1-9][0-9]{0,14});'
    r'keyid="([A-Za-z0-9_-]{43})";tag="chaise-1"'
)


class Unsigned(Exception):
    """A request without a signature that holds; `why` is for people."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why: Final = why


class WrongTime(Unsigned):
    """A signature that was made too long ago, or by a clock that is ahead."""


class _Ed25519(HTTPSignatureAlgorithm):
    """The one algorithm, by our rule for keys and signatures."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: Any = None, private_key: Any = None) -> None:
        self.device: bytes = public_key
        self.signer: Signer = private_key

    def sign(self, message: bytes) -> bytes:
        return self.signer.sign_request(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        if not request.verify(self.device, message, signature):
            raise InvalidSignature("wrong signature")


class _Message(NamedTuple):
    """A request as the library wants it."""

    method: str
    url: str
    headers: dict[str, str]


class _Own(HTTPSignatureKeyResolver):
    """The key that signs."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def resolve_private_key(self, key_id: str) -> Any:
        assert key_id == ids.text(self.signer.public), "a request is signed by the device it names"
        return self.signer


class _Named(HTTPSignatureKeyResolver):
    """A device is its key, so that its name is all it takes."""

    def resolve_public_key(self, key_id: str) -> Any:
        return ids.raw(key_id)


class _Verifier(HTTPMessageVerifier):
    """The library's, without its clock: ours was asked before."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Both were judged by `_check_form`."""


_NAMED: Final = _Named()
_VERIFIER: Final[Any] = _Verifier(signature_algorithm=_Ed25519, key_resolver=_NAMED)


def sign(method: str, authority: str, path: str, body: bytes, signer: Signer, now_s: int) -> dict[str, str]:
    """The three header fields that sign a request.

    authority: as the request's Host says it. path: from the first slash, without a query. now_s: seconds since 1970.
    """
    headers: dict[str, str] = {}
    library: Any = HTTPMessageSigner(signature_algorithm=_Ed25519, key_resolver=_Own(signer))
    library.sign(
        _Message(method, _url(authority, path), headers),
        key_id=ids.text(signer.public),
        created=datetime.fromtimestamp(now_s, UTC),
        label=LABEL,
        tag=TAG,
        include_alg=False,
        covered_component_ids=COVERED,
        body=body,
    )
    return headers


def verify(
    method: str, authority: str, path: str, headers: Iterable[tuple[str, str]], body: bytes, now_s: int
) -> bytes:
    """The device that signed this request.

    headers: all fields, one pair a line, as they came. Raises Unsigned, and WrongTime of it.
    """
    fields = _fields(headers)
    device = _check_form(fields, now_s)
    try:
        _VERIFIER.verify(_Message(method, _url(authority, path), fields), expect_tag=TAG, body=body)
    except Exception as error:  # whatever the library makes of a stranger's bytes, they are no signed request
        raise Unsigned("its signature does not hold") from error
    return device


def _url(authority: str, path: str) -> str:
    return f"https://{authority}{path}"


def _fields(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        low = name.lower()
        if low in FIELDS:
            if low in found:
                raise Unsigned(f"{low} stands twice")
            found[low] = value
    return found


def _check_form(fields: Mapping[str, str], now_s: int) -> bytes:
    """The device named by fields that are spelled in the one way there is, and made of late."""
    if len(fields) != len(FIELDS):
        raise Unsigned("a request is signed")
    spelled = _INPUT.fullmatch(fields["signature-input"])
    if not (spelled and _DIGEST.fullmatch(fields["content-digest"]) and _SIGNATURE.fullmatch(fields["signature"])):
        raise Unsigned("it is signed in another form")
    try:
        device = ids.raw(spelled[2])
    except ValueError as error:
        raise Unsigned("its key is not canonical") from error
    if abs(int(spelled[1]) - now_s) > AGE_S:
        raise WrongTime("it was signed at another time than now")
    return device
