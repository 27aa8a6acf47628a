"""Relays of a run, honest and lying, and the net between them and the devices, which loses, doubles and delays.

A relay here is the real service on its store in memory. It lies by what is done to that store or to its answers.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from itertools import combinations
from typing import Any, Final
from unittest import mock

from chaise_cli.crypto import signing
from chaise_cli.ledger import relay_invite
from sync import relay_link, web
from sync.relay.desk import Desk, Request
from sync.relay.limits import Limits
from sync.relay.memory import Memory
from sync.relay.service import Relay
from sync.relay_memory import Reached
from sync.web import Address, Answer, NoAnswer
from tests.fakes.homes import Hands, seeded

PORT: Final = 8800
NET_FAULTS: Final = ("drop", "lost answer", "double", "late")
LIES: Final = ("roll back", "wipe", "replace", "split", "withhold", "false head")
_PLENTY: Final = Limits(requests=10**9, sources=10**9)
_RECEIPT: Final = 208
_SIGNED: Final = ("/v1/summary", "/v1/pull", "/v1/push")  # what answers with receipts


class Place:
    """One relay at one address."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.where = f"http://localhost:{PORT + number}"
        self.clock = Hands()
        self.desks = [self._desk("first", Memory())]
        self.sides: dict[str, int] = {}  # who is shown another history than the others
        self.kept: dict[str, Any] | None = None
        self.hidden: set[tuple[str, bytes]] = set()  # device, space
        self.false: set[str] = set()  # who gets a false receipt next
        self.lied = False
        self.told_false: set[str] = set()  # who got one
        self.told: dict[str, set[Reached]] = {}  # which losses each device was told of, by the receipts they broke
        self._keys = 0
        self._invite: str | None = None

    def _desk(self, name: str, store: Memory) -> Desk:
        key = signing.Ed25519Signer(seeded(f"relay {self.number} {name}")(32))
        return Desk(Relay(store, key, self.clock.now, seeded(f"chance {self.number} {name}"), _PLENTY))

    def invite(self) -> str:
        """The invite, good for every history that is shown here; a fresh one where it has been forgotten."""
        first = _store(self.desks[0])
        if self._invite is None or relay_invite.digest(relay_invite.read(self._invite)) not in first.invited_by:
            self._invite = self.desks[0].relay.new_invite()
        for desk in self.desks[1:]:
            _store(desk).invited_by = dict(first.invited_by)
        return self._invite

    def keep(self) -> None:
        """Remember all that is held now, to fall back to."""
        self.kept = _copied(_store(self.desks[0]))

    def lie(self, how: str, chance: random.Random, label: str) -> bool:
        """Begin to lie in one of `LIES`, to the device `label` where it is one's alone; False when there is no way."""
        first = _store(self.desks[0])
        if not first.log:
            return False
        match how:
            case "roll back":
                if self.kept is None or len(self.desks) > 1:
                    return False
                self._fall_back(first, self.kept)
            case "wipe" | "replace":
                self._keys += how == "replace"
                self.sides.clear()
                self.kept = None
                self.desks = [self._desk(f"key {self._keys}" if self._keys else "first", Memory())]
            case "split":
                other = Memory()
                _put_back(other, _copied(first))
                name = f"key {self._keys}" if self._keys else "first"
                self.desks.append(self._desk(name, other))
                self.sides[label] = len(self.desks) - 1
            case "withhold":
                self.hidden.add((label, chance.choice(sorted(first.log))))
            case _:
                self.false.add(label)
        self.lied = True
        return True

    def _fall_back(self, store: Memory, kept: Mapping[str, Any]) -> None:
        """Put back what was held, while those who were let in since stay so, as far as the spaces are there."""
        known, names, reach = dict(store.known), dict(store.names), dict(store.reach)
        _put_back(store, kept)
        store.known |= known
        for space in store.spaces:
            store.names[space] = store.names.get(space, frozenset()) | names.get(space, frozenset())
        for who, spaces in reach.items():
            store.reach[who] = store.reach.get(who, frozenset()) | (spaces & store.spaces.keys())

    def log(self, label: str, space: bytes) -> tuple[int, bytes | None]:
        """How far the log of a space goes that a device is shown, and its head; 0 for one that is kept from it."""
        found = (
            None if (label, space) in self.hidden else _store(self.desks[self.sides.get(label, 0)]).spaces.get(space)
        )
        return (found.number, found.head) if found else (0, None)

    def parts(self, label: str, people: set[bytes]) -> bool:
        """Whether two of these share nothing at the relay as a device is shown it, so it takes no deal of theirs."""
        reach = _store(self.desks[self.sides.get(label, 0)]).reach
        served = [reach.get(one, frozenset()) for one in sorted(people)]
        return bool(self.hidden) or any(not one & other for one, other in combinations(served, 2))

    def honest(self) -> None:
        """From now on one history for everybody, and all of it."""
        self.sides.clear()
        self.hidden.clear()
        self.false.clear()

    def answer(self, label: str, request: Request) -> Answer:
        """What the relay says to a device."""
        desk = self.desks[self.sides.get(label, 0)]
        with self._hiding(label, _store(desk)):
            said = desk.answer(request)
            if said.wait is not None:
                said = said.wait.again() or said
        body = said.body
        if label in self.false and len(body) > _RECEIPT and request.path in _SIGNED:
            place = body.find(desk.relay.signer.public)
            if place >= 0:  # the head in the first receipt, which its signature then does not cover
                self.false.discard(label)
                at = place + 32 + 32 + 8 + 32 + 8
                body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
                self.told_false.add(label)
        headers = {"content-type": said.kind, "date": formatdate(self.clock.at / 1000, usegmt=True)}
        if said.retry_s is not None:
            headers["retry-after"] = str(said.retry_s)
        return Answer(said.status, headers, body)

    @contextmanager
    def _hiding(self, label: str, store: Memory) -> Iterator[None]:
        """While one device is answered, the spaces that are kept from it are served to nobody."""
        hidden = {space for who, space in self.hidden if who == label}
        reach = store.reach
        if hidden:
            store.reach = {who: spaces - hidden for who, spaces in reach.items()}
        try:
            yield
        finally:
            if hidden:
                changed = {who: spaces | (reach.get(who, frozenset()) & hidden) for who, spaces in store.reach.items()}
                store.reach = changed


