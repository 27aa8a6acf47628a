"""Making a home: root and device keys, the self space, the store and its key slots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from chaise_cli.crypto import boxes, keyslots, recovery, signing, storekey
from chaise_cli.domain import own as own_bodies
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Refused
from chaise_cli.ids import DeviceId, raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import home as homes
from chaise_cli.session import keyrings, wraps, writing
from chaise_cli.session.drafting import drafted
from chaise_cli.session.session import Session
from chaise_cli.store import connection, own, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.clock import Clock
    from chaise_cli.store.connection import Connection


Filled = TypeVar("Filled")


class EmptyPassphrase(Refused):
    """A passphrase without any character."""

    code = "key.empty_passphrase"
    message = "the passphrase is empty"
    hint = "choose one, or keep the key in a file: --key-file PATH"


class Secrets(NamedTuple):
    """How the store key is kept: by a passphrase, a key file at `key_file`, the keyring, or several of them."""

    passphrase: str | None
    key_file: Path | None
    keyring: bool = False  # the system's keyring keeps it


class Found(NamedTuple):
    """A new home's session and the recovery code, which is shown once and stored nowhere."""

    session: Session
    recovery_code: str


def found(
    home: homes.Home,
    settings: own.Settings,
    secrets: Secrets,
    device_name: str,
    now: Clock,
    random: Callable[[int], bytes],
    keep: Callable[[str], object] = str,
) -> Found:
    """Make a home that did not exist. Raises HomeExists; a crash leaves no half home, only a folder beside it.

    keep: is given the recovery code before the home takes its place, since a home whose code nobody has is none.
    """

    def fill(draft: homes.Home) -> str:
        code = _fill(draft, settings, secrets, device_name, now, random)
        keep(code)
        return code

    code = build(home, secrets, random, fill)
    return Found(opened(home, secrets, now, random), code)


def build(
    home: homes.Home, secrets: Secrets, random: Callable[[int], bytes], fill: Callable[[homes.Home], Filled]
) -> Filled:
    """Fill a draft beside the home and put it in place, whole; what `fill` gave. Raises HomeExists, EmptyPassphrase."""
    if home.path.exists() and any(home.path.iterdir()):
        raise homes.HomeExists(path=str(home.path))
    if secrets.passphrase == "":
        raise EmptyPassphrase
    with drafted(home, random) as draft:
        return fill(draft)


def opened(home: homes.Home, secrets: Secrets, now: Clock, random: Callable[[int], bytes]) -> Session:
    """The session of the home just made."""
    key = homes_key(home, secrets)
    return Session(home, key, connection.open_store(home.store, key), now, random)


def homes_key(home: homes.Home, secrets: Secrets) -> storekey.StoreKey:
    """The store key of the home just made, through the slot that later commands will use."""
    slots = homes.read_keys(home)["slots"]
    if secrets.key_file is not None:
        return keyslots.open_slot(_slot(slots, "keyfile"), secrets.key_file.read_text(errors="replace"))
    if secrets.keyring:
        slot = _slot(slots, "keyring")
        return keyslots.open_slot(slot, keyrings.fetch(str(slot["fingerprint"])) or "")
    assert secrets.passphrase, "a home has a key file, a keyring or a passphrase"
    return keyslots.open_slot(_slot(slots, "passphrase"), secrets.passphrase)


def _slot(slots: list[dict[str, object]], kind: str) -> dict[str, object]:
    return next(slot for slot in slots if slot["kind"] == kind)


def _fill(
    home: homes.Home,
    settings: own.Settings,
    secrets: Secrets,
    device_name: str,
    now: Clock,
    random: Callable[[int], bytes],
) -> str:
    code = recovery.generate(random)
    key = storekey.generate(random)
    database = begin_store(home, key, code, secrets, random)
    with connection.transaction(database):
        public = _device(database, code, device_name, now, random)
        own.put(database, "settings", json.dumps(settings._asdict()).encode())
    homes.write_anchor(home, key, homes.Anchor(0, bytes(32)))
    session = Session(home, key, database, now, random)
    with session.writing():
        _self_space(session, settings, public)
    session.close()
    return recovery.write(code)


