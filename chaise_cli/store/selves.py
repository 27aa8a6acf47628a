"""The self space as a table: of each thing its newest word, whatever order the words came in. docs/spec/devices.md.

`told` holds one row for each thing: the settings, each box key, board, place, device. What commands need at every
start (settings, the box key in use) stands in `own` as well.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import kinds, revocation, shape
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, SpaceId
from chaise_cli.store import content, events, own, revocations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.domain.availability import SelfAvailability
    from chaise_cli.store.events import Row, Space

_AVAILABILITY: Final = "self.availability"
# The field of a body that says which thing it is about; kinds without one speak of a single thing.
_KEYS: Final = {
    "self.box_key": "id",
    "self.review_key": "review",
    "self.device_box": "device",
    "self.device_named": "device",
    "self.device_renewed": "device",
    "self.board": "board",
    "self.place": "url",
}


class Board(NamedTuple):
    """A board told of in self. key: the secret of its invite, base64url."""

    board: SpaceId
    key: str
    name: str


class Place(NamedTuple):
    """A place told of in self, a folder below the user's own with `~`. boards: sorted."""

    url: str
    auto: bool
    boards: tuple[SpaceId, ...]
    invite: str | None
    gone: bool


class Device(NamedTuple):
    """A device key of this identity. certificate: the one it was told of with; box: its own public box key."""

    device: DeviceId
    certificate: dict[str, Any]
    name: str
    box: str | None


class SelfFold:
    """The fold of the self space during one transaction."""

    def __init__(self, connection: Connection, space: Space) -> None:
        self._db, self._space = connection, space

    def fold(self, rows: Sequence[Row]) -> None:
        """Fold newly appended events, in any order."""
        if revocations.any_in(self._db, self._space.no):
            self.refold()
            return
        for row in rows:
            self._step(row)

    def refold(self) -> None:
        """Fold all of the space from nothing. Keys that open something stay, whatever became of who told them."""
        self._db.execute("DELETE FROM told WHERE space = ?", (self._space.no,))
        me = own.who(self._db)[0]
        cuts = revocations.Cuts(self._db, self._space.no, me)
        for stored in events.read_space(self._db, self._space.no):
            row = content.row(stored)
            void = row.void or cuts.why(row)
            if stored.void != void:
                events.set_void(self._db, row.chain, row.seq, void)
            self._step(row, void)
        mine = tuple(DeviceId(str(one["device"])) for one in _objects(own.certificates(self._db)))
        if revocation.limit(mine, cuts.standing) is not None:
            own.put(self._db, "revoked", b"1")
        else:
            own.drop(self._db, "revoked")

    def _step(self, row: Row, void: str | None = None) -> None:
        body = row.content
        if body is None:  # void, or in clear
            return
        if row.kind == "self.box_key":
            own.put(self._db, f"box {body.id}", body.seed.encode())
        elif row.kind == "self.review_key":
            own.put(self._db, f"review {body.review}", body.key.encode())
        if void is not None:
            return
        key = _key(row)
        if key is None or not self._is_newest(row, key):
            return
        data = json.dumps(shape.to_data(body))
        self._db.execute(
            "INSERT OR REPLACE INTO told(space, kind, name, rank, body) VALUES (?, ?, ?, ?, ?)",
            (self._space.no, row.kind, key, json.dumps(_rank(row)), data),
        )
        if row.kind == "self.settings":
            own.put(self._db, "settings", data.encode())
        elif row.kind == "self.box_key" and self._newest_box() == body.id:
            own.put(self._db, "box", body.id.encode())

    def _is_newest(self, row: Row, key: str) -> bool:
        """Whether nothing that ranks higher was said of this thing: a late word must not win."""
        query = "SELECT rank FROM told WHERE space = ? AND kind = ? AND name = ?"
        found = self._db.execute(query, (self._space.no, row.kind, key)).fetchone()
        return found is None or json.loads(found[0]) <= _rank(row)

    def _newest_box(self) -> str:
        query = "SELECT name, rank FROM told WHERE space = ? AND kind = 'self.box_key'"
        rows = self._db.execute(query, (self._space.no,)).fetchall()
        return str(max(rows, key=lambda row: json.loads(row[1]))[0])


def _rank(row: Row) -> list[Any]:
    return [row.lamport, row.device.hex(), row.seq, row.id.hex()]


def _key(row: Row) -> str | None:
    """What the word is about; None for a certificate that cannot be read."""
    if row.kind == "self.device":
        certificate = _certificate(row.content.certificate)
        return str(certificate["device"]) if certificate else None
    if row.kind == revocation.SelfDeviceRevoked.KIND:  # a weak one must not stand in the place of a strong one
        return f"{row.content.device} {row.content.by}"
    return str(getattr(row.content, _KEYS[row.kind])) if row.kind in _KEYS else ""


