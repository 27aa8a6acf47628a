"""This home as replication sees it: sealed events in and out, attachments by their address."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.crypto import signing
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Corrupt
from chaise_cli.ids import SpaceId, public, raw, text
from chaise_cli.ledger import canonical, header
from chaise_cli.ledger.segment import LONGEST, Sealed, Segment
from chaise_cli.session import epochs, plaintext
from chaise_cli.session.admission import Admission
from chaise_cli.store import events, file_reads, members, own, waiting
from sync import replica

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space, Stored

PIECE: Final = 1 << 20
_SEALED_AS_CAME: Final = ("body.unopenable", "body.malformed")


class DamagedEvent(Corrupt):
    """An event in the store no longer gives the bytes that were signed."""

    code = "store.damaged_event"
    message = "event {seq} of a chain in {space} is damaged in this store"
    hint = "chaise verify tells what is affected; another device's copy is intact"
    seq: int
    space: str


class _Part(NamedTuple):
    """One event on its way out."""

    seq: int
    id: bytes
    sealed: Sealed
    signature: bytes | None


class HomeReplica:
    """The Replica of an open home, over the spaces of `only` (all, when None)."""

    def __init__(self, session: Session, only: frozenset[SpaceId] | None = None) -> None:
        self._session, self._db, self._only = session, session.db, only

    def identity(self) -> bytes:
        """Whose home it is."""
        return raw(self._session.me.identity)

    def spaces(self) -> Sequence[replica.SpaceInfo]:
        """The spaces held that this exchange is about."""
        named = members.by_space(self._db)
        return [
            replica.SpaceInfo(raw(space.id), space.kind, frozenset(named.get(space.no, ())))
            for space in events.spaces(self._db)
            if self._only is None or space.id in self._only
        ]

    def heads(self, space: bytes) -> Sequence[replica.Head]:
        """Heads of all chains, what waits included."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None:
            return []
        heads = waiting.heads(self._db, found.no)
        return [replica.Head(head.device, head.seq, head.id) for head in heads if head.id is not None]

    def read(self, space: bytes, device: bytes, from_seq: int, limit: int) -> Segment | None:
        """Part of a chain, ending on a signature; see the Protocol."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None:
            return None
        chain = events.find_chain(self._db, found.no, device)
        last = self._end(chain.no, from_seq, limit) if chain else None
        if chain is None or last is None:
            return None
        prev = self._id_before(found, chain.no, from_seq)
        parts = self._parts(found, chain.no, device, from_seq, last, prev)
        assert parts[-1].signature, "a segment ends on a kept signature"
        return Segment(space, device, from_seq, prev, [part.sealed for part in parts], parts[-1].signature)

    def _end(self, chain: int, first: int, limit: int) -> int | None:
        """The last kept signature within `limit` events, else the first one after, within the longest segment."""
        last, _ = events.signed_between(self._db, chain, first, first + min(limit, LONGEST) - 1)
        if last is None:
            _, last = events.signed_between(self._db, chain, first, first + LONGEST - 1)
        return last

    def _id_before(self, space: Space, chain: int, seq: int) -> bytes:
        if seq == 0:
            return header.ZERO
        found = events.id_at(self._db, chain, seq - 1)
        if found is None:
            raise _damaged(space, seq - 1)
        return found

    def _parts(self, space: Space, chain: int, device: bytes, first: int, last: int, prev: bytes) -> list[_Part]:
        parts: list[_Part] = []
        for stored in events.read_chain(self._db, chain, first, last):
            sealed = self._sealed(space, stored, prev)
            packed = header.make(
                sealed.suite, header.ZERO if _is_genesis(stored) else raw(space.id), device, stored.seq, prev,
                sealed.epoch, sealed.body,
            )  # fmt: skip
            if header.event_id(packed) != stored.id:
                raise _damaged(space, stored.seq)
            prev = stored.id
            parts.append(_Part(stored.seq, stored.id, sealed, stored.signature))
        held_back = waiting.between(self._db, chain, first, last)
        return parts + [
            _Part(one.seq, one.id, Sealed(one.suite, one.epoch, one.body), one.signature) for one in held_back
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
            done = Admission(self._session, SpaceId(text(space))).run(segments)
        return replica.Admission(done.accepted, done.rejected, [replica.Problem(*problem) for problem in done.problems])

    def access_key(self, space: bytes) -> bytes | None:
        """What proves that a board's invite is held."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None or found.kind != "board":
            return None
        return self._session.epochs.access_key(found)

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
    """This device towards a peer."""

    def __init__(self, session: Session) -> None:
        self._signer = signing.Ed25519Signer(own.device_seed(session.db, session.me.device))
        self.device = self._signer.public
        self.certificates = canonical.encode(own.certificates(session.db))

    def prove(self, message: bytes) -> bytes:
        """A signature under the tag for proofs."""
        return self._signer.sign(signing.TAGS.proof, message)


def _damaged(space: Space, seq: int) -> DamagedEvent:
    return DamagedEvent(seq=seq, space="self" if space.kind == "self" else public(space.kind, space.id))


def _is_genesis(stored: Stored) -> bool:
    return stored.seq == 0 and stored.suite == header.CLEAR


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