class Net:
    """What carries requests to the relays of a run. label: who asks now; faults: what happens to the next requests."""

    def __init__(self, count: int) -> None:
        self.places = [Place(number) for number in range(count)]
        self.label = ""
        self.faults: list[str | None] = []
        self.late: list[tuple[Place, str, Request]] = []
        self.asked = 0

    def request(self, to: Address, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request and its answer. Raises NoAnswer."""
        place = self.places[to.port - PORT]
        request = Request(method, relay_link.authority(to), to.path + path, list(headers.items()), body, b"here")
        self.asked += 1
        for earlier in self.late:
            earlier[0].answer(earlier[1], earlier[2])
        self.late.clear()
        fault = self.faults.pop(0) if self.faults else None
        if fault == "drop":
            raise NoAnswer(host=to.host, why="the connection broke")
        if fault == "late":
            self.late.append((place, self.label, request))
            raise NoAnswer(host=to.host, why="the connection broke")
        answer = place.answer(self.label, request)
        if fault == "double":
            answer = place.answer(self.label, request)
        if fault == "lost answer":
            raise NoAnswer(host=to.host, why="the connection broke")
        return answer

    @contextmanager
    def up(self) -> Iterator[None]:
        """While it lasts, whoever connects to the web meets this net."""
        net = self

        class Link(web.Link):
            def request(
                self, method: str, path: str, body: bytes = b"", *, headers: Mapping[str, str] = {}, **_limits: Any
            ) -> Answer:
                return net.request(self.to, method, path, body, headers)

            def close(self) -> None:
                pass

        with mock.patch.object(web, "Link", Link), mock.patch.object(relay_link, "Link", Link):
            yield


def _store(desk: Desk) -> Memory:
    found = desk.relay.store
    assert isinstance(found, Memory), "relays here keep in memory"
    return found


def _copied(store: Memory) -> dict[str, Any]:
    return {name: copy.copy(value) for name, value in vars(store).items() if isinstance(value, dict)} | {
        "log": {space: list(entries) for space, entries in store.log.items()}
    }


def _put_back(store: Memory, state: Mapping[str, Any]) -> None:
    for name, value in state.items():
        setattr(store, name, copy.copy(value))
    store.log = {space: list(entries) for space, entries in state["log"].items()}
