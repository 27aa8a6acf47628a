"""Signed requests after RFC 9421, in exactly one form: what a client sends and a relay accepts. docs/spec/relay.md.

With one form there is nothing to negotiate, so the signature base is five lines of text; tests hold it against a
library that knows the whole standard. The signature itself is made and judged by the ledger's rule.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from chaise_cli import ids
from chaise_cli.ledger import request
from chaise_cli.ledger.request import Signer

AGE_S: Final = 300  # how far `created` may lie from the relay's clock, either way
FIELDS: Final = ("content-digest", "signature-input", "signature")
_DIGEST: Final = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:")
_SIGNATURE: Final = re.compile(r"c=:[A-Za-z0-9+/]{86}==:")
# The label is as short as may be, and there is no `alg`, which the key tells: both go with every request.
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


def sign(method: str, authority: str, path: str, body: bytes, signer: Signer, now_s: int) -> dict[str, str]:
    """The three header fields that sign a request.

    authority: as the request's Host says it. path: from the first slash, without a query. now_s: seconds since 1970.
    """
    digest, key = _digest(body), ids.text(signer.public)
    params = f'("@method" "@authority" "@path" "content-digest");created={now_s};keyid="{key}";tag="chaise-1"'
    signature = signer.sign_request(_base(method, authority, path, digest, params))
    return {"Content-Digest": digest, "Signature-Input": f"c={params}", "Signature": f"c=:{_base64(signature)}:"}


def verify(
    method: str, authority: str, path: str, headers: Iterable[tuple[str, str]], body: bytes, now_s: int
) -> bytes:
    """The device that signed this request.

    headers: all fields, one pair a line, as they came. Raises Unsigned, and WrongTime of it.
    """
    fields = _fields(headers)
    device = _check_form(fields, now_s)
    digest, params = fields["content-digest"], fields["signature-input"].removeprefix("c=")
    spelled = fields["signature"].removeprefix("c=:").removesuffix(":")
    signature = b64decode(spelled)
    plain = all(part.isascii() and part.isprintable() for part in (method, authority, path))
    good = plain and digest == _digest(body) and spelled == _base64(signature)  # either has one spelling
    if not (good and request.verify(device, _base(method, authority, path, digest, params), signature)):
        raise Unsigned("its signature does not hold")
    return device


def _base(method: str, authority: str, path: str, digest: str, params: str) -> bytes:
    """What is signed: RFC 9421, section 2.5."""
    lines = (
        f'"@method": {method}',
        f'"@authority": {authority.lower().removesuffix(":443")}',
        f'"@path": {path}',
        f'"content-digest": {digest}',
        f'"@signature-params": {params}',
    )
    return "\n".join(lines).encode()


def _digest(body: bytes) -> str:
    """RFC 9530."""
    return f"sha-256=:{_base64(sha256(body).digest())}:"


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


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
