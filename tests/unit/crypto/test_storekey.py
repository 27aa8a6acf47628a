"""The store key's fingerprint and the MAC of anchors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import storekey
from chaise_cli.crypto.storekey import StoreKey, anchor_holds, anchor_mac, fingerprint

KEY = StoreKey(bytes(range(48)))
keys = st.binary(min_size=48, max_size=48).map(StoreKey)


def test_a_store_key_is_key_and_salt() -> None:
    assert storekey.generate(bytes) == bytes(48)
    with pytest.raises(AssertionError):
        storekey.generate(lambda _: bytes(32))


@given(keys, keys, st.binary())
def test_an_anchor_holds_under_its_own_key_alone(key: StoreKey, other: StoreKey, payload: bytes) -> None:
    assert anchor_holds(key, payload, anchor_mac(key, payload))
    assert anchor_holds(other, payload, anchor_mac(key, payload)) == (key == other)


@pytest.mark.parametrize("place", range(16))
def test_no_byte_of_a_mac_can_change(place: int) -> None:
    mac = bytearray(anchor_mac(KEY, b"record"))
    mac[place] ^= 1
    assert not anchor_holds(KEY, b"record", bytes(mac))
    assert not anchor_holds(KEY, b"record", bytes(mac[:place]))


def test_another_record_does_not_hold() -> None:
    assert not anchor_holds(KEY, b"recore", anchor_mac(KEY, b"record"))


def test_the_bytes_are_those_of_the_specification() -> None:
    assert fingerprint(KEY).hex() == "6960cefd02bc517ffd020e73fece2ef0"
    assert anchor_mac(KEY, b"record").hex() == "efad51d654838f6a722ef0ca0ea70f9b"
