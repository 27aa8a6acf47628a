"""`devices`: the device keys of one person, as the self space tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import when
from chaise_cli.errors import NotFound
from chaise_cli.ids import LENGTH, public, raw, read_public
from chaise_cli.session.finding import FullIdWanted
from chaise_cli.store import duties, events, own, selves

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import OwnDevice


class NoSuchDevice(NotFound):
    """No device of yours goes by that id."""

    code = "device.unknown"
    message = "there is no device {given} of yours"
    hint = "list them: chaise devices; one that joined elsewhere comes with the next sync"
    given: str


class SeveralDevices(NotFound):
    """The shortened id fits several devices."""

    code = "device.several"
    message = "{given} may be {candidates}"
    hint = "give more characters of it"
    given: str
    candidates: str


def listed(session: Session) -> list[OwnDevice]:
    """Every device key, the newest first."""
    return [shown(session, one) for one in reversed(selves.devices(session.db))]


def shown(session: Session, one: selves.Device) -> OwnDevice:
    """The `device` object."""
    seen = events.last_heard(session.db, raw(one.device))
    return {
        "id": public("dev", one.device),
        "name": one.name,
        "kind": str(one.certificate["kind"]),
        "since": when.instant_text(one.certificate["at"]),
        "state": state(session, one),
        "agent_of": duties.agent_of(session.db, one.device),
        "seen": when.instant_text(seen) if seen is not None else None,
    }


def state(session: Session, one: selves.Device) -> str:
    """What the device is to this home."""
    if one.device in selves.revoked(session.db):
        return "revoked"
    if one.device == session.me.device:
        return "this"
    return "former" if own.is_mine(session.db, one.device) else "active"


def find(session: Session, given: str, *, exact: bool = False) -> selves.Device:
    """The device with this id. exact: refuse a shortened one.

    Raises BadId, NoSuchDevice, SeveralDevices, FullIdWanted.
    """
    _, chars = read_public(given, "dev")
    found = [one for one in selves.devices(session.db) if public("dev", one.device).startswith(f"dev-{chars}")]
    if not found:
        raise NoSuchDevice(given=given[:40])
    if len(found) > 1:
        raise SeveralDevices(given=given[:40], candidates=", ".join(public("dev", one.device) for one in found[:9]))
    if exact and len(chars) < LENGTH:
        raise FullIdWanted(given=given[:40], full=public("dev", found[0].device))
    return found[0]


def by_key(session: Session, device: str) -> OwnDevice:
    """The `device` object of a key that is known."""
    return shown(session, next(one for one in selves.devices(session.db) if one.device == device))
