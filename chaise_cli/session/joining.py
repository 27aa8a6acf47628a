"""`device join`: a further home of somebody who has one already, made from what that one grants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from chaise_cli.crypto import storekey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import StillWaiting
from chaise_cli.ids import IdentityId, raw
from chaise_cli.session import founding, starting
from chaise_cli.session import home as homes
from chaise_cli.session.session import Session
from chaise_cli.store import connection, events, own, places

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.clock import Clock
    from chaise_cli.session.pairing import Granted, Joiner


class NobodyAnswered(StillWaiting):
    """The other device has not answered in time."""

    code = "pairing.no_answer"
    message = "the other device has not answered yet"
    hint = "start it again with a new code, and let the other device wait or sync meanwhile: chaise device add"


class Plan(NamedTuple):
    """What `device join` is to make."""

    home: homes.Home
    secrets: founding.Secrets
    name: str


def check(plan: Plan) -> None:
    """Refuse a plan that cannot be carried out, before anybody is asked. Raises HomeExists, InsideHome, NoFolder."""
    starting.check_paths(plan.home, plan.secrets.key_file)
    if plan.secrets.passphrase == "":
        raise founding.EmptyPassphrase


def settle(
    plan: Plan, joiner: Joiner, granted: Granted, place: str | None, now: Clock, random: Callable[[int], bytes]
) -> Session:
    """The new home, whole: it can act at once, and fetches the rest with its first sync.

    place: where it goes from now on; None for nowhere yet.

    Raises what `check` and `founding.build` raise, and Unwritable; then nothing is left over.
    """
    check(plan)
    new_key = plan.secrets.key_file if plan.secrets.key_file and not plan.secrets.key_file.exists() else None
    try:
        founding.build(
            plan.home, plan.secrets, random, lambda draft: _fill(draft, plan, joiner, granted, place, now, random)
        )
        return founding.opened(plan.home, plan.secrets, now, random)
    except BaseException as error:
        if new_key is not None:
            new_key.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise starting.Unwritable(why=f"{error.filename or plan.home.path}: {error.strerror}") from error
        raise


def _fill(
    draft: homes.Home,
    plan: Plan,
    joiner: Joiner,
    granted: Granted,
    place: str | None,
    now: Clock,
    random: Callable[[int], bytes],
) -> Path:
    key = storekey.generate(random)
    database = founding.begin_store(draft, key, None, plan.secrets, random)
    certificates = json.dumps([one.value() for one in granted.certificates])
    with connection.transaction(database):
        own.put(database, "identity", raw(granted.identity))
        own.put(database, "device_box", joiner.box)
        own.add_device(database, granted.certificates[0].device, joiner.seed, certificates)
        own.put(database, "settings", json.dumps(granted.settings).encode())
        id_, seed = granted.box
        own.put(database, f"box {id_}", seed.encode())
        own.put(database, "box", id_.encode())
        events.add_space(database, granted.space, "self", IdentityId(granted.identity), granted.maker)
        if place is not None:
            places.remember(database, place, auto=True)
    homes.write_anchor(draft, key, homes.Anchor(0, bytes(32)))
    session = Session(draft, key, database, now, random)
    with session.writing():
        session.epochs.add(events.spaces(session.db, "self")[0], granted.epoch)
    session.close()
    return draft.path
