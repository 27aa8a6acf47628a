"""`init --recover`: a home from the recovery code and any copy of the sealed events. docs/spec/recovery.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from chaise_cli import clock as clocks
from chaise_cli.crypto import boxes, keyslots, recovery, signing, storekey
from chaise_cli.domain import own as bodies
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, NotFound, Unreachable
from chaise_cli.ids import DeviceId, SpaceId, public, raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import founding, machine, restoring, seeking, starting, syncing, wraps, writing
from chaise_cli.session import home as homes
from chaise_cli.session.drafting import drafted
from chaise_cli.session.peering import NOT_ADMITTED
from chaise_cli.session.session import Session
from chaise_cli.store import connection, events, own, schema

if TYPE_CHECKING:
    from chaise_cli.clock import Clock
    from chaise_cli.crypto.recovery import RecoveryCode
    from chaise_cli.ids import IdentityId
    from chaise_cli.session.syncing import Progress

ROUNDS: Final = 5  # self tells of boards, boards of people, people of deals


class NothingFound(NotFound):
    """No self space of the code's identity lies at the place."""

    code = "recover.nothing_found"
    message = "at {place} is nothing of {who}, whose recovery code this is"
    hint = "name a place you synced with: --from PLACE; and compare the code: another one is another identity"
    place: str
    who: str


class Plan(NamedTuple):
    """What to recover. code: as written down; place: where a copy of the events lies."""

    home: homes.Home
    code: str
    place: str
    secrets: founding.Secrets
    device_name: str


class Recovered(NamedTuple):
    """The home, open, with all that the place could bring; and what a person should know."""

    session: Session
    warnings: Sequence[str]


def recover(
    plan: Plan, now: Clock, progress: Progress, random: Callable[[int], bytes] = clocks.random_bytes
) -> Recovered:
    """Make a home with a new device key of the code's identity, and fetch all that is its own.

    An address on the web is a place of the new home from then on: a relay has let its device in, and is watched.
    Raises HomeExists, BadRecoveryCode, NothingFound, BadPlace, Unwritable, and what kept the place from being
    reached; then nothing is left over.
    """
    code = recovery.parse(plan.code)
    place = syncing.check(plan.place)
    starting.check_paths(plan.home, plan.secrets.key_file)
    new_key = plan.secrets.key_file if plan.secrets.key_file and not plan.secrets.key_file.exists() else None
    try:
        with drafted(plan.home, random) as draft:
            warnings = _make(draft, plan, code, place, (now, random), progress)
    except BaseException as error:
        if new_key is not None:
            new_key.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise starting.Unwritable(why=f"{error.filename or plan.home.path}: {error.strerror}") from error
        raise
    key = founding.homes_key(plan.home, plan.secrets)
    session = Session(plan.home, key, connection.open_store(plan.home.store, key), now, random)
    session.lent = [boxes.BoxKey(recovery.root_box_seed(code))]  # the place may bring more of self, under newer keys
    warnings += _fetch(session, place, progress)
    session.lent = ()
    return Recovered(session, warnings)


def _make(
    draft: homes.Home,
    plan: Plan,
    code: RecoveryCode,
    place: str,
    given: tuple[Clock, Callable[[int], bytes]],
    progress: Progress,
) -> list[str]:
    """Fill the draft with the self space found at the place; what a person should know of it."""
    now, random = given
    key = storekey.generate(random)
    database = connection.create(draft.store, key)
    try:
        schema.migrate(database)
        root = signing.Ed25519Signer(recovery.root_signing_seed(code))
        identity = certificate.identity_of(root.public)
        with connection.transaction(database):
            _device(database, root, identity, plan.device_name, given)
        homes.write_anchor(draft, key, homes.Anchor(0, bytes(32)))
        session = Session(draft, key, database, now, random)
        root_box = boxes.BoxKey(recovery.root_box_seed(code))
        found, warnings = _seek(session, place, root_box, progress)
        _take_self(session, found[0], root_box)
        # Last of all: making a slot may leave a key in the keyring.
        slots = [keyslots.make_recovery_slot(key, code, random), *founding.new_slots(key, plan.secrets, random)]
        homes.write_keys(draft, slots, str(plan.secrets.key_file.resolve()) if plan.secrets.key_file else None)
    finally:
        database.close()
    return [*warnings, _doubled(found)] if len(found) > 1 else warnings