def _certificate(text: str) -> dict[str, Any] | None:
    """The certificate in a text of one of our own devices; its chain was checked where it counted."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    good = isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("device", "name", "by", "kind"))
    return value if good and type(value.get("at")) is int else None


def _objects(certificates: list[Any]) -> list[dict[str, Any]]:
    return list(certificates)


def _told(connection: Connection, kind: str) -> list[dict[str, Any]]:
    query = "SELECT body FROM told WHERE kind = ? ORDER BY name"
    return [json.loads(body) for (body,) in connection.execute(query, (kind,)).fetchall()]


def boards(connection: Connection) -> list[Board]:
    """The boards told of, by id."""
    return [Board(SpaceId(row["board"]), row["key"], row["name"]) for row in _told(connection, "self.board")]


def places(connection: Connection) -> dict[str, Place]:
    """The places told of, by address; those that are gone too."""
    found = (Place(**{**row, "boards": tuple(row["boards"])}) for row in _told(connection, "self.place"))
    return {place.url: place for place in found}


def root_box(connection: Connection) -> str | None:
    """The root's public box key; None in a home that never learned it."""
    return next((str(row["key"]) for row in _told(connection, "self.root_box")), None)


def settings(connection: Connection) -> dict[str, Any] | None:
    """The settings told of; None before any were."""
    return next(iter(_told(connection, "self.settings")), None)


def availability(connection: Connection) -> SelfAvailability | None:
    """When the owner takes calls; None before that was told."""
    found = next(iter(_told(connection, _AVAILABILITY)), None)
    return None if found is None else shape.from_data(kinds.body_class(_AVAILABILITY), found)


def box_keys(connection: Connection) -> set[str]:
    """The ids of all box keys told of."""
    return {str(row["id"]) for row in _told(connection, "self.box_key")}


def newest_box(connection: Connection) -> str | None:
    """The id of the newest box key told of."""
    query = "SELECT name, rank FROM told WHERE kind = 'self.box_key'"
    rows = connection.execute(query).fetchall()
    return str(max(rows, key=lambda row: json.loads(row[1]))[0]) if rows else None


def devices(connection: Connection) -> list[Device]:
    """Every device key told of, oldest first."""
    boxes = {row["device"]: row["key"] for row in _told(connection, "self.device_box")}
    names = {row["device"]: row["name"] for row in _told(connection, "self.device_named")}
    read = [
        certificate for row in _told(connection, "self.device") if (certificate := _certificate(row["certificate"]))
    ]
    return [
        Device(DeviceId(one["device"]), one, names.get(one["device"], one["name"]), boxes.get(one["device"]))
        for one in sorted(read, key=lambda one: (one["at"], one["device"]))
    ]


def renewals(connection: Connection) -> dict[DeviceId, DeviceId]:
    """For each key that a home went on with, the one it used before."""
    return {DeviceId(row["device"]): DeviceId(row["before"]) for row in _told(connection, "self.device_renewed")}


def revocation_bodies(connection: Connection) -> list[revocation.SelfDeviceRevoked]:
    """The revocations in force, by device: signed by the root or by one nearer to it than their device."""
    read = [shape.from_data(revocation.SelfDeviceRevoked, row) for row in _told(connection, "self.device_revoked")]
    issuers = _issuers(connection) if read else {}
    depths = {one.device: len(_up(issuers, one.device)) for one in read}
    return [one for one in read if len(one.certificates) < (depths[one.device] or len(one.certificates) + 1)]


def above(connection: Connection, device: DeviceId) -> tuple[DeviceId, ...]:
    """A device told of and those that certified it, as far as they were told of, the nearest to the root last."""
    return _up(_issuers(connection), device)


def _issuers(connection: Connection) -> dict[DeviceId, DeviceId]:
    return {one.device: DeviceId(one.certificate["by"]) for one in devices(connection)}


def _up(issuers: dict[DeviceId, DeviceId], device: DeviceId) -> tuple[DeviceId, ...]:
    found: list[DeviceId] = []
    while device in issuers and device not in found:
        found.append(device)
        device = issuers[device]
    return tuple(found)


def revoked(connection: Connection) -> frozenset[DeviceId]:
    """Every device told of that is revoked, by itself or through one that certified it."""
    bodies = revocation_bodies(connection)
    if not bodies:
        return frozenset()
    standing = [revocation.revoked(body) for body in bodies]
    issuers = _issuers(connection)
    gone = {device for device in issuers if revocation.limit(_up(issuers, device), standing) is not None}
    return frozenset(gone | {one.device for one in standing})
