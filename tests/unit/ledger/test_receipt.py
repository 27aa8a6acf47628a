from __future__ import annotations

from hashlib import sha256
from typing import Final

import pytest

from chaise_cli.ledger import receipt, relay_invite
from tests.fakes.pen import signer

RELAY: Final = signer("relay")
ISSUED: Final = receipt.issue(RELAY, b"s" * 32, 7, b"e" * 32, 1_795_000_000_000, b"h" * 32)


def test_a_receipt_travels_and_holds() -> None:
    assert len(ISSUED.pack()) == receipt.SIZE
    assert receipt.unpack(ISSUED.pack()) == ISSUED
    assert receipt.holds(ISSUED)
    assert ISSUED.relay == RELAY.public


def test_no_byte_of_it_can_be_changed() -> None:
    packed = ISSUED.pack()
    for at in range(len(packed)):
        for bit in range(8):
            changed = packed[:at] + bytes([packed[at] ^ 1 << bit]) + packed[at + 1 :]
            try:
                read = receipt.unpack(changed)
            except receipt.BadReceipt:
                continue
            assert not receipt.holds(read)


@pytest.mark.parametrize("size", [0, 207, 209])
def test_a_receipt_has_one_size(size: int) -> None:
    with pytest.raises(receipt.BadReceipt):
        receipt.unpack((ISSUED.pack() + b"\0")[:size])


@pytest.mark.parametrize("change", [{"number": 0}, {"number": 2**63}, {"at": 2**47}])
def test_numbers_have_their_range(change: dict[str, int]) -> None:
    with pytest.raises(receipt.BadReceipt):
        receipt.unpack(ISSUED._replace(**change).pack())  # type: ignore[arg-type]


def test_heads_chain_ids() -> None:
    ids = [sha256(bytes([number])).digest() for number in range(5)]
    head = receipt.START
    for one in ids:
        head = sha256(head + one).digest()
    assert receipt.advance(receipt.START, ids) == head
    assert receipt.advance(receipt.advance(receipt.START, ids[:2]), ids[2:]) == head


def test_a_relays_key_follows_from_its_seed() -> None:
    assert receipt.signer(bytes(32)).public == receipt.signer(bytes(32)).public


def test_an_invite_is_nine_groups() -> None:
    written = relay_invite.write(bytes(range(20)))
    assert len(written.split("-")) == 9
    assert relay_invite.read(written.lower()) == bytes(range(20))
    assert relay_invite.digest(bytes(20)) == sha256(bytes(20)).digest()
    for wrong in ("", written[:-1], f"{written}0", written.replace(written[0], "Z", 1)):
        with pytest.raises(relay_invite.BadRelayInvite):
            relay_invite.read(wrong)
