"""How a third party whom signed terms name as the agent takes the role, or refuses it. docs/spec/order.md.

The take-up that covers the acceptance is the last of the client's device. `agent.device` behind it, by the agent
named, is the consent; until then nothing is final, and nothing held. `agent.refused` gives the role back to the
client's device and ends the hire: what was offered has to be offered anew.
"""

from __future__ import annotations

from typing import ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.deal import Deal
from chaise_cli.domain.order import AgentDevice
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.domain.shape import Body, Event, Prose
from chaise_cli.domain.transitions import NotYours, WrongState, permit, roles
from chaise_cli.errors import Refused
from chaise_cli.ids import EventId

_REFUSED: Final = "the agent refused"


class NotNamed(Refused):
    """The agent has consented already, or refuses another hire than the one that stands."""

    code = "agent.not_named"
    message = "{deal} waits for no consent of yours"
    hint = "see who its agent is: chaise show {deal}"
    deal: str


@body
class AgentRefused:
    """The agent whom the terms name will not hold this deal's money. `hire` is the acceptance of the terms."""

    KIND: ClassVar[str] = "agent.refused"
    hire: Event
    reason: Prose


def apply_consent(deal: Deal, e: Recorded) -> Deal:
    """The deal after an `agent.device`: the first one on the line of a third party is its consent."""
    if deal.awaits_agent and e.agent and e.by == deal.parties.agent:
        return deal._replace(consent=e.id)
    return deal


def apply_refused(deal: Deal, e: Recorded, body: AgentRefused) -> Deal:
    """The hire ends before any money was held, as if the terms had been declined."""
    third = e.agent and deal.secured and e.by == deal.parties.agent
    permit(body.KIND, deal.state, roles(deal.parties, e.by, agent=third), deal.public)
    if not deal.awaits_agent or body.hire != deal.hired_by:
        raise NotNamed(deal=deal.public)
    ops = {
        id_: op if op.of or op.moved or op.declined else op._replace(declined=_REFUSED) for id_, op in deal.ops.items()
    }
    return deal._replace(
        state="declined",
        reason=body.reason,
        parties=deal.parties._replace(agent=deal.parties.client),
        terms=None,
        terms_hash=None,
        hired_by=None,
        milestones=(),
        ops=ops,
    )


def consent(deal: Deal, by: By, tip: EventId) -> list[Body]:
    """Take the agent's role that the terms give; nothing when that was done. tip: the last event of the client's line.

    Raises NotYours, NotNamed.
    """
    _named(deal, by, "accept")
    if deal.consent is not None:
        return []
    return [AgentDevice(by.device, tip)]


def refuse(deal: Deal, by: By, reason: str) -> list[Body]:
    """Refuse the agent's role. Raises NotYours, and WrongState once it was taken."""
    _named(deal, by, "decline")
    if not deal.awaits_agent or deal.hired_by is None:
        raise WrongState(act="decline", of=deal.public, state=deal.state)
    return [AgentRefused(deal.hired_by, reason)]


def _named(deal: Deal, by: By, act: str) -> None:
    if not deal.secured or by.identity != deal.parties.agent:
        raise NotYours(act=act, of=deal.public, owner="the agent that the terms name")
