"""What has to hold in every run, after each step for whoever moved, and at the end for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chaise_cli.ids import SpaceId, public, raw, text
from chaise_cli.session import checking, rekeying
from chaise_cli.session.relaying import RelayMemory
from chaise_cli.store import check, epochs, events, places
from sync.relay_memory import Reached
from tests.fakes import homes
from tests.simulator.devices import Device
from tests.simulator.relays import Place

_SETTLED = (
    "SELECT e.id, e.uptake, e.lamport, e.void, s.id FROM event e JOIN chain c ON c.no = e.chain"
    " JOIN space s ON s.no = c.space WHERE e.uptake IS NOT NULL"
)
_MOVED = (
    "SELECT DISTINCT s.id FROM event e JOIN chain c ON c.no = e.chain JOIN space s ON s.no = c.space"
    " WHERE e.kind IN ('agent.device', 'deal.device_revoked')"
)


# Deals whose agent has two heads: there, what only the branch that does not stand took up may change.
_TWO_HEADS = (
    "SELECT s.id FROM deal d JOIN space s ON s.no = d.space WHERE EXISTS (SELECT 1 FROM event e JOIN chain c"
    " ON c.no = e.chain WHERE c.space = d.space AND c.device = d.agent GROUP BY e.seq HAVING count(DISTINCT e.id) > 1)"
)


class Broken(AssertionError):
    """A law was broken."""


def _hold(true: object, text_: str) -> None:
    if not true:
        raise Broken(text_)


def steady(device: Device) -> None:
    """What was acknowledged is there, what was taken up is as it was, and money adds up."""
    database = device.session.db
    own = device.own_events()
    lost = [kind for id_, kind in device.acked.items() if id_ not in own]
    _hold(not lost, f"{device.label} lost what it had acknowledged: {lost}")
    settled = {row[0]: row[1:] for row in database.execute(_SETTLED).fetchall()}
    moved = {row[0] for query in (_MOVED, _TWO_HEADS) for row in database.execute(query).fetchall()}
    for id_, row in device.settled.items():
        if settled.get(id_) != row and row[-1] not in moved:
            raise Broken(f"{device.label}: {text(id_)} was taken up as {row[:-1]} and now is {settled.get(id_)}")
    device.settled = settled
    _hold(not check.unbalanced(database), f"{device.label}: entries that do not balance")
    _hold(not check.uneven(database), f"{device.label}: milestones whose money does not add up")
    columns = "funded, released, refunded, held, payable, paid_out"
    for row in database.execute(f"SELECT {columns} FROM milestone").fetchall():  # noqa: S608
        funded, released, refunded, held, payable, paid_out = row
        fits = min(row) >= 0 and held + released + refunded <= funded and payable + paid_out <= released + refunded
        _hold(fits, f"{device.label}: more money left than came in")


def differences(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The tables in which two states of one space differ, with the first rows that do."""
    found = []
    for table, rows in one.items():
        if rows != other[table]:
            lacking = [row for row in rows if row not in other[table]][:2]
            beyond = [row for row in other[table] if row not in rows][:2]
            found.append(f"{table}: {lacking} against {beyond}")
    return "; ".join(found)


def converged(devices: Sequence[Device], left_out: Iterable[SpaceId] = ()) -> None:
    """All who may see a space hold the same of it."""
    known: dict[SpaceId, tuple[Device, dict[str, Any]]] = {}
    for device in devices:
        for space in device.spaces("board", "deal"):
            if space.id in left_out:
                continue
            state = homes.state(device.session, space.id)
            first, other = known.setdefault(space.id, (device, state))
            if state != other:
                where = f"{space.kind} {text(raw(space.id))[:6]}"
                raise Broken(f"{first.label} and {device.label} differ in {where}: {differences(other, state)}")


def keyed(devices: Sequence[Device]) -> None:
    """Whoever is left holds every newest key of its spaces, so that nothing keeps it from writing."""
    for device in devices:
        for space in device.spaces("self", "deal"):
            names = epochs.names(device.session.db, space.no)
            lacking = [one for one in rekeying.heads(device.session, space) if one.name not in names]
            _hold(not lacking, f"{device.label} cannot open the newest key of a {space.kind}")


