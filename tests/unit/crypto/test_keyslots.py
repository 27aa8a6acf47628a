"""Ways into a home: each slot opens with its own secret and with nothing else."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaise_cli import ids
from chaise_cli.crypto import keyslots, recovery
from chaise_cli.crypto.keyslots import (
    KINDS,
    BadKeyText,
    Cost,
    KeyText,
    Slot,
    SlotsDamaged,
    WrongKey,
    make_keyfile_slot,
    make_keyring_slot,
    make_passphrase_slot,
    make_recovery_slot,
    new_key_text,
    open_slot,
)
from chaise_cli.crypto.recovery import BadRecoveryCode, RecoveryCode
from chaise_cli.crypto.storekey import StoreKey
from chaise_cli.errors import ChaiseError

KEY = StoreKey(bytes(range(48)))
CODE = RecoveryCode(bytes(range(20)))
CHEAP = Cost(iterations=1, lanes=1, memory=8)
PHRASE = "café au lait"


def counted(size: int) -> bytes:
    """A random source for vectors: 100, 101, 102 and so on."""
    return bytes((100 + i) % 256 for i in range(size))


TEXT = KeyText("chaise-key-1 CHJP-CSV8-D5N6-PV3D-DSQQ-0WBJ-EDT7-AXKQ-F1WQ-MYVW-FNZ7-Z041-GA1G-2751")
SLOTS: dict[str, Slot] = {
    "passphrase": make_passphrase_slot(KEY, PHRASE, counted, CHEAP),
    "keyfile": make_keyfile_slot(KEY, TEXT, counted),
    "keyring": make_keyring_slot(KEY, TEXT, counted),
    "recovery": make_recovery_slot(KEY, CODE, counted),
}
SECRETS = {"passphrase": PHRASE, "keyfile": TEXT, "keyring": TEXT, "recovery": recovery.write(CODE)}
# Boxes of docs/spec/keys.md; salt, nonce and fingerprint are the same in all.
BOXES = {
    "passphrase": "BVjMV-t0KGLzmUfQJWdr5bUT0pgHT-_zWdyvlov9Nxo7kmpVQJOkQsRju90JDZLpeMnSOj534TM2FSSrBJvVMQ",
    "keyfile": "iZMtntbF-bdEcoTE_86rafjtblEQ1sa3C9dWvnForfFcs5W-cxlAnYyjpl35vsjiFEomUQXan_A9PFDM8Xtt5A",
    "keyring": "DUG9trZhyoLeddobxlxYgoi_2TF0W6SrB6jtfjxjo9GPfXvTEys49nOlBTH6uIFMZUCGpluHTrIrLiUVvS81Yw",
    "recovery": "zXUbdrA53MNp8-4EB_iEBfxn5LvsUVt_LpDVZ-9M4w3PlKjVdkgJSUj9FcJS5LNDoP22VPvONqguKZ-8VLPRAA",
}
STANDARD_BOX = "tl44EuFzNheoMtnRKkCxMbq6TQ1rLrYVWulzoDTCVi3Cx4fuEU9d4JJXlv82E1bUWfImthNzvYOU4-j8FkSA_Q"
ODD: list[object] = [None, 1, "", "!", "é", [], {}, "AAAA", {"salt": 5}, {"salt": "AA", "more": 1}]
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
def test_a_slot_opens_after_a_trip_through_json(kind: str) -> None:
    assert open_slot(json.loads(json.dumps(SLOTS[kind])), SECRETS[kind]) == KEY


@each_kind
def test_a_slot_has_the_bytes_of_the_specification(kind: str) -> None:
    cost = {"iterations": 1, "lanes": 1, "memory": 8} if kind == "passphrase" else {}
    assert SLOTS[kind] == {
        "kind": kind,
        "params": {"salt": "ZGVmZ2hpamtsbW5vcHFycw"} | cost,
        "fingerprint": "aWDO_QK8UX_9Ag5z_s4u8A",
        "nonce": "ZGVmZ2hpamtsbW5v",
        "box": BOXES[kind],
    }


def test_the_standard_cost_is_three_rounds_over_64_mebibytes() -> None:
    slot = make_passphrase_slot(KEY, PHRASE, counted)
    assert slot["params"] == {"salt": "ZGVmZ2hpamtsbW5vcHFycw", "iterations": 3, "lanes": 4, "memory": 65536}
    assert slot["box"] == STANDARD_BOX


@settings(max_examples=30)
@given(st.text(), st.text())
def test_a_passphrase_opens_what_it_closed_and_another_does_not(phrase: str, other: str) -> None:
    slot = make_passphrase_slot(KEY, phrase, counted, CHEAP)
    assert open_slot(slot, phrase) == KEY
    if normalize("NFC", phrase) != normalize("NFC", other):
        with pytest.raises(WrongKey):
            open_slot(slot, other)


def test_it_does_not_matter_how_accents_are_composed() -> None:
    assert open_slot(SLOTS["passphrase"], "cafe\u0301 au lait") == KEY


def test_bytes_unknown_to_the_locale_still_make_a_passphrase() -> None:
    phrase = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert open_slot(make_passphrase_slot(KEY, phrase, counted, CHEAP), phrase) == KEY


def test_a_wrong_secret_of_the_right_form_is_a_wrong_key() -> None:
    others = {
        "passphrase": "cafe au lait",
        "keyfile": new_key_text(bytes),
        "keyring": new_key_text(bytes),
        "recovery": recovery.write(RecoveryCode(bytes(20))),
    }
    for kind, secret in others.items():
        with pytest.raises(WrongKey) as caught:
            open_slot(SLOTS[kind], secret)
        assert (caught.value.exit, caught.value.code, caught.value.kind) == (4, "key.wrong", kind)


def test_one_text_in_the_keyring_and_in_a_file_makes_two_keys() -> None:
    with pytest.raises(WrongKey):
        open_slot(SLOTS["keyfile"] | {"kind": "keyring"}, TEXT)


def test_a_key_file_may_end_in_a_line_end_and_be_retyped() -> None:
    assert open_slot(SLOTS["keyfile"], TEXT + "\r\n") == KEY
    assert open_slot(SLOTS["keyfile"], KeyText(TEXT.lower().replace("key-1 ", "key-1  "))) == KEY


@pytest.mark.parametrize("text", ["", "chaise-key-1", "chaise-key-2" + TEXT[12:], TEXT[:-1], TEXT[:-1] + "2", "\x00"])
def test_what_is_no_key_file_says_so(text: str) -> None:
    with pytest.raises(BadKeyText) as caught:
        open_slot(SLOTS["keyfile"], text)
    assert "CHJP" not in caught.value.sentence()


def test_spare_bits_of_a_key_file_are_zero() -> None:
    """32 bytes fill 51 characters and a bit; the four bits behind it would be a second spelling."""
    chars = TEXT.split(" ")[1].replace("-", "")
    assert chars[51] == "G"
    with pytest.raises(BadKeyText):
        open_slot(SLOTS["keyfile"], f"chaise-key-1 {chars[:51]}H{chars[52:]}")


def test_a_mistyped_recovery_code_is_not_taken_for_a_wrong_one() -> None:
    with pytest.raises(BadRecoveryCode):
        open_slot(SLOTS["recovery"], SECRETS["recovery"][:-1] + "1")


@each_kind
@pytest.mark.parametrize("field", ["fingerprint", "nonce", "box", "salt"])
def test_no_byte_of_a_slot_can_change(kind: str, field: str) -> None:
    slot: Any = json.loads(json.dumps(SLOTS[kind]))
    holder = slot["params"] if field == "salt" else slot
    original = ids.raw(holder[field])
    for place in range(len(original)):
        changed = bytearray(original)
        changed[place] ^= 1 << place % 8
        holder[field] = ids.text(bytes(changed))
        with pytest.raises(WrongKey):
            open_slot(slot, SECRETS[kind])


@pytest.mark.parametrize("name, value", [("iterations", 2), ("lanes", 2), ("memory", 32)])
def test_the_cost_of_a_slot_cannot_be_changed(name: str, value: int) -> None:
    params: Any = {"salt": "ZGVmZ2hpamtsbW5vcHFycw"} | CHEAP._asdict() | {"memory": 16, name: value}
    with pytest.raises(WrongKey):
        open_slot(SLOTS["passphrase"] | {"params": params}, PHRASE)


@pytest.mark.parametrize(
    "name, value",
    [
        ("iterations", 0),
        ("iterations", 17),
        ("iterations", True),
        ("iterations", 1.0),
        ("iterations", "1"),
        ("lanes", 0),
        ("lanes", 17),
        ("memory", 7),
        ("memory", 1 << 21),
        ("memory", None),
    ],
)
def test_a_cost_out_of_bounds_is_refused_before_it_is_paid(name: str, value: object) -> None:
    params: Any = {"salt": "ZGVmZ2hpamtsbW5vcHFycw"} | CHEAP._asdict() | {name: value}
    with pytest.raises(SlotsDamaged):
        open_slot(SLOTS["passphrase"] | {"params": params}, PHRASE)


def test_no_slot_is_made_that_could_not_be_read() -> None:
    with pytest.raises(AssertionError):
        make_passphrase_slot(KEY, PHRASE, counted, Cost(iterations=1, lanes=1, memory=1 << 21))


@each_kind
@pytest.mark.parametrize("field", ["kind", "params", "fingerprint", "nonce", "box"])
def test_a_malformed_slot_is_damage_and_not_a_crash(kind: str, field: str) -> None:
    for value in ODD:
        with pytest.raises(SlotsDamaged) as caught:
            open_slot(SLOTS[kind] | {field: value}, SECRETS[kind])
        assert (caught.value.exit, caught.value.code) == (11, "key.slots_damaged"), value


@each_kind
def test_a_slot_with_a_field_too_few_or_too_many_is_damage(kind: str) -> None:
    for field in SLOTS[kind]:
        with pytest.raises(SlotsDamaged):
            open_slot({name: value for name, value in SLOTS[kind].items() if name != field}, SECRETS[kind])
    with pytest.raises(SlotsDamaged):
        open_slot(SLOTS[kind] | {"more": 1}, SECRETS[kind])


def test_a_slot_that_holds_another_key_than_it_names_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(keyslots, "fingerprint", lambda _: bytes(16))
        slot = make_keyfile_slot(KEY, TEXT, counted)
    with pytest.raises(SlotsDamaged):
        open_slot(slot, TEXT)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(("kind", "params", "fingerprint", "nonce", "box")), json_values))
def test_any_json_is_a_typed_error(slot: dict[str, object]) -> None:
    with pytest.raises(ChaiseError):
        open_slot(slot, PHRASE)


def test_a_store_key_of_another_length_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        make_keyfile_slot(StoreKey(bytes(32)), TEXT, counted)
