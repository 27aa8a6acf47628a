"""Sync through a folder: a USB stick, or one that another program keeps alike on many machines.

Below `chaise-1/` lie `packs/<sha256>.pack`, immutable; `latest/<device>.json`, the packs each device has
written; `objects/<sha256>`, attachments. A sync reads what is new, then writes what the folder lacks. Any
file may be missing, cut short, doubled or hostile: that is a problem, and the rest goes on. docs/spec/sync.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from typing import Final, Protocol

from chaise_cli import ids
from chaise_cli.errors import ChaiseError, Corrupt, Newer
from chaise_cli.ledger import canonical
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Segment

from .. import engine, pack
from ..coverage import Coverage
from ..directory import Directory, Gone, NoFile
from ..engine import Tally
from ..intake import Intake
from ..replica import Head, Replica, Signer, SpaceInfo

BASE: Final = "chaise-1"
PACK_BYTES: Final = 16 * 1024 * 1024  # a new pack is closed once it is larger
OWN_PACKS: Final = 64  # more small ones of one space and one writer are merged
SMALL_BYTES: Final = PACK_BYTES // 4
POINTER_BYTES: Final = 16 * 1024 * 1024
_PACK: Final = re.compile(r"([0-9a-f]{64})(.*)", re.DOTALL)
_POINTER: Final = re.compile(r"([0-9a-f]{64})\.json")
_NAME: Final = re.compile(r"[0-9a-f]{64}")
_PIECE: Final = 1024 * 1024

Span = tuple[bytes, int, int]  # device, first and last seq


class Memory(Protocol):
    """What the caller remembers between syncs; with an empty memory everything is read again, no more."""

    def get(self, name: str) -> bool:
        """Whether `name` was added."""

    def add(self, name: str) -> None:
        """Remember `name`: a pack that was read and admitted whole, or an attachment that is in the place."""


class BadPointer(Corrupt):
    """A device's list of its packs is no such list."""

    code = "place.bad_pointer"
    message = "the list of a device's packs is malformed: {why}"
    hint = "its writer makes a new one at its next sync"
    why: str


