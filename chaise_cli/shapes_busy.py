"""Objects about calendars of others; the authority as `shapes` is, in a file of its own."""

from __future__ import annotations

from typing import Final, TypedDict


class Calendar(TypedDict):
    """A calendar that this device reads for busy time. Nothing of what fills it is kept."""

    name: str
    kind: str  # file, folder, web, caldav
    where: str  # a path; of an address no more than the host, since the rest is often a secret
    tentative: bool  # what is only pencilled in counts as busy
    email: str | None  # who its owner is there, beside the profile's address
    every: str  # older than this it is stale: 1h
    read_at: str | None
    until: str | None  # busy time is known so far
    entries: int
    skipped: int  # entries that could not be read
    busy: int  # intervals
    stale: bool
    problem: str | None  # why it could not be read the last time


SHAPES: Final[dict[str, type]] = {"calendar": Calendar}
"""These objects by the name `chaise schema NAME` takes."""
