"""Requests are signed in one form; whatever differs from it, or from what was signed, is refused."""

from __future__ import annotations

import base64
from typing import Final

import pytest

from chaise_cli.crypto import edwards, signing
from chaise_cli.ids import text
from sync import request_signing
from sync.request_signing import Unsigned, WrongTime
from tests.fakes.pen import signer

NOW: Final = 1_795_000_000
KEY: Final = signer("device")
BODY: Final = b"what is asked"
HEADERS: Final = request_signing.sign("POST", "relay.example:8787", "/v1/push", BODY, KEY, NOW)


def verified(
    headers: dict[str, str] | list[tuple[str, str]],
    *,
    method: str = "POST",
    authority: str = "relay.example:8787",
    path: str = "/v1/push",
    body: bytes = BODY,
    now_s: int = NOW,
) -> bytes:
    pairs = headers if isinstance(headers, list) else list(headers.items())
    return request_signing.verify(method, authority, path, pairs, body, now_s)


def test_the_form_is_that_of_the_page() -> None:
    assert HEADERS["Signature-Input"] == (
        f'c=("@method" "@authority" "@path" "content-digest");created={NOW};keyid="{text(KEY.public)}";tag="chaise-1"'
    )
    digest = HEADERS["Content-Digest"]
    base = (
        '"@method": POST\n"@authority": relay.example:8787\n"@path": /v1/push\n'
        f'"content-digest": {digest}\n"@signature-params": {HEADERS["Signature-Input"].partition("=")[2]}'
    )
    signature = base64.b64decode(HEADERS["Signature"].removeprefix("c=:").removesuffix(":"))
    assert signing.verify_request(KEY.public, base.encode(), signature)
    assert not signing.verify_request(KEY.public, base.encode()[1:], signature)


def test_the_device_is_told() -> None:
    assert verified(HEADERS) == KEY.public
    assert verified([(name.lower(), value) for name, value in HEADERS.items()] + [("host", "x")]) == KEY.public
    assert verified(HEADERS, authority="RELAY.example:8787") == KEY.public


def test_it_is_good_for_five_minutes_either_way() -> None:
    for late in (-300, 300):
        assert verified(HEADERS, now_s=NOW + late) == KEY.public
    for late in (-301, 301):
        with pytest.raises(WrongTime):
            verified(HEADERS, now_s=NOW + late)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"authority": "other.example:8787"},
        {"authority": "relay.example"},
        {"authority": "relay.example:8787/x"},
        {"authority": ""},
        {"path": "/v1/pull"},
        {"path": "/v1/push/"},
        {"path": "no path"},
    ],
)
def test_it_is_for_one_request_to_one_relay(change: dict[str, str]) -> None:
    with pytest.raises(Unsigned):
        verified(HEADERS, **change)  # type: ignore[arg-type]


def test_it_covers_the_body() -> None:
    with pytest.raises(Unsigned):
        verified(HEADERS, body=BODY + b"!")
    other = request_signing.sign("POST", "relay.example:8787", "/v1/push", b"other", KEY, NOW)
    with pytest.raises(Unsigned):
        verified(HEADERS | {"Content-Digest": other["Content-Digest"]}, body=b"other")


def test_no_character_of_it_can_be_changed() -> None:
    for name, value in HEADERS.items():
        for at in range(len(value)):
            changed = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
            with pytest.raises(Unsigned):
                verified(HEADERS | {name: changed})


@pytest.mark.parametrize("name", HEADERS)
def test_each_field_stands_there_once(name: str) -> None:
    with pytest.raises(Unsigned):
        verified({key: value for key, value in HEADERS.items() if key != name})
    with pytest.raises(Unsigned):
        verified([*HEADERS.items(), (name.upper(), HEADERS[name])])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' "content-digest")', ")"),
        ('"@method" ', ""),
        (';tag="chaise-1"', ""),
        (';tag="chaise-1"', ';tag="chaise-2"'),
        (';tag="chaise-1"', ';tag="chaise-1";nonce="a"'),
        (';tag="chaise-1"', f';tag="chaise-1";expires={NOW + 60}'),
        (';tag="chaise-1"', ';alg="ed25519";tag="chaise-1"'),
        ("c=(", "other=("),
        (f"created={NOW}", f"created={NOW}.0"),
        ('"@path"', '"@path";req'),
    ],
)
def test_other_forms_of_the_standard_are_refused(old: str, new: str) -> None:
    assert old in HEADERS["Signature-Input"]
    with pytest.raises(Unsigned):
        verified(HEADERS | {"Signature-Input": HEADERS["Signature-Input"].replace(old, new)})


def test_a_key_under_which_anybody_signs_is_refused() -> None:
    """A point of small order: R = itself and S = 0 satisfy many equations."""
    for weak in edwards.SMALL_ORDER:
        named = HEADERS["Signature-Input"].replace(text(KEY.public), text(weak))
        signature = f"c=:{base64.b64encode(weak + bytes(32)).decode()}:"
        with pytest.raises(Unsigned):
            verified(HEADERS | {"Signature-Input": named, "Signature": signature})


def test_a_key_has_one_spelling() -> None:
    spelled = text(KEY.public)
    other = spelled[:-1] + chr(ord(spelled[-1]) + 1)
    with pytest.raises(Unsigned):
        verified(HEADERS | {"Signature-Input": HEADERS["Signature-Input"].replace(spelled, other)})


def test_what_devices_sign_otherwise_is_no_request() -> None:
    assert all(not tag.startswith(signing.REQUEST_START) for tag in signing.TAGS)
    with pytest.raises(AssertionError):
        KEY.sign_request(b"chaise/1 event\x00")
