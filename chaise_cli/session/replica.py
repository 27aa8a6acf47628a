"""This home as replication sees it: sealed events in and out, attachments by their address."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.crypto import signing
from chaise_cli.domain import revocation
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Corrupt
from chaise_cli.ids import DeviceId, SpaceId, public, raw, text
from chaise_cli.ledger import canonical, header
from chaise_cli.ledger.segment import LONGEST, Link, Sealed, Segment
from chaise_cli.session import epochs, plaintext, relaying
from chaise_cli.session.admission import Admission
from chaise_cli.store import branches, events, file_reads, members, own, relays, revocations, waiting
from sync import replica

if TYPE_CHECKING:
    from chaise_cli.errors import ChaiseError
    from chaise_cli.session.session import Session
    from chaise_cli.store.branches import Part
    from chaise_cli.store.events import Space, Stored

Head = replica.Head
PIECE: Final = 1 << 20
_SEALED_AS_CAME: Final = ("body.unopenable", "body.malformed")


class DamagedEvent(Corrupt):
    """An event in the store no longer gives the bytes that were signed."""

    code = "store.damaged_event"
    message = "event {seq} of a chain in {space} is damaged in this store"
    hint = "chaise verify tells what is affected; another device's copy is intact"
    seq: int
    space: str


class _Carried(NamedTuple):
    """One event on its way out."""

    seq: int
    id: bytes
    sealed: Sealed
    signature: bytes | None


class HomeReplica:
    """The Replica of an open home, over the spaces of `only` (all, when None)."""

    def __init__(self, session: Session, only: frozenset[SpaceId] | None = None) -> None:
        self._session, self._db, self._only = session, session.db, only
        self._forks: Counter[tuple[SpaceId, bytes]] = Counter()

    def identity(self) -> bytes:
        """Whose home it is; a run asks for nothing by its person's name."""
        return raw(self._session.me.identity) if self._session.me.grant is None else bytes(32)

    def spaces(self) -> Sequence[replica.SpaceInfo]:
        """The spaces held that this exchange is about."""
        named = members.by_space(self._db)
        if (grant := self._session.me.grant) is not None:  # wanted before it is held, and nothing else is
            found = events.find_space(self._db, grant.space)
            names = named.get(found.no, ()) if found else ()
            return [replica.SpaceInfo(raw(grant.space), "deal", frozenset(names))]
        return [
            replica.SpaceInfo(raw(space.id), space.kind, frozenset(named.get(space.no, ())))
            for space in events.spaces(self._db)
            if self._only is None or space.id in self._only
        ]

    def heads(self, space: bytes) -> Sequence[Head]:
        """Heads of all chains, what waits included."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None:
            return []
        return _heads(waiting.heads(self._db, found.no))

    def positions(self) -> Mapping[bytes, bytes]:
        """What stands for each space as it is held."""
        held = waiting.heads_by_space(self._db)
        return {raw(space.id): replica.position(_heads(held.get(space.no, ()))) for space in events.spaces(self._db)}

    def common(self, space: bytes, one: Head, other: Head) -> int | None:
        """How far two histories are the same; see the Protocol."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None or one.device != other.device:
            return None
        ours, theirs = self._history(found, one), self._history(found, other)
        return branches.common(ours, theirs) if ours and theirs else None

    def parted(self, space: bytes, device: bytes) -> list[tuple[Head, int, Head | None]]:
        """Each head of a device, from which event on no head before it has its history, and which one has the rest."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None:
            return []
        told: dict[int, Head] = {}
        made: list[tuple[Head, int, Head | None]] = []
        for head in [head for head in self.heads(space) if head.device == device]:
            parts = self._history(found, head)
            shared = [part for part in parts if part.chain in told]
            left = told[shared[-1].chain] if shared else None
            made.append((head, shared[-1].last + 1 if shared else 0, left))
            told = {part.chain: head for part in parts} | told
        return made

    def _history(self, space: Space, head: Head) -> list[Part]:
        """The parts of the history that ends in a head; none when it is not held."""
        return branches.leading_to(self._db, space.no, head.device, head.seq, head.id)

    def read(self, space: bytes, head: Head, from_seq: int, limit: int) -> Segment | None:
        """Part of a history, ending on a signature; see the Protocol."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None or from_seq > head.seq:
            return None
        history = self._history(found, head)
        last = self._end(history, from_seq, min(limit, head.seq + 1 - from_seq)) if history else None
        if last is None:
            return None
        prev = self._id_before(found, history, from_seq)
        carried: list[_Carried] = []
        for part in branches.within(history, from_seq, last):
            carried += self._carried(found, part, head.device, carried[-1].id if carried else prev)
        assert carried[-1].signature, "a segment ends on a kept signature"
        return Segment(space, head.device, from_seq, prev, [one.sealed for one in carried], carried[-1].signature)

    def _end(self, history: Sequence[Part], first: int, limit: int) -> int | None:
        """The last kept signature within `limit` events, else the first one after, within the longest segment."""
        last, _ = branches.signed(self._db, branches.within(history, first, first + min(limit, LONGEST) - 1))
        if last is None:
            _, last = branches.signed(self._db, branches.within(history, first, first + LONGEST - 1))
        return last

    def _id_before(self, space: Space, history: Sequence[Part], seq: int) -> bytes:
        if seq == 0:
            return header.ZERO
        (part,) = branches.within(history, seq - 1, seq - 1)
        found = branches.id_at(self._db, part.chain, seq - 1)
        if found is None:
            raise damaged(space, seq - 1)
        return found

    def _carried(self, space: Space, part: Part, device: bytes, prev: bytes) -> list[_Carried]:
        made: list[_Carried] = []
        for stored in events.read_chain(self._db, part.chain, part.first, part.last):
            sealed = self._sealed(space, stored, prev)
            packed = header.make(
                sealed.suite, header.ZERO if _is_genesis(stored) else raw(space.id), device, stored.seq, prev,
                sealed.epoch, sealed.body,
            )  # fmt: skip
            if header.event_id(packed) != stored.id:
                raise damaged(space, stored.seq)
            prev = stored.id
            made.append(_Carried(stored.seq, stored.id, sealed, stored.signature))
        held_back = waiting.between(self._db, *part)
        return made + [
            _Carried(one.seq, one.id, Sealed(one.suite, one.epoch, one.body), one.signature) for one in held_back
        ]

    def _sealed(self, space: Space, stored: Stored, prev: bytes) -> Sealed:
        """The bytes that were signed: clear as stored, sealed anew from the opened body."""
        if stored.suite == header.CLEAR:
            return Sealed(header.CLEAR, header.NO_EPOCH, stored.body)
        assert stored.epoch is not None, "a sealed event names its epoch"
        name = self._session.epochs.name(stored.epoch)
        if stored.void in _SEALED_AS_CAME:
            return Sealed(header.SEALED, name, stored.body)
        cipher = self._session.epochs.cipher(stored.epoch)
        padded = plaintext.pad(stored.body)
        body = epochs.seal(cipher, raw(space.id), stored.device, stored.seq, prev, name, padded)
        return Sealed(header.SEALED, name, body)

    def admit(self, space: bytes, segments: Sequence[Segment]) -> replica.Admission:
        """Verify, open, fold and keep; see the Protocol."""
        with self._session.admitting():
            done = Admission(self._session, SpaceId(text(space)), self._forks).run(segments)
        return replica.Admission(done.accepted, done.rejected, [replica.Problem(*problem) for problem in done.problems])

    def misnamed(self, space: bytes, head: Head, run: Segment, links: Sequence[Link]) -> list[int]:
        """The events of a run that are stored under another id than they have; those that wait, the rest is known."""
        found = events.find_space(self._db, SpaceId(text(space)))
        assert found, "a space that was read"
        history = self._history(found, head)
        return [
            one.seq
            for part in branches.within(history, run.first_seq, run.last_seq)
            for one in waiting.between(self._db, *part)
            if links[one.seq - run.first_seq].id != one.id
        ]

    def relays(self) -> Sequence[bytes]:
        """Those whose keys are known from the places of this home."""
        return relays.keys(self._db)

    def signed(self, relays_: Collection[bytes]) -> Mapping[bytes, bytes]:
        """From the logs followed here, and what others showed."""
        return relaying.signed(self._session, relays_) if relays_ else {}

    def receipts(self, space: bytes) -> Sequence[bytes]:
        """What relays signed for a space."""
        return relays.receipts(self._db, [space])

    def witness(self, receipts: Sequence[bytes]) -> Sequence[ChaiseError]:
        """What somebody else was told by the relays of this home."""
        return relaying.witness(self._session, receipts)

    def access_key(self, space: bytes) -> bytes | None:
        """What proves that a board's invite is held."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None or found.kind != "board":
            return None
        return self._session.epochs.access_key(found)

    def refuses(self, device: bytes, above: Sequence[bytes] = ()) -> bool:
        """Whether a device, or one of those that certified it, was revoked by its owner, so that nothing is said to it.

        above: the devices that its certificates name, its own aside, up to the one that the root certified; where they
        are not given, those of any chain of its.
        """
        everywhere = revocations.everywhere(self._db)
        chain = [DeviceId(text(key)) for key in (device, *above)]
        if everywhere and not above:
            chain = list(revocations.above_of(self._db, device)) or chain
        return any(revocation.limit(chain, standing) is not None for standing in everywhere)

    def objects_wanted(self) -> Sequence[bytes]:
        """Attachments that events name and that are not here."""
        return [address for address in file_reads.addresses(self._db) if not self._path(address).exists()]

    def objects_of(self, space: bytes) -> Sequence[bytes]:
        """Attachments here that events of a space name."""
        named = file_reads.addresses(self._db, SpaceId(text(space)))
        return [address for address in named if self._path(address).exists()]

    def read_object(self, address: bytes) -> Iterable[bytes] | None:
        """An attachment's ciphertext."""
        path = self._path(address)
        return _pieces(path) if path.exists() else None

    def keep_object(self, address: bytes, pieces: Iterable[bytes]) -> bool:
        """Store an attachment whose hash is right."""
        handle, name = tempfile.mkstemp(prefix=".", dir=self._session.home.objects)
        try:
            with os.fdopen(handle, "wb") as file:
                digest = sha256()
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            if digest.digest() != address:
                return False
            Path(name).replace(self._path(address))
            return True
        finally:
            Path(name).unlink(missing_ok=True)

    def _path(self, address: bytes) -> Path:
        return self._session.home.objects / address.hex()


class HomeSigner:
    """This device towards a peer; by_grant: a run towards a relay, which knows the key of its grant."""

    def __init__(self, session: Session, *, by_grant: bool = False) -> None:
        grant = session.me.grant if by_grant else None
        self._signer = signing.Ed25519Signer(own.device_seed(session.db, grant.key if grant else session.me.device))
        self.device = self._signer.public
        self.certificates = canonical.encode(own.certificates(session.db)[1 if grant else 0 :])

    def prove(self, message: bytes) -> bytes:
        """A signature under the tag for proofs."""
        return self._signer.sign(signing.TAGS.proof, message)

    def sign_request(self, base: bytes) -> bytes:
        """A signature over what is asked of a relay."""
        return self._signer.sign_request(base)


def damaged(space: Space, seq: int) -> DamagedEvent:
    """The error for an event of a space that no longer stands as it was signed."""
    return DamagedEvent(seq=seq, space="self" if space.kind == "self" else public(space.kind, space.id))


def _heads(stored: Iterable[waiting.Head]) -> list[replica.Head]:
    return [replica.Head(head.device, head.seq, head.id) for head in stored]


def _is_genesis(stored: Stored) -> bool:
    return stored.seq == 0 and stored.suite == header.CLEAR


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
