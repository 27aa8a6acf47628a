"""Admission of foreign events: verified, opened, checked and folded in one transaction; content never makes it raise.

An event waits while its key or something it cites is missing, at most 1,000 on a chain; what is malformed stays
on its chain as void, so that the chain goes on alike on every replica. docs/spec/order.md, docs/spec/envelope.md.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import boxes, sealing, signing
from chaise_cli.domain import kinds
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Corrupt, Newer
from chaise_cli.ids import IdentityId, SpaceId, public, raw, text
from chaise_cli.ledger import certificate, clear, header
from chaise_cli.ledger import segment as segments
from chaise_cli.session import border, epochs, plaintext, vouchers, wraps, writing
from chaise_cli.store import events, folding, forks, own, waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ledger.segment import Segment
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Chain, Row, Space

WAITING_MOST: Final = 1000
_QUEUE_MOST: Final = WAITING_MOST + 4000  # events of one chain lined up at a time
_TERMS: Final = {"terms.offered", "terms.accepted"}
_VOUCHED: Final = {"review.voucher", "review.published"}


class Refusal(NamedTuple):
    """Something that was not admitted, with a stable code."""

    code: str
    text: str


class Admitted(NamedTuple):
    """What became of offered events."""

    accepted: int
    rejected: int
    problems: list[Refusal]


class _Item(NamedTuple):
    """One event on its way in; `prev` is its predecessor's id."""

    seq: int
    id: bytes
    prev: bytes
    suite: int
    epoch: bytes
    signature: bytes | None
    body: bytes


class _Opened(NamedTuple):
    """What an event turned out to be: the bytes to store, its kind and content, and why it is void if it is."""

    epoch: int | None
    data: bytes
    kind: str | None
    void: str | None
    said: plaintext.Plaintext | None
    content: Any


