"""What this home remembers of one relay: the Memory of `sync.relay_memory`, on the store."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.crypto import derivation
from chaise_cli.domain import grants
from chaise_cli.ids import DeviceId, SpaceId, public, raw, text
from chaise_cli.ledger import receipt as receipts
from chaise_cli.ledger.receipt import Receipt
from chaise_cli.store import deal_reads, deal_states, events, own, places, relays, selves
from sync import relay_findings, relay_memory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from chaise_cli.session.session import Session
    from chaise_cli.store.connection import Connection

DOOR: Final = "door"
_PIECE: Final = 1 << 20
DAY_MS: Final = 86_400_000  # a relay whose clock runs ahead does not silence others for longer


class RelayMemory:
    """The Memory of the relay at a place."""

    def __init__(self, session: Session, place: int) -> None:
        """The session may be replaced between exchanges: who stays opens the home anew for each."""
        self.session, self._place = session, place

    @property
    def _db(self) -> Connection:
        return self.session.db

    def relay(self) -> bytes | None:
        """Its key."""
        return relays.relay(self._db, self._place).key

    def begin(self, relay: bytes) -> None:
        """Another relay, or the first one."""
        with self.session.admitting():
            relays.begin(self._db, self._place, relay)

    def registered(self, device: bytes) -> bool:
        """Whether this device key was let in."""
        return relays.relay(self._db, self._place).device == device

    def note_registered(self, device: bytes | None, boards: Collection[bytes]) -> None:
        """It was, or is not any more."""
        with self.session.admitting():
            relays.set_device(self._db, self._place, device, boards)

    def doors(self) -> frozenset[bytes]:
        """Boards that were opened."""
        return frozenset(log.space for log in self._logs() if log.door)

    def close_doors(self, boards: Collection[bytes]) -> None:
        """They were forgotten there."""
        if boards:
            with self.session.admitting():
                relays.close_doors(self._db, self._place, boards)

    def door_seed(self, space: bytes) -> bytes | None:
        """Derived from the board's access key."""
        found = events.find_space(self._db, SpaceId(text(space)))
        if found is None or found.kind != "board":
            return None
        access = self.session.epochs.access_key(found)
        return None if access is None else derivation.derive(access, DOOR)

    def invite(self) -> str | None:
        """As it was given."""
        return relays.relay(self._db, self._place).invite

    def reached(self) -> Mapping[bytes, relay_memory.Reached]:
        """How far each log was followed."""
        return {
            log.space: relay_memory.Reached(log.number, log.head, receipts.unpack(log.receipt) if log.receipt else None)
            for log in self._logs()
            if log.number
        }

    def tips(self) -> Mapping[bytes, Sequence[relay_memory.Tip]]:
        """The ends of chains."""
        found = relays.tips(self._db, self._place)
        return {space: [relay_memory.Tip(*tip) for tip in tips] for space, tips in found.items()}

    def head_at(self, space: bytes, number: int) -> bytes | None:
        """From the runs kept, and the ids of the events held."""
        if number == 0:
            return receipts.START
        run = relays.run_at(self._db, self._place, space, number)
        if run is None or number >= run.first + run.length:
            return None
        ids = relays.ids_of(self._db, space, run)
        return None if ids is None else receipts.advance(run.head, ids[: number - run.first + 1])

    def claims(self) -> Mapping[bytes, Receipt]:
        """What others showed."""
        relay = self.relay()
        found = relays.claims(self._db, relay) if relay else {}
        return {space: receipts.unpack(packed) for space, packed in found.items()}

    def drop_claim(self, space: bytes) -> None:
        """Compared."""
        relay = self.relay()
        assert relay is not None, "a claim is about a relay that is known"
        with self.session.admitting():
            relays.drop_claim(self._db, relay, space)

    def together(self) -> AbstractContextManager[object]:
        """One transaction of the session."""
        return self.session.admitting()

    def extend(self, space: bytes, since: int, runs: Sequence[relay_memory.Run], to: relay_memory.Reached) -> None:
        """Keep the runs, and where the log stands now."""
        log = relays.Log(space, to.number, to.head, to.receipt.pack() if to.receipt else None, door=False)
        kept = [relays.Run(run.first, run.length, run.device, run.seq, run.last, run.head) for run in runs]
        ends = [(run.prev, relays.Tip(run.device, run.seq + run.length - 1, run.last)) for run in runs]
        with self.session.admitting():
            relays.extend(self._db, self._place, log, since, kept, ends)

    def restart(self, space: bytes) -> None:
        """Nothing was followed, nothing is delivered."""
        with self.session.admitting():
            relays.restart(self._db, self._place, space)

    def refuse(self, space: bytes) -> None:
        """Until our keys change, or we write where we had not."""
        with self.session.admitting():
            relays.refuse(self._db, self._place, space, self._keys())

    def settle(self, space: bytes) -> None:
        """Delivered is what a receipt covers."""
        with self.session.admitting():
            relays.settle(self._db, self._place, space)

    def found(self, space: bytes | None, code: str, proof: bytes, *, anew: bool = False) -> bool:
        """Kept with its proof."""
        with self.session.admitting():
            one = relays.Incident(space or b"", code, self.session.clock.now(), proof)
            return relays.add_incident(self._db, self._place, one, anew=anew)

    def to_strike(self) -> Sequence[bytes]:
        """Those that self tells of and the keys of grants that were revoked, for an admin device to tell on."""
        me = self.session.me.device
        gone = {raw(one) for one in selves.revoked(self._db) if one != me}
        gone |= {raw(key) for key in _ended_grants(self.session)}
        if not gone or self.session.revoked or _kind(self.session) != "admin":
            return ()
        return sorted(gone - relays.struck(self._db, self._place))

    def note_struck(self, device: bytes) -> None:
        """From now on."""
        with self.session.admitting():
            relays.set_struck(self._db, self._place, device)

    def forget_struck(self) -> None:
        """They are told again."""
        with self.session.admitting():
            relays.forget_struck(self._db, self._place)

    def naming(self, address: bytes) -> Sequence[bytes]:
        """By the files that events name."""
        return relays.naming(self._db, address)

    def part_size(self, address: bytes) -> int:
        """By the size of the file it comes in."""
        path = self._part(address)
        return path.stat().st_size if path.exists() else 0

    def add_part(self, address: bytes, offset: int, data: bytes) -> None:
        """At its place in that file, whose name no attachment has."""
        with os.fdopen(os.open(self._part(address), os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(data)

    def part(self, address: bytes) -> Iterable[bytes]:
        """In pieces."""
        with self._part(address).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def drop_part(self, address: bytes) -> None:
        """The file goes."""
        self._part(address).unlink(missing_ok=True)

    def _part(self, address: bytes) -> Path:
        return self.session.home.objects / f".{address.hex()}.part"

    def object_there(self, space: bytes, address: bytes) -> bool:
        """Among what is known of the place."""
        return places.was_read(self._db, self._place, _object(space, address))

    def note_object(self, space: bytes, address: bytes) -> None:
        """From now on."""
        with self.session.admitting():
            places.note_read(self._db, self._place, [_object(space, address)])

    def _logs(self) -> Sequence[relays.Log]:
        return relays.logs(self._db, self._place, self._keys())

    def _keys(self) -> bytes:
        """What changes when there is a new key that something might open with, or we answered in another space."""
        answered = events.answered(self._db, self.session.me.identity)
        return sha256("".join([*sorted(own.box_seeds(self._db)), str(answered)]).encode()).digest()[:8]


def _kind(session: Session) -> str:
    """What this device's own certificate makes of it."""
    first: Any = own.certificates(session.db)[0]
    return str(first["kind"])


def witness(session: Session, shown: Sequence[bytes]) -> list[relay_findings.LyingRelay]:
    """Compare receipts that a peer shows with the logs followed here; what that finds out for the first time.

    A receipt for an entry that was not followed yet is kept until it was. One from before a relay was last caught says
    nothing new.
    """
    found = []
    for packed in shown:
        try:
            receipt = receipts.unpack(packed)
        except receipts.BadReceipt:
            continue
        places_ = relays.places_of(session.db, receipt.relay)
        if places_ and receipts.holds(receipt):
            found += [error for no, url in places_ if (error := _compare(session, no, url, receipt)) is not None]
    return found


def signed(session: Session, relays_: Collection[bytes]) -> dict[bytes, bytes]:
    """As `Replica.signed`."""
    rows: dict[bytes, set[bytes]] = {}
    for packed in relays.newest(session.db):
        one = receipts.unpack(packed)
        if one.relay in relays_:
            rows.setdefault(one.space, set()).add(one.relay + one.number.to_bytes(8, "big") + one.head)
    return {space: b"".join(sorted(found)) for space, found in rows.items()}


def _compare(session: Session, place: int, url: str, receipt: Receipt) -> relay_findings.LyingRelay | None:
    memory = RelayMemory(session, place)
    caught = _last_caught(session, place, receipt.space)
    if receipt.at <= caught:
        return None
    mine = relays.log(session.db, place, receipt.space)
    if mine is None or receipt.number > mine.number:
        head, signed_ = _claimed(session, receipt, caught)
    else:
        head = memory.head_at(receipt.space, receipt.number) if receipt.number < mine.number else mine.head
        signed_ = mine.receipt or b""
    if head is None or head == receipt.head:
        return None
    why = f"entry {receipt.number} is not the one that it {relay_findings.OTHERS}"
    space = events.find_space(session.db, SpaceId(text(receipt.space)))
    about = f" for {public(space.kind, space.id)}" if space else ""
    proof = receipt.pack() + signed_
    error = relay_findings.Split(relay=url, about=about, why=why)
    return error if memory.found(receipt.space, error.code, proof) else None


def _claimed(session: Session, receipt: Receipt, caught: int) -> tuple[bytes | None, bytes]:
    """The head that somebody else was given for the same number, and their receipt; a newer receipt takes its place."""
    packed = relays.claim(session.db, receipt.relay, receipt.space)
    claim = receipts.unpack(packed) if packed else None
    if claim is not None and packed and claim.at > caught and claim.number >= receipt.number:
        return (claim.head if claim.number == receipt.number else None), packed
    with session.admitting():
        relays.set_claim(session.db, receipt.relay, receipt.space, receipt.pack())
    return None, b""


def _last_caught(session: Session, place: int, space: bytes) -> int:
    """Until when, by the relay's clock, what it signed for a space has been found out about already."""
    found = -1
    for one in relays.incidents(session.db, place):
        if one.space in {space, b""} and one.code != relay_findings.LyingRelay.code:  # whose receipts prove nothing
            packed = [one.proof[at : at + receipts.SIZE] for at in range(0, len(one.proof), receipts.SIZE)]
            signed = [receipts.unpack(each).at for each in packed if len(each) == receipts.SIZE]
            found = max(found, *[min(at, one.at + DAY_MS) for at in signed], -1)
    return found


def _object(space: bytes, address: bytes) -> str:
    return f"{text(space)}/{address.hex()}"


def _ended_grants(session: Session) -> list[DeviceId]:
    """The keys of our grants that were revoked, or whose device was; those that ran out end by themselves."""
    spaces = {space for space, _ in deal_reads.granted(session.db, None)}
    held = [found for space in spaces if (found := events.find_space(session.db, space))]
    states = [state for space in held if (state := deal_states.load(session.db, space.no))]
    return [
        grant.key
        for state in states
        for grant in state.now.deal.grants.values()
        if grant.by == session.me.identity and grants.state_of(state.now.deal, grant, state.now.revoked, 0) == "revoked"
    ]
