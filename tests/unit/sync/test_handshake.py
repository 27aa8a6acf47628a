from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest

from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import certificate
from sync import handshake, wire
from sync.handshake import Peer, PeerRefused, PeerUnproven
from sync.replica import SpaceInfo
from tests.fakes.links import Queues
from tests.fakes.replica import Device, MemoryReplica

LISA, JAMES, MALLORY = Device("lisa"), Device("james"), Device("mallory")


def shake(one: MemoryReplica, other: MemoryReplica) -> tuple[Peer, Peer, bytes, bytes]:
    """What each learns of the other, and what each said."""
    queues = Queues()
    seen: list[Peer] = []

    def far() -> None:
        seen.append(handshake.follow(wire.Channel(queues.far), other, other.device))

    thread = Thread(target=far)
    thread.start()
    peer = handshake.lead(wire.Channel(queues.near), one, one.device)
    thread.join()
    return peer, seen[0], bytes(queues.near.said), bytes(queues.far.said)


def with_boards(device: Device, *names: str) -> MemoryReplica:
    """A replica with boards of these names; boards of one name are the same board."""
    replica = MemoryReplica(device)
    for name in names:
        replica.join(name.encode().ljust(32), name.encode() * 8)
    return replica


def test_both_learn_who_the_other_is_and_which_boards_they_share() -> None:
    lisa, james = with_boards(LISA, "shared", "lisa's", "both"), with_boards(JAMES, "both", "shared", "james'")
    of_james, of_lisa, _, _ = shake(lisa, james)
    shared = frozenset({b"shared".ljust(32), b"both".ljust(32)})
    assert of_james == Peer(JAMES.identity, JAMES.device, shared, of_james.transcript)
    assert of_lisa == Peer(LISA.identity, LISA.device, shared, of_james.transcript)
    assert shake(lisa, james)[0].transcript != of_james.transcript


def test_both_learn_which_relays_they_share() -> None:
    lisa, james = with_boards(LISA, "both"), with_boards(JAMES, "both")
    lisa.used_relays, james.used_relays = [b"shared".ljust(32), b"l" * 32], [b"j" * 32, b"shared".ljust(32)]
    of_james, of_lisa, _, _ = shake(lisa, james)
    assert of_james.relays == of_lisa.relays == {b"shared".ljust(32)}
    assert of_james.boards == of_lisa.boards == {b"both".ljust(32)}


def test_neither_learns_of_boards_the_other_holds_alone() -> None:
    lisa, james = with_boards(LISA, "lisa's"), with_boards(JAMES, "james'")
    *_, from_lisa, from_james = shake(lisa, james)
    for replica, said in ((lisa, from_lisa), (james, from_james)):
        for space, key in replica.keys.items():
            assert space not in said
            assert key not in said
    nothing_shared = shake(with_boards(LISA), with_boards(JAMES, "a", "b", "c"))
    assert len(nothing_shared[3]) == len(from_james)


def test_a_board_of_one_id_and_another_key_is_not_shared() -> None:
    lisa, james = with_boards(LISA, "board"), with_boards(JAMES, "board")
    james.keys[b"board".ljust(32)] = b"guessed"
    of_james, of_lisa, _, _ = shake(lisa, james)
    assert of_james.boards == of_lisa.boards == frozenset()


def test_macs_differ_from_one_conversation_to_the_next() -> None:
    lisa, james = with_boards(LISA, "board"), with_boards(JAMES, "board")
    first, second = shake(lisa, james), shake(lisa, james)
    assert first[2][-37:] != second[2][-37:]
    assert first[3][-37:] != second[3][-37:]


def test_a_peer_is_shown_the_boards_it_proved_and_the_spaces_that_name_it() -> None:
    peer = Peer(JAMES.identity, JAMES.device, frozenset({b"board"}))
    assert peer.may_see(SpaceInfo(b"board", "board", frozenset()))
    assert peer.may_see(SpaceInfo(b"deal", "deal", frozenset({LISA.identity, JAMES.identity})))
    assert not peer.may_see(SpaceInfo(b"other", "board", frozenset()))
    assert not peer.may_see(SpaceInfo(b"self", "self", frozenset({LISA.identity})))


@pytest.mark.parametrize("leads", [True, False])
def test_a_revoked_device_is_served_nothing_by_either_side(leads: bool) -> None:
    lisa, james = with_boards(LISA, "board"), with_boards(JAMES, "board")
    lisa.revoked.add(JAMES.device)
    sides = (lisa, james) if leads else (james, lisa)
    queues = Queues()
    ended: dict[bytes, Exception] = {}

    def end(begin: Callable[..., Peer], stream: wire.Stream, replica: MemoryReplica) -> None:
        try:
            begin(wire.Channel(stream), replica, replica.device)
        except ChaiseError as error:
            ended[replica.device.device] = error
        queues.near.close()
        queues.far.close()

    thread = Thread(target=end, args=(handshake.follow, queues.far, sides[1]))
    thread.start()
    end(handshake.lead, queues.near, sides[0])
    thread.join()
    refused = ended[LISA.device]
    assert isinstance(refused, PeerRefused)
    assert refused.exit == 11
    assert len((queues.near if leads else queues.far).said) <= len(handshake_hello(LISA)) + 5 + 64 + 5, "no MAC"
    assert isinstance(ended[JAMES.device], wire.PeerClosed)


def signs_wrongly(device: Device) -> None:
    device.prove = lambda message: JAMES.signer.sign(b"chaise/1 event\0", message)  # type: ignore[method-assign]


def claims_another(device: Device) -> None:
    device.device = JAMES.device


@pytest.mark.parametrize("spoil", [signs_wrongly, claims_another])
def test_a_follower_that_does_not_prove_itself_learns_no_mac(spoil: Callable[[Device], None]) -> None:
    false = Device("mallory")
    spoil(false)
    lisa = with_boards(LISA, "board")
    queues = Queues()

    def far() -> None:
        with pytest.raises((wire.PeerClosed, PeerUnproven)):
            handshake.follow(wire.Channel(queues.far), MemoryReplica(MALLORY), false)

    thread = Thread(target=far)
    thread.start()
    with pytest.raises(PeerUnproven):
        handshake.lead(wire.Channel(queues.near), lisa, LISA)
    queues.near.close()
    thread.join()
    assert bytes(queues.near.said).count(b"\x02\x00\x00") == 0


def test_a_forged_certificate_is_refused() -> None:
    false = Device("mallory")
    false.certificates = false.certificates.replace(b'"name":"mallory"', b'"name":"jamesss"')
    queues = Queues()
    queues.far.write(handshake_hello(false))
    with pytest.raises(certificate.BadCertificate):
        handshake.lead(wire.Channel(queues.near), with_boards(LISA, "board"), LISA)


def handshake_hello(device: Device) -> bytes:
    """The first words of a side."""
    queues = Queues()
    queues.near.peer.close()
    with pytest.raises(wire.PeerClosed):
        handshake.lead(wire.Channel(queues.near), MemoryReplica(device), device)
    return bytes(queues.near.said)