class Admission:
    """Admits segments of one space inside one transaction of the session."""

    def __init__(self, session: Session, space_id: SpaceId) -> None:
        self._session, self._db = session, session.db
        self._id = space_id
        self._space: Space | None = events.find_space(self._db, space_id)
        self._problems: list[Refusal] = []
        self._accepted = self._rejected = 0
        self._chains: dict[bytes, Chain] = {}
        self._queues: dict[bytes, deque[_Item]] = {}
        self._stored_waiting: dict[bytes, int] = {}
        self._known: dict[tuple[bytes, int], tuple[bytes, int]] = {}
        self._rows: list[Row] = []
        self._boxes: dict[str, boxes.BoxKey] | None = None

    def run(self, given: Sequence[Segment]) -> Admitted:
        """Admit segments; those of one chain come in order."""
        if self._space is None and not self._introduce(given):
            count = sum(len(segment.events) for segment in given)
            problem = Refusal("space.not_for_us", f"{public('deal', self._id)} names somebody else")
            return Admitted(0, count, [*self._problems, problem])
        for segment in given:
            self._accepted += self._enqueue(segment)
        self._queue_waiting()
        self._drain()
        self._keep_waiting()
        events.append(self._db, self._rows)
        for chain in self._chains.values():
            events.save_chain(self._db, chain)
        assert self._space is not None, "introduced above"
        folding.fold(self._db, self._space, self._rows)
        return Admitted(self._accepted, self._rejected, self._problems)

    def _introduce(self, given: Sequence[Segment]) -> bool:
        """Make a row for a deal whose wraps name us; False when none opens for us.

        Never for a self space: a home has its own, and whoever knows our box key could offer another.
        """
        for segment in given:
            first = segment.events[0] if segment.events else None
            if segment.first_seq != 0 or first is None or first.suite != header.CLEAR:
                continue
            try:
                self._verify(segment)
                genesis = clear.read_genesis(first.body)
            except ChaiseError as error:
                self._refuse(error)
                continue
            if genesis.space != "deal" or not self._names_us(segment.device, given):
                continue
            self._space = events.add_space(self._db, self._id, genesis.space, genesis.creator, segment.device)
            return True
        return False

    def _verify(self, segment: Segment) -> list[segments.Link]:
        """The links of a sound segment of this very space. Raises what `segments.verify` raises."""
        if segment.space != raw(self._id):
            raise segments.BadSegment(why="they are of another space")
        return segments.verify(segment)

    def _names_us(self, maker: bytes, given: Sequence[Segment]) -> bool:
        """Whether a wrap of the space's maker opens for us; it may come in a later piece than the genesis."""
        bodies = [
            event.body for one in given if one.device == maker for event in one.events if event.suite == header.CLEAR
        ]
        found = [wrap for body in bodies if (wrap := _wrap_in(body))]
        return any(wraps.unwrap(raw(self._id), wrap, self._box_keys()) is not None for wrap in found)

    def _box_keys(self) -> dict[str, boxes.BoxKey]:
        if self._boxes is None:
            self._boxes = {id_: boxes.BoxKey(seed) for id_, seed in own.box_seeds(self._db).items()}
            device = boxes.BoxKey(own.need(self._db, "device_box"))
            self._boxes[text(device.key_id)] = device
        return self._boxes

    def _refuse(self, error: ChaiseError, count: int = 0) -> None:
        self._problems.append(Refusal(error.code, error.sentence()))
        self._rejected += count

    def _chain(self, device: bytes) -> Chain:
        if device not in self._chains:
            assert self._space is not None, "introduced above"
            chain = events.chain_of(self._db, self._space.no, device)
            self._chains[device] = chain
            queue: deque[_Item] = deque()
            prev = chain.id
            for one in waiting.of_chain(self._db, chain.no):
                queue.append(_Item(one.seq, one.id, prev, one.suite, one.epoch, one.signature, one.body))
                prev = one.id
            self._queues[device] = queue
            self._stored_waiting[device] = len(queue)
        return self._chains[device]

    def _enqueue(self, segment: Segment) -> int:
        """Verify one segment and line up what is new of it; how many events that are."""
        assert self._space is not None, "introduced above"
        try:
            links = self._verify(segment)
            chain = self._chain_of(segment)
        except ChaiseError as error:
            self._refuse(error, len(segment.events))
            return 0
        queue = self._queues[segment.device]
        if segment.device == raw(self._session.me.device):
            self._own(segment, chain)
        head_seq, head_id = (queue[-1].seq, queue[-1].id) if queue else (chain.seq, chain.id)
        skip = head_seq + 1 - segment.first_seq
        if skip < 0:
            self._problems.append(Refusal("sync.gap", f"events before {segment.first_seq} of a chain are missing"))
            self._rejected += len(segment.events)
            return 0
        if not self._continues(segment, links, skip, head_id):
            return 0
        fresh = [
            _Item(
                segment.first_seq + place, links[place].id, links[place - 1].id if place else segment.prev, event.suite,
                event.epoch, segment.signature if place == len(links) - 1 else None, event.body,
            )
            for place, event in enumerate(segment.events)
            if place >= skip
        ]  # fmt: skip
        if len(queue) + len(fresh) > _QUEUE_MOST:
            self._drain()
        if len(queue) + len(fresh) > _QUEUE_MOST:
            self._full(len(fresh))
            return 0
        queue.extend(fresh)
        return len(fresh)

    def _full(self, count: int) -> None:
        self._problems.append(Refusal("sync.waiting_full", "too many events wait for what they cite"))
        self._rejected += count

    def _queue_waiting(self) -> None:
        """Line up what waits on chains of which nothing came: what it waits for may have."""
        assert self._space is not None, "introduced above"
        for device in waiting.devices(self._db, self._space.no):
            self._chain(device)

    def _chain_of(self, segment: Segment) -> Chain:
        assert self._space is not None, "introduced above"
        if segment.device not in self._chains and not events.find_chain(self._db, self._space.no, segment.device):
            signing.admit_key(segment.device, torsion=self._space.kind == "deal")
        if segment.first_seq == 0 and segment.events[0].suite == header.CLEAR:
            self._genesis(segment)
        return self._chain(segment.device)

    def _genesis(self, segment: Segment) -> None:
        """A genesis proves itself by its id; for a board joined by invite it tells the creator."""
        assert self._space is not None, "introduced above"
        genesis = clear.read_genesis(segment.events[0].body)
        if genesis.space != self._space.kind:
            raise segments.BadSegment(why="the genesis is of another kind of space")
        if not self._space.creator:
            self._space = events.set_creator(self._db, self._space.no, genesis.creator, segment.device)

    def _continues(self, segment: Segment, links: list[segments.Link], skip: int, head_id: bytes) -> bool:
        """Whether the segment agrees with the chain held; a fork is kept as a proof and reported."""
        if skip >= len(links):
            at = segment.last_seq
            held = self._id_at(segment.device, at)
            if held is not None and held != links[-1].id:
                self._fork(segment, at)
            return False
        before = links[skip - 1].id if skip else segment.prev
        if before != head_id:
            self._fork(segment, segment.first_seq + skip - 1)
            return False
        return True

    def _own(self, segment: Segment, chain: Chain) -> None:
        """A peer knows more of this device than the store does: a restored or copied home, read-only from now on."""
        held = self._id_at(segment.device, segment.last_seq) if segment.last_seq <= chain.seq else None
        if held != segments.links(segment)[-1].id:
            own.put(self._db, "behind", b"1")
            self._session.behind = True

    def _id_at(self, device: bytes, seq: int) -> bytes | None:
        for item in self._queues.get(device, ()):
            if item.seq == seq:
                return item.id
        found = events.id_and_lamport(self._db, self._chain(device).no, seq)
        return found[0] if found else None

    def _fork(self, segment: Segment, seq: int) -> None:
        assert self._space is not None, "introduced above"
        forks.keep(self._db, forks.Fork(self._space.no, segment.device, max(seq, 0)), segments.pack(segment))
        device = f"dev-{public('dev', text(segment.device))[4:12]}"
        self._problems.append(Refusal("chain.forked", f"{device} wrote two histories from event {max(seq, 0)} on"))
        self._rejected += len(segment.events)

    def _drain(self) -> None:
        """Open and keep whatever has its key and everything it cites, until nothing moves."""
        for device, queue in self._queues.items():
            for item in queue:
                if item.suite == header.CLEAR and item.seq:
                    self._try_wrap(device, item)
        moved = True
        while moved:
            moved = False
            for device, queue in self._queues.items():
                while queue and self._admit(device, queue[0]):
                    queue.popleft()
                    moved = True

    def _try_wrap(self, device: bytes, item: _Item) -> None:
        """A wrap is tried as soon as its signature checks. A new key counts from the genesis creator alone.

        A board's key is that of its invite, for life.
        """
        assert self._space is not None, "introduced above"
        wrap = _wrap_in(item.body)
        if wrap is None or self._space.kind == "board":
            return
        name = raw(wrap.commit)[: epochs.NAME]
        if self._session.epochs.number(self._space.no, name) is not None or device != self._space.creator_device:
            return
        secret = wraps.unwrap(raw(self._id), wrap, self._box_keys())
        if secret is not None:
            self._session.epochs.add(self._space, secret)
            self._space = events.space_numbered(self._db, self._space.no)

    def _admit(self, device: bytes, item: _Item) -> bool:
        """Move one event from the queue into the rows, or leave it waiting."""
        assert self._space is not None, "introduced above"
        chain = self._chains[device]
        if item.suite == header.CLEAR:
            kind = "wrap" if item.seq else "genesis"
            wrap = _wrap_in(item.body) if item.seq else None
            # Only who can read a space hands it out: its maker, or whoever has said something sealed before.
            if wrap and chain.void is None and (chain.identity or device == self._space.creator_device):
                writing.name(self._session, self._space, wrap)
            self._keep(chain, item, _Opened(None, item.body, kind, None, None, None), chain.lamport + 1)
            return True
        number = self._session.epochs.number(self._space.no, item.epoch)
        if number is None:
            return False
        said, data, void = self._open(device, item, number)
        cited = self._cited(said) if said else []
        if cited is None:
            return False
        lamport = 1 + max([chain.lamport, *cited])
        if chain.identity is None and chain.void is None:
            chain = self._claim(chain, said)
        content = None
        if chain.void is not None:
            void = void or chain.void
        elif said is not None and void is None:
            content, void = self._content(device, said)
        self._keep(chain, item, _Opened(number, data, said and said.kind, void, said, content), lamport)
        return True

    def _open(self, device: bytes, item: _Item, number: int) -> tuple[plaintext.Plaintext | None, bytes, str | None]:
        """The content, the bytes to store, and why it counts for nothing if it does not."""
        cipher = self._session.epochs.cipher(number)
        try:
            padded = epochs.open_body(cipher, raw(self._id), device, item.seq, item.prev, item.epoch, item.body)
        except sealing.BadSeal:
            return None, item.body, "body.unopenable"
        try:
            data = plaintext.unpad(padded)
            return plaintext.read(data), data, None
        except Corrupt:
            return None, item.body, "body.malformed"

    def _cited(self, said: plaintext.Plaintext) -> list[int] | None:
        """Lamports of what an event cites; None when some of it is not here yet."""
        lamports = []
        for device_text, seq, id_text in said.seen:
            device = raw(device_text)
            found = self._known.get((device, seq)) or self._look_up(device, seq)
            if found is None or found[0] != raw(id_text):
                return None
            lamports.append(found[1])
        return lamports

    def _look_up(self, device: bytes, seq: int) -> tuple[bytes, int] | None:
        assert self._space is not None, "introduced above"
        chain = self._chains.get(device) or events.find_chain(self._db, self._space.no, device)
        return events.id_and_lamport(self._db, chain.no, seq) if chain else None

    def _claim(self, chain: Chain, said: plaintext.Plaintext | None) -> Chain:
        """Whose chain it is, by the certificates in its first sealed event; without them all of it is void."""
        try:
            certificates = certificate.check(said.cert if said else None)
            if raw(certificates[0].device) != chain.device:
                raise certificate.BadCertificate(why="it is another device's")
            if self._space and self._space.kind == "self" and certificates[0].identity != self._session.me.identity:
                raise certificate.BadCertificate(why="it is of somebody else, in a space of ours")
        except ChaiseError:
            return chain._replace(void="certificate.bad")
        first = certificates[0]
        return chain._replace(identity=IdentityId(first.identity), admin=first.kind == "admin")

    def _content(self, device: bytes, said: plaintext.Plaintext) -> tuple[Any, str | None]:
        """The checked body, or why it counts for nothing."""
        assert self._space is not None, "introduced above"
        row = kinds.KINDS.get(said.kind)
        if row is None or said.version != 1:
            if not said.optional:
                events.set_newer(self._db, self._space.no)
            return None, "kind.unknown"
        if row.space != self._space.kind:
            return None, "kind.misplaced"
        try:
            body = border.read(said.kind, said.data)
        except (border.InvalidBody, Newer):
            return None, "body.invalid"
        if said.kind in _TERMS and not signing.verify(device, signing.TAGS.terms, raw(body.hash), raw(body.signature)):
            return None, "terms.bad_signature"
        if said.kind in _VOUCHED and not vouchers.holds(body.voucher):
            return None, "review.bad_voucher"
        return body, None

    def _keep(
        self,
        chain: Chain,
        item: _Item,
        opened: _Opened,
        lamport: int,
    ) -> None:
        said = opened.said
        seen = [(device, seq) for device, seq, _ in said.seen] if said else []
        self._rows.append(
            events.Row(
                chain.no, item.seq, item.id, item.suite, opened.epoch, opened.kind, lamport, opened.void,
                item.signature, opened.data, chain.device, chain.identity, said.at if said else 0, seen, opened.content,
            )
        )  # fmt: skip
        self._known[chain.device, item.seq] = (item.id, lamport)
        self._chains[chain.device] = chain._replace(seq=item.seq, id=item.id, lamport=lamport)

    def _keep_waiting(self) -> None:
        """What could not be admitted yet stays, sealed; beyond the limit it is left to be fetched again.

        Chains that have proved no owner share one limit: a stranger could make any number of them.
        """
        stored = sum(count for device, count in self._stored_waiting.items() if not self._chains[device].identity)
        unproven = max(0, WAITING_MOST - stored)  # for newcomers: what waits already keeps its place
        for device, queue in self._queues.items():
            chain = self._chains[device]
            if self._stored_waiting[device]:
                waiting.forget(self._db, chain.no)
            held = self._stored_waiting[device]
            room = WAITING_MOST if chain.identity else held + unproven
            kept = list(queue)[:room]
            if len(queue) > room:  # end on a kept signature, or what stays could not be passed on
                while kept and kept[-1].signature is None:
                    kept.pop()
                self._full(len(queue) - len(kept))
                self._accepted -= len(queue) - len(kept)
            unproven -= 0 if chain.identity else max(0, len(kept) - held)
            rows = [waiting.Waiting(i.seq, i.id, i.suite, i.epoch, i.signature, i.body) for i in kept]
            waiting.keep(self._db, chain.no, rows)


def _wrap_in(body: bytes) -> clear.Wrap | None:
    try:
        return clear.read_wrap(body)
    except ChaiseError:
        return None
