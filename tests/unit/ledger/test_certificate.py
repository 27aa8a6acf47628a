from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import edwards, signing
from chaise_cli.crypto.signing import BadKey, Ed25519Signer
from chaise_cli.ids import DeviceId, IdentityId, text
from chaise_cli.ledger import certificate
from chaise_cli.ledger.canonical import NotCanonical
from chaise_cli.ledger.certificate import BadCertificate, Certificate

ROOT, ADMIN, PHONE, OTHER = (Ed25519Signer(bytes([number]) * 32) for number in (1, 2, 3, 4))
ME = certificate.identity_of(ROOT.public)


def _issue(by: Ed25519Signer, to: Ed25519Signer, kind: certificate.Kind, whose: IdentityId = ME) -> Certificate:
    space, until = (text(bytes(range(32))), 2_000) if kind == "grant" else ("", 0)
    return certificate.issue(by, kind, whose, DeviceId(text(to.public)), "laptop", 1_000, space, until)


def _values(*chain: Certificate) -> list[Any]:
    return [one.value() for one in chain]


FIRST, SECOND = _issue(ROOT, ADMIN, "admin"), _issue(ADMIN, PHONE, "device")


BOT, RUN = Ed25519Signer(bytes([5]) * 32), Ed25519Signer(bytes([6]) * 32)
GRANT, ITS_RUN = _issue(ADMIN, BOT, "grant"), _issue(BOT, RUN, "run")


@pytest.mark.parametrize("chain", [[FIRST], [SECOND, FIRST], [GRANT, FIRST], [ITS_RUN, GRANT, FIRST]])
def test_a_chain_that_leads_to_the_root_holds(chain: Sequence[Certificate]) -> None:
    assert list(certificate.check(_values(*chain))) == list(chain)


@pytest.mark.parametrize(
    "chain",
    [
        [],
        [SECOND],
        [FIRST, SECOND],
        [SECOND, FIRST, FIRST],
        [_issue(PHONE, OTHER, "device"), SECOND, FIRST],  # a device that is no admin certifies
        [_issue(ADMIN, PHONE, "device", certificate.identity_of(OTHER.public)), FIRST],
        [_issue(OTHER, PHONE, "device"), FIRST],
        [_issue(ROOT, PHONE, "admin", certificate.identity_of(OTHER.public))],
        [SECOND, _issue(OTHER, ADMIN, "admin", certificate.identity_of(OTHER.public))],
        [_issue(ROOT, PHONE, "grant")],  # a grant is made by a device
        [_issue(PHONE, BOT, "grant"), SECOND, FIRST],
        [_issue(ADMIN, RUN, "run"), FIRST],
        [_issue(BOT, RUN, "device"), GRANT, FIRST],
        [_issue(BOT, RUN, "grant"), GRANT, FIRST],
        [_issue(RUN, OTHER, "run"), ITS_RUN, GRANT, FIRST],
        [_issue(OTHER, RUN, "run"), GRANT, FIRST],
        [ITS_RUN, GRANT],
        [ITS_RUN, FIRST],
        [GRANT, ITS_RUN, FIRST],
    ],
)
def test_a_chain_that_does_not_is_refused(chain: Sequence[Certificate]) -> None:
    with pytest.raises(BadCertificate):
        certificate.check(_values(*chain))


def test_at_most_four_certificates_lead_to_the_root() -> None:
    signers = [Ed25519Signer(bytes([number]) * 32) for number in range(10, 16)]
    links = [_issue(ROOT, signers[0], "admin")]
    for above, below in pairwise(signers):
        links.insert(0, _issue(above, below, "admin"))
    assert len(certificate.check(_values(*links[-4:]))) == 4
    with pytest.raises(BadCertificate):
        certificate.check(_values(*links[-5:]))


def test_a_grant_and_a_run_stand_before_as_many_certificates_as_a_device_has() -> None:
    signers = [Ed25519Signer(bytes([number]) * 32) for number in range(10, 15)]
    links = [_issue(ROOT, signers[0], "admin")]
    for above, below in pairwise(signers):
        links.insert(0, _issue(above, below, "admin"))
    four = links[-4:]
    bot = _issue(signers[3], BOT, "grant")
    assert certificate.check(_values(ITS_RUN, bot, *four))[0].kind == "run"
    with pytest.raises(BadCertificate):
        certificate.check(_values(ITS_RUN, _issue(signers[4], BOT, "grant"), *links))


