"""Next steps as commands and the inbox tell them: by name, with the command to type."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import expected, when
from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.expected import Expected
    from chaise_cli.session.session import Session

STEPS_MOST: Final = 3  # of `next`


class Step(NamedTuple):
    """Who is expected to type what; `until` is RFC 3339 text."""

    who: str
    command: str
    until: str | None = None


def steps(session: Session, state: DealState, about: str = "") -> list[Step]:
    """The next steps of a deal, those about `about` (an id people type) first."""
    found = sorted(expected.of(state, session.clock.now()), key=lambda one: _distance(one.of, about, state.deal.public))
    elsewhere = _agent_elsewhere(session, state)
    first = [Step(elsewhere, "chaise sync")] if elsewhere and not state.deal.final else []
    return [*first, *(step(session, state, one) for one in found[:STEPS_MOST])]


def _agent_elsewhere(session: Session, state: DealState) -> str:
    """The agent device, where it is another one of one's own: what was done here counts once that one has synced."""
    parties = state.deal.parties
    if parties.agent != session.me.identity or parties.agent_device == session.me.device:
        return ""
    selves: Any = import_module("chaise_cli.store.selves")  # most people have one device
    name = next((one.name for one in selves.devices(session.db) if one.device == parties.agent_device), "")
    return f"your device {name}".strip()


def _distance(of: str, about: str, deal: str) -> int:
    """0 for what is acted on itself, 1 for other work and money of a deal that is acted on, 2 for the rest."""
    if of == about:
        return 0
    return 1 if about.startswith(deal) and of.startswith(deal) else 2


def step(session: Session, state: DealState, one: Expected) -> Step:
    """One expectation as `next` says it: by name, or `you`."""
    parties = state.deal.parties
    who = {"client": parties.client, "talent": parties.talent, "agent": parties.agent}[one.who]
    name = "you" if who == session.me.identity else session.name(who)
    if one.who == "agent":
        name = _agent_elsewhere(session, state) or name
    return Step(name, one.command, when.instant_text(one.until) if one.until is not None else None)
