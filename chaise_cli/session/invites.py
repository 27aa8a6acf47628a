"""Invites to a board: everything that joining takes, as one text to copy. A secret, for as long as the board lives.

`chaise-board-1-` and groups of four characters of Crockford's base32, the last one a checksum. Inside:
board id 32 · secret 32 · size u16 and name · count u8 and for each place size u16 and its text, big-endian and
UTF-8, nothing after. Source: docs/spec/board.md.
"""

from __future__ import annotations

import re
from typing import Final

from chaise_cli.crypto import checked_text
from chaise_cli.domain import directory, shape
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Newer, Usage
from chaise_cli.ids import SpaceId, raw, text

PREFIX: Final = "chaise-board-1-"
_LABELLED: Final = re.compile(r"^invite:\s*(\S+)\s*$", re.MULTILINE)
_LATER: Final = re.compile("chaise-board-(?:[2-9]|[1-9][0-9]+)-", re.IGNORECASE | re.ASCII)
PLACES_MOST: Final = 4
PLACE_MOST: Final = 500  # bytes
_USE: Final = "board-invite"
_KEYS: Final = 64
_SIZE: Final = 2  # bytes of a length
_MOST: Final = 8_000  # characters, more than any invite has


class BadInvite(Usage):
    """The text is not an invite."""

    code = "board.bad_invite"
    message = "this is not an invite to a board: {why}"
    hint = "copy all of it, from chaise-board-1- to its last group; chaise board invite BOARD prints it again"
    why: str


class NewerInvite(Newer):
    """An invite of a later form."""

    code = "board.newer_invite"
    message = "the invite was made by a newer Chaise"
    hint = "upgrade Chaise, then join"


class Invite(NamedTuple):
    """What lets somebody join: the board, its secret, and where it may be met. `name` is the inviter's word."""

    board: SpaceId
    secret: bytes
    name: str
    places: tuple[str, ...] = ()


def write(invite: Invite) -> str:
    """The invite as text."""
    data = raw(invite.board) + invite.secret + _sized(invite.name)
    data += bytes([len(invite.places)]) + b"".join(_sized(place) for place in invite.places)
    return PREFIX + checked_text.write(data, _USE)


def read(given: str) -> Invite:
    """The invite in what somebody pasted; white space and capitals do not matter. Raises BadInvite, NewerInvite.

    What `chaise board invite` prints for people will do as well: the invite is looked for behind its label.
    """
    labelled = _LABELLED.search(given)
    joined = "".join((labelled[1] if labelled else given).split())
    if len(joined) > _MOST:
        raise BadInvite(why="it is too long")
    if joined[: len(PREFIX)].lower() != PREFIX:
        if _LATER.match(joined):
            raise NewerInvite
        raise BadInvite(why=f"it does not begin with {PREFIX}")
    return _parsed(_bytes(joined[len(PREFIX) :]))


def _sized(words: str) -> bytes:
    data = words.encode()
    return len(data).to_bytes(_SIZE, "big") + data


def _bytes(chars: str) -> bytes:
    count = len(chars.replace("-", "")) - checked_text.CHECK
    try:
        return checked_text.read(chars, _USE, max(count, 0) * 5 // 8)
    except checked_text.Misspelt as error:
        where = f" (group {error.group})" if error.group else ""
        raise BadInvite(why=error.reason + where) from None


def _parsed(data: bytes) -> Invite:
    try:
        name, rest = _cut(data[_KEYS:])
        count, rest = rest[0], rest[1:]
        places = []
        for _ in range(count):
            place, rest = _cut(rest)
            places.append(place)
        invite = Invite(SpaceId(text(data[:32])), data[32:_KEYS], name, tuple(places))
        shape.check(directory.BoardNamed(name))
    except (ValueError, IndexError, shape.BadField) as error:
        raise BadInvite(why="its content is malformed") from error
    if rest or len(places) > PLACES_MOST or any(not _is_place(place) for place in places):
        raise BadInvite(why="its content is malformed")
    return invite


def _cut(data: bytes) -> tuple[str, bytes]:
    end = _SIZE + int.from_bytes(data[:_SIZE], "big")
    if len(data) < max(end, _SIZE):
        raise ValueError("cut short")
    return data[_SIZE:end].decode(), data[end:]


def _is_place(place: str) -> bool:
    return 0 < len(place.encode()) <= PLACE_MOST and place.isprintable()
