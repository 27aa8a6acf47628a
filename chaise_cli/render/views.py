"""The view of every shape, and the two ways to use it: a table of many, a page of one.

A view gets raw objects (`shapes`) and an `Eye`, and returns blocks; it neither cleans text nor measures it. The
modules of views are loaded by the shape that is shown: a page of one needs none of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.render.document import Block, Table, View

if TYPE_CHECKING:
    from chaise_cli.render.eye import Eye

_HIRE: Final = "chaise_cli.render.views_hire"
_SHAPES: Final = {
    _HIRE: ("deal", "milestone", "booking", "message", "review", "file"),
    "chaise_cli.render.views_busy": ("calendar",),
    "chaise_cli.render.views_calls": ("availability", "free_slot"),
    "chaise_cli.render.views_contest": ("contest",),
    "chaise_cli.render.views_copies": ("calendar_copy", "pushed_calendar"),
    "chaise_cli.render.views_devices": ("device", "pairing"),
    "chaise_cli.render.views_look": (
        *("inbox_item", "agenda_item", "log_entry", "place", "sync", "relay", "relay_entry", "sync_status"),
        *("serving", "round", "sim", "verify", "backup", "doctor"),
    ),
    "chaise_cli.render.views_market": ("identity", "board", "profile", "service", "post"),
    "chaise_cli.render.views_money": (
        *("op", "grant", "balance", "balance_by", "statement", "reconciliation", "journal_entry"),
    ),
    "chaise_cli.render.views_policy": ("policy", "policy_case", "run"),
}
MODULES: Final[Mapping[str, str]] = MappingProxyType(
    {shape: module for module, shapes in _SHAPES.items() for shape in shapes}
)
"""Where the view stands of every shape a command answers with."""


def view_of(shape: str) -> View:
    """The view of a shape."""
    module: Any = import_module(MODULES[shape])
    view: View = module.VIEWS[shape]
    return view


def table_of(shape: str, items: Sequence[Mapping[str, object]], eye: Eye) -> Table:
    """The list of `items`, one row each; proposals are set against their post."""
    if shape == "deal" and items and all("compare" in item for item in items):
        table: Table = import_module(_HIRE).compared(items, eye)
        return table
    view = view_of(shape)
    return Table(view.columns(eye), [view.row(item, eye) for item in items])


def page_of(shape: str, item: Mapping[str, object], eye: Eye) -> list[Block]:
    """The page of one object, its summary first."""
    return view_of(shape).page(item, eye)
