"""`device rename`: what a device is called among one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import own as bodies
from chaise_cli.ids import DeviceId, public
from chaise_cli.session import devices, requests, writing
from chaise_cli.store import events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import OwnDevice


def rename(session: Session, given: str, name: str, asked: Request | None) -> tuple[OwnDevice, Sequence[str], bool]:
    """Call a device something else among one's own; the object, the events, and whether it was so before.

    Raises BadId, NoSuchDevice, SeveralDevices, Reused.
    """
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return devices.by_key(session, devices.find(session, before.subject).device), before.events, True
        one = devices.find(session, given)
        writer = writing.Writer(session)
        if one.name != name:
            space = session.space(events.spaces(session.db, "self")[0].no)
            named: list[Any] = [bodies.SelfDeviceNamed(DeviceId(one.device), name)]
            writer.write(space, named, asked)
        made = requests.remember(session, asked, public("dev", one.device), writer.written)
        return devices.by_key(session, one.device), made, not made