class Folder:
    """A transport to the folder at `path`."""

    def __init__(self, path: str, memory: Memory) -> None:
        self.path = path
        self._memory = memory

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`. Raises PlaceUnreachable, PlaceUnwritable; what was read before stays."""
        with ExitStack() as stack:
            root = stack.enter_context(Directory.root(self.path))
            visit = _Visit(root, stack, replica, signer.device, self._memory, tally)
            visit.read()
            visit.write()


class _Visit:
    """One sync with the folder."""

    def __init__(
        self, root: Directory, stack: ExitStack, replica: Replica, device: bytes, memory: Memory, tally: Tally
    ) -> None:
        self._root = root
        self._stack = stack
        self._replica = replica
        self._device = device
        self._memory = memory
        self._tally = tally
        self._files: dict[str, list[str]] = {}  # by pack name: the file of that name first, then copies of it
        self._heads: dict[str, pack.Head] = {}
        self._good: set[str] = set()  # packs whose events are all held and proved: copies that count
        self._broken: set[str] = set()  # packs of which no file is whole
        self._held: dict[bytes, dict[bytes, Head]] = {}
        self._open: dict[str, Directory] = {}
        self._coming = 0

    def _folder(self, name: str, *, create: bool) -> Directory | None:
        base = self._root.inner(BASE, create=create)
        if base is None:
            return None
        self._stack.callback(base.close)
        inner = base.inner(name, create=create)
        if inner is not None:
            self._stack.callback(inner.close)
        return inner

    # Reading

    def read(self) -> None:
        """Admit what the packs bring, and keep the attachments that are wanted."""
        packs = self._folder("packs", create=False)
        if packs is not None:
            self._list(packs)
            self._take_spaces(packs)
            self._tally_missing(packs)
        objects = self._folder("objects", create=False)
        if objects is not None:
            self._take_objects(objects)

    def _list(self, packs: Directory) -> None:
        for file in packs.names():
            found = _PACK.fullmatch(file)
            if found is not None:
                self._files.setdefault(found[1], []).append(file)
            elif not file.startswith("."):
                self._tally.problem("place.foreign_file", f"packs/{_shown(file)} is not ours")
        for name, files in self._files.items():
            files.sort(key=f"{name}.pack".__ne__)
            self._read_head(packs, name)

    def _read_head(self, packs: Directory, name: str) -> None:
        for file in self._files[name]:
            try:
                with packs.reading(file) as (descriptor, size):
                    self._heads[name] = pack.read_head(descriptor, size)
                    return
            except (Corrupt, Newer) as error:
                self._blame(file, error)
        self._broken.add(name)

    def _known(self, name: str) -> bool:
        """Whether the pack was admitted before and is still held: a store may have been set back since."""
        head = self._heads[name]
        if not self._memory.get(name):
            return False
        if head.space not in self._held:
            self._held[head.space] = engine.fingerprints(self._replica, head.space)
        held = self._held[head.space]
        return all(row.device in held and _covers(held[row.device], row) for row in head.ranges)

    def _take_spaces(self, packs: Directory) -> None:
        """The new packs of each space held, and of each that names this identity."""
        known = {name for name in self._heads if self._known(name)}
        self._good |= known
        identity = self._replica.identity()
        naming = {head.space for head in self._heads.values() if identity in head.names}
        held = [info.id for info in engine.in_order(self._replica.spaces())]
        pending: dict[bytes, list[str]] = {}
        for name in sorted(set(self._heads) - known):
            pending.setdefault(self._heads[name].space, []).append(name)
        for space in [*held, *sorted(naming - set(held))]:
            self._take(packs, space, self._index(packs, pending.get(space, ())))

    def _index(self, packs: Directory, names: Iterable[str]) -> dict[str, Sequence[pack.Entry]]:
        """Read each pack through once: its hash, and where its segments lie. Damaged ones are left out."""
        return {name: entries for name in names if (entries := self._index_one(packs, name)) is not None}

    def _index_one(self, packs: Directory, name: str) -> Sequence[pack.Entry] | None:
        for file in tuple(self._files[name]):
            try:
                with packs.reading(file) as (descriptor, size):
                    self._heads[name] = pack.read_head(descriptor, size)
                    entries = pack.index(descriptor, self._heads[name], name)
            except (Corrupt, Newer) as error:
                self._blame(file, error)
            else:
                self._files[name] = [file]
                return entries
        self._broken.add(name)
        return None

    def _take(self, packs: Directory, space: bytes, entries: Mapping[str, Sequence[pack.Entry]]) -> None:
        def load(name: str, entry: pack.Entry) -> Segment:
            with packs.reading(self._files[name][0]) as (descriptor, _):
                return pack.read(descriptor, entry)

        if not entries:
            return
        good = Intake(self._replica, space, entries, load, self._tally).take()
        for name in sorted(good):
            self._memory.add(name)
        self._good |= good

    def _tally_missing(self, packs: Directory) -> None:
        """Report the packs that other devices say they have written and that are not here."""
        latest = self._folder("latest", create=False)
        if latest is None:
            return
        for file in latest.names():
            found = _POINTER.fullmatch(file)
            if found is None or found[1] == self._device.hex():
                continue
            try:
                named = _read_pointer(latest, file)
            except (Corrupt, Newer) as error:
                self._tally.problem(error.code, f"latest/{file}: {error.sentence()}")
                continue
            for name in named:
                if name in self._files or packs.holds(f"{name}.pack"):  # perhaps written since the folder was listed
                    continue
                device = f"dev-{ids.base32(bytes.fromhex(found[1]))}"
                self._tally.problem("pack.missing", f"pack {name[:16]} of {device} is not there, or not yet")

    def _take_objects(self, objects: Directory) -> None:
        """Keep the attachments that are wanted and that lie here."""
        there = set(objects.names())
        wanted = [address for address in self._replica.objects_wanted() if address.hex() in there]
        for done, address in enumerate(wanted, 1):
            try:
                with objects.reading(address.hex()) as (descriptor, _):
                    kept = self._replica.keep_object(address, _pieces(descriptor))
            except NoFile as error:
                self._tally.problem(error.code, f"objects/{address.hex()}: {error.sentence()}")
                continue
            if not kept:
                text = f"attachment {address.hex()} does not have the hash it is named by"
                self._tally.problem("object.damaged", text)
            self._tally.progress("objects", done, len(wanted))

    def _blame(self, file: str, error: ChaiseError) -> None:
        if isinstance(error, Gone):
            return
        self._tally.problem(error.code, f"packs/{_shown(file)}: {error.sentence()}")

    # Writing

    def write(self) -> None:
        """Write what the folder lacks of what is held, then this device's list, then attachments."""
        spaces = engine.in_order(self._replica.spaces())
        self._tally.shared = frozenset(info.id for info in spaces)
        lacking = {info.id: self._lacking(info.id) for info in spaces}
        self._coming = sum(last - first + 1 for ranges in lacking.values() for _, first, last in ranges)
        written: set[str] = set()
        merged: set[str] = set()
        for info in spaces:
            small = self._small(info.id)
            ranges = self._with_small(small, lacking[info.id]) if small else lacking[info.id]
            written |= self._write_packs(info, ranges, _coverage(lacking[info.id]))
            merged |= small
        self._point(written, merged - written)
        self._write_objects(spaces)

    def _lacking(self, space: bytes) -> list[Span]:
        """What is held of a space and lies in no good pack."""
        there = _coverage(
            (row.device, row.first, row.last)
            for name in self._good
            if self._heads[name].space == space
            for row in self._heads[name].ranges
        )
        held = sorted(self._replica.heads(space))
        return [(d, *gap) for d, seq, _ in held for gap in there.get(d, Coverage()).missing(0, seq)]

    def _small(self, space: bytes) -> set[str]:
        """This device's small packs of a space when they are too many: they are to be written anew as one."""
        own = {name for name in self._own(space) if self._heads[name].size < SMALL_BYTES}
        return own if len(own) > OWN_PACKS else set()

    def _own(self, space: bytes) -> set[str]:
        heads = ((name, self._heads[name]) for name in self._good)
        return {name for name, head in heads if head.space == space and head.writer == self._device}

    def _with_small(self, small: set[str], lacking: Iterable[Span]) -> list[Span]:
        """What is lacking, and all that the small packs hold, be it in packs of others too.

        Were those of others counted, two devices could each rely on the pack that the other is about to delete.
        """
        space = self._heads[next(iter(small))].space
        rows = [row for name in small for row in self._heads[name].ranges]
        wanted = _coverage([*lacking, *((row.device, row.first, row.last) for row in rows)])
        others = [row for name in self._own(space) - small for row in self._heads[name].ranges]
        kept = _coverage((row.device, row.first, row.last) for row in others)
        return [
            (device, *gap)
            for device in sorted(wanted)
            for first, last in wanted[device]
            for gap in kept.get(device, Coverage()).missing(first, last)
        ]

    def _write_packs(self, info: SpaceInfo, ranges: Sequence[Span], lacking: Mapping[bytes, Coverage]) -> set[str]:
        """Put packs with these events in place; count those that were lacking. Their names."""
        written: set[str] = set()
        for rows, parts in self._parts(info.id, ranges):
            names = frozenset(sorted(info.names)[: pack.NAMES_LIMIT])
            data = pack.build(info.id, self._device, names, rows, parts)
            name = pack.name_of(data)
            self._made("packs").write(f"{name}.pack", [data])
            self._memory.add(name)
            written.add(name)
            for device, first, last, _ in rows:
                old = sum(high - low + 1 for low, high in lacking.get(device, Coverage()).missing(first, last))
                self._tally.sent += last - first + 1 - old
            self._tally.progress("send", self._tally.sent, max(self._tally.sent, self._coming))
        return written

    def _parts(self, space: bytes, ranges: Iterable[Span]) -> Iterator[tuple[list[pack.Range], list[bytes]]]:
        """The ranges as packed segments, pack by pack."""
        ids_held = {(head.device, head.seq): head.id for head in self._replica.heads(space)}
        parts: list[bytes] = []
        runs: list[tuple[int, Segment]] = []  # first seq and last segment of each run of one chain
        size = 0
        for segment in self._segments(space, ranges):
            begin = segment.first_seq
            if runs and runs[-1][1].device == segment.device and runs[-1][1].last_seq + 1 == begin:
                begin = runs.pop()[0]
            runs.append((begin, segment))
            parts.append(segments.pack(segment))
            size += len(parts[-1])
            if size >= PACK_BYTES:
                yield _rows(runs, ids_held), parts
                parts, runs, size = [], [], 0
        if parts:
            yield _rows(runs, ids_held), parts

    def _segments(self, space: bytes, ranges: Iterable[Span]) -> Iterator[Segment]:
        for device, first, last in ranges:
            at = first
            while at <= last:
                segment = engine.read_part(self._replica, space, device, at, self._tally)
                if segment is None:
                    break
                yield segment
                at = segment.last_seq + 1

    def _made(self, name: str) -> Directory:
        """A folder of the place to write to, opened once."""
        if name not in self._open:
            inner = self._folder(name, create=True)
            assert inner is not None, "a folder that was to be made is missing"
            self._open[name] = inner
        return self._open[name]

    def _point(self, written: set[str], dropped: set[str]) -> None:
        """Bring this device's list up to date, then delete its packs that others replace and its broken ones."""
        file = f"{self._device.hex()}.json"
        before = self._pointed(file)
        broken = (before & self._broken) - written  # one written again has the same name
        own = {name for name, head in self._heads.items() if head.writer == self._device}
        now = ((own & (self._good | before)) - self._broken | written) - dropped
        if now != before:
            latest = self._made("latest")
            latest.write(file, [_pointer(self._device, now)])
            latest.sweep(file)
        for name in sorted(dropped | broken):
            for copy in (f"{name}.pack", *self._files.get(name, ())):
                self._made("packs").remove(copy)
        for name in sorted(written)[:1]:
            self._made("packs").sweep(f"{name}.pack")

    def _pointed(self, file: str) -> set[str]:
        latest = self._folder("latest", create=False)
        try:
            return set() if latest is None else set(_read_pointer(latest, file))
        except (Corrupt, Newer):  # not there yet, or damaged: a new one is written
            return set()

    def _write_objects(self, spaces: Iterable[SpaceInfo]) -> None:
        held = sorted({address for info in spaces for address in self._replica.objects_of(info.id)})
        for done, address in enumerate(held, 1):
            self._write_object(address)
            self._tally.progress("objects", done, len(held))

    def _write_object(self, address: bytes) -> None:
        objects = self._made("objects")
        name = address.hex()
        try:
            with objects.reading(name) as (descriptor, size):
                if self._memory.get(f"{name}:{size}"):
                    return
                if _sha256(descriptor) == address:
                    self._memory.add(f"{name}:{size}")
                    return
        except NoFile:
            pass
        pieces = self._replica.read_object(address)
        if pieces is not None:
            self._memory.add(f"{name}:{objects.write(name, pieces)}")


def _coverage(spans: Iterable[Span]) -> dict[bytes, Coverage]:
    held: dict[bytes, Coverage] = {}
    for device, first, last in spans:
        held.setdefault(device, Coverage()).add(first, last)
    return held


def _covers(head: Head, row: pack.Range) -> bool:
    return head.seq > row.last or (head.seq == row.last and head.id == row.last_id)


def _rows(runs: Iterable[tuple[int, Segment]], ids_held: Mapping[tuple[bytes, int], bytes]) -> list[pack.Range]:
    made = []
    for first, tail in runs:
        # The id of a head is known; any other costs hashing the segment again.
        last_id = ids_held.get((tail.device, tail.last_seq)) or segments.links(tail)[-1].id
        made.append(pack.Range(tail.device, first, tail.last_seq, last_id))
    return made


def _pointer(device: bytes, names: Iterable[str]) -> bytes:
    return canonical.encode({"v": 1, "device": ids.text(device), "packs": sorted(names)})


def _read_pointer(latest: Directory, file: str) -> list[str]:
    """The packs a device has written. Raises BadPointer, NoFile, NotCanonical."""
    with latest.reading(file) as (descriptor, size):
        if size > POINTER_BYTES:
            raise BadPointer(why="larger than 16 MiB")
        value = canonical.decode(b"".join(_pieces(descriptor)))
    if not isinstance(value, dict) or set(value) != {"v", "device", "packs"} or value["v"] != 1:
        raise BadPointer(why="unknown form")
    packs = value["packs"]
    if value["device"] != ids.text(bytes.fromhex(file[:64])) or not isinstance(packs, list):
        raise BadPointer(why="it is of another device, or lists nothing")
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in packs):
        raise BadPointer(why="a name that no pack has")
    return packs


def _pieces(descriptor: int) -> Iterator[bytes]:
    at = 0
    while piece := os.pread(descriptor, _PIECE, at):
        at += len(piece)
        yield piece


def _sha256(descriptor: int) -> bytes:
    """The hash of an open file."""
    digest = sha256()
    for piece in _pieces(descriptor):
        digest.update(piece)
    return digest.digest()


def _shown(file: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in file[:100])
