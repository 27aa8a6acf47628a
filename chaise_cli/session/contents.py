"""What is in a backup, checked while it is read: order, counts, hashes, signatures, that events continue, heads.

Restoring and checking read through this one door, so what a check lets pass can be restored. docs/spec/recovery.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final, cast

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import raw
from chaise_cli.ledger import canonical
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.clear import SPACE_KINDS
from chaise_cli.ledger.segment import Segment
from chaise_cli.session import archive
from chaise_cli.session.archive import DamagedBackup, Record

_AFTER: Final = {  # what may follow each kind of record
    0: {archive.ABOUT},
    archive.ABOUT: {archive.OWN},
    archive.OWN: {archive.OWN, archive.SPACE},
    archive.SPACE: {archive.SEGMENT, archive.SPACE, archive.FORK, archive.REQUEST, archive.PLACE, archive.OBJECT,
                    archive.END},
    archive.SEGMENT: {archive.SEGMENT, archive.FORK, archive.SPACE, archive.REQUEST, archive.PLACE, archive.OBJECT,
                      archive.OBJECT_END, archive.END},
    archive.FORK: {archive.FORK, archive.SPACE, archive.REQUEST, archive.PLACE, archive.OBJECT, archive.OBJECT_END,
                   archive.END},
    archive.REQUEST: {archive.REQUEST, archive.PLACE, archive.OBJECT, archive.OBJECT_END, archive.END},
    archive.PLACE: {archive.PLACE, archive.OBJECT, archive.OBJECT_END, archive.END},
    archive.OBJECT: {archive.OBJECT, archive.OBJECT_END},
    archive.OBJECT_END: {archive.OBJECT, archive.OBJECT_END, archive.END},
    archive.END: set(),
}  # fmt: skip
_COUNTS: Final = ("events", "forks", "objects", "own", "places", "requests", "spaces")
_FIELDS: Final = {  # a field of another type is damage
    archive.ABOUT: {"at": int, "device": bytes, "identity": bytes},
    archive.OWN: {"name": str, "value": bytes},
    archive.SPACE: {"heads": list, "id": bytes, "kind": str, "read": (int, type(None)), "secrets": list},
    archive.REQUEST: {"events": list, "fingerprint": bytes, "id": str, "subject": str},
    archive.PLACE: {
        "auto": bool, "boards": list, "invite": (str, type(None)), "kind": (str, type(None)), "url": str,
    },
    archive.END: dict.fromkeys(_COUNTS, int),
}  # fmt: skip
_COUNTED: Final = {
    archive.OWN: "own", archive.SPACE: "spaces", archive.FORK: "forks", archive.REQUEST: "requests",
    archive.PLACE: "places", archive.OBJECT_END: "objects",
}  # fmt: skip

Head = tuple[bytes, int, bytes]  # device, seq, id


class Item(NamedTuple):
    """One record that is right so far. value: its fields, bytes decoded; segment: of SEGMENT and FORK."""

    kind: int
    value: dict[str, Any]
    segment: Segment | None
    data: bytes


class Contents:
    """A reader of the records of one backup, and what it has seen of them."""

    def __init__(self) -> None:
        self.about: dict[str, Any] = {}
        self.spaces: dict[bytes, set[Head]] = {}
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.ids: set[bytes] = set()
        self._last = 0
        self._space = b""
        self._ids: dict[tuple[bytes, int], set[bytes]] = {}
        self._object = (b"", sha256())

    def read(self, records: Iterable[Record]) -> Iterator[Item]:
        """Every record, checked. Raises DamagedBackup as soon as something does not hold, at the end at the latest."""
        for record in records:
            if record.kind not in _AFTER[self._last]:
                raise DamagedBackup(why="its records are not in order")
            if self._last in {archive.SPACE, archive.SEGMENT, archive.FORK} and record.kind not in {
                archive.SEGMENT, archive.FORK,
            }:  # fmt: skip
                self._reached()
            self._last = record.kind
            item = self._item(record)
            if record.kind in _COUNTED:
                self.counts[_COUNTED[record.kind]] += 1
            yield item
        if self._last != archive.END:
            raise DamagedBackup(why="its end is missing")

    def _item(self, record: Record) -> Item:
        if record.kind in _FIELDS:
            value = _fields(record)
            self._note(record.kind, value)
            return Item(record.kind, value, None, b"")
        if record.kind in (archive.SEGMENT, archive.FORK):
            segment = self._segment(record)
            return Item(record.kind, {}, segment, b"")
        return Item(record.kind, {}, None, self._object_part(record))

    def _note(self, kind: int, value: dict[str, Any]) -> None:
        if kind == archive.ABOUT:
            self.about = value
        elif kind == archive.SPACE:
            self._space, self._ids = value["id"], {}
            first = not self.spaces
            if self._space in self.spaces or value["kind"] not in SPACE_KINDS or (value["kind"] == "self") != first:
                raise DamagedBackup(why="its spaces are not one self, then boards and deals, each once")
            self.spaces[self._space] = {head(row) for row in value["heads"]}
            value["secrets"] = [_bytes(secret) for secret in value["secrets"]]
        elif kind == archive.END and value != self.counts:
            raise DamagedBackup(why="it does not hold what it says it does")

    def _segment(self, record: Record) -> Segment:
        try:
            segment = segments.unpack(record.data)
            links = segments.verify(segment)
        except ChaiseError as error:
            raise DamagedBackup(why=error.sentence()) from error
        if segment.space != self._space:
            raise DamagedBackup(why="events of another space")
        self.ids |= {link.id for link in links}
        if record.kind == archive.FORK:
            return segment
        before = self._ids.get((segment.device, segment.first_seq - 1), set())
        if segment.first_seq and segment.prev not in before:
            raise DamagedBackup(why="events that continue nothing")
        for seq, link in enumerate(links, segment.first_seq):
            known = self._ids.setdefault((segment.device, seq), set())
            self.counts["events"] += link.id not in known
            known.add(link.id)
        return segment

    def _reached(self) -> None:
        """All heads that the space should have were among its segments."""
        if not all(id_ in self._ids.get((device, seq), ()) for device, seq, id_ in self.spaces[self._space]):
            raise DamagedBackup(why="events are missing")

    def _object_part(self, record: Record) -> bytes:
        address, data = record.data[:32], record.data[32:]
        if self._object[0] != address:
            if self._object[0] or len(address) != 32:
                raise DamagedBackup(why="an attachment that does not end")
            self._object = (address, sha256())
        self._object[1].update(data)
        if record.kind == archive.OBJECT_END:
            if data or self._object[1].digest() != address:
                raise DamagedBackup(why=f"attachment {address.hex()[:16]} is not what it is named by")
            self._object = (b"", sha256())
        return record.data


def _fields(record: Record) -> dict[str, Any]:
    """The fields of a JSON record, bytes decoded. Raises DamagedBackup."""
    wanted = cast("dict[str, Any]", _FIELDS[record.kind])
    try:
        value = canonical.decode(record.data)
        if not isinstance(value, dict) or set(value) != set(wanted):
            raise DamagedBackup(why="a record has other fields")
        return {name: _typed(value[name], kind) for name, kind in wanted.items()}
    except (ChaiseError, ValueError) as error:
        raise DamagedBackup(why="a record is not of its form") from error


def _typed(value: Any, kind: Any) -> Any:
    if kind is bytes:
        return _bytes(value)
    if not isinstance(value, kind) or (kind is int and type(value) is not int):
        raise ValueError
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise DamagedBackup(why="a record is not of its form")
    try:
        return raw(value)
    except ValueError as error:
        raise DamagedBackup(why="a record is not of its form") from error


def head(row: Any) -> Head:
    """A head as a SPACE record writes it. Raises DamagedBackup."""
    if not isinstance(row, list) or len(row) != 3 or type(row[1]) is not int:
        raise DamagedBackup(why="a record is not of its form")
    return _bytes(row[0]), row[1], _bytes(row[2])
