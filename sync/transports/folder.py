"""Sync through a folder: a USB stick, or one that another program keeps alike on many machines.

Below `chaise-1/` lie `packs/<sha256>.pack`, immutable; `latest/<device>.json`, the packs each device has
written; `objects/<sha256>`, attachments. A sync reads what is new, then writes what the folder lacks. Any
file may be missing, cut short, doubled or hostile: that is a problem, and the rest goes on. docs/spec/sync.md.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from chaise_cli import ids
from chaise_cli.errors import ChaiseError, Corrupt, Newer
from chaise_cli.ledger import canonical
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Segment

from .. import engine, pack
from ..coverage import Coverage
from ..directory import Directory, Gone, NoFile
from ..engine import Tally
from ..histories import Histories, Span
from ..intake import Intake
from ..replica import Head, Replica, Signer, SpaceInfo

BASE: Final = "chaise-1"
PACK_BYTES: Final = 16 * 1024 * 1024  # a new pack is closed once it is larger
OWN_PACKS: Final = 64  # more small ones of one space and one writer are merged
SMALL_BYTES: Final = PACK_BYTES // 4
LOOK_S: Final = 1.0
POINTER_BYTES: Final = 16 * 1024 * 1024
_PACK: Final = re.compile(r"([0-9a-f]{64})(.*)", re.DOTALL)
_POINTER: Final = re.compile(r"([0-9a-f]{64})\.json")
_NAME: Final = re.compile(r"[0-9a-f]{64}")
_PIECE: Final = 1024 * 1024


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

    def __init__(self, path: str, memory: Memory, sleep: Callable[[float], None] = time.sleep) -> None:
        self.path = path
        self._memory = memory
        self._sleep = sleep
        self._looked: object = None  # how the place looked when the last exchange began

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`. Raises PlaceUnreachable, PlaceUnwritable; what was read before stays."""
        self._looked = self._look()
        with ExitStack() as stack:
            root = stack.enter_context(Directory.root(self.path))
            visit = _Visit(root, stack, replica, signer.device, self._memory, tally)
            visit.read()
            visit.write()

    def wait(self, _replica: Replica, _signer: Signer, timeout_s: float) -> bool:
        """As `engine.Waits`: whether files came or went, looked for about once a second."""
        for _ in range(max(1, round(timeout_s / LOOK_S))):
            if self._look() != self._looked:
                return True
            self._sleep(LOOK_S)
        return self._look() != self._looked

    def _look(self) -> object:
        """The names of packs and attachments, and the lists as they were last written; nothing is opened."""
        base = Path(self.path, BASE)
        seen = [sorted(path.name for path in _files(base / name)) for name in ("packs", "objects")]
        return seen, sorted(_written(base / "latest"))


