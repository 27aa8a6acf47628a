"""Who is at the other end, and which boards both hold: proofs over what both sides said first.

The leading side proves itself only to a peer that has proved itself, and of its boards shows nothing but
MACs under their access keys; the peer answers with its own MACs of those it holds too. So both learn the
boards they share and neither learns the other's list. Relays that both use are found the same way, by their public
keys. docs/spec/sync.md.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from chaise_cli import ids
from chaise_cli.errors import Corrupt
from chaise_cli.ledger import canonical, certificate, proof

from . import wire
from .replica import Replica, Signer, SpaceInfo

NONCE: Final = 32
LEADS: Final = b"lead"
FOLLOWS: Final = b"follow"
_SIGNATURE: Final = 64
_MAC: Final = 32
_TAG: Final = b"chaise/1 sync\0"
_HELLO: Final = {"version": int, "nonce": str, "device": str, "certificates": list}

Random = Callable[[int], bytes]


class PeerUnproven(Corrupt):
    """The peer did not prove that it is who it says."""

    code = "peer.unproven"
    message = "the other side did not prove who it is: {why}"
    hint = "nothing was sent; check that this is the right host and home"
    why: str


class PeerRefused(Corrupt):
    """The peer's device was revoked."""

    code = "peer.refused"
    message = "the other side's device dev-{device} was revoked; it is served nothing"
    hint = "if it is yours: chaise device renew there; else expect nothing more from it"
    device: str


class Peer(NamedTuple):
    """The proven other side."""

    identity: bytes
    device: bytes
    boards: frozenset[bytes]  # boards whose access key both sides hold
    transcript: bytes = b""  # what both said first, hashed: no two conversations have the same
    relays: frozenset[bytes] = frozenset()  # keys of relays that both sides use

    def may_see(self, info: SpaceInfo) -> bool:
        """Whether the peer is served this space: by a shared access key, or because a wrap names it."""
        return info.id in self.boards or self.identity in info.names


class _Said(NamedTuple):
    identity: bytes
    device: bytes
    above: Sequence[bytes]  # the devices that certified it, up to the one that the root did


def lead(channel: wire.Channel, replica: Replica, signer: Signer, random: Random = os.urandom) -> Peer:
    """Begin with a peer and prove both sides.

    Raises PeerUnproven, PeerRefused, PeerProtocol, BadCertificate, PeerNewer.
    """
    mine = _hello(signer, random)
    channel.send(wire.HELLO, mine)
    channel.end()
    theirs = channel.expect(wire.HELLO)
    peer = _read_hello(theirs)
    transcript = _transcript(mine, theirs)
    _check(peer, FOLLOWS, transcript, channel.expect(wire.PROOF))
    channel.over()
    _admit(replica, peer)
    keys = _shown_keys(replica)
    channel.send(wire.PROOF, signer.prove(_message(LEADS, transcript)) + _macs(keys.values(), LEADS, transcript))
    channel.end()
    shared = _shared(keys, FOLLOWS, transcript, channel.expect(wire.PROOF))
    channel.over()
    return _met(replica, peer, shared, transcript)


def follow(channel: wire.Channel, replica: Replica, signer: Signer, random: Random = os.urandom) -> Peer:
    """Answer a peer that begins. Raises as `lead` does."""
    theirs = channel.expect(wire.HELLO)
    channel.over()
    peer = _read_hello(theirs)
    mine = _hello(signer, random)
    transcript = _transcript(theirs, mine)
    channel.send(wire.HELLO, mine)
    channel.send(wire.PROOF, signer.prove(_message(FOLLOWS, transcript)))
    channel.end()
    answer = channel.expect(wire.PROOF)
    channel.over()
    _check(peer, LEADS, transcript, answer[:_SIGNATURE])
    _admit(replica, peer)
    keys = _shown_keys(replica)
    shared = _shared(keys, LEADS, transcript, answer[_SIGNATURE:])
    channel.send(wire.PROOF, _macs([keys[name] for name in sorted(shared)], FOLLOWS, transcript))
    channel.end()
    return _met(replica, peer, shared, transcript)


def _hello(signer: Signer, random: Random) -> bytes:
    nonce = random(NONCE)
    return canonical.encode(
        {
            "version": wire.VERSION,
            "nonce": ids.text(nonce),
            "device": ids.text(signer.device),
            "certificates": canonical.decode(signer.certificates),
        }
    )


def _read_hello(payload: bytes) -> _Said:
    value = wire.read_json(payload, _HELLO)
    if value["version"] != wire.VERSION:
        raise wire.PeerProtocol(why="an impossible version")
    _raw(value["nonce"])
    device = _raw(value["device"])
    chain = certificate.check(value["certificates"])
    own = chain[0]
    if ids.raw(own.device) != device:
        raise PeerUnproven(why="its certificate is of another device")
    if not own.is_device:  # it stands for one deal, not for the identity whose spaces would be served
        raise PeerUnproven(why="the key of a grant does not open a sync")
    return _Said(ids.raw(own.identity), device, [ids.raw(one.device) for one in chain[1:]])


def _raw(value: object) -> bytes:
    try:
        raw = ids.raw(str(value))
    except ValueError as error:
        raise wire.PeerProtocol(why="a hello with malformed keys") from error
    if len(raw) != NONCE:
        raise wire.PeerProtocol(why="a hello with malformed keys")
    return raw


def _transcript(leads: bytes, follows: bytes) -> bytes:
    """Both hellos, so that a proof fits these two nonces, devices and certificates alone."""
    return sha256(leads).digest() + sha256(follows).digest()


def _message(role: bytes, transcript: bytes) -> bytes:
    return _TAG + role + b"\0" + transcript


def _check(peer: _Said, role: bytes, transcript: bytes, signature: bytes) -> None:
    if not proof.verify(peer.device, _message(role, transcript), signature):
        raise PeerUnproven(why="its signature does not hold")


def _admit(replica: Replica, peer: _Said) -> None:
    """Only after its proof: nobody is told who was revoked for having claimed a name."""
    if replica.refuses(peer.device, peer.above):
        raise PeerRefused(device=ids.base32(peer.device))


def _shown_keys(replica: Replica) -> dict[bytes, bytes]:
    """What MACs are made with: of boards, by id, their access keys; of relays, by key, the key itself."""
    keys = {info.id: replica.access_key(info.id) for info in replica.spaces() if info.kind == "board"}
    return {space: key for space, key in keys.items() if key is not None} | {key: key for key in replica.relays()}


def _met(replica: Replica, peer: _Said, shared: frozenset[bytes], transcript: bytes) -> Peer:
    relays = shared.intersection(replica.relays())
    return Peer(peer.identity, peer.device, shared - relays, transcript, relays)


def _mac(key: bytes, role: bytes, transcript: bytes) -> bytes:
    return hmac.digest(key, _message(role, transcript), "sha256")


def _macs(keys: Collection[bytes], role: bytes, transcript: bytes) -> bytes:
    """One MAC a key, sorted, so that their order tells nothing."""
    return b"".join(sorted(_mac(key, role, transcript) for key in keys))


def _shared(keys: dict[bytes, bytes], role: bytes, transcript: bytes, macs: bytes) -> frozenset[bytes]:
    if len(macs) % _MAC:
        raise wire.PeerProtocol(why="a malformed proof")
    given = {macs[at : at + _MAC] for at in range(0, len(macs), _MAC)}
    return frozenset(name for name, key in keys.items() if _mac(key, role, transcript) in given)
