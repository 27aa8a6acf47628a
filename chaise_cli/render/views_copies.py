"""Views of calendar servers and the copies of calls there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, View

if TYPE_CHECKING:
    from chaise_cli.render.eye import Eye
    from chaise_cli.shapes_calendar import CalendarCopy, PushedCalendar


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


def _calendar_columns(eye: Eye) -> list[Column]:
    return [
        Column("CALENDAR", flex=True),
        Column("USER", drop=1),
        Column("ENTRIES", right=True),
        Column("CHANGED", right=True),
        Column(eye.column("PUSHED")),
        Column(eye.column("PULLED"), drop=2),
    ]


def _calendar_row(calendar: PushedCalendar, eye: Eye) -> list[Cell]:
    pushed, pulled = (eye.at(calendar[key]) if calendar[key] else "never" for key in ("pushed_at", "pulled_at"))
    counts = [str(calendar["entries"]), str(calendar["changed"])]
    return [calendar["url"], calendar["user"], *counts, pushed, pulled]


def _calendar_page(calendar: PushedCalendar, eye: Eye) -> list[Block]:
    pairs = [
        ("calendar", calendar["url"]),
        ("user", calendar["user"]),
        ("written", "busy times alone" if calendar["private"] else "calls"),
        ("entries", str(calendar["entries"])),
        ("changed there", str(calendar["changed"])),
        ("pushed", eye.when(calendar["pushed_at"]) if calendar["pushed_at"] else "never"),
        ("pulled", eye.when(calendar["pulled_at"]) if calendar["pulled_at"] else "never"),
    ]
    return [Fields(pairs)]


VIEWS: Final = {
    "calendar_copy": View(_columns, _row, _page, "nothing to do there, and nothing was changed there"),
    "pushed_calendar": View(
        _calendar_columns, _calendar_row, _calendar_page, "calls are pushed to no calendar: chaise calendar push URL"
    ),
}