def served(devices: Sequence[Device]) -> None:
    """Whoever a deal's wraps name holds the deal."""
    holders = {(raw(device.session.me.identity), space.id) for device in devices for space in device.spaces("deal")}
    alive = {raw(device.session.me.identity) for device in devices}
    for device in devices:
        for info in device.replica().spaces():
            for name in info.names & alive if info.kind == "deal" else ():
                _hold((name, SpaceId(text(info.id))) in holders, f"a deal of {device.label} never reached who it names")


def sound(device: Device) -> list[str]:
    """What `verify` finds, refolding everything from nothing."""
    return checking.verify(device.session, lambda _, __: None).problems


def delivered(device: Device, others: Sequence[Device]) -> None:
    """What a device acknowledged is with everybody who may see it."""
    for other in others:
        held = other.events()
        ids = {id_ for found in held.values() for id_ in found}
        spaces = {space for space, _, _ in held}
        for (space, _, _), found in device.events().items():
            mine = found & device.acked.keys()
            if space in spaces and not mine <= ids:
                kinds = [device.acked[id_] for id_ in mine - ids]
                raise Broken(f"what {device.label} acknowledged never reached {other.label}: {kinds}")


def forked(one: Device, other: Device) -> set[tuple[bytes, bytes]]:
    """Chains (space, device) of which two devices hold different histories."""
    theirs = other.events()
    return {place[:2] for place, ids in one.events().items() if place in theirs and not ids & theirs[place]}


def keeps_branches(device: Device) -> bool:
    """Whether the store keeps every history of a chain, so that forks are no reason to differ."""
    return any(row[1] == "root" for row in device.session.db.execute("PRAGMA table_info(chain)").fetchall())


def forks_among(devices: Sequence[Device]) -> set[SpaceId]:
    """Spaces in which two devices hold different histories of a chain, where a store keeps the first one alone."""
    if keeps_branches(devices[0]):
        return set()
    found = {space for one in devices for other in devices if one is not other for space, _ in forked(one, other)}
    return {SpaceId(text(space)) for space in found}


def knows_fork(device: Device, space: bytes, key: bytes) -> bool:
    """Whether a device holds two histories of a chain, or the proof that there are."""
    if keeps_branches(device):
        return any(len(ids) > 1 for place, ids in device.events().items() if place[:2] == (space, key))
    held = events.find_space(device.session.db, SpaceId(text(space)))
    query = "SELECT 1 FROM fork WHERE space = ? AND device = ?"
    return held is not None and device.session.db.execute(query, (held.no, key)).fetchone() is not None


def receipts(device: Device, where: str) -> Mapping[bytes, Reached]:
    """How far a device has followed the logs of a relay, and with which heads."""
    place = places.find(device.session.db, where)
    return RelayMemory(device.session, place.no).reached() if place else {}


def split_views(one: Device, other: Device, where: str) -> bool:
    """Whether one relay has signed for two devices that share a space two heads at a number which both can tell.

    Looked at are spaces that both hold.
    """
    if _relay(one, where) != _relay(other, where):  # another relay answers at the address: not one that says two things
        return False
    mine, theirs = receipts(one, where), receipts(other, where)
    for space in mine.keys() & theirs.keys():
        if not (one.replica().heads(space) and other.replica().heads(space)):
            continue
        number = min(mine[space].number, theirs[space].number)
        heads = {_head(device, where, space, number) for device in (one, other)} - {None}
        if len(heads) > 1:
            return True
    return False


def _relay(device: Device, where: str) -> bytes | None:
    place = places.find(device.session.db, where)
    return RelayMemory(device.session, place.no).relay() if place else None


def _head(device: Device, where: str, space: bytes, number: int) -> bytes | None:
    place = places.find(device.session.db, where)
    return RelayMemory(device.session, place.no).head_at(space, number) if place else None


def filled(devices: Sequence[Device], place: Place, *, exact: bool) -> None:
    """A relay holds all that those who sync with it hold of the spaces that go there."""
    for device in devices:
        known = places.find(device.session.db, place.where)
        carried = places.carried(device.session.db, known.no) if known else {}
        for no, space in carried.items():
            query = "SELECT count(*) FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ?"
            held = device.session.db.execute(query, (no,)).fetchone()[0]
            number, _ = place.log(device.label, raw(space))
            fits = number == held if exact else number >= held
            kind = events.space_numbered(device.session.db, no).kind
            _hold(fits, f"{place.where} holds {number} events of a {kind}, {device.label} {held}")


def named(key: bytes) -> str:
    """A device as problems name it, shortened."""
    return public("dev", text(key))[:12]
