"""A relay in this process, and people who register there and push what their pens write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chaise_cli.crypto import derivation, signing
from chaise_cli.ids import DeviceId, IdentityId, SpaceId, raw, text
from chaise_cli.ledger import canonical, certificate, clear
from chaise_cli.ledger.segment import Segment
from sync import ranges, relay_messages, request_signing
from sync.relay import people
from sync.relay.contract import Store
from sync.relay.desk import Answer, Desk, Request
from sync.relay.limits import Limits
from sync.relay.memory import Memory
from sync.relay.people import Caller
from sync.relay.service import Relay
from sync.relay_messages import Pull, Push, Pushed, Row, Section, Summary
from tests.fakes.homes import Hands, seeded
from tests.fakes.pen import Pen, signer

EPOCH: Final = b"epoch..1"
AUTHORITY: Final = "relay.example"


def relay(store: Store | None = None, limits: Limits | None = None, clock: Hands | None = None) -> Relay:
    """A relay with a key that follows from nothing."""
    return Relay(store or Memory(), signer("relay"), (clock or Hands()).now, seeded("relay"), limits)


def certify(
    person: str, device: str, kind: certificate.Kind = "admin", by: str = "", grant: tuple[bytes, int] = (bytes(32), 0)
) -> certificate.Certificate:
    """A certificate of `person`'s for a device, signed by the root or by the device `by`; grant: its space and end."""
    root = signer(f"{person}'s root")
    made = DeviceId(text(signer(device).public))
    whose, issuer = certificate.identity_of(root.public), signer(by) if by else root
    until = {"space": text(grant[0]), "until": grant[1]} if kind == "grant" else {}
    return certificate.issue(issuer, kind, whose, made, device, 0, **until)  # type: ignore[arg-type]


def identity(person: str) -> bytes:
    """Whose id is whose."""
    return raw(certificate.identity_of(signer(f"{person}'s root").public))


class Guest:
    """A device at a relay. name: of the device, and of its person unless `of` says another."""

    def __init__(
        self,
        at: Relay,
        name: str,
        *,
        of: str = "",
        kind: certificate.Kind = "admin",
        by: str = "",
        grant: tuple[bytes, int] = (bytes(32), 0),
    ) -> None:
        self.at, self.name, self.person = at, name, of or name
        self.key = signer(name)
        self.device, self.identity = self.key.public, identity(self.person)
        own = certify(self.person, name, kind, by, grant)
        self.chain = [own, certify(self.person, by)] if by else [own]

    def register(self, *, invite: str | None = None, doors: Sequence[tuple[bytes, bytes]] = ()) -> Guest:
        """Register, with an invite or door proofs."""
        self.at.register(self.device, people.read_registration(self.asks(invite, doors)))
        return self

    def asks(self, invite: str | None = None, doors: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
        """The body of its registration."""
        proofs = [[text(space), text(signature)] for space, signature in doors]
        values = [one.value() for one in self.chain]
        return canonical.encode({"certificates": values, "doors": proofs, "invite": invite})

    def invited(self) -> Guest:
        """Register with a fresh invite."""
        return self.register(invite=self.at.new_invite())

    def proof(self, board: bytes, door: signing.Ed25519Signer | None = None) -> tuple[bytes, bytes]:
        """A door proof for a board, as whoever has its access key makes it."""
        message = people.door_message(self.at.signer.public, self.device, board)
        return board, (door or door_key(board)).sign(signing.TAGS.proof, message)

    @property
    def who(self) -> Caller:
        """As the relay sees it."""
        return self.at.caller(self.device)

    def push(self, *runs: Segment, door: bytes | None = None, space: bytes | None = None) -> Pushed:
        """Push segments of one space."""
        return self.at.push(self.who, Push(space or runs[0].space, door, runs))

    def pull(self, *rows: Row, everything: bool = True) -> list[Section]:
        """What a pull brings, of all spaces unless only these rows are wanted; until there is no more."""
        found: dict[bytes, list[Section]] = {}
        cursors = {row.space: row for row in rows}
        more = True
        while more:
            asked = Pull(range(ranges.PARTS) if everything else (), list(cursors.values()))
            answer = self.at.pull(self.who, relay_messages.read_pull(relay_messages.pack_pull(asked)))
            sections, more = relay_messages.read_sections(answer)
            for one in sections:
                found.setdefault(one.space, []).append(one)
                cursors[one.space] = Row(one.space, one.receipt.number, one.receipt.head[:8])
        return [one for sections in found.values() for one in sections]

    def sees(self) -> set[bytes]:
        """The spaces it is served."""
        return {one.space for one in self.pull()}

    def summary(self, positions: ranges.Positions, wait_s: int = 0) -> Summary:
        """The question after news for somebody who knows these positions."""
        return Summary(ranges.whole(positions), ranges.ranges(positions), wait_s)

    def request(self, path: str, body: bytes, now_s: int | None = None) -> Request:
        """A signed request."""
        at = now_s if now_s is not None else self.at.clock() // 1000
        headers = request_signing.sign("POST", AUTHORITY, path, body, self.key, at)
        return Request("POST", AUTHORITY, path, list(headers.items()), body, b"127.0.0.1")

    def asked(self, desk: Desk, path: str, body: bytes) -> Answer:
        """The answer to a signed request."""
        return desk.answer(self.request(path, body))


def door_key(board: bytes) -> signing.Ed25519Signer:
    """The door key of a board whose access key follows from its id."""
    return signing.Ed25519Signer(derivation.derive(derivation.tagged_hash("access", board), "door"))


def wrap(*people_named: str) -> bytes:
    """The body of a wrap that names these people; its boxes open for nobody."""
    boxes = [clear.Box((text(identity(name)), text(bytes(32))), "AAAA") for name in people_named]
    return clear.write_wrap(clear.Wrap(text(bytes(32)), (), boxes))


def board(name: str, events: int = 1) -> Pen:
    """A board of somebody's, with some events."""
    return scribble(Pen(name).genesis("board"), events)


def deal(name: str, *others: str, events: int = 1) -> Pen:
    """A deal of somebody's with these others."""
    made = Pen(name).genesis("deal", body=genesis(name, "deal", *others))
    return scribble(made.clear(wrap(name, *others)), events)


def genesis(creator: str, kind: str, *words: str) -> bytes:
    """The body of a genesis that is another one with other words."""
    nonce = derivation.tagged_hash("nonce", " ".join(words).encode())[:16]
    return clear.write_genesis(clear.Genesis(text(nonce), kind, IdentityId(text(identity(creator)))))


def join(pen: Pen, name: str, events: int = 1, root: str | None = None) -> Pen:
    """Somebody else's chain in a space."""
    return scribble(Pen(name, root=root, space=SpaceId(pen.id)), events)


def scribble(pen: Pen, events: int) -> Pen:
    """Further sealed events, whose bodies nobody can open."""
    for _ in range(events):
        pen.put(derivation.tagged_hash("scribble", pen.ids[-1] + bytes([pen.seq % 256])) * 2, EPOCH)
    return pen
