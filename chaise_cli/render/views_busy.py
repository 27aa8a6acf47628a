"""The view of calendars that busy time is read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.render.document import Block, Cell, Column, Fields, View

if TYPE_CHECKING:
    from chaise_cli.render.eye import Eye
    from chaise_cli.shapes_busy import Calendar


def _columns(eye: Eye) -> list[Column]:
    return [
        Column("CALENDAR"),
        Column("KIND", drop=1),
        Column("WHERE", flex=True),
        Column(eye.column("READ")),
        Column("BUSY", right=True),
        Column("STATE", wrap=True),
    ]


def _row(calendar: Calendar, eye: Eye) -> list[Cell]:
    read = eye.at(calendar["read_at"]) if calendar["read_at"] else "never"
    return [calendar["name"], calendar["kind"], calendar["where"], read, str(calendar["busy"]), _state(calendar)]


def _state(calendar: Calendar) -> str:
    return calendar["problem"] or ("stale" if calendar["stale"] else "")


def _page(calendar: Calendar, eye: Eye) -> list[Block]:
    skipped = f", {calendar['skipped']} of them could not be read" if calendar["skipped"] else ""
    pairs = [
        ("calendar", calendar["name"]),
        ("kind", calendar["kind"]),
        ("where", calendar["where"]),
        ("owner", calendar["email"] or ""),
        ("tentative", "busy" if calendar["tentative"] else "free"),
        ("stale after", calendar["every"]),
        ("read", eye.when(calendar["read_at"]) if calendar["read_at"] else "never"),
        ("known until", eye.when(calendar["until"])),
        ("entries", f"{calendar['entries']}{skipped}"),
        ("busy times", str(calendar["busy"])),
        ("state", _state(calendar)),
    ]
    return [Fields(pairs)]


VIEWS: Final = {"calendar": View(_columns, _row, _page, "no calendars: chaise calendar add WHERE")}
