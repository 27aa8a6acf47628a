"""A device whose software may do anything that its key allows: events of any shape, rightly or wrongly signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chaise_cli.crypto import boxes, derivation, sealing, signing
from chaise_cli.domain import shape
from chaise_cli.ids import DeviceId, IdentityId, SpaceId, raw, text
from chaise_cli.ledger import canonical, certificate, clear, header
from chaise_cli.ledger.segment import Sealed, Segment
from chaise_cli.session import epochs, plaintext, wraps
from sync.replica import Head
from tests.fakes.homes import NOON_MS

ROOT_SEED: Final = b"root"


def signer(name: str) -> signing.Ed25519Signer:
    """A signing key that follows from its name."""
    return signing.Ed25519Signer(derivation.tagged_hash("test", name.encode()))


def box_key(name: str) -> boxes.BoxKey:
    """A box key that follows from its name."""
    return boxes.BoxKey(derivation.tagged_hash("test-box", name.encode()))


def certify(root: signing.Signer, device: bytes, kind: certificate.Kind = "admin") -> list[object]:
    """The certificates of a device, signed by a root."""
    identity = certificate.identity_of(root.public)
    return [certificate.issue(root, kind, identity, DeviceId(text(device)), "pen", NOON_MS).value()]


class Pen:
    """One chain in one space. `secret` is the epoch's; without it only clear events can be written."""

    def __init__(
        self, name: str, *, root: str | None = None, space: SpaceId | None = None, secret: bytes = b""
    ) -> None:
        self.signer = signer(name)
        self.root = signer(root or f"{name}'s root")
        self.identity: IdentityId = certificate.identity_of(self.root.public)
        self.space = raw(space) if space else header.ZERO
        self.secret = secret
        self.events: list[Sealed] = []
        self.ids: list[bytes] = [header.ZERO]
        self.headers: list[bytes] = []

    @property
    def device(self) -> bytes:
        return self.signer.public

    @property
    def id(self) -> SpaceId:
        """The id of its space."""
        return SpaceId(text(self.space))

    @property
    def seq(self) -> int:
        """Of the next event."""
        return len(self.events)

    def genesis(self, kind: str = "deal", creator: str | None = None, body: bytes | None = None) -> Pen:
        made = body or clear.write_genesis(clear.Genesis(text(bytes(16)), kind, IdentityId(creator or self.identity)))
        packed = header.make(header.CLEAR, header.ZERO, self.device, 0, header.ZERO, header.NO_EPOCH, made)
        self.space = header.event_id(packed)
        return self._add(Sealed(header.CLEAR, header.NO_EPOCH, made), packed)

    def wrap(self, members: Sequence[tuple[str, bytes]], secret: bytes | None = None) -> Pen:
        """Hand `secret` (else the epoch's) to members: identity and public box key."""
        return self.clear(clear.write_wrap(wraps.wrap_for(self.space, secret or self.secret, members)))

    def clear(self, body: bytes) -> Pen:
        packed = header.make(header.CLEAR, self.space, self.device, self.seq, self.ids[-1], header.NO_EPOCH, body)
        return self._add(Sealed(header.CLEAR, header.NO_EPOCH, body), packed)

    def say(self, body: Any, *, seen: Sequence[plaintext.Seen] = (), at: int = NOON_MS, cert: Any = "own") -> Pen:
        """A body as honest software would seal it."""
        return self.tell(body.KIND, shape.to_data(body), seen=seen, at=at, cert=cert)

    def tell(
        self,
        kind: str,
        data: Any,
        *,
        seen: Sequence[plaintext.Seen] = (),
        at: int = NOON_MS,
        cert: Any = "own",
        **more: Any,
    ) -> Pen:
        """Content of any kind. cert: certificates; "own" are its own, in its first sealed event."""
        value: dict[str, Any] = {"kind": kind, "v": 1, "at": at, "seen": [list(one) for one in seen], "data": data}
        first = not any(event.suite for event in self.events)
        if cert != "own":
            value |= {} if cert is None else {"cert": cert}
        elif first:
            value["cert"] = certify(self.root, self.device)
        return self.seal(plaintext.pad(canonical.encode(value | more)))

    def seal(self, padded: bytes, *, epoch: bytes | None = None) -> Pen:
        """Any plaintext, rightly sealed."""
        name = epoch or sealing.epoch_commit(self.space, self.secret)[: epochs.NAME]
        cipher = sealing.BodyCipher(derivation.derive(self.secret, "body"))
        return self.put(epochs.seal(cipher, self.space, self.device, self.seq, self.ids[-1], name, padded), name)

    def put(self, body: bytes, epoch: bytes) -> Pen:
        """Any bytes as a sealed body."""
        packed = header.make(header.SEALED, self.space, self.device, self.seq, self.ids[-1], epoch, body)
        return self._add(Sealed(header.SEALED, epoch, body), packed)

    def _add(self, event: Sealed, packed: bytes) -> Pen:
        self.events.append(event)
        self.headers.append(packed)
        self.ids.append(header.event_id(packed))
        return self

    def head(self, back: int = 1) -> plaintext.Seen:
        """Its newest event, or an older one, as others cite it."""
        return text(self.device), self.seq - back, text(self.ids[-back])

    def tip(self, back: int = 1) -> Head:
        """Its newest event, or an older one, as replication sees it."""
        return Head(self.device, self.seq - back, self.ids[-back])

    def run(self, first: int = 0, end: int | None = None) -> Segment:
        """Its events from `first` to before `end`, signed."""
        end = self.seq if end is None else end
        signature = self.signer.sign(signing.TAGS.event, self.headers[end - 1])
        return Segment(self.space, self.device, first, self.ids[first], self.events[first:end], signature)

    def fork(self, at: int) -> Pen:
        """A second history from event `at` on."""
        other = Pen.__new__(Pen)
        other.signer, other.root, other.identity = self.signer, self.root, self.identity
        other.space, other.secret = self.space, self.secret
        other.events, other.headers, other.ids = self.events[:at], self.headers[:at], self.ids[: at + 1]
        return other
