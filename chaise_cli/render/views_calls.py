"""Views of when somebody takes calls, and of times that are free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.domain import when
from chaise_cli.render.document import Block, Cell, Column, Fields, Table, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.render.eye import Eye
    from chaise_cli.shapes_calls import Availability, CallKind, DayHours, FreeSlot

_KINDS: Final = [
    Column("CALLS"),
    Column("LAST"),
    Column("EVERY"),
    Column("FREE BEFORE", drop=2),
    Column("AFTER", drop=2),
    Column("NOTICE"),
    Column("AHEAD"),
    Column("A DAY", right=True, drop=1),
    Column("A WEEK", right=True, drop=1),
    Column("AT", flex=True, drop=3),
]
_DAYS: Final = [Column("DAY"), Column("HOURS")]
_SLOT: Final = [Column("START"), Column("LASTS", right=True)]


def _hours(days: Sequence[DayHours]) -> list[list[Cell]]:
    return [[day["day"], ", ".join(day["hours"]) or "closed"] for day in days]


def _length(minutes: int) -> str:
    return when.duration_text(minutes * when.MINUTE) if minutes else ""


def _kind(kind: CallKind) -> list[Cell]:
    lengths = ", ".join(map(_length, kind["lengths"]))
    spans = [_length(minutes) for minutes in (kind["step"], kind["before"], kind["after"], kind["notice"])]
    most = [str(count or "") for count in (kind["per_day"], kind["per_week"])]
    return [kind["name"], lengths, *spans, f"{kind['window']}d", *most, kind["place"] or ""]


def _page(own: Availability, _eye: Eye) -> list[Block]:
    days = [*_hours(own["hours"]), *_hours(own["days"])]
    kinds = [_kind(kind) for kind in own["calls"]]
    return [Fields([("zone", own["zone"])]), Table(_DAYS, days), Table(_KINDS, kinds, "Calls")]


def _row(own: Availability, _eye: Eye) -> list[Cell]:
    return [own["zone"], ", ".join(kind["name"] for kind in own["calls"])]


def _slot_row(slot: FreeSlot, eye: Eye) -> list[Cell]:
    start, end = when.read_instant(slot["start"]), when.read_instant(slot["end"])
    zones = dict.fromkeys([eye.tz, slot["tz"], slot["theirs"] or slot["tz"]])
    return [tuple(when.one_zone(start, tz) for tz in zones), when.duration_text(end - start)]


def _slot_page(slot: FreeSlot, eye: Eye) -> list[Block]:
    return [Table(_SLOT, [_slot_row(slot, eye)])]


VIEWS: Final = {
    "availability": View(lambda _eye: [Column("ZONE"), Column("CALLS")], _row, _page, "no hours"),
    "free_slot": View(lambda _eye: _SLOT, _slot_row, _slot_page, "no free times"),
}
