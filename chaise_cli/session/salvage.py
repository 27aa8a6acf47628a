"""What a damaged store still proves: of each chain the runs whose newest signature holds. docs/spec/recovery.md.

Nothing is trusted but bytes under a signature: neither ids nor derived columns, which may be what was damaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from chaise_cli.crypto import derivation, sealing
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import header
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Sealed, Segment
from chaise_cli.session import epochs, plaintext
from chaise_cli.store import salvage_reads

if TYPE_CHECKING:
    from chaise_cli.store.connection import Connection
    from chaise_cli.store.salvage_reads import Chain, Kept, Space

_AS_CAME = ("body.unopenable", "body.malformed")


class Saved(NamedTuple):
    """The sound runs of one history of a chain, in order; `lost` are the seqs of what cannot be proved.

    What histories share is among the runs of one of them, as far as it could be proved there. end: the last event that
    is proved, on whatever run; None without one.
    """

    device: bytes
    runs: Sequence[Segment]
    lost: Sequence[int]
    end: tuple[int, bytes] | None


class _History(NamedTuple):
    """One history as it stands in the store: its events by seq, and how far it goes by its row."""

    device: bytes
    held: dict[int, Kept]
    last: int


class Salvage:
    """Reads what is sound of one space."""

    def __init__(self, database: Connection, space: Space) -> None:
        self._db, self._space = database, space
        named = salvage_reads.secrets(database, space)
        self._secrets = {no: secret for no, name, secret in named if self._name(secret) == name}

    @property
    def secrets(self) -> list[bytes]:
        """The epoch secrets that are what their names say; the last one seals."""
        return list(self._secrets.values())

    def chains(self) -> list[Saved]:
        """What is sound of every history of every chain."""
        return [saved for device in self._devices() for saved in self._chain(device)]

    def onwards(self, device: bytes, seq: int, prev: bytes) -> Sequence[Segment]:
        """The sound runs of a chain from `seq` on, now that it is known what the event before it is."""
        return [run for history in self._histories(device) for run in self._walk(history, seq, prev)]

    def _devices(self) -> list[bytes]:
        return list(dict.fromkeys(chain.device for chain in salvage_reads.chains(self._db, self._space)))

    def _chain(self, device: bytes) -> Iterator[Saved]:
        """Each history of a device, what it shares with one before looked at once."""
        proved: dict[bytes, tuple[int, bytes, set[int]]] = {}  # by the id at a run's end: where it is, what is sound
        for history in self._histories(device):
            shared = [one for row in history.held.values() if (one := proved.get(row.id)) and one[0] == row.seq]
            at, prev, sound = max(shared, default=(-1, header.ZERO, set[int]()), key=lambda one: one[0])
            sound = set(sound)
            end = (at, prev) if shared else None
            runs = self._walk(history, at + 1, prev)
            for run in runs:
                sound |= set(range(run.first_seq, run.last_seq + 1))
                end = (run.last_seq, segments.links(run)[-1].id)
                proved[end[1]] = (*end, set(sound))
            last = max([history.last, *history.held])
            yield Saved(device, runs, [seq for seq in range(last + 1) if seq not in sound], end)

    def _histories(self, device: bytes) -> list[_History]:
        """The histories of a chain, each with all its events, by rows that continue one another.

        A row that does not go on from the one it names is put behind one that it does go on from.
        """
        rows = [row for row in salvage_reads.chains(self._db, self._space) if row.device == device]
        own = {row.no: {one.seq: one for one in salvage_reads.kept(self._db, row)} for row in rows}
        whole: dict[int, dict[int, Kept]] = {}
        left: set[int] = set()
        for row in sorted(rows, key=lambda row: min(own[row.no], default=row.first)):
            first = min(own[row.no], default=row.first)
            before = self._before(row, first, own[row.no], whole) if first or row.parent is not None else None
            above = whole.get(before, {}) if before is not None else {}
            whole[row.no] = {seq: one for seq, one in above.items() if seq < first} | own[row.no]
            if before is not None and first == max(above, default=-1) + 1:
                left.add(before)
        return [_History(device, whole[row.no], row.seq) for row in rows if row.no not in left and whole[row.no]]

    def _before(self, row: Chain, first: int, own: dict[int, Kept], whole: dict[int, dict[int, Kept]]) -> int | None:
        """The row that a branch continues: the one it names, unless its events say that it is another one."""
        end = next((seq for seq in sorted(own) if own[seq].signature is not None), None)
        for no in (row.parent, *whole):
            held = whole.get(no, {}) if no is not None else {}
            prev = held[first - 1].id if first - 1 in held else None
            if prev is not None and end is not None and self._forwards(row.device, own, first, end, prev):
                return no
        return row.parent

    def _name(self, secret: bytes) -> bytes:
        return sealing.epoch_commit(self._space.id, secret)[: epochs.NAME] if len(secret) == len(header.ZERO) else b""

    def _walk(self, history: _History, at: int, prev: bytes) -> list[Segment]:
        """What is sound from `at` on, where the event before has the id `prev`."""
        device, held = history.device, history.held
        runs: list[Segment] = []
        for end in sorted(seq for seq, row in held.items() if row.signature is not None and seq >= at):
            run = self._forwards(device, held, at, end, prev) or self._backwards(device, held, at, end)
            if run is not None:
                runs.append(run)
                at, prev = end + 1, segments.links(run)[-1].id
        return runs

    def _forwards(self, device: bytes, held: dict[int, Kept], first: int, end: int, prev: bytes) -> Segment | None:
        """The events from `first` to `end` if they hang together from `prev` on and are signed."""
        wanted = range(first, end + 1)
        if len(wanted) > segments.LONGEST or not held.keys() >= set(wanted):
            return None
        made: list[Sealed] = []
        before = prev
        for seq in wanted:
            sealed = self._sealed(device, held[seq], before)
            if sealed is None:
                return None
            before = self._id(device, seq, before, sealed)
            made.append(sealed)
        run = Segment(self._space.id, device, first, prev, made, held[end].signature or b"")
        try:
            segments.verify(run)
        except ChaiseError:
            return None
        return run

    def _backwards(self, device: bytes, held: dict[int, Kept], at: int, end: int) -> Segment | None:
        """The longest sound run that ends at `end`, behind something damaged; it begins at a stored id."""
        prev = _id_before(held, end)
        run = self._forwards(device, held, end, end, prev) if prev else None
        while run and run.first_seq > at and len(run.events) < segments.LONGEST:
            seq = run.first_seq - 1
            before = _id_before(held, seq)
            sealed = self._sealed(device, held[seq], before) if before and seq in held else None
            if before is None or sealed is None or self._id(device, seq, before, sealed) != run.prev:
                break
            run = run._replace(first_seq=seq, prev=before, events=[sealed, *run.events])
        return run

    def _sealed(self, device: bytes, row: Kept, prev: bytes) -> Sealed | None:
        """An event's bytes as they were signed, if its columns are right; None when its key is missing."""
        if row.suite == header.CLEAR:
            return Sealed(header.CLEAR, header.NO_EPOCH, row.body)
        if row.epoch is not None:
            return Sealed(header.SEALED, row.epoch, row.body) if len(row.epoch) == epochs.NAME else None
        secret = self._secrets.get(row.epoch_no or 0) or next(reversed(self.secrets), None)
        if secret is None:
            return None
        name = self._name(secret)
        if row.void in _AS_CAME:
            return Sealed(header.SEALED, name, row.body)
        padded = plaintext.pad(bytes(row.body))
        return Sealed(
            header.SEALED, name, epochs.seal(_cipher(secret), self._space.id, device, row.seq, prev, name, padded)
        )

    def _id(self, device: bytes, seq: int, prev: bytes, sealed: Sealed) -> bytes:
        space = header.ZERO if sealed.suite == header.CLEAR and seq == 0 else self._space.id
        packed = header.make(sealed.suite, space, device, seq, prev, sealed.epoch, sealed.body)
        return header.event_id(packed)


def _id_before(held: dict[int, Kept], seq: int) -> bytes | None:
    if seq == 0:
        return header.ZERO
    row = held.get(seq - 1)
    return row.id if row is not None and len(row.id) == len(header.ZERO) else None


@cache
def _cipher(secret: bytes) -> sealing.BodyCipher:
    return sealing.BodyCipher(derivation.derive(secret, "body"))
