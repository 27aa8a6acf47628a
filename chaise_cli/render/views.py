"""The view of every shape, and the two ways to use it: a table of many, a page of one.

A view gets raw objects (`shapes`) and an `Eye`, and returns blocks; it neither cleans text nor measures it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from chaise_cli.render import (
    views_busy,
    views_calls,
    views_contest,
    views_copies,
    views_devices,
    views_hire,
    views_look,
    views_market,
    views_money,
    views_policy,
)
from chaise_cli.render.document import Block, Table, View

if TYPE_CHECKING:
    from chaise_cli.render.eye import Eye

VIEWS: Final[Mapping[str, View]] = MappingProxyType(
    views_market.VIEWS
    | views_hire.VIEWS
    | views_calls.VIEWS
    | views_copies.VIEWS
    | views_contest.VIEWS
    | views_money.VIEWS
    | views_policy.VIEWS
    | views_look.VIEWS
    | views_devices.VIEWS
    | views_busy.VIEWS
)
"""A view for every shape a command answers with."""


def table_of(shape: str, items: Sequence[Mapping[str, object]], eye: Eye) -> Table:
    """The list of `items`, one row each; proposals are set against their post."""
    if shape == "deal" and items and all("compare" in item for item in items):
        return views_hire.compared(items, eye)
    view = VIEWS[shape]
    return Table(view.columns(eye), [view.row(item, eye) for item in items])


def page_of(shape: str, item: Mapping[str, object], eye: Eye) -> list[Block]:
    """The page of one object, its summary first."""
    return VIEWS[shape].page(item, eye)
