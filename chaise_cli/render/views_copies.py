"""Views of the copies of calls on calendar servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, View

if TYPE_CHECKING:
    from chaise_cli.render.eye import Eye
    from chaise_cli.shapes_calendar import CalendarCopy


def _row(copy: CalendarCopy, eye: Eye) -> list[Cell]:
    return [eye.ids(copy["booking"]), copy["did"], eye.at(copy["start"]), copy["calendar"]]


def _page(copy: CalendarCopy, eye: Eye) -> list[Block]:
    pairs = [
        ("call", eye.ids(copy["booking"])),
        ("there", copy["did"]),
        ("from", eye.when(copy["start"])),
        ("to", eye.when(copy["end"])),
        ("calendar", copy["calendar"]),
        ("make it so", eye.ids(copy["command"] or "")),
    ]
    return [Fields(pairs)]


def _columns(eye: Eye) -> list[Column]:
    return [Column("BOOKING"), Column("THERE"), Column(eye.column("START")), Column("CALENDAR", flex=True, drop=1)]


VIEWS: Final = {"calendar_copy": View(_columns, _row, _page, "nothing to do there, and nothing was changed there")}