def test_the_kinds_that_are_devices() -> None:
    assert [one.is_device for one in (FIRST, SECOND, GRANT, ITS_RUN)] == [True, True, False, False]


@pytest.mark.parametrize(
    "change",
    [
        {"space": text(bytes(31))}, {"space": 1}, {"space": None}, {"until": -1}, {"until": "1"}, {"until": True},
        {"until": 2_001}, {"space": text(bytes(32))}, {"kind": "device"}, {"kind": "run"}, {"more": 1},
    ],
)  # fmt: skip
def test_what_a_grant_is_for_can_not_be_changed(change: dict[str, Any]) -> None:
    value: Any = GRANT.value() | change
    with pytest.raises((BadCertificate, NotCanonical)):
        certificate.check([value, FIRST.value()])
    for key in ("space", "until"):
        with pytest.raises(BadCertificate):
            certificate.check([{name: part for name, part in GRANT.value().items() if name != key}, FIRST.value()])
        with pytest.raises(BadCertificate):
            certificate.check([FIRST.value() | {key: GRANT.value()[key]}])


ODD: list[Any] = [
    None,
    True,
    1,
    -1,
    2**53,
    1.5,
    "",
    "x",
    [],
    {},
    "é" * 43,
    text(bytes(31)),
    text(bytes(33)),
    text(bytes(63)),
    "a" * 65,
]


@pytest.mark.parametrize("field", FIRST.value())
def test_no_field_can_be_changed(field: str) -> None:
    passed: list[Any] = []
    for odd in ODD:
        with suppress(BadCertificate, BadKey, NotCanonical):
            certificate.check([FIRST.value() | {field: odd}])
            passed.append(odd)
    held = FIRST.value()[field]
    assert [odd for odd in passed if odd != held or type(odd) is not type(held)] == []


@given(st.sampled_from(["identity", "device", "by", "sig", "name"]), st.integers(0, 85), st.sampled_from("AZaz09-_"))
def test_no_character_can_be_changed(field: str, place: int, char: str) -> None:
    value: dict[str, Any] = FIRST.value()
    old = value[field]
    at = place % len(old)
    if old[at] == char:
        return
    with pytest.raises((BadCertificate, BadKey)):
        certificate.check([value | {field: old[:at] + char + old[at + 1 :]}])


def test_keys_are_neither_missing_nor_more() -> None:
    value = FIRST.value()
    for wrong in (value | {"more": 1}, *({k: value[k] for k in value if k != key} for key in value)):
        with pytest.raises(BadCertificate):
            certificate.check([wrong])


@pytest.mark.parametrize("wrong", [None, {}, "text", 1, [None], [[]], ["x"]])
def test_anything_else_is_refused(wrong: object) -> None:
    with pytest.raises(BadCertificate):
        certificate.check(wrong)


@pytest.mark.parametrize("weak", [min(edwards.SMALL_ORDER), bytes(32), b"\xff" * 32], ids=["small", "zero", "high"])
def test_a_weak_key_is_no_device_and_no_issuer(weak: bytes) -> None:
    value = FIRST.value()
    with pytest.raises((BadCertificate, BadKey)):
        certificate.check([value | {"device": text(weak)}])
    with pytest.raises((BadCertificate, BadKey)):
        certificate.check([value | {"by": text(weak), "identity": certificate.identity_of(weak)}])


def test_a_signature_for_another_use_is_none() -> None:
    signed = ROOT.sign(signing.TAGS.terms, certificate._signed(FIRST))
    with pytest.raises(BadCertificate):
        certificate.check([FIRST._replace(sig=text(signed)).value()])


def test_a_name_has_at_most_64_characters() -> None:
    def made(name: str) -> list[Any]:
        return [certificate.issue(ROOT, "admin", ME, DeviceId(text(ADMIN.public)), name, 1).value()]

    certificate.check(made("x" * 64))
    with pytest.raises(BadCertificate):
        certificate.check(made("x" * 65))
