"""`wait`: looking again and again until something is in a state, or can no longer get there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.transitions import ROWS
from chaise_cli.errors import Refused, StillWaiting, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

POLL_S: Final = 1.0
_ENDED: Final = frozenset({"released", "refunded", "cancelled"})  # the ends of a milestone; late movements change none


class NoSuchState(Usage):
    """Objects of this kind are never in such a state."""

    code = "wait.no_such_state"
    message = "a {kind} is never {given!r}"
    hint = "its states: {states}"
    kind: str
    given: str
    states: str


class NotYet(StillWaiting):
    """The time is up, and the state is not reached."""

    code = "wait.not_yet"
    message = "{of} is {state}, not {until} yet{why}"
    hint = "wait longer: --wait 2h, or chaise wait ID --timeout 2h; --sync also asks the places meanwhile"
    retryable = True
    of: str
    state: str
    until: str
    why: str


class OutOfReach(Refused):
    """From here no way leads to the state."""

    code = "wait.out_of_reach"
    message = "{of} is {state} and cannot become {until} any more"
    hint = "see what became of it: chaise show {of}"
    of: str
    state: str
    until: str


class Patience(NamedTuple):
    """How long to wait, and the ways to let time pass. timeout_s: None waits for ever, 0 looks once."""

    timeout_s: float | None
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


def _edges(scope: str) -> dict[str, frozenset[str]]:
    """From each state those that one event leads to, by the transition table."""
    found: dict[str, set[str]] = {}
    for row in ROWS:
        for state in row.states:
            if row.scope == scope and not row.later and not (scope == "milestone" and state in _ENDED):
                found.setdefault(state, set()).update(word for word in row.to.split(" or ") if word != "same")
    return {state: frozenset(following) for state, following in found.items()}


GRAPHS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "deal": {**_edges("deal"), "hired": frozenset({"closed"}), "closed": frozenset()},
    "milestone": {**_edges("milestone"), **dict.fromkeys(_ENDED, frozenset())},
    "booking": {
        "proposed": frozenset({"confirmed", "declined"}),
        "confirmed": frozenset({"met", "no_show", "cancelled", "conflicted"}),
        "conflicted": frozenset({"proposed", "cancelled"}),
        "met": frozenset({"no_show"}),
        "no_show": frozenset({"met"}),
        "declined": frozenset(),
        "cancelled": frozenset(),
    },
    "post": {
        "open": frozenset({"filled", "closed", "expired"}),
        "expired": frozenset({"open", "filled", "closed"}),
        "filled": frozenset(),
        "closed": frozenset(),
    },
    "op": {
        "authorized": frozenset({"released", "moved", "declined"}),
        "released": frozenset({"moved"}),
        "moved": frozenset(),
        "declined": frozenset(),
    },
}
"""Per shape, the states that each state leads to."""

PASSED: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("deal", "offered"): frozenset({"hired", "closed"}),
    ("deal", "hired"): frozenset({"closed"}),
    ("milestone", "funding"): frozenset({"funded", "delivered", "changes", "released"}),
    ("milestone", "funded"): frozenset({"delivered", "changes", "released"}),
    ("milestone", "delivered"): frozenset({"released"}),
    ("booking", "confirmed"): frozenset({"met", "no_show"}),
    ("op", "authorized"): frozenset({"released", "moved"}),
    ("op", "released"): frozenset({"moved"}),
}
"""States that lie behind a wanted one: who waits for `funded` need not catch the moment before `delivered`."""


def check(shape: str, until: str) -> None:
    """Raise NoSuchState unless an object of this shape can be in that state at all."""
    if until not in GRAPHS[shape]:
        raise NoSuchState(kind=shape, given=until[:40], states=", ".join(GRAPHS[shape]))


def reached(shape: str, state: str, until: str) -> bool:
    """Whether the state is the wanted one or lies behind it."""
    return state == until or state in PASSED.get((shape, until), ())


def reachable(shape: str, state: str, until: str) -> bool:
    """Whether some way leads from the state to the wanted one, or past it."""
    graph, seen, todo = GRAPHS[shape], {state}, [state]
    while todo:
        for following in graph.get(todo.pop(), frozenset()) - seen:
            seen.add(following)
            todo.append(following)
    return any(reached(shape, one, until) for one in seen)


def wait(
    look: Callable[[], tuple[str, dict[str, Any]]],
    until: str,
    patience: Patience,
    tick: Callable[[], object] = lambda: None,
) -> tuple[str, dict[str, Any], NotYet | None]:
    """The object, with its shape's name, once it is in the state for good; or the failure to get there in time.

    look: the object as it now stands; what is not final does not count yet. tick: called before every look.
    Raises NoSuchState, OutOfReach.
    """
    started = patience.monotonic()
    while True:
        tick()
        shape, data = look()
        check(shape, until)
        state, final = str(data["state"]), data.get("final", True) is not False
        if reached(shape, state, until) and final:
            return shape, data, None
        if not reachable(shape, state, until):
            raise OutOfReach(of=str(data["id"]), state=state, until=until)
        now = patience.monotonic()
        if patience.timeout_s is not None and now - started >= patience.timeout_s:
            why = "" if final else ": it is provisional until the agent's device takes it up"
            return shape, data, NotYet(of=str(data["id"]), state=state, until=until, why=why)
        left = POLL_S if patience.timeout_s is None else min(POLL_S, patience.timeout_s - (now - started))
        patience.sleep(left)
