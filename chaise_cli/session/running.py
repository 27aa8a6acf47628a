"""A run under a grant: a home in a temporary folder, the one deal fetched, what was written handed in.

Nothing is kept when it ends, so it may be started again whatever became of it. docs/spec/grants.md.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from chaise_cli import clock
from chaise_cli.crypto import signing, storekey
from chaise_cli.domain import grants
from chaise_cli.domain.when import instant_text
from chaise_cli.errors import ChaiseError, Unreachable
from chaise_cli.ids import DeviceId, public, raw, text
from chaise_cli.ledger import certificate
from chaise_cli.session import grantfile, sending, syncing
from chaise_cli.session import home as homes
from chaise_cli.session.session import Session
from chaise_cli.store import connection, events, own, places, schema

if TYPE_CHECKING:
    from chaise_cli.session.grantfile import GrantFile
    from chaise_cli.session.syncing import Done
    from chaise_cli.store.connection import Connection

_STRUCK = "relay.struck"


class Nowhere(Unreachable):
    """No place answered a run, or none has acknowledged what it wrote."""

    code = "grant.nowhere"
    message = "{why}: nothing is known to have arrived"
    hint = "run it again; a repeat moves nothing twice"
    why: str


@contextmanager
def home(path: Path, now: clock.Clock, random: Callable[[int], bytes] = clock.random_bytes) -> Iterator[Session]:
    """A fresh home for the grant in this file, with a run key of its own; gone at the end. Raises BadFile, Expired."""
    made = grantfile.read(path)
    until = made.certificates[0].until
    if now.now() >= until:
        raise grants.Expired(grant=public("grant", made.grant), until=instant_text(until))
    with tempfile.TemporaryDirectory(prefix="chaise-run-") as folder:
        session = _found(homes.Home(Path(folder) / "home"), made, now, random)
        try:
            yield session
        finally:
            session.close()


def _found(place: homes.Home, made: GrantFile, now: clock.Clock, random: Callable[[int], bytes]) -> Session:
    place.path.mkdir(0o700)
    place.objects.mkdir(0o700)
    key = storekey.generate(random)
    database = connection.create(place.store, key)
    schema.migrate(database)
    with connection.transaction(database):
        _fill(database, made, now.now(), random)
    homes.write_anchor(place, key, homes.Anchor(0, bytes(32)))
    return Session(place, key, database, now, random)


def _fill(database: Connection, made: GrantFile, now: int, random: Callable[[int], bytes]) -> None:
    """What a home knows of its owner: here the run's key, certified by the grant's, and the grant's box key."""
    first = made.certificates[0]
    seed, signer = signing.generate_seed(random), signing.Ed25519Signer(made.key)
    run = DeviceId(text(signing.Ed25519Signer(seed).public))
    certified = certificate.issue(signer, "run", first.identity, run, first.name, now)
    chain: list[object] = [one.value() for one in (certified, *made.certificates)]
    own.put(database, "identity", raw(first.identity))
    own.put(database, "device_box", made.box)
    settings = own.Settings("", first.name, "client", "", "UTC", None)
    granted = own.Granted(made.grant, first.device, made.space)
    own.put(database, "settings", json.dumps(settings._asdict()).encode())
    own.put(database, "grant", json.dumps(granted).encode())
    own.put(database, f"seed {first.device}", made.key)
    own.add_device(database, run, seed, own.as_json(chain))
    for url in made.places:
        places.remember(database, url, auto=False)


def fetch(session: Session) -> list[str]:
    """Fetch the deal from the first place that has it; what else was met, as warnings.

    Raises Nowhere, GrantOver where a relay has struck the grant off, and what a relay was caught at.
    """
    assert session.me.grant is not None, "the home of a run"
    tried: list[Done] = []
    for place in places.known(session.db):
        tried.append(syncing.meet(session, place.no, place.url))
        _judge(tried[-1])
        if events.find_space(session.db, session.me.grant.space) is not None:
            return _told(tried)
    _over(session, tried)
    raise Nowhere(why=_why(tried, "no place has the deal"))


def hand_in(session: Session) -> ChaiseError | None:
    """Bring what was written to the places; why it is not known to have arrived, None when a place has acknowledged."""
    if not sending.unsent(session):
        return None
    tried = [syncing.meet(session, place.no, place.url) for place in places.known(session.db)]
    alarm = next((one.alarm for one in tried if one.alarm), None)
    if not sending.unsent(session):
        return alarm
    return alarm or Nowhere(why=_why(tried, "no place has acknowledged it"))


def _judge(done: Done) -> None:
    if done.alarm is not None:
        raise done.alarm


def _over(session: Session, tried: Sequence[Done]) -> None:
    """Say that the grant is over where that is why nobody answered."""
    if session.me.grant and tried and all(one.failure and one.failure.code == _STRUCK for one in tried):
        raise grants.GrantOver(grant=public("grant", session.me.grant.id))


def _told(tried: Sequence[Done]) -> list[str]:
    return [f"{one.place}: {problem}" for one in tried for problem in one.problems]


def _why(tried: Sequence[Done], otherwise: str) -> str:
    return "; ".join(f"{one.place}: {one.failure.sentence()}" for one in tried if one.failure) or otherwise