def _device(
    database: connection.Connection,
    root: signing.Ed25519Signer,
    identity: IdentityId,
    name: str,
    given: tuple[Clock, Callable[[int], bytes]],
) -> None:
    """A new device key, certified by the root as admin; settings that stand until self has told the right ones."""
    now, random = given
    seed = signing.generate_seed(random)
    device = DeviceId(text(signing.Ed25519Signer(seed).public))
    made = certificate.issue(root, "admin", identity, device, name, now.now())
    own.put(database, "identity", raw(identity))
    own.put(database, "device_box", random(boxes.SEED_SIZE))
    own.add_device(database, device, seed, json.dumps([made.value()]))
    unknown = own.Settings("me", "me", "client", "EUR", machine.zone(), None)
    own.put(database, "settings", json.dumps(unknown._asdict()).encode())


def _seek(
    session: Session, place: str, root: boxes.BoxKey, progress: Progress
) -> tuple[list[seeking.Selfspace], list[str]]:
    """The self spaces found at the place, the one to take first; and what a relay there was caught at.

    A place that went away in between may have shown half of one: then the whole is tried again another time.
    """
    seeker = seeking.Seeker(session.me.identity)
    done = syncing.look_at(session, place, seeker, progress)
    found = seeker.ours(root)
    if isinstance(done.failure, Unreachable) or (done.failure and not found):
        if done.failure.code == NOT_ADMITTED:  # a relay lets in whoever has another device there
            raise NothingFound(place=place, who=public("id", session.me.identity)) from done.failure
        raise done.failure
    if not found:
        raise NothingFound(place=place, who=public("id", session.me.identity))
    return found, [done.alarm.sentence()] if done.alarm else []


def _doubled(found: Sequence[seeking.Selfspace]) -> str:
    taken = public("board", text(found[0].space)).partition("-")[2]
    return f"{len(found)} self spaces of this identity lie there; the oldest, {taken}, was taken"


def _take_self(session: Session, found: seeking.Selfspace, root: boxes.BoxKey) -> None:
    """Admit the self space as from a peer, the root's box key lent to it; then tell it of the new device."""
    id_ = SpaceId(text(found.space))
    session.lent = [root]
    with session.admitting():
        events.add_space(session.db, id_, "self", "", b"")
    restoring.admit_all(session, id_, found.runs, set(found.heads))
    session.lent = []
    box = boxes.BoxKey(own.need(session.db, "device_box"))
    with session.writing():
        space = events.spaces(session.db, "self")[0]
        writer = writing.Writer(session)
        told = canonical.encode(own.certificates(session.db)[0]).decode()
        writer.write(
            session.space(space.no),
            [bodies.SelfDevice(told), bodies.SelfDeviceBox(session.me.device, text(box.public))],
        )
        secret = session.epochs.secret(session.space(space.no))
        writer.wrap(space, wraps.wrap_for(raw(space.id), secret, [(session.me.identity, box.public)]))


def _fetch(session: Session, place: str, progress: Progress) -> list[str]:
    """Boards, deals and attachments from the place; what could not be had, as warnings."""
    warnings: list[str] = []
    syncing.keep_web(session, place)
    for _ in range(ROUNDS):
        try:
            done = syncing.sync_once(session, place, progress)
        except ChaiseError as error:
            return [*warnings, error.sentence()]
        warnings = list(done.problems)
        if done.failure is not None:
            return [*warnings, f"not all could be fetched from {place}: {done.failure.sentence()}"]
        if not done.received:
            break
    return warnings
