"""`doctor`: looks at the installation and the home, each check by itself, and changes nothing."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaise_cli import clock as clocks
from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Corrupt
from chaise_cli.ids import DeviceId, IdentityId, public, text
from chaise_cli.session import access, newcomers, unlocking
from chaise_cli.session import home as homes
from chaise_cli.store import connection, duties, events, forks, own, places

if TYPE_CHECKING:
    from chaise_cli.config import Settings
    from chaise_cli.crypto.storekey import StoreKey
    from chaise_cli.shapes import Check
    from chaise_cli.store.connection import Connection

PYTHON: Final = (3, 11)
# As in pyproject.toml, which an installed Chaise does not have; a test compares them.
WANTED: Final = {
    "typer": ("0.26", "0.29"),
    "rich": ("15", ""),
    "sqlcipher3": ("0.6.4", ""),
    "sqlite-utils": ("4.2", ""),
    "cryptography": ("50", ""),
    "pydantic": ("2.14", ""),
    "python-dateutil": ("4", ""),
    "http-message-signatures": ("3", "4"),
    "icalendar": ("7.3", "8"),
    "tzdata": ("2026.6", ""),
}
NETWORK: Final = re.compile(
    r"nfs\d?|cifs|smb\w*|ncpfs|afs|9p|davfs|fuse\.(sshfs|rclone|davfs2?|s3fs|gcsfuse)|ceph|glusterfs"
)
_MOUNTS: Final = Path("/proc/mounts")


class Unsound(Corrupt):
    """`doctor` found something to mend."""

    code = "doctor.problems"
    message = "{failed} of {all} checks failed: {names}"
    hint = "each failed check says what mends it"
    failed: int
    all: int
    names: str


class Patient(NamedTuple):
    """What is looked at. opened: the store key, where a way in was at hand without asking anybody."""

    home: homes.Home
    settings: Settings
    keys: access.Keys
    clock: clocks.Clock


def examine(patient: Patient) -> list[Check]:
    """Every check, in a fixed order; one that cannot be made is one that failed."""
    groups: tuple[tuple[str, Callable[[Patient], Iterator[Check]]], ...] = (
        ("python", _python), ("packages", _packages), ("config", _config), ("home", _home), ("modes", _modes),
        ("slots", _slots), ("key", _key), ("store", _store), ("folder", _folder),
    )  # fmt: skip
    found: list[Check] = []
    for name, look in groups:
        try:
            found += look(patient)
        except ChaiseError as error:
            found.append(_check(name, error.sentence(), ok=False, hint=error.advice()))
        except (OSError, ValueError, KeyError) as error:
            found.append(_check(name, f"cannot be checked: {error}", ok=False))
    return found


def verdict(checks: list[Check]) -> Unsound | None:
    """The failure that goes with failed checks."""
    failed = [check["name"] for check in checks if not check["ok"]]
    return Unsound(failed=len(failed), all=len(checks), names=", ".join(failed)) if failed else None


def _check(name: str, value: str, *, ok: bool = True, origin: str = "", hint: str = "") -> Check:
    return {"name": name, "ok": ok, "value": value, "origin": origin, "hint": hint}


def _python(_patient: Patient) -> Iterator[Check]:
    fits = sys.version_info >= PYTHON
    yield _check(
        "python", sys.version.partition(" ")[0], ok=fits, origin=sys.executable, hint="" if fits else "install 3.11"
    )


def _packages(_patient: Patient) -> Iterator[Check]:
    for name, (least, below) in WANTED.items():
        wish = f">={least}" + (f",<{below}" if below else "")
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield _check(name, "missing", ok=False, hint=f"pip install '{name}{wish}'")
            continue
        fits = _numbers(version) >= _numbers(least) and (not below or _numbers(version) < _numbers(below))
        yield _check(name, version, ok=fits, origin=wish, hint="" if fits else f"pip install '{name}{wish}'")
    yield _neighbour()


def _neighbour() -> Check:
    """The package `sync` has a short name: another one of that name on the path would be taken for ours."""
    found = util.find_spec("sync")
    place = str(Path(found.origin).parent) if found and found.origin else "missing"
    ours = str(Path(__file__).resolve().parents[2] / "sync")
    fits = Path(place).resolve() == Path(ours)
    return _check(
        "sync package", place, ok=fits, hint="" if fits else "install chaise-cli in an environment of its own"
    )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3]]


def _config(patient: Patient) -> Iterator[Check]:
    for name, setting in patient.settings._asdict().items():
        yield _check(f"setting {name}", setting.value or "unset", origin=setting.origin)
    now = os.environ.get(clocks.VARIABLE, "")
    if now:
        yield _check(
            "clock", now, origin=clocks.VARIABLE, hint=f"what you write is dated by {clocks.VARIABLE}; unset it"
        )


def _home(patient: Patient) -> Iterator[Check]:
    origin = patient.settings.home.origin
    try:
        homes.read_keys(patient.home)
    except homes.NoHome as error:
        yield _check("home", f"none yet at {patient.home.path}", origin=origin, hint=error.advice())
        return
    yield _check("home", str(patient.home.path), origin=origin)


def _modes(patient: Patient) -> Iterator[Check]:
    home = patient.home
    for path in (home.path, home.store, home.keys, home.anchor, home.objects, home.unlocked):
        if path.exists():
            try:
                connection.check_private(path)
            except connection.OpenToOthers as error:
                yield _check(f"mode of {path.name}", error.sentence(), ok=False, hint=error.advice())
    yield _check("modes", "looked at")


def _slots(patient: Patient) -> Iterator[Check]:
    if not patient.home.path.exists():
        return
    slots = homes.read_keys(patient.home)
    kinds = [str(slot.get("kind")) for slot in slots["slots"]]
    missing = "recovery" not in kinds  # as in a home that joined: it never learned the code
    hint = "the recovery code does not open this home; another device lets a new one in: chaise device add"
    yield _check(
        "slots", ", ".join(kinds) or "none", ok=bool(kinds), origin=str(patient.home.keys), hint=hint if missing else ""
    )
    path = slots.get("key_file")
    if path and not os.access(path, os.R_OK):
        yield _check("key file", f"{path} cannot be read", ok=False, hint="put it back, or open with another slot")


def _way_in(patient: Patient) -> StoreKey | None:
    try:
        slots = homes.read_keys(patient.home)
        return access.find_key(patient.home, slots, patient.keys._replace(ask=None), patient.clock.now())
    except (homes.Locked, access.NoKeyFile):
        return None


def _key(patient: Patient) -> Iterator[Check]:
    if not patient.home.keys.exists():
        return
    kept = homes.unlocked_key(patient.home, patient.clock.now())
    if kept:
        yield _check("key", f"unlocked until {when.instant_text(kept[1])}", origin=str(patient.home.unlocked))
    elif _way_in(patient) is not None:
        way = unlocking.opens_by_itself(patient.home) or "passphrase file"
        origin = homes.read_keys(patient.home)["key_file"] if way == "key file" else way
        yield _check("key", "opens by itself", origin=str(origin))
    else:
        yield _check("key", "locked, so the store was not looked at", hint="chaise unlock")


def _store(patient: Patient) -> Iterator[Check]:
    key = _way_in(patient) if patient.home.keys.exists() else None
    if key is None:
        return
    database = connection.open_store(patient.home.store, key)
    try:
        with connection.reading(database):
            yield from _inside(patient, database, key)
    finally:
        database.close()


def _inside(patient: Patient, database: Connection, key: StoreKey) -> Iterator[Check]:
    value = f"schema {connection.schema_of(database)}, {events.count(database)} events"
    yield _check("store", value, origin=str(patient.home.store))
    anchor, stored = homes.read_anchor(patient.home, key), own.written(database)
    behind = anchor is None or anchor.is_ahead_of(stored.total, stored.id)
    value = "none that is intact" if anchor is None else f"{anchor.total} events of this device, stored {stored.total}"
    hint = "a restored or copied home; give it a new key: chaise device renew" if behind else ""
    yield _check("anchor", value, ok=not behind, origin=str(patient.home.anchor), hint=hint)
    yield from _histories(database)
    yield _backup(database)
    yield from _devices(patient, database)
    for creator in events.crowding(database, own.who(database)[0], newcomers.MOST):
        error = newcomers.Crowded(who=public("id", text(creator)), most=newcomers.MOST)
        yield _check("unanswered", error.sentence(), ok=False, hint=error.advice())
    for _no, url, auto, synced_at in places.known(database):
        ago = f"synced {when.instant_text(synced_at)}" if synced_at else "never synced"
        hint = "" if synced_at else "chaise sync"
        yield _check("place", f"{url}, {ago}{', by itself' if auto else ''}", hint=hint)


def _backup(database: Connection) -> Check:
    """The newest backup, and how much of this home is neither in it nor at any place."""
    total, kept = events.count(database), own.get(database, "backup")
    alone = places.nowhere(database, [device for device, _ in own.devices(database)])
    last = json.loads(kept) if kept else None
    newer = max(0, total - last["events"]) if last else total
    at_risk = min(alone, newer)
    value = f"{last['file']}, {when.instant_text(last['at'])}, {newer} events since" if last else "none"
    value += f"; {at_risk} events are nowhere but here" if at_risk else ""
    hint = "chaise backup FILE, best on another disk; or chaise sync" if at_risk else ""
    return _check("backup", value, hint=hint)


def _histories(database: Connection) -> Iterator[Check]:
    """Copies of this home, devices that wrote several histories, and deals that they left contested."""
    me, device = own.who(database)
    if own.get(database, "behind") is not None:
        value = "another copy of this home has written with its key, or this one is an older backup"
        yield _check("copies", value, ok=False, hint="nothing is lost; give this copy a new key: chaise device renew")
    for fork in forks.known(database):
        mine = own.is_mine(database, DeviceId(text(fork.device)))
        whose = "an earlier key of this home" if mine else "another device of yours" if _is(fork, me) else "a device"
        key = public("dev", text(fork.device))[:12]
        said = "both were copies of this home" if mine else "its home was restored from a backup, or copied"
        value = f"{whose}, {key}, wrote several histories in {_space(database, fork.space)}: {said}; all are kept"
        hint = "" if mine else "nothing to mend here; whoever has it runs chaise device renew there"
        if text(fork.device) != device:  # the key in use is told of above
            yield _check("histories", value, hint=hint)
    for space, agent in duties.stranded(database, me, device):
        if own.is_mine(database, agent):
            value = f"{_space(database, space)} is put in order by an earlier key of this home, which writes no more"
            yield _check("agent", value, ok=False, hint="a new key takes over: chaise device renew")
    for space in forks.contested(database):
        value = f"two histories of {_space(database, space)} moved money, and it is not settled which stands"
        yield _check("contested", value, ok=False, hint=f"chaise agent settle {_space(database, space)}")


def _is(fork: forks.Fork, me: IdentityId) -> bool:
    return fork.identity is not None and text(fork.identity) == me


def _space(database: Connection, no: int) -> str:
    space = events.space_numbered(database, no)
    return "your own settings" if space.kind == "self" else public(space.kind, space.id)


def _devices(patient: Patient, database: Connection) -> Iterator[Check]:
    """Whether this device was revoked, and whether a code of its waits to let another in."""
    revoked = own.get(database, "revoked") is not None
    hint = "it can be read; join anew: chaise device add on another device, chaise device join --home DIR here"
    if revoked:
        yield _check("device", "revoked on another device of yours", ok=False, hint=hint)
    kept = own.get(database, "pairing")
    waits = json.loads(kept) if kept else None
    if waits and waits[-1] is None and waits[1] > patient.clock.now():
        value = f"a code lets a device in until {when.instant_text(waits[1])}"
        yield _check("pairing", value, hint="chaise sync answers it")


def _folder(patient: Patient) -> Iterator[Check]:
    """SQLite's write-ahead log does not work on network folders: two machines would ruin the store."""
    if not _MOUNTS.exists() or not patient.home.path.exists():
        return
    mounts = [line.split(" ") for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    path = patient.home.path.resolve()
    over = [(point.replace("\\040", " "), kind) for _, point, kind, *_ in mounts]
    kind = max(((point, kind) for point, kind in over if path.is_relative_to(point)), key=lambda one: len(one[0]))[1]
    shared = NETWORK.fullmatch(kind) is not None
    hint = "keep the home on a local disk, and sync through the folder instead" if shared else ""
    yield _check("file system", kind, ok=not shared, hint=hint)
