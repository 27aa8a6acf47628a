"""Turning decided bodies into events on this device's chain: sealed, signed, appended and folded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chaise_cli.crypto import signing
from chaise_cli.domain import shape
from chaise_cli.domain.grant import VERB_OF
from chaise_cli.errors import Denied
from chaise_cli.ids import EventId, IdentityId, SpaceId, raw, text
from chaise_cli.ledger import clear, header
from chaise_cli.session import epochs, plaintext
from chaise_cli.store import events, folding, members, own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Chain, Row, Space


class KindNotGranted(Denied):
    """A run is asked for something that no grant allows."""

    code = "grant.kind"
    message = "no grant allows {kind}"
    hint = "grants are for deliver, fund, refund and release; do this from a device of the person's own"
    kind: str


class Writer:
    """Writes events with this home's device key inside one transaction of the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._db = session.db
        device = session.me.device
        self._signer = signing.Ed25519Signer(own.device_seed(session.db, device))
        self.written: list[EventId] = []

    def sign(self, tag: bytes, message: bytes) -> bytes:
        """This device's signature, for what stands inside a body."""
        return self._signer.sign(tag, message)

    def genesis(self, kind: str) -> Space:
        """A new space, its genesis written; it has no key yet."""
        body = clear.write_genesis(clear.Genesis(text(self._session.random(16)), kind, self._session.me.identity))
        packed = header.make(header.CLEAR, header.ZERO, self._device, 0, header.ZERO, header.NO_EPOCH, body)
        id_ = header.event_id(packed)
        space = events.add_space(self._db, SpaceId(text(id_)), kind, self._session.me.identity, self._device)
        self._append_clear(space, "genesis", 0, id_, packed, body)
        return space

    def wrap(self, space: Space, wrap: clear.Wrap) -> None:
        """Write a wrap and note whom it names."""
        body = clear.write_wrap(wrap)
        chain = events.chain_of(self._db, space.no, self._device)
        seq = chain.seq + 1
        assert seq, "in clear a chain begins with a genesis alone"
        packed = header.make(header.CLEAR, raw(space.id), self._device, seq, chain.id, header.NO_EPOCH, body)
        self._append_clear(space, "wrap", seq, header.event_id(packed), packed, body)
        name(self._session, space, wrap)

    def write(self, space: Space, bodies: Sequence[Any], request: Request | None = None) -> list[EventId]:
        """Seal, sign, append and fold bodies, in order; the ids of the new events. The newest carries `request`."""
        made: list[Row] = []
        chain = events.chain_of(self._db, space.no, self._device)
        self._check_kinds(bodies)
        for place, body in enumerate(bodies):
            asked = request if place == len(bodies) - 1 else None
            chain, row = self._seal(space, chain, body, asked)
            made.append(row)
        return self._keep(space, chain, made)

    def write_each(self, space: Space, decide: Callable[[Row | None], Any]) -> list[EventId]:
        """As `write`, of bodies that are decided one by one, each given the event before it, until there is none."""
        made: list[Row] = []
        chain = events.chain_of(self._db, space.no, self._device)
        while (body := decide(made[-1] if made else None)) is not None:
            self._check_kinds([body])
            chain, row = self._seal(space, chain, body, None)
            made.append(row)
        return self._keep(space, chain, made)

    def _keep(self, space: Space, chain: Chain, made: Sequence[Row]) -> list[EventId]:
        events.append(self._db, made)
        events.save_chain(self._db, chain)
        folding.fold(self._db, space, made)
        ids = [EventId(text(row.id)) for row in made]
        self.written += ids
        self._session.signed += [row.kind for row in made if row.kind]
        return ids

    def _check_kinds(self, bodies: Sequence[Any]) -> None:
        """Refuse what a run never writes. Raises KindNotGranted."""
        if self._session.me.grant is not None:
            for body in bodies:
                if body.KIND not in VERB_OF:
                    raise KindNotGranted(kind=body.KIND)

    @property
    def _device(self) -> bytes:
        return self._signer.public

    def _append_clear(self, space: Space, kind: str, seq: int, id_: bytes, packed: bytes, body: bytes) -> None:
        signature = self._signer.sign(signing.TAGS.event, packed)
        chain = events.chain_of(self._db, space.no, self._device)
        lamport = chain.lamport + 1
        row = events.Row(
            chain.no,
            seq,
            id_,
            header.CLEAR,
            None,
            kind,
            lamport,
            None,
            signature,
            body,
            self._device,
            None,
            0,
            (),
            None,
        )
        events.append(self._db, [row])
        events.save_chain(self._db, chain._replace(seq=seq, id=id_, lamport=lamport))
        own.wrote(self._db, id_)
        self.written.append(EventId(text(id_)))
        self._session.signed.append(kind)

    def _seal(self, space: Space, chain: Chain, body: Any, request: Request | None) -> tuple[Chain, Row]:
        shape.check(body)
        assert space.epoch is not None, "a space without a key seals nothing"
        cited, seen, lamport = self._seen(space, chain)
        said = plaintext.Plaintext(
            body.KIND, 1, self._session.clock.now(), seen, shape.to_data(body),
            cert=own.certificates(self._db) if chain.identity is None else None,
            request=(request.id, request.fingerprint) if request else None,
        )  # fmt: skip
        data = plaintext.write(said)
        seq, epoch = chain.seq + 1, self._session.epochs.name(space.epoch)
        cipher = self._session.epochs.cipher(space.epoch)
        sealed = epochs.seal(cipher, raw(space.id), self._device, seq, chain.id, epoch, plaintext.pad(data))
        packed = header.make(header.SEALED, raw(space.id), self._device, seq, chain.id, epoch, sealed)
        id_ = header.event_id(packed)
        signature = self._signer.sign(signing.TAGS.event, packed)
        own.wrote(self._db, id_)
        me: IdentityId = self._session.me.identity
        grant = self._session.me.grant.key if self._session.me.grant else None
        row = events.Row(
            chain.no, seq, id_, header.SEALED, space.epoch, body.KIND, lamport, None, signature, data, self._device, me,
            said.at, seen, body, grant,
        )  # fmt: skip
        moved = chain._replace(
            seq=seq, id=id_, lamport=lamport, cited=cited, identity=me, admin=self._is_admin(), grant=grant
        )
        return moved, row

    def _is_admin(self) -> bool:
        first: Any = own.certificates(self._db)[0]
        return bool(first["kind"] == "admin")

    def _seen(self, space: Space, chain: Chain) -> tuple[bytes, list[plaintext.Seen], int]:
        """What to cite: heads that are new since this chain's last event; and the new event's lamport."""
        cited: dict[str, int] = json.loads(chain.cited or b"{}")
        heads = [
            other
            for other in events.chains(self._db, space.no)
            if other.device != chain.device
            and other.seq > cited.get(other.name, other.first - 1)
            and (space.kind == "deal" or other.identity == self._session.me.identity)
        ]
        cited |= {other.name: other.seq for other in heads}
        left = {other.parent for other in heads}  # whoever cites a branch cites what it leaves
        seen = [(text(other.device), other.seq, text(other.id)) for other in heads if other.no not in left]
        seen.sort()
        return json.dumps(cited).encode(), seen, 1 + max([chain.lamport, *(other.lamport for other in heads)])


def name(session: Session, space: Space, wrap: clear.Wrap) -> None:
    """Note whom a wrap names: they may be served the space."""
    members.add(session.db, space.no, [box.to[0] for box in wrap.boxes])
