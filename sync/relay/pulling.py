"""Telling what is here, and handing it out in the order in which it was kept. docs/spec/relay.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chaise_cli.ledger import receipt, segment

from .. import ranges, relay_messages
from ..relay_messages import Different, Pull, Row, Summary
from .contract import Entry, Position, Store
from .pushing import event_ids

ANSWER: Final = 1024 * 1024  # about so many bytes answer one pull
TRIED: Final = 64  # spaces of one range, at most, of which the newest entry is guessed to be all that somebody lacks


def compare(held: Mapping[bytes, Position], said: Summary) -> Different | None:
    """Where what somebody knows differs from what is held for them; None when it does not."""
    positions = {space: at.head[: ranges.POSITION] for space, at in held.items()}
    digest = ranges.whole(positions)
    if digest == said.digest:
        return None
    numbers = ranges.differing(ranges.ranges(positions), said.ranges)
    return Different(digest, [(number, ranges.parts(positions, number)) for number in numbers])


def newest(store: Store, held: Mapping[bytes, Position], said: Summary, different: Different) -> Row | None:
    """How far somebody is with the one space whose newest entry is all that they lack; None when it is not so simple.

    Tried is one space after the other, where a single range differs: without its newest entry, would the digest of
    the range be theirs? So what a small change costs is one round trip. Wrong by chance once in 2^32 times, and
    then the asker, who knows how far it is, passes it over.
    """
    numbers = [number for number, _ in different.ranges]
    if len(numbers) != 1:
        return None
    theirs = ranges.of(said.ranges, numbers[0])
    rows = {space: at.head[: ranges.POSITION] for space, at in held.items() if ranges.range_of(space) == numbers[0]}
    if len(rows) > TRIED:
        return None
    before = store.before(list(rows))
    for space in rows:
        at = before.get(space)
        others = {one: position for one, position in rows.items() if one != space}
        if at is not None:
            others[space] = at.head[: ranges.POSITION]
        if ranges.of(ranges.ranges(others), numbers[0]) == theirs:
            at = at or Position(0, receipt.START)
            return Row(space, at.number, at.head[: ranges.POSITION])
    return None


class Pulling:
    """One answer to a pull, built up to about `size` bytes."""

    def __init__(self, store: Store, signer: receipt.Signer, now: int, size: int = ANSWER) -> None:
        self._store, self._signer, self._now = store, signer, now
        self._sections: list[bytes] = []
        self._left = size

    def answer(self, held: Mapping[bytes, Position], asked: Pull) -> bytes:
        """The sections for what is asked for, of the spaces `held` for whoever asks."""
        rows = {row.space: row for row in asked.rows}
        parts = frozenset(asked.parts)
        more = False
        for space in sorted(held):
            row = rows.get(space)
            if (row is None and ranges.part_of(space) not in parts) or not _news(held[space], row):
                continue
            if self._left <= 0:
                more = True
                break
            more = self._section(space, self._after(space, held[space], row), held[space].number) or more
        return bytes([more]) + b"".join(self._sections)

    def _after(self, space: bytes, at: Position, row: Row | None) -> int:
        """From where on somebody with this row is served: 0 when the row does not lie on the log."""
        if row is None or not 0 < row.after <= at.number:
            return 0
        before, entry = self._store.head_at(space, row.after)
        assert entry is not None, "the log has an entry for each number up to the count"
        there = entry.head
        if row.after != entry.to:
            there = receipt.advance(before, event_ids(space, entry)[: row.after - entry.first + 1])
        return row.after if there[: len(row.head)] == row.head else 0

    def _section(self, space: bytes, after: int, count: int) -> bool:
        """Write the section of a space; whether it ends before the space does."""
        found = [entry for entry in self._store.entries(space, after, self._left) if entry.first <= count]
        joined = _Joined(space)
        for at, entry in enumerate(found):
            if at and joined.size + len(entry.events) > self._left:
                found = found[:at]
                break
            joined.add(_behind(space, entry, after) if entry.first <= after else entry)
        last = found[-1]
        signed = receipt.issue(self._signer, space, last.to, last.last, self._now, last.head)
        section = relay_messages.frame_section(space, after, signed, joined.order, joined.packed())
        self._sections.append(section)
        self._left -= len(section)
        return last.to < count


def _news(at: Position, row: Row | None) -> bool:
    return row is None or row.after != at.number or row.head != at.head[: len(row.head)]


def _behind(space: bytes, entry: Entry, after: int) -> Entry:
    """What of an entry comes after a number inside it."""
    skip = after - entry.first + 1
    whole = segment.unpack(
        segment.frame(space, entry.device, entry.first_seq, entry.prev, entry.length, entry.events, entry.signature)
    )
    return entry._replace(
        first=after + 1,
        length=entry.length - skip,
        first_seq=entry.first_seq + skip,
        prev=event_ids(space, entry)[skip - 1],
        events=segment.pack_events(whole.events[skip:]),
    )


class _Joined:
    """Entries as segments: those of one chain that follow one another are one, with the signature of the last."""

    def __init__(self, space: bytes) -> None:
        self._space = space
        self._runs: list[list[Entry]] = []
        self._sums: list[int] = []
        self._open: dict[bytes, int] = {}
        self.order: list[tuple[int, int]] = []
        self.size = 0

    def add(self, entry: Entry) -> None:
        """The next entry."""
        self.size += len(entry.events)
        at = self._open.get(entry.device)
        if at is None or not self._continues(at, entry):
            at = self._open[entry.device] = len(self._runs)
            self._runs.append([])
            self._sums.append(0)
        self._runs[at].append(entry)
        self._sums[at] += entry.length
        if self.order and self.order[-1][0] == at:
            self.order[-1] = at, self.order[-1][1] + entry.length
        else:
            self.order.append((at, entry.length))

    def _continues(self, at: int, entry: Entry) -> bool:
        return self._runs[at][-1].last == entry.prev and self._sums[at] + entry.length <= segment.LONGEST

    def packed(self) -> Sequence[bytes]:
        """The segments as they travel."""
        return [
            segment.frame(
                self._space,
                run[0].device,
                run[0].first_seq,
                run[0].prev,
                count,
                b"".join([entry.events for entry in run]),
                run[-1].signature,
            )
            for run, count in zip(self._runs, self._sums, strict=True)
        ]
