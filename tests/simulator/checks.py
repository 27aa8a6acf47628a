"""What has to hold in every run, after each step for whoever moved, and at the end for all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaise_cli.ids import SpaceId, public, raw, text
from chaise_cli.session import checking, rekeying
from chaise_cli.session.relaying import RelayMemory
from chaise_cli.store import check, content, deal_states, deals, epochs, events, places
from sync.relay_memory import Reached
from tests.fakes import homes
from tests.simulator.devices import Device, Line
from tests.simulator.relays import Place

_SETTLED = (
    "SELECT e.id, e.uptake, e.lamport, e.void, s.id FROM event e JOIN chain c ON c.no = e.chain"
    " JOIN space s ON s.no = c.space WHERE e.uptake IS NOT NULL"
)
# Deals whose line may be another than one chain: where the role moved, a device was revoked, or one forked.
_TURNED = (
    "SELECT DISTINCT c.space FROM event e JOIN chain c ON c.no = e.chain"
    " WHERE e.kind IN ('agent.device', 'deal.device_revoked')"
    " UNION SELECT d.space FROM deal d JOIN chain c ON c.space = d.space WHERE c.parent IS NOT NULL"
)
_COUNTS = (
    "SELECT d.space, s.id, count(*) FROM deal d JOIN space s ON s.no = d.space JOIN chain c ON c.space = d.space"
    " JOIN event e ON e.chain = c.no GROUP BY d.space"
)
_STRAIGHT = (
    "SELECT e.id FROM deal d JOIN chain c ON c.space = d.space AND c.device = d.agent JOIN event e ON e.chain = c.no"
    " WHERE d.space = ? AND e.suite = 1 AND c.identity = d.client ORDER BY e.seq"
)


class Broken(AssertionError):
    """A law was broken."""


_ALL: Final = 1 << 62  # behind every uptake


def _hold(true: object, text_: str) -> None:
    if not true:
        raise Broken(text_)


def steady(device: Device) -> None:
    """What was acknowledged is there, what was taken up is as it was, and money adds up."""
    if device.is_unchanged():
        return
    database = device.session.db
    own = device.own_events()
    lost = [kind for id_, kind in device.acked.items() if id_ not in own]
    _hold(not lost, f"{device.label} lost what it had acknowledged: {lost}")
    settled = {row[0]: row[1:] for row in database.execute(_SETTLED).fetchall()}
    before, device.lines = device.lines, _lines(device)
    stands = final(device.settled, before, device.lines)
    for id_, row in device.settled.items():
        if settled.get(id_) != row and row[0] <= stands.get(row[-1], _ALL):
            raise Broken(f"{device.label}: {text(id_)} was taken up as {row[:-1]} and now is {settled.get(id_)}")
    device.settled = settled
    _hold(not check.unbalanced(database), f"{device.label}: entries that do not balance")
    _hold(not check.uneven(database), f"{device.label}: milestones whose money does not add up")
    columns = "funded, released, refunded, held, payable, paid_out"
    for space, *row in database.execute(f"SELECT space, {columns} FROM milestone").fetchall():  # noqa: S608
        funded, released, refunded, held, payable, paid_out = row
        fits = min(row) >= 0 and held + released + refunded <= funded
        # A refund gives the client's fee back too, which only the book tells from the rest.
        covered = payable + paid_out <= released + refunded or at_rail(database, space) >= 0
        _hold(fits and covered, f"{device.label}: more money left than came in")


def at_rail(database: Any, space: int) -> int:
    """What the book of a deal says that its rail holds."""
    rows = database.execute("SELECT postings FROM entry WHERE space = ?", (space,)).fetchall()
    lines: list[Any] = [line for (postings,) in rows for line in json.loads(postings)]
    return sum(amount for account, amount in lines if account.startswith("assets:rail:"))


def _lines(device: Device) -> dict[bytes, Line]:
    """The events of the agent's line in each deal; looked up anew where a deal has grown."""
    database = device.session.db
    turned = {no for (no,) in database.execute(_TURNED).fetchall()}
    found: dict[bytes, Line] = {}
    for no, space, count in database.execute(_COUNTS).fetchall():
        known = device.lines.get(space)
        if known is not None and known.length == count:
            found[space] = known
        elif no in turned:
            found[space] = Line(count, _turned(database, no))
        else:
            found[space] = Line(count, [id_ for (id_,) in database.execute(_STRAIGHT, (no,)).fetchall()])
    return found


def _turned(database: Any, no: int) -> list[bytes]:
    """The client's line, and behind the event that a third party consented after, that one's."""
    fold = deals.DealFold(database, events.space_numbered(database, no))
    telling, openings = fold._told()
    if not openings:
        return []
    line = [raw(place.id) for place in telling.line(openings)[1].events]
    third, stored = fold._third(telling), deal_states.load(database, no)
    if third is None or stored is None or stored.taken.deal.consent is None:
        return line
    consent = events.find_event(database, raw(stored.taken.deal.consent))
    assert consent, "a consent that counts is here"
    root = raw(content.row(consent).content.after)
    return [*line[: line.index(root) + 1], *(raw(place.id) for place in third.events)]


def final(
    settled: Mapping[bytes, tuple[Any, ...]], before: Mapping[bytes, Line], now: Mapping[bytes, Line]
) -> dict[bytes, int]:
    """Of deals whose line left the way it was on: up to which uptake nothing may change all the same.

    Only there did the agent have two heads, by a fork, by a handover that it did not hear of, or by a revocation.
    """
    found = {}
    for space, line in before.items():
        then = now[space].events if space in now else []
        alike = next((at for at, id_ in enumerate(line.events) if then[at : at + 1] != [id_]), len(line.events))
        if alike < len(line.events):
            found[space] = max((settled[id_][0] for id_ in line.events[:alike] if id_ in settled), default=-1)
    return found


def differences(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The tables in which two states of one space differ, with the first rows that do."""
    found = []
    for table, rows in one.items():
        if rows != other[table]:
            lacking = [row for row in rows if row not in other[table]][:2]
            beyond = [row for row in other[table] if row not in rows][:2]
            found.append(f"{table}: {lacking} against {beyond}")
    return "; ".join(found)


def converged(devices: Sequence[Device]) -> None:
    """All who may see a space hold the same of it, devices of one person their self space too."""
    known: dict[SpaceId, tuple[Device, dict[str, Any]]] = {}
    for device in devices:
        for space in device.spaces("self", "board", "deal"):
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


def knows_fork(device: Device, space: bytes, key: bytes) -> bool:
    """Whether a device holds two histories of a chain."""
    return any(len(ids) > 1 for place, ids in device.events().items() if place[:2] == (space, key))


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


def filled(devices: Sequence[Device], place: Place) -> None:
    """A relay holds all that those who sync with it hold of the spaces that go there."""
    for device in devices:
        known = places.find(device.session.db, place.where)
        carried = places.carried(device.session.db, known.no) if known else {}
        for no, space in carried.items():
            query = "SELECT count(*) FROM {} e JOIN chain c ON c.no = e.chain WHERE c.space = ?"
            tables = ("event", "waiting")
            held = sum(device.session.db.execute(query.format(table), (no,)).fetchone()[0] for table in tables)
            number, _ = place.log(device.label, raw(space))
            kind = events.space_numbered(device.session.db, no).kind
            _hold(number == held, f"{place.where} holds {number} events of a {kind}, {device.label} {held}")


def named(key: bytes) -> str:
    """A device as problems name it, shortened."""
    return public("dev", text(key))[:12]
