"""A replica in memory, people with keys, and spaces to sync: what the suites of sync run on.

A genesis and wraps are as in the real thing, with boxes that nobody opens. Other bodies are short clear texts:
`cite:` and a place in a chain cites, `file:` and an address names an attachment. Everything else is as in the real
thing: signatures and chains are checked by `ledger.segment`, and what cites an unknown event waits, up to a limit
per chain.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from chaise_cli import ids
from chaise_cli.crypto import signing
from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import canonical, certificate, clear, header, receipt, segment
from chaise_cli.ledger.segment import Sealed, Segment
from sync.replica import Admission, Head, Problem, SpaceInfo, position

EPOCH: Final = b"epoch..1"
CITE: Final = b"cite:"
FILE: Final = b"file:"


class Device:
    """A device of a person: signs events, and proves itself to peers."""

    def __init__(self, name: str, root: bytes | None = None, kind: certificate.Kind = "admin") -> None:
        of_root = signing.Ed25519Signer(root or sha256(b"root" + name.encode()).digest())
        self.signer = signing.Ed25519Signer(sha256(b"device" + name.encode()).digest())
        self.device = self.signer.public
        self.root = of_root
        identity = certificate.identity_of(of_root.public)
        self.identity = ids.raw(identity)
        issued = certificate.issue(of_root, kind, identity, ids.DeviceId(ids.text(self.device)), name, 0)
        self.certificates = canonical.encode([issued.value()])

    def granted(self, name: str) -> Device:
        """The key of a grant that this device made."""
        grant = Device(name)
        grant.identity = self.identity
        of, key = ids.IdentityId(ids.text(self.identity)), ids.DeviceId(ids.text(grant.device))
        issued = certificate.issue(self.signer, "grant", of, key, name, 0, ids.text(bytes(32)), 1)
        grant.certificates = canonical.encode([issued.value(), *self.chain()])
        return grant

    def chain(self) -> list[object]:
        """Its certificates, its own first."""
        found = canonical.decode(self.certificates)
        assert isinstance(found, list)
        return found

    def prove(self, message: bytes) -> bytes:
        """As `sync.replica.Signer`."""
        return self.signer.sign(signing.TAGS.proof, message)

    def sign_request(self, base: bytes) -> bytes:
        """As `sync.replica.Signer`."""
        return self.signer.sign_request(base)


class Chain:
    """One history of one device in one space."""

    def __init__(self) -> None:
        self.events: list[Sealed] = []
        self.ids: list[bytes] = []
        self.signed: list[int] = []
        self.signatures: dict[int, bytes] = {}
        self.cites: list[tuple[int, bytes, int]] = []

    def add(self, sealed: Sealed, event: bytes) -> None:
        """Append one event."""
        if sealed.body.startswith(CITE):
            self.cites.append((len(self.ids), sealed.body[5:37], int.from_bytes(sealed.body[37:45], "big")))
        self.events.append(sealed)
        self.ids.append(event)

    def head(self, device: bytes) -> Head:
        """Its last event."""
        return Head(device, len(self.ids) - 1, self.ids[-1])

    def holds(self, head: Head) -> bool:
        """Whether an event is on it."""
        return head.seq < len(self.ids) and self.ids[head.seq] == head.id

    def fork(self, length: int) -> Chain:
        """Another history with the same beginning."""
        other = Chain()
        other.events, other.ids = self.events[:length], self.ids[:length]
        other.cites = [cite for cite in self.cites if cite[0] < length]
        other.signed = [seq for seq in self.signed if seq < length]
        other.signatures = {seq: self.signatures[seq] for seq in other.signed}
        return other

    def sign(self, seq: int, signature: bytes) -> None:
        """Keep the signature of an event."""
        if seq not in self.signatures:
            self.signed.insert(bisect_left(self.signed, seq), seq)
            self.signatures[seq] = signature


class Space:
    """One space: its chains (the first history of each that came, and the others), and whom its wraps name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.chains: dict[bytes, Chain] = {}
        self.others: dict[bytes, list[Chain]] = {}
        self.names: set[bytes] = set()

    def histories(self, device: bytes) -> list[Chain]:
        """All histories of a device."""
        return [*([self.chains[device]] if device in self.chains else []), *self.others.get(device, ())]

    def waiting(self, chain: Chain) -> int:
        """Events at the end of a chain that wait for something cited."""
        for at, device, seq in chain.cites:
            if not any(len(cited.ids) > seq for cited in self.histories(device)):
                return len(chain.ids) - at
        return 0


