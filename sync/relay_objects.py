"""Attachments to and from a relay, in pieces; what is cut off goes on where it was. docs/spec/relay.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from . import relay_link, relay_messages
from .relay_course import Course
from .relay_link import BARRED, RelayRefused
from .relay_messages import PIECE, Malformed, Piece

_ANSWER_LIMIT: Final = PIECE + 1024
_NOT_THERE: Final = "relay.not_found"
_EMPTY: Final = sha256().digest()  # what has no bytes needs nobody to keep it


def exchange(course: Course) -> None:
    """Fetch what is wanted and is there, give what the relay lacks."""
    _fetch_all(course)
    for info in course.replica.spaces():
        track = course.tracks.get(info.id)
        if track is None or not track.number:
            continue
        for address in course.replica.objects_of(info.id):
            if not course.memory.object_there(info.id, address):
                _give(course, info.id, address)


def _fetch_all(course: Course) -> None:
    wanted = list(course.replica.objects_wanted())
    for done, address in enumerate(wanted, 1):
        if address == _EMPTY:
            course.replica.keep_object(address, ())
            continue
        for space in course.memory.naming(address):
            track = course.tracks.get(space)
            if track is not None and track.number and _fetch(course, space, address):
                break
        course.tally.progress("objects", done, len(wanted))


def _fetch(course: Course, space: bytes, address: bytes) -> bool:
    """Whether the attachment was there. One that came in part before goes on where it was cut off."""
    try:
        whole = _parts(course, space, address)
    except BARRED:
        raise
    except RelayRefused as error:
        if error.answer != _NOT_THERE:  # which only says that it has not come yet
            course.tally.problem(error.answer, error.sentence())
        return False
    kept = course.replica.keep_object(address, whole)
    course.memory.drop_part(address)
    if not kept:
        course.tally.problem("object.damaged", f"attachment {address.hex()} does not have the hash it is named by")
        return False
    course.memory.note_object(space, address)
    return True


def _parts(course: Course, space: bytes, address: bytes) -> Iterable[bytes]:
    """The bytes of an attachment, all of which have come."""
    offset = course.memory.part_size(address)
    while True:
        piece = _ask(course, space, address, offset)
        reached = offset + len(piece.data)
        if reached == piece.size and not offset:
            return [piece.data]
        if not piece.data:
            course.memory.drop_part(address)
            raise Malformed(why="an attachment that does not go on")
        course.memory.add_part(address, offset, piece.data)
        if reached == piece.size:
            return course.memory.part(address)
        offset = reached


def _ask(course: Course, space: bytes, address: bytes, offset: int) -> Piece:
    body = space + address + bytes(8) + offset.to_bytes(8, "big")
    answer = course.caller.post("/v1/object/get", body, limit=_ANSWER_LIMIT)
    piece = relay_messages.read_piece(answer)
    if (piece.space, piece.address, piece.offset) != (space, address, offset):
        raise Malformed(why="a piece of another attachment")
    return piece


def _give(course: Course, space: bytes, address: bytes) -> None:
    pieces = course.replica.read_object(address)
    if pieces is None:
        return
    size = sum([len(piece) for piece in pieces])
    try:
        have = _put(course, Piece(space, address, size, 0, b""))
        while have < size:
            reached = _give_from(course, Piece(space, address, size, have, b""))
            if reached <= have:
                raise Malformed(why="an attachment that does not go on")
            have = reached
    except BARRED:
        raise
    except RelayRefused as error:
        course.tally.problem(error.answer, f"attachment {address.hex()}: {error.sentence()}")
        return
    with course.memory.together():
        course.memory.note_object(space, address)


def _give_from(course: Course, start: Piece) -> int:
    """Send on from an offset to the end, as long as the relay follows; how far it is."""
    have = start.offset
    for piece in _from(course.replica.read_object(start.address) or (), start.offset):
        expected = have + len(piece)
        have = _put(course, start._replace(offset=have, data=piece))
        if have != expected:
            break
    return have


def _from(pieces: Iterable[bytes], offset: int) -> Iterator[bytes]:
    """What comes from an offset on, in pieces of 1 MiB."""
    at, held = 0, bytearray()
    for piece in pieces:
        held += piece[max(0, offset - at) :]
        at += len(piece)
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def _put(course: Course, piece: Piece) -> int:
    answer = course.caller.post("/v1/object/put", relay_messages.pack_piece(piece))
    have = relay_link.read_json(answer).get("have")
    if not isinstance(have, int) or isinstance(have, bool) or not 0 <= have <= piece.size:
        raise Malformed(why="an attachment of which more is there than there is")
    return have
