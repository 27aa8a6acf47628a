"""What a time that somebody typed is read against."""

from __future__ import annotations

from chaise_cli.domain.light import NamedTuple


class Here(NamedTuple):
    """What a time is read against: the instant now in ms, the zone, and whether a person is at a terminal."""

    now: int
    tz: str
    loose: bool = False