class MemoryReplica:
    """A store as replication sees it, in memory."""

    def __init__(self, device: Device, *, waiting_limit: int = 1_000) -> None:
        self.device = device
        self.held: dict[bytes, Space] = {}
        self.keys: dict[bytes, bytes] = {}
        self.objects: dict[bytes, bytes] = {}
        self.waiting_limit = waiting_limit
        self.admissions = 0
        self.revoked: set[bytes] = set()
        self.used_relays: list[bytes] = []
        self.kept_receipts: dict[bytes, list[bytes]] = {}  # the newest of each relay
        self.seen_receipts: list[bytes] = []

    # Writing

    def open(self, kind: str, names: Iterable[bytes] = (), nonce: bytes = b"") -> bytes:
        """A new space whose wraps name these identities; its id. A board gets an access key instead."""
        number = sha256(nonce + len(self.held).to_bytes(2, "big")).digest()[:16]
        body = clear.write_genesis(clear.Genesis(ids.text(number), kind, ids.IdentityId(ids.text(self.identity()))))
        packed = header.make(header.CLEAR, header.ZERO, self.device.device, 0, header.ZERO, header.NO_EPOCH, body)
        space = header.event_id(packed)
        self.held[space] = Space(kind)
        self._append(space, Sealed(header.CLEAR, header.NO_EPOCH, body), packed)
        for name in names:
            self.write(space, wrap(name), suite=header.CLEAR)
        if kind == "board":
            self.keys[space] = sha256(b"access" + space).digest()
        return space

    def join(self, space: bytes, key: bytes) -> None:
        """Hold a board by its invite, still without events."""
        self.held.setdefault(space, Space("board"))
        self.keys[space] = key

    def write(self, space: bytes, body: bytes, *, suite: int = header.SEALED, signed: bool = True) -> int:
        """Append an event to this device's chain; its seq."""
        chain = self._own(space)
        seq = len(chain.ids)
        prev = chain.ids[-1] if chain.ids else header.ZERO
        epoch = EPOCH if suite == header.SEALED else header.NO_EPOCH
        packed = header.make(suite, space, self.device.device, seq, prev, epoch, body)
        self._append(space, Sealed(suite, epoch, body), packed, signed=signed)
        return seq

    def attach(self, space: bytes, content: bytes) -> bytes:
        """An attachment that an event of the space names; its address."""
        address = sha256(content).digest()
        self.objects[address] = content
        self.write(space, FILE + address)
        return address

    def _append(self, space: bytes, sealed: Sealed, packed: bytes, *, signed: bool = True) -> None:
        chain = self._own(space)
        chain.add(sealed, header.event_id(packed))
        if signed:
            chain.sign(len(chain.ids) - 1, self.device.signer.sign(signing.TAGS.event, packed))
        if sealed.suite == header.CLEAR:
            _note_names(self.held[space], [sealed])

    def _own(self, space: bytes) -> Chain:
        chains = self.held[space].chains
        if self.device.device not in chains:
            chains[self.device.device] = Chain()
        return chains[self.device.device]

    # Reading, as `sync.replica.Replica`

    def identity(self) -> bytes:
        return self.device.identity

    def spaces(self) -> Sequence[SpaceInfo]:
        return [SpaceInfo(space, held.kind, frozenset(held.names)) for space, held in self.held.items()]

    def heads(self, space: bytes) -> Sequence[Head]:
        if space not in self.held:
            return []
        held = self.held[space]
        return [chain.head(device) for device in held.chains for chain in held.histories(device)]

    def positions(self) -> Mapping[bytes, bytes]:
        return {space: position(self.heads(space)) for space in self.held}

    def refuses(self, device: bytes, above: Sequence[bytes] = ()) -> bool:  # noqa: ARG002  as the Protocol has it
        return device in self.revoked

    def tip(self, space: bytes, device: bytes) -> Head:
        """The head of a device's first history."""
        return self.held[space].chains[device].head(device)

    def common(self, space: bytes, one: Head, other: Head) -> int | None:
        found = [self._history(space, head) for head in (one, other)]
        if space not in self.held or not all(found):
            return None
        ours, theirs = (chain.ids[: head.seq + 1] for chain, head in zip(found, (one, other), strict=True) if chain)
        return next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]),
                    min(len(ours), len(theirs))) - 1  # fmt: skip

    def _history(self, space: bytes, head: Head) -> Chain | None:
        histories = self.held[space].histories(head.device) if space in self.held else []
        return next((chain for chain in histories if chain.holds(head)), None)

    def read(self, space: bytes, head: Head, from_seq: int, limit: int) -> Segment | None:
        chain = self._history(space, head)
        if chain is None or from_seq > head.seq:
            return None
        device = head.device
        at = bisect_right(chain.signed, from_seq + limit - 1) - 1
        if at < 0 or chain.signed[at] < from_seq:
            at += 1
        if at >= len(chain.signed) or chain.signed[at] - from_seq >= segment.LONGEST:
            return None
        last = chain.signed[at]
        prev = chain.ids[from_seq - 1] if from_seq else header.ZERO
        return Segment(space, device, from_seq, prev, chain.events[from_seq : last + 1], chain.signatures[last])

    def relays(self) -> Sequence[bytes]:
        return self.used_relays

    def signed(self, relays: Collection[bytes]) -> Mapping[bytes, bytes]:
        given = {space: [receipt.unpack(one) for one in kept] for space, kept in self.kept_receipts.items()}
        return {
            space: b"".join(one.relay + one.number.to_bytes(8, "big") + one.head for one in kept if one.relay in relays)
            for space, kept in given.items()
        }

    def receipts(self, space: bytes) -> Sequence[bytes]:
        return self.kept_receipts.get(space, ())

    def witness(self, receipts: Sequence[bytes]) -> Sequence[ChaiseError]:
        self.seen_receipts += receipts
        return []

    def access_key(self, space: bytes) -> bytes | None:
        return self.keys.get(space)

    def admit(self, space: bytes, segments: Sequence[Segment]) -> Admission:
        self.admissions += 1
        if space not in self.held and not any(self._named(one) for one in segments):
            return Admission(0, sum(len(one.events) for one in segments), [Problem("space.foreign", "not ours")])
        held = self.held.setdefault(space, Space("deal"))
        accepted, rejected, problems = 0, 0, []
        for one in segments:
            try:
                accepted += self._admit_one(held, one)
            except (ChaiseError, ValueError) as error:
                rejected += len(one.events)
                problems.append(Problem("events.refused", str(error)))
        if not held.chains and space not in self.keys:
            del self.held[space]
        return Admission(accepted, rejected, problems)

    def _named(self, one: Segment) -> bool:
        return any(s == header.CLEAR and self.identity() in _named(body) for s, _, body in one.events)

    def _admit_one(self, held: Space, one: Segment) -> int:
        ids_ = [link.id for link in segment.verify(one)]
        histories = held.histories(one.device)
        parting = [(_shared(chain, one, ids_), at, chain) for at, chain in enumerate(histories)]
        length, _, chain = max(parting, default=(0 if one.first_seq == 0 else -1, 0, Chain()), key=_longest)
        if length < 0:
            raise ValueError("its beginning is not held")
        if length > one.last_seq:
            return 0
        fresh = length < len(chain.ids)
        chain = chain.fork(length) if fresh else chain
        start = length - one.first_seq
        new = one.events[start:]
        cites = len(chain.cites)
        for sealed, id_ in zip(new, ids_[start:], strict=True):
            chain.add(sealed, id_)
        if self.waiting_limit < held.waiting(chain):
            length = len(chain.ids) - len(new)
            del chain.events[length:], chain.ids[length:], chain.cites[cites:]
            raise ValueError("too many events wait")
        chain.sign(one.last_seq, one.signature)
        if fresh:
            held.others.setdefault(one.device, []).append(chain)
        elif not histories:
            held.chains[one.device] = chain
        _note_names(held, new)
        return len(new)

    # Attachments

    def objects_wanted(self) -> Sequence[bytes]:
        named = {address for space in self.held for address in self._files(space)}
        return sorted(named - set(self.objects))

    def objects_of(self, space: bytes) -> Sequence[bytes]:
        return [address for address in self._files(space) if address in self.objects]

    def read_object(self, address: bytes) -> Iterable[bytes] | None:
        content = self.objects.get(address)
        return None if content is None else [content[at : at + 1000] for at in range(0, len(content), 1000)]

    def keep_object(self, address: bytes, pieces: Iterable[bytes]) -> bool:
        content = b"".join(pieces)
        if sha256(content).digest() != address:
            return False
        self.objects[address] = content
        return True

    def _files(self, space: bytes) -> list[bytes]:
        held = self.held[space]
        chains = [chain for device in held.chains for chain in held.histories(device)]
        found = [body[5:] for chain in chains for _, _, body in chain.events if body.startswith(FILE)]
        return list(dict.fromkeys(found))

    # For assertions

    def contents(self) -> dict[bytes, dict[bytes, list[bytes]]]:
        """The ids of all events, by space and device; several histories of a device one after the other."""
        return {
            space: {device: [id_ for ids_ in sorted(c.ids for c in held.histories(device)) for id_ in ids_]
                    for device in held.chains}
            for space, held in self.held.items() if held.chains
        }  # fmt: skip


