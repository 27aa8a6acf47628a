"""What a store knows of its owner: identity, device keys, settings, and how much this device has written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, raw, text

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


RULES: Final = "rules"
TOLD: Final = "told "  # before the id of each deal in which this device tells its owner's free times


class Settings(NamedTuple):
    """The owner's settings, as in `self.settings`."""

    handle: str
    name: str
    role: str
    currency: str
    tz: str
    email: str | None


class Granted(NamedTuple):
    """The grant that a run's home acts under: its id, its key, the one space it is for."""

    id: EventId
    key: DeviceId
    space: SpaceId


class Written(NamedTuple):
    """How many events this home has written with any of its device keys, and the newest one's id."""

    total: int
    id: bytes


def get(connection: Connection, name: str) -> bytes | None:
    """One value of the `own` table."""
    row = connection.execute("SELECT value FROM own WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def rules(connection: Connection) -> int:
    """The edition of the rules that the store was judged and folded by; 0 for one from before there were editions."""
    return int(get(connection, RULES) or b"0")


def need(connection: Connection, name: str) -> bytes:
    """One value that every complete home has."""
    value = get(connection, name)
    assert value is not None, f"a home without {name}"
    return value


def put(connection: Connection, name: str, value: bytes) -> None:
    """Set one value."""
    connection.execute("INSERT OR REPLACE INTO own(name, value) VALUES (?, ?)", (name, value))


def who(connection: Connection) -> tuple[IdentityId, DeviceId]:
    """The owner and the device key in use."""
    return IdentityId(text(need(connection, "identity"))), DeviceId(text(need(connection, "device")))


def granted(connection: Connection) -> Granted | None:
    """Of a run's home, its grant; None in a person's."""
    value = get(connection, "grant")
    return None if value is None else Granted(*json.loads(value))


def settings(connection: Connection) -> Settings:
    """The settings as last folded."""
    return Settings(**json.loads(need(connection, "settings")))


def certificates(connection: Connection) -> list[object]:
    """The certificates of the device in use, up to the root."""
    found: list[object] = json.loads(need(connection, "certificates"))
    return found


def device_seed(connection: Connection, device: DeviceId) -> bytes:
    """The signing seed of one of this home's device keys."""
    return need(connection, f"seed {device}")


def box_seeds(connection: Connection) -> dict[str, bytes]:
    """The seeds of the identity's box keys, by the keys' ids."""
    rows = connection.execute("SELECT name, value FROM own WHERE name LIKE 'box _%'").fetchall()
    return {name.partition(" ")[2]: raw(bytes(value).decode()) for name, value in rows}


def box_seed(connection: Connection) -> tuple[str, bytes]:
    """The id and the seed of the identity's box key in use."""
    id_ = need(connection, "box").decode()
    return id_, raw(need(connection, f"box {id_}").decode())


def devices(connection: Connection) -> list[tuple[DeviceId, list[object]]]:
    """Every device key this home has had, with its certificates; the one nearest to the root first."""
    rows = connection.execute("SELECT name, value FROM own WHERE name LIKE 'certificates _%'").fetchall()
    found = [(DeviceId(name.partition(" ")[2]), json.loads(value)) for name, value in rows]
    return sorted(found, key=lambda row: (len(row[1]), row[0]))


def as_json(certificates_: list[object]) -> str:
    """Certificates as they are kept."""
    return json.dumps(certificates_)


def beginning(connection: Connection, prefix: str) -> list[str]:
    """The names that begin so, in order."""
    rows = connection.execute("SELECT name FROM own WHERE name GLOB ? ORDER BY name", (f"{prefix}*",)).fetchall()
    return [name for (name,) in rows]


def drop(connection: Connection, name: str) -> None:
    """Forget one value."""
    connection.execute("DELETE FROM own WHERE name = ?", (name,))


def is_mine(connection: Connection, device: DeviceId) -> bool:
    """Whether this home holds the device's signing key."""
    return get(connection, f"seed {device}") is not None


def add_device(connection: Connection, device: DeviceId, seed: bytes, certificates_json: str) -> None:
    """Make a device key the one in use."""
    put(connection, f"seed {device}", seed)
    put(connection, f"certificates {device}", certificates_json.encode())
    put(connection, "device", raw(device))
    put(connection, "certificates", certificates_json.encode())


def written(connection: Connection) -> Written:
    """What the anchor is compared with."""
    value = get(connection, "written") or bytes(40)
    return Written(int.from_bytes(value[:8], "big"), value[8:])


def wrote(connection: Connection, id_: bytes) -> None:
    """Count one more own event."""
    put(connection, "written", (written(connection).total + 1).to_bytes(8, "big") + id_)


def reach(connection: Connection, total: int) -> None:
    """Count on from `total` at the least: an anchor that knows of more is caught up with."""
    found = written(connection)
    if total > found.total:
        put(connection, "skipped", (skipped(connection) + total - found.total).to_bytes(8, "big"))
        put(connection, "written", total.to_bytes(8, "big") + found.id)


def skipped(connection: Connection) -> int:
    """How many numbers `reach` has left out: events that this home had written and lost."""
    return int.from_bytes(get(connection, "skipped") or b"", "big")
