"""`agent move`: the agent's role goes to another device of whoever holds the money. docs/spec/order.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chaise_cli.domain import order
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.transitions import NotYours
from chaise_cli.errors import Conflict, Refused
from chaise_cli.ids import DeviceId, EventId, SpaceId, public, text
from chaise_cli.session import agency, dealing, devices, finding, requests, showing, showing_deals, writing
from chaise_cli.session.acting import Step
from chaise_cli.store import deals, duties, events, own, selves

if TYPE_CHECKING:
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


class HadBefore(Refused):
    """No device has the role of one deal twice."""

    code = "agent.had_before"
    message = "{device} was the agent device of {deal} before, and no device is it twice"
    hint = "name another device with --to; or give this one a new key: chaise device renew"
    device: str
    deal: str


class MayNotTake(Refused):
    """A limited device takes no role that another one has."""

    code = "agent.may_not_take"
    message = "this device may not take the agent's role of {deal} over"
    hint = "do it on the device that has it, or on an admin device: chaise devices"
    deal: str


class NotMoved(Conflict):
    """The old device had moved money meanwhile, so it keeps the role."""

    code = "agent.not_moved"
    message = "the agent device of {deal} has moved money that was not known here, and keeps the role"
    hint = "chaise sync, then move it again"
    deal: str


class Moved(NamedTuple):
    """The deals with their new agent device, as they stand."""

    deals: list[dict[str, Any]]
    events: Sequence[str]
    replayed: bool
    next: Sequence[Step]


def move(session: Session, given: Sequence[SpaceId] | None, to: str | None, asked: Request | None) -> Moved:
    """Move the role of these deals, or of all where one of my devices has it, to this device or the one named.

    A deal whose role is there already is left alone. Raises NotYours, HadBefore, MayNotTake, NotMoved, NoSuchDevice,
    Reused.
    """
    with session.writing():
        target = devices.find(session, to).device if to is not None else session.me.device
        if target in selves.revoked(session.db):
            raise devices.NoSuchDevice(given=public("dev", target))
        spaces = _mine(session) if given is None else [finding.space_no(session, one) for one in given]
        before = requests.replayed(session, asked)
        writer = writing.Writer(session)
        for no in spaces if before is None else ():
            _move(dealing.DealWriter(session, writer, session.space(no)), target)
        made = (
            requests.remember(session, asked, public("dev", target), writer.written)
            if before is None
            else before.events
        )
        shown = [
            showing_deals.deal(session, showing.state_of(session, events.space_numbered(session.db, no).id))
            for no in spaces
        ]
        named = next(one.name for one in selves.devices(session.db) if one.device == target)
        there = [] if target == session.me.device or not made else [Step(f"your device {named}", "chaise sync")]
        return Moved(shown, made, before is not None or not made, there)


def _mine(session: Session) -> list[int]:
    """The deals whose money I hold, that a newer Chaise has not written in."""
    found = duties.as_agent(session.db, session.me.identity)
    return [no for no in found if not events.space_numbered(session.db, no).newer]


def _move(deal: DealWriter, target: DeviceId) -> None:
    session, name = deal.session, deal.state.deal.public
    if session.me.identity != deal.state.deal.parties.agent:
        raise NotYours(act="agent move", of=name, owner="whoever holds the money")
    if text(deal.found.agent) == target:
        return
    if not deal.by.agent and not _is_admin(session):
        raise MayNotTake(deal=name)
    if deal.found.taken.deal.awaits_agent:  # the first word of whichever device it is, is the consent
        _consent(deal, target)
        return
    agency.take_up(deal)
    line = deals.line(session.db, deal.space)
    assert line, "a deal that is folded has its opening"
    if target in line.holders:
        raise HadBefore(device=public("dev", target), deal=name)
    deal.write([order.AgentDevice(target, last_of(deal, line))])
    if text(deal.found.agent) != target:
        raise NotMoved(deal=name)


def _consent(deal: DealWriter, target: DeviceId) -> None:
    assert deal.found.tip, "a hire that was taken up has a last event"
    deal.write([order.AgentDevice(target, EventId(text(deal.found.tip)))])
    if text(deal.found.agent) != target:
        raise NotMoved(deal=deal.state.deal.public)


def last_of(deal: DealWriter, line: order.Line) -> EventId:
    """The last agent event known, or the opening."""
    if line.events:
        return EventId(line.events[-1].id)
    return deal.found.taken.deal.opening


def _is_admin(session: Session) -> bool:
    first: Any = own.certificates(session.db)[0]
    return bool(first["kind"] == "admin")


def take_from_revoked(session: Session, deal: DealWriter) -> bool:
    """Take the role of a deal of mine over from a device that was revoked; whether this device has it now.

    Done again after each sync until it counts: what the other side had of the old device's before stands.
    Raises HadBefore.
    """
    agent = DeviceId(text(deal.found.agent))
    is_agent = session.me.identity == deal.state.deal.parties.agent
    if not is_agent or agent not in selves.revoked(session.db) or not _is_admin(session):
        return False
    line = deals.line(session.db, deal.space)
    assert line, "a deal that is folded has its opening"
    body = order.AgentDevice(session.me.device, last_of(deal, line))
    if session.me.device in line.holders:
        raise HadBefore(device=public("dev", session.me.device), deal=deal.state.deal.public)
    if duties.asked_for(session.db, deal.space.no, session.me.device, body.after):
        return False
    deal.write([body])
    return text(deal.found.agent) == session.me.device