def _shared(chain: Chain, one: Segment, ids_: Sequence[bytes]) -> int:
    """How much of a history a segment shares, events before it included; -1 when it does not even begin there."""
    if one.first_seq and chain.ids[one.first_seq - 1 : one.first_seq] != [one.prev]:
        return -1
    at = one.first_seq
    while at <= one.last_seq and chain.ids[at : at + 1] == [ids_[at - one.first_seq]]:
        at += 1
    return at


def _longest(row: tuple[int, int, Chain]) -> tuple[int, bool]:
    """Prefers the history that a segment continues to those that it parts from at the same place."""
    return row[0], len(row[2].ids) == row[0]


def _note_names(held: Space, events: Iterable[Sealed]) -> None:
    for suite, _, body in events:
        if suite == header.CLEAR:
            held.names |= _named(body)
            held.kind = _kind(body) or held.kind


def wrap(identity: bytes) -> bytes:
    """The body of a wrap that names an identity."""
    box = clear.Box((ids.text(identity), ids.text(bytes(32))), ids.text(bytes(48)))
    return clear.write_wrap(clear.Wrap(ids.text(bytes(32)), [], [box]))


def _named(body: bytes) -> set[bytes]:
    try:
        return {ids.raw(box.to[0]) for box in clear.read_wrap(body).boxes}
    except ChaiseError:
        return set()


def _kind(body: bytes) -> str | None:
    try:
        return clear.read_genesis(body).space
    except ChaiseError:
        return None


class Forgetful:
    """A folder's memory: a set."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def get(self, name: str) -> bool:
        return name in self.names

    def add(self, name: str) -> None:
        self.names.add(name)


def cite(device: bytes, seq: int) -> bytes:
    """A body that cites an event."""
    return CITE + device + seq.to_bytes(8, "big")


def scribble(replica: MemoryReplica, space: bytes, count: int, chance: random.Random) -> None:
    """Events with bodies of any bytes."""
    for _ in range(count):
        replica.write(space, b"text:" + chance.randbytes(chance.randrange(40)))
