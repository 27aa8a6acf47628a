"""The backup file: the home's key slots in clear, then one sealed stream of records. docs/spec/recovery.md.

    "CHSBKUP" version u8 · size u32 · slots · check 32 · nonce 12 · box 48 · sealed stream

The check is told from a wrong key: bytes that changed are damage, whoever asks. The box holds the file's own key,
sealed under the store key and bound to the check, so no slot and no stream can be put into another file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from chaise_cli.crypto import attachments, derivation, sealing
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Corrupt, Newer
from chaise_cli.ledger import canonical

if TYPE_CHECKING:
    from chaise_cli.crypto.storekey import StoreKey

MAGIC: Final = b"CHSBKUP"
VERSION: Final = 1
SLOTS_MOST: Final = 1 << 16  # bytes
RECORD_MOST: Final = 72 << 20  # bytes: 1,000 events of the largest size, and what stands around them
PIECE: Final = 1 << 20
_FIXED: Final = len(MAGIC) + 1 + 4
_CHECK: Final = 32
_BOX: Final = sealing.KEY_SIZE + sealing.OVERHEAD
_AAD: Final = derivation.PREFIX + b"backup\0"

ABOUT, OWN, SPACE, SEGMENT, FORK, REQUEST, PLACE, OBJECT, OBJECT_END, END = range(1, 11)


class NotABackup(Corrupt):
    """The file does not begin like a backup."""

    code = "backup.not_one"
    message = "{path} is not a backup of Chaise"
    hint = "name the file that chaise backup wrote"
    path: str


class DamagedBackup(Corrupt):
    """The backup is cut short, changed, or does not hang together."""

    code = "backup.damaged"
    message = "the backup is damaged: {why}"
    hint = "use another copy of it, or another backup; check each with chaise backup --check FILE"
    why: str


class NewerBackup(Newer):
    """The backup was written by a newer Chaise."""

    code = "backup.newer"
    message = "the backup has version {version}, this Chaise reads {known}"
    hint = "upgrade Chaise"
    version: int
    known: int


class Record(NamedTuple):
    """One record of the stream: what it is, and its bytes."""

    kind: int
    data: bytes


class Front(NamedTuple):
    """What stands before the sealed stream: the slots, and the sealed key of the file."""

    slots: list[dict[str, Any]]
    check: bytes
    nonce: bytes
    box: bytes


def write(
    out: BinaryIO,
    slots: list[dict[str, object]],
    key: StoreKey,
    records: Iterable[Record],
    random: Callable[[int], bytes],
) -> None:
    """Write a whole backup of these records; `slots` open `key`."""
    listed = canonical.encode({"slots": slots})
    assert len(listed) <= SLOTS_MOST, "slots that no reader would take"
    front = MAGIC + bytes((VERSION,)) + len(listed).to_bytes(4, "big") + listed
    check = sha256(front).digest()
    file_key, nonce = random(sealing.KEY_SIZE), random(sealing.NONCE_SIZE)
    box = sealing.seal(_wrapping(key), nonce, file_key, _AAD + check)
    out.write(front + check + nonce + box)
    out.writelines(attachments.seal_file_chunks(file_key, map(_packed, records)))


def read_front(file: BinaryIO, path: str) -> Front:
    """The front of an open file, which is left at the beginning of its stream.

    Raises NotABackup, DamagedBackup, NewerBackup.
    """
    fixed = file.read(_FIXED)
    if fixed[: len(MAGIC)] != MAGIC:
        raise NotABackup(path=path)
    size = int.from_bytes(fixed[len(MAGIC) + 1 :], "big")
    if len(fixed) < _FIXED or size > SLOTS_MOST:
        raise DamagedBackup(why="its beginning was changed or cut off")
    listed = file.read(size)
    check, nonce, box = file.read(_CHECK), file.read(sealing.NONCE_SIZE), file.read(_BOX)
    if sha256(fixed + listed).digest() != check or len(box) < _BOX:
        raise DamagedBackup(why="its key slots were changed or cut off")
    if fixed[len(MAGIC)] != VERSION:
        raise NewerBackup(version=fixed[len(MAGIC)], known=VERSION)
    return Front(_slots(listed), check, nonce, box)


def records(file: BinaryIO, front: Front, key: StoreKey) -> Iterator[Record]:
    """The records behind the front, one after the other; only a normal end says that the file is whole.

    Raises DamagedBackup.
    """
    try:
        file_key = sealing.open_sealed(_wrapping(key), front.nonce, front.box, _AAD + front.check)
        held = bytearray()
        for chunk in attachments.open_file_chunks(file_key, _pieces(file)):
            held += chunk
            yield from _taken(held)
    except (sealing.BadSeal, attachments.NewerAttachment) as error:
        raise DamagedBackup(why=f"it was changed or cut off before byte {file.tell()}") from error
    if held:
        raise DamagedBackup(why="its last record is not whole")


def _slots(listed: bytes) -> list[dict[str, Any]]:
    try:
        value = canonical.decode(listed)
    except ChaiseError as error:
        raise DamagedBackup(why="its key slots are of an unknown form") from error
    if not isinstance(value, dict) or set(value) != {"slots"} or not isinstance(value["slots"], list):
        raise DamagedBackup(why="its key slots are of an unknown form")
    if not all(isinstance(slot, dict) for slot in value["slots"]):
        raise DamagedBackup(why="its key slots are of an unknown form")
    return value["slots"]


def _taken(held: bytearray) -> Iterator[Record]:
    """The whole records at the beginning of `held`, which keeps the rest."""
    at = 0
    while len(held) >= at + 5:
        size = int.from_bytes(held[at + 1 : at + 5], "big")
        if size > RECORD_MOST:
            raise DamagedBackup(why="a record larger than any")
        if len(held) < at + 5 + size:
            break
        yield Record(held[at], bytes(held[at + 5 : at + 5 + size]))
        at += 5 + size
    del held[:at]


def _packed(record: Record) -> bytes:
    assert len(record.data) <= RECORD_MOST, "a record that no reader would take"
    return bytes((record.kind,)) + len(record.data).to_bytes(4, "big") + record.data


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _wrapping(key: StoreKey) -> bytes:
    return derivation.derive(key, "backup")


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size
