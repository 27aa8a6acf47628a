# ruff: noqa: ARG005  every lie is told with a source of chance and a pen, whatever it uses
"""A device whose software does anything that its certificate allows, and more: it writes chains by hand.

It belongs to a person on the board, so that its chains are heard. What it signs may be void, malformed, a second
history, or cite what nobody has; different people are told different things.
"""

from __future__ import annotations

import random
from typing import Any, Final

from chaise_cli.crypto import sealing, signing
from chaise_cli.domain import order, shape, talk, work
from chaise_cli.domain.booking import BookingCancelled
from chaise_cli.domain.deal import DealDeclined, DealShortlisted
from chaise_cli.domain.directory import PostPublished
from chaise_cli.domain.escrow import FundRequested, ReleaseAuthorized
from chaise_cli.domain.movements import MoneyHeld, MoneyReleased
from chaise_cli.ids import DeviceId, EventId, SpaceId, text
from chaise_cli.ledger import certificate
from chaise_cli.session import epochs, plaintext
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.requests import fingerprint
from chaise_cli.store import events, own
from sync.replica import Problem
from tests.fakes import pen
from tests.simulator.devices import Device


def _event(chance: random.Random) -> EventId:
    return EventId(text(chance.randbytes(32)))


def _n(chance: random.Random) -> int:
    return chance.randint(1, 3)


LIES: Final[dict[str, Any]] = {
    "message": lambda c, p: talk.MessageSent(f"trust me {c.randrange(99)}", ()),
    "taken": lambda c, p: order.Taken(),
    "agent": lambda c, p: order.AgentDevice(DeviceId(text(p.device)), _event(c)),
    "held": lambda c, p: MoneyHeld(_event(c), _n(c), c.randint(1, 10**6), 0, 0, _event(c), "cash"),
    "released": lambda c, p: MoneyReleased(None, _n(c), c.randint(1, 10**6), 0, _event(c)),
    "release": lambda c, p: ReleaseAuthorized(_n(c), None, c.randint(1, 10**6), None, "EUR", "q", _asked(c), None),
    "fund": lambda c, p: FundRequested(_n(c), c.randint(1, 10**6), "EUR", f"q{c.randrange(3)}", _asked(c)),
    "delivered": lambda c, p: work.WorkDelivered(_n(c), "done", ()),
    "decline": lambda c, p: DealDeclined(_event(c), "no"),
    "shortlist": lambda c, p: DealShortlisted(),
    "cancel call": lambda c, p: BookingCancelled(_event(c), "no"),
    "misplaced": lambda c, p: PostPublished("Here?", "marketing", ("seo",), None, None, "UTC", "", "No."),
}


def _asked(chance: random.Random) -> str:
    return fingerprint("fund", {"n": chance.randrange(3)})


class Forger:
    """The hand-written chains of one hostile device."""

    def __init__(self, home: Device, chance: random.Random) -> None:
        self.home, self.chance = home, chance
        self.branches: dict[SpaceId, list[pen.Pen]] = {}
        self._made = 0

    @property
    def devices(self) -> set[bytes]:
        """The keys of its chains."""
        return {branch.device for pens in self.branches.values() for branch in pens}

    def spaces(self) -> list[SpaceId]:
        """Where it may speak."""
        return [space.id for space in self.home.spaces("board", "deal") if space.epoch is not None]

    def write(self) -> tuple[str, SpaceId] | None:
        """One more event on one of its chains, of any kind and shape; what it was, and where."""
        spaces = self.spaces()
        if not spaces:
            return None
        space = self.chance.choice(spaces)
        branch = self.chance.choice(self._branches(space))
        what = self.chance.choice([*LIES, *LIES, *HANDS])
        HANDS.get(what, _say)(self, branch, what)
        return what, space

    def fork(self) -> SpaceId | None:
        """A second history of one of its chains; where."""
        known = sorted(space for space, pens in self.branches.items() if pens[0].seq > 0)
        if not known:
            return None
        space = self.chance.choice(known)
        stem = self.chance.choice(self.branches[space])
        other = stem.fork(self.chance.randrange(stem.seq))
        self.branches[space].append(other)
        self._speak(other, talk.MessageSent(f"or rather {len(self.branches[space])}", ()))
        return space

    def tell(self, to: Device, space: SpaceId) -> list[Problem]:
        """Hand one branch of a chain to somebody; what they say to it."""
        branch = self.chance.choice(self._branches(space))
        if not branch.seq or events.find_space(to.session.db, space) is None:
            return []
        end = self.chance.randint(1, branch.seq)
        return list(HomeReplica(to.session).admit(branch.space, [branch.run(0, end)]).problems)

    def _branches(self, space: SpaceId) -> list[pen.Pen]:
        if space not in self.branches:
            self.branches[space] = [self._new_chain(space)]
        return self.branches[space]

    def _new_chain(self, space: SpaceId) -> pen.Pen:
        session = self.home.session
        held = events.find_space(session.db, space)
        assert held is not None, "a space of its own home"
        made = pen.Pen(f"{self.home.label} by hand {self._made}", space=space, secret=session.epochs.secret(held))
        self._made += 1
        made.identity = session.me.identity
        return made

    def _certificates(self, branch: pen.Pen) -> list[object]:
        session = self.home.session
        signer = signing.Ed25519Signer(own.device_seed(session.db, session.me.device))
        device = DeviceId(text(branch.device))
        issued = certificate.issue(signer, "admin", session.me.identity, device, "by hand", self.home.clock.at)
        return [issued.value(), *own.certificates(session.db)]

    def _speak(self, branch: pen.Pen, body: Any, **more: Any) -> None:
        self.put(branch, body.KIND, shape.to_data(body), **more)

    def put(self, branch: pen.Pen, kind: str, data: Any, **more: Any) -> None:
        """Seal content of any kind at the end of a branch."""
        first = not any(event.suite for event in branch.events)
        cert = self._certificates(branch) if first and self.chance.random() < 0.95 else None
        branch.tell(kind, data, at=more.pop("at", self.home.clock.at), cert=cert, **more)


def _say(self: Forger, branch: pen.Pen, what: str) -> None:
    self._speak(branch, LIES[what](self.chance, branch))


def _garbage(self: Forger, branch: pen.Pen, _what: str) -> None:
    name = sealing.epoch_commit(branch.space, branch.secret)[: epochs.NAME]
    branch.put(self.chance.randbytes(self.chance.randint(17, 200)), name)


def _not_json(self: Forger, branch: pen.Pen, _what: str) -> None:
    branch.seal(plaintext.pad(self.chance.choice([b"{}", b"[1,2]", b'{"kind":1}', b"\xff"])))


def _false_seen(self: Forger, branch: pen.Pen, _what: str) -> None:
    nobody = (text(self.chance.randbytes(32)), self.chance.randrange(9), text(self.chance.randbytes(32)))
    self._speak(branch, talk.MessageSent("as we said", ()), seen=[nobody])


def _future(self: Forger, branch: pen.Pen, _what: str) -> None:
    self.put(branch, "deal.danced", {"with": "bears"}, optional=True)


def _shape(self: Forger, branch: pen.Pen, _what: str) -> None:
    self.put(branch, "message.sent", {"text": 7, "files": "none"})


def _clock(self: Forger, branch: pen.Pen, _what: str) -> None:
    self._speak(branch, talk.MessageSent("late", ()), at=self.chance.choice([0, 1, 2**52, self.home.clock.at + 10**12]))


HANDS: Final = {
    "garbage": _garbage, "not json": _not_json, "false seen": _false_seen, "future": _future, "shape": _shape,
    "clock": _clock,
}  # fmt: skip
