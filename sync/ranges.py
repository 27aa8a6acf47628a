"""Where two sets of spaces differ, told in few bytes: a digest over all of them, then over ranges of them.

A space has a *position*: 8 bytes that change with every event of it. Spaces fall into 32 ranges by the first
five bits of their id and each range into 32 parts by the next five. Digests of ranges and parts are cut to 4
bytes: two that happen to agree hide a change only until the next comparison over everything, and then whoever
sees that nothing explains the difference asks for all. docs/spec/sync.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

FAN: Final = 32
SHORT: Final = 4
POSITION: Final = 8
WIDTH: Final = FAN * SHORT  # bytes of the digests of all ranges, or of all parts of one range
PARTS: Final = FAN * FAN

Positions = Mapping[bytes, bytes]  # position by space


def part_of(space: bytes) -> int:
    """The part a space falls into, from 0 to 1,023; its range is this divided by 32."""
    return int.from_bytes(space[:2], "big") >> 6


def range_of(space: bytes) -> int:
    """The range a space falls into, from 0 to 31."""
    return part_of(space) // FAN


def of(digests: bytes, number: int) -> bytes:
    """One of 32 digests."""
    return digests[number * SHORT : (number + 1) * SHORT]


def whole(positions: Positions) -> bytes:
    """32 bytes over all spaces and positions."""
    return _digest(sorted(positions.items()))


def ranges(positions: Positions) -> bytes:
    """The digests of the 32 ranges, 128 bytes."""
    return _cut(positions, lambda part: part // FAN)


def parts(positions: Positions, of_range: int) -> bytes:
    """The digests of the 32 parts of one range, 128 bytes."""
    inside = {space: at for space, at in positions.items() if range_of(space) == of_range}
    return _cut(inside, lambda part: part % FAN)


def differing(ours: bytes, theirs: bytes) -> list[int]:
    """The numbers, 0 to 31, of those of 32 digests that differ."""
    return [at for at in range(FAN) if of(ours, at) != of(theirs, at)]


def within(positions: Positions, chosen: Iterable[int]) -> dict[bytes, bytes]:
    """The spaces, with their positions, that fall into these parts."""
    wanted = frozenset(chosen)
    return {space: at for space, at in positions.items() if part_of(space) in wanted}


def _cut(positions: Positions, number: Callable[[int], int]) -> bytes:
    rows: list[list[tuple[bytes, bytes]]] = [[] for _ in range(FAN)]
    for space, at in sorted(positions.items()):
        rows[number(part_of(space))].append((space, at))
    return b"".join([_digest(row)[:SHORT] for row in rows])


def _digest(rows: Sequence[tuple[bytes, bytes]]) -> bytes:
    return sha256(b"".join([space + at for space, at in rows])).digest()
