"""Deals read as they were folded and stored; the fold itself is not loaded for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from chaise_cli.domain import record
from chaise_cli.domain.deal_state import DealState
from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

STATES: Final = 8  # stored states whose meaning is remembered
_states: Final[dict[str, DealState]] = {}  # the one asked for last is the last


class Loaded(NamedTuple):
    """A deal as stored: folded to what was taken up, and the place of the agent's line."""

    taken: DealState
    now: DealState
    agent: bytes  # the agent device's key
    line: int  # events of the agent so far
    clock: int
    frontier: dict[str, int]
    at: int  # of its newest event
    tip: bytes | None  # the id of the last event on the agent's line


def load(connection: Connection, space: int) -> Loaded | None:
    """The deal in this space, if its opening has arrived."""
    row = connection.execute(
        "SELECT taken, now, agent, line, clock, frontier, at, tip FROM deal WHERE space = ?", (space,)
    ).fetchone()
    if row is None:
        return None
    taken = _state(row[0])
    now = _state(row[1]) if row[1] else taken
    return Loaded(taken, now, row[2], row[3], row[4], json.loads(row[5]), row[6], row[7])


def _state(stored: str) -> DealState:
    """A state as it was stored. One act loads its deal several times, mostly unchanged; states are never changed."""
    state: DealState = _states.get(stored) or record.load(DealState, json.loads(stored))
    keep(stored, state)
    return state


def keep(stored: str, state: DealState) -> None:
    """Remember what a stored state means; few are asked for again."""
    _states.pop(stored, None)
    _states[stored] = state
    if len(_states) > STATES:
        del _states[next(iter(_states))]