def begin_store(
    home: homes.Home,
    key: storekey.StoreKey,
    code: recovery.RecoveryCode | None,
    secrets: Secrets,
    random: Callable[[int], bytes],
) -> Connection:
    """The empty store of a draft and its key slots. code: where it is known, it opens the home too."""
    _write_slots(home, key, code, secrets, random)
    database = connection.create(home.store, key)
    schema.migrate(database)
    return database


def _write_slots(
    home: homes.Home,
    key: storekey.StoreKey,
    code: recovery.RecoveryCode | None,
    secrets: Secrets,
    random: Callable[[int], bytes],
) -> None:
    slots = [] if code is None else [keyslots.make_recovery_slot(key, code, random)]
    slots += new_slots(key, secrets, random)
    homes.write_keys(home, slots, str(secrets.key_file.resolve()) if secrets.key_file else None)


def new_slots(key: storekey.StoreKey, secrets: Secrets, random: Callable[[int], bytes]) -> list[dict[str, object]]:
    """Slots for these ways in; a key file that is missing is made, the keyring is given its entry."""
    slots: list[dict[str, object]] = []
    if secrets.passphrase is not None:
        slots.append(keyslots.make_passphrase_slot(key, secrets.passphrase, random))
    if secrets.key_file is not None:
        slots.append(keyslots.make_keyfile_slot(key, _key_file(secrets.key_file, random), random))
    if secrets.keyring:
        text = keyslots.new_key_text(random)
        slots.append(keyslots.make_keyring_slot(key, text, random))
        keyrings.keep(str(slots[-1]["fingerprint"]), text)
    return slots


def _key_file(path: Path, random: Callable[[int], bytes]) -> keyslots.KeyText:
    """The key in the file, made with mode 0600 when missing."""
    if not path.exists():
        homes.write_private(path, f"{keyslots.new_key_text(random)}\n".encode(), fresh=True)
    connection.check_private(path)
    return keyslots.KeyText(path.read_text(errors="replace").strip())


def _device(
    database: Connection, code: recovery.RecoveryCode, name: str, now: Clock, random: Callable[[int], bytes]
) -> bytes:
    """The first device: signed by the root as admin. Gives the root's public box key."""
    root = signing.Ed25519Signer(recovery.root_signing_seed(code))
    seed = signing.generate_seed(random)
    device = DeviceId(text(signing.Ed25519Signer(seed).public))
    identity = certificate.identity_of(root.public)
    made = certificate.issue(root, "admin", identity, device, name, now.now())
    own.put(database, "identity", raw(identity))
    own.put(database, "device_box", random(boxes.SEED_SIZE))
    own.add_device(database, device, seed, json.dumps([made.value()]))
    return boxes.BoxKey(recovery.root_box_seed(code)).public


def _self_space(session: Session, settings: own.Settings, root_box: bytes) -> None:
    """The self space: wrapped to this device and the root; holds the certificate, settings and the box key."""
    writer = writing.Writer(session)
    space = writer.genesis("self")
    secret, box = session.random(32), boxes.BoxKey(session.random(boxes.SEED_SIZE))
    session.epochs.add(space, secret)
    device_box = boxes.BoxKey(own.need(session.db, "device_box")).public
    me = session.me.identity
    writer.wrap(space, wraps.wrap_for(raw(space.id), secret, [(me, device_box), (me, root_box)]))
    own_certificate = canonical.encode(own.certificates(session.db)[0]).decode()
    writer.write(
        session.space(space.no),
        [
            own_bodies.SelfDevice(own_certificate),
            own_bodies.SelfDeviceBox(session.me.device, text(device_box)),
            own_bodies.SelfRootBox(text(root_box)),
            own_bodies.SelfSettings(**settings._asdict()),
            own_bodies.SelfBoxKey(text(box.key_id), text(box.seed)),
        ],
    )