def _files(folder: Path) -> Sequence[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return [folder]  # a folder that is not there differs from one that is


def _written(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in _files(folder):
        with suppress(OSError):
            found = path.lstat()
            yield path.name, found.st_mtime_ns, found.st_size


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
        self._held: dict[bytes, Histories] = {}
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
        held = self._histories(head.space)
        return all(held.holds(row, own=row.device == self._device) for row in head.ranges)

    def _histories(self, space: bytes) -> Histories:
        if space not in self._held:
            self._held[space] = Histories(self._replica, space, engine.tips(self._replica, space))
        return self._held[space]

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
        self._held = {}  # reading has brought more
        self._tally.shared = frozenset(info.id for info in spaces)
        lacking = {info.id: self._lacking(info.id) for info in spaces}
        self._coming = sum(last - first + 1 for spans in lacking.values() for _, first, last in spans)
        written: set[str] = set()
        merged: set[str] = set()
        for info in spaces:
            small = self._small(info.id)
            spans = self._with_small(info.id, small, lacking[info.id]) if small else lacking[info.id]
            written |= self._write_packs(info, spans, _coverage(lacking[info.id]))
            merged |= small
        self._point(written, merged - written)
        self._write_objects(spaces)

    def _lacking(self, space: bytes) -> list[Span]:
        """What is held of a space and lies in no good pack."""
        held = self._histories(space)
        packs = [head for name in self._good if (head := self._heads[name]).space == space]
        return held.missing(held.coverage(row for head in packs for row in head.ranges))

    def _small(self, space: bytes) -> set[str]:
        """This device's small packs of a space when they are too many: they are to be written anew as one."""
        own = {name for name in self._own(space) if self._heads[name].size < SMALL_BYTES}
        return own if len(own) > OWN_PACKS else set()

    def _own(self, space: bytes) -> set[str]:
        heads = ((name, self._heads[name]) for name in self._good)
        return {name for name, head in heads if head.space == space and head.writer == self._device}

    def _with_small(self, space: bytes, small: set[str], lacking: Iterable[Span]) -> list[Span]:
        """What is lacking, and all that the small packs hold, be it in packs of others too.

        Were those of others counted, two devices could each rely on the pack that the other is about to delete.
        """
        held = self._histories(space)
        wanted = held.coverage(row for name in small for row in self._heads[name].ranges)
        for head, first, last in lacking:
            wanted.setdefault(head, Coverage()).add(first, last)
        kept = held.coverage(row for name in self._own(space) - small for row in self._heads[name].ranges)
        return held.missing(kept, [Span(head, *run) for head in sorted(wanted) for run in wanted[head]])

    def _write_packs(self, info: SpaceInfo, spans: Sequence[Span], lacking: Mapping[Head, Coverage]) -> set[str]:
        """Put packs with these events in place; count those that were lacking. Their names."""
        written: set[str] = set()
        for rows, parts in self._parts(info.id, spans):
            names = frozenset(sorted(info.names)[: pack.NAMES_LIMIT])
            data = pack.build(info.id, self._device, names, rows, parts)
            name = pack.name_of(data)
            self._made("packs").write(f"{name}.pack", [data])
            self._memory.add(name)
            written.add(name)
            for head, covered in self._histories(info.id).coverage(rows).items():
                self._tally.sent += _overlap(covered, lacking.get(head, Coverage()))
            self._tally.progress("send", self._tally.sent, max(self._tally.sent, self._coming))
        return written

    def _parts(self, space: bytes, spans: Iterable[Span]) -> Iterator[tuple[list[pack.Range], list[bytes]]]:
        """The spans as packed segments, pack by pack."""
        parts: list[bytes] = []
        runs: list[_Run] = []
        size = 0
        for head, segment in self._segments(space, spans):
            follows = bool(runs) and runs[-1].is_before(segment)
            # A reader joins what follows by its seq alone, so two histories must not seem to be one.
            if parts and (size >= PACK_BYTES or (follows and runs[-1].parts_from(head, segment))):
                yield [run.row() for run in runs], parts
                parts, runs, size, follows = [], [], 0, False
            runs.append(_Run(head, runs.pop().first if follows else segment.first_seq, segment))
            parts.append(segments.pack(segment))
            size += len(parts[-1])
        if parts:
            yield [run.row() for run in runs], parts

    def _segments(self, space: bytes, spans: Iterable[Span]) -> Iterator[tuple[Head, Segment]]:
        for head, first, last in spans:
            at = first
            while at <= last:
                segment = engine.read_part(self._replica, space, head, at, self._tally)
                if segment is None:
                    break
                yield head, segment
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


class _Run(NamedTuple):
    """Consecutive segments of the history that ends in `head`: where they begin, and the last of them."""

    head: Head
    first: int
    tail: Segment

    def is_before(self, segment: Segment) -> bool:
        """Whether a segment follows, judged by device and seq."""
        return self.tail.device == segment.device and self.tail.last_seq + 1 == segment.first_seq

    def parts_from(self, head: Head, segment: Segment) -> bool:
        """Whether a segment that follows by its seq is of another history than the run."""
        return head != self.head and segment.prev != segments.links(self.tail)[-1].id

    def row(self) -> pack.Range:
        """The run as a pack's head lists it. The id of a head is known; any other costs hashing the segment again."""
        last = self.tail.last_seq
        last_id = self.head.id if last == self.head.seq else segments.links(self.tail)[-1].id
        return pack.Range(self.tail.device, self.first, last, last_id)


def _coverage(spans: Iterable[Span]) -> dict[Head, Coverage]:
    held: dict[Head, Coverage] = {}
    for head, first, last in spans:
        held.setdefault(head, Coverage()).add(first, last)
    return held


def _overlap(one: Coverage, other: Coverage) -> int:
    """How many seqs lie in both."""
    return sum(high - low + 1 - sum(b - a + 1 for a, b in other.missing(low, high)) for low, high in one)


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
