"""The two bodies that travel in clear: a space's genesis and the wraps that hand out its key. docs/spec/envelope.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chaise_cli import ids
from chaise_cli.errors import Corrupt
from chaise_cli.ledger import canonical

SPACE_KINDS: Final = ("self", "board", "deal")
BOXES_MOST: Final = 16
_BOX_MOST: Final = 2000  # bytes


class BadClearBody(Corrupt):
    """A genesis or wrap that is not of its form."""

    code = "envelope.bad_clear_body"
    message = "a genesis or wrap event is malformed: {why}"
    hint = "the sender's software is broken or hostile; nothing of this run was kept"
    why: str


class Genesis(NamedTuple):
    """What a space begins with; the id of its event is the space's id."""

    nonce: str  # 16 random bytes
    space: str
    creator: ids.IdentityId


class Box(NamedTuple):
    """The epoch secret wrapped to one identity's box key; in self, to a device's own box key or the root's."""

    to: tuple[str, str]  # identity, id of the box key
    box: str


class Wrap(NamedTuple):
    """Whom an epoch's secret is handed to. `previous` seals older secrets under the new history key."""

    commit: str
    previous: Sequence[tuple[str, str]]  # epoch name, sealed secret
    boxes: Sequence[Box]


def write_genesis(genesis: Genesis) -> bytes:
    """The body's bytes."""
    return canonical.encode(genesis._asdict())


def read_genesis(body: bytes) -> Genesis:
    """The genesis in these bytes. Raises BadClearBody, NotCanonical."""
    value = canonical.decode(body)
    if not isinstance(value, dict) or set(value) != set(Genesis._fields) or value["space"] not in SPACE_KINDS:
        raise BadClearBody(why="unknown form")
    if not _sized(value["nonce"], 16) or not _sized(value["creator"], 32):
        raise BadClearBody(why="a key of the wrong size")
    return Genesis(**value)


def write_wrap(wrap: Wrap) -> bytes:
    """The body's bytes."""
    boxes = [{"to": list(box.to), "box": box.box} for box in wrap.boxes]
    return canonical.encode({"commit": wrap.commit, "previous": [list(p) for p in wrap.previous], "boxes": boxes})


def read_wrap(body: bytes) -> Wrap:
    """The wrap in these bytes. Raises BadClearBody, NotCanonical."""
    value = canonical.decode(body)
    if not isinstance(value, dict) or set(value) != set(Wrap._fields) or not _sized(value["commit"], 32):
        raise BadClearBody(why="unknown form")
    boxes, previous = value["boxes"], value["previous"]
    if not isinstance(boxes, list) or not isinstance(previous, list) or not 0 < len(boxes) <= BOXES_MOST:
        raise BadClearBody(why="no boxes, or too many")
    return Wrap(value["commit"], [_previous(item) for item in previous], [_box(item) for item in boxes])


def _box(value: object) -> Box:
    if not isinstance(value, dict) or set(value) != {"to", "box"} or not isinstance(value["to"], list):
        raise BadClearBody(why="a box of unknown form")
    if len(value["to"]) != 2 or not all(_sized(part, 32) for part in value["to"]) or not _is_box(value["box"]):
        raise BadClearBody(why="a box of unknown form")
    return Box((value["to"][0], value["to"][1]), value["box"])


def _previous(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2 or not _sized(value[0], 8) or not _is_box(value[1]):
        raise BadClearBody(why="an older epoch of unknown form")
    return value[0], value[1]


def _is_box(value: object) -> bool:
    if not isinstance(value, str) or len(value) > 2 * _BOX_MOST:
        return False
    try:
        return bool(ids.raw(value))
    except ValueError:
        return False


def _sized(value: object, size: int) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return len(ids.raw(value)) == size
    except ValueError:
        return False
