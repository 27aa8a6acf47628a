"""Admission of foreign events: verified, opened, checked and folded in one transaction; content never makes it raise.

An event waits while its key or something it cites is missing, at most 1,000 on a chain; what is malformed stays
on its chain as void, so that the chain goes on alike on every replica. docs/spec/order.md, docs/spec/envelope.md.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import boxes, sealing, signing
from chaise_cli.domain import kinds, revocation
from chaise_cli.domain.grant import VERB_OF
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Corrupt, Newer
from chaise_cli.ids import DeviceId, IdentityId, SpaceId, public, raw, text
from chaise_cli.ledger import canonical, certificate, clear, header
from chaise_cli.ledger import revocation as statement
from chaise_cli.ledger import segment as segments
from chaise_cli.session import (
    adopting,
    border,
    epochs,
    newcomers,
    plaintext,
    rekeying,
    selfspace,
    vouchers,
    wraps,
    writing,
)
from chaise_cli.session.lineup import Branch, Item, Lineup
from chaise_cli.store import epochs as epoch_rows
from chaise_cli.store import events, folding, own, waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ledger.segment import Segment
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Chain, Row, Space

WAITING_MOST: Final = 1000
FORKS_MOST: Final = 64  # new histories of one chain that are taken from one source in one exchange
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

    def __init__(
        self, session: Session, space_id: SpaceId, forks: Counter[tuple[SpaceId, bytes]] | None = None
    ) -> None:
        """forks: new histories taken from this source before, by chain; counted on."""
        self._session, self._db = session, session.db
        self._id = space_id
        self._space: Space | None = events.find_space(self._db, space_id)
        self._problems: list[Refusal] = []
        self._accepted = self._rejected = 0
        self._lineup = Lineup(self._db, self._space.no if self._space else 0)
        self._forks = Counter() if forks is None else forks
        self._known: dict[tuple[str, int, str], int] = {}  # lamports of what was opened here, by what cites name
        self._rows: list[Row] = []  # opened, and not yet in the store
        self._stored: list[Row] = []  # opened before them, and in the store
        self._boxes: dict[str, boxes.BoxKey] | None = None
        self._first: set[str] | None = None  # the keys that the maker gave the space, as far as they are held

    def run(self, given: Sequence[Segment]) -> Admitted:
        """Admit segments; those of one chain come in order."""
        if self._space is None and not self._introduce(given):
            count = sum(len(segment.events) for segment in given)
            if not any(problem.code == newcomers.Crowded.code for problem in self._problems):
                self._problems.append(Refusal("space.not_for_us", f"{public('deal', self._id)} names somebody else"))
            return Admitted(0, count, self._problems)
        for segment in given:
            self._accepted += self._enqueue(segment)
        self._queue_waiting()
        self._open_all()
        self._append()
        self._keep_waiting()
        assert self._space is not None, "introduced above"
        folding.fold(self._db, self._space, self._stored)
        adopting.adopt(self._session, self._space, self._stored)
        if any(row.kind == "wrap" or row.kind in revocation.KINDS for row in self._stored):
            self._space = rekeying.choose(self._session, self._space)
        if self._space.kind == "self" and self._stored:
            selfspace.settle(self._session, _places_gone(self._stored))
            self._open_late()
        return Admitted(self._accepted, self._rejected, self._problems)

    def _introduce(self, given: Sequence[Segment]) -> bool:
        """Make a row for a deal whose wraps name us; False when none opens for us.

        Never for a self space: a home has its own, and whoever knows our box key could offer another. The home of a run
        is for the deal of its grant, whoever names it there.
        """
        for segment in given:
            first = segment.events[0] if segment.events else None
            if segment.first_seq != 0 or first is None or first.suite != header.CLEAR:
                continue
            try:
                links = self._verify(segment)
                genesis = clear.read_genesis(first.body)
                if genesis.space != "deal" or not self._is_for_us(segment, links, genesis.creator, given):
                    continue
            except ChaiseError as error:
                self._refuse(error)
                continue
            self._space = events.add_space(self._db, self._id, genesis.space, genesis.creator, segment.device)
            self._lineup = Lineup(self._db, self._space.no)
            return True
        return False

    def _is_for_us(
        self, first: Segment, links: Sequence[segments.Link], creator: str, given: Sequence[Segment]
    ) -> bool:
        """Whether a deal is the one of our grant, or has a key that is wrapped to us. Raises Crowded."""
        granted = self._session.me.grant
        if granted is not None:
            return granted.space == self._id
        secrets = self._for_us(first.device, given)
        if secrets:
            maker = newcomers.maker(first, links, secrets)
            newcomers.make_room(self._db, self._session.me.identity, creator, maker)
        return bool(secrets)

    def _verify(self, segment: Segment) -> list[segments.Link]:
        """The links of a sound segment of this very space. Raises what `segments.verify` raises."""
        if segment.space != raw(self._id):
            raise segments.BadSegment(why="they are of another space")
        return segments.verify(segment)

    def _for_us(self, maker: bytes, given: Sequence[Segment]) -> list[bytes]:
        """The keys of the space's maker that are wrapped to us; they may come in a later piece than the genesis.

        By anybody: a third party whom terms name as the agent hears of the deal from whoever signed last.
        """
        found = [
            (one.device, wrap)
            for one in given
            for event in one.events
            if event.suite == header.CLEAR and (wrap := _wrap_in(event.body))
        ]
        made = {wrap.commit for device, wrap in found if device == maker}
        secrets: list[bytes] = []
        for wrap in (wrap for _, wrap in found if wrap.commit in made):
            secret = wraps.unwrap(raw(self._id), wrap, self._box_keys())
            if secret is not None:
                secrets += [secret, *wraps.carried(raw(self._id), wrap, secret)]
        return secrets

    def _box_keys(self) -> dict[str, boxes.BoxKey]:
        if self._boxes is None:
            self._boxes = rekeying.box_keys(self._session)
        return self._boxes

    def _refuse(self, error: ChaiseError, count: int = 0) -> None:
        self._problems.append(Refusal(error.code, error.sentence()))
        self._rejected += count

    def _enqueue(self, segment: Segment) -> int:
        """Verify one segment and line up what is new of it; how many events that are."""
        assert self._space is not None, "introduced above"
        try:
            links = self._verify(segment)
            self._greet(segment)
        except ChaiseError as error:
            self._refuse(error, len(segment.events))
            return 0
        place = self._lineup.place(segment, links, self._write_down)
        if place is None:
            self._problems.append(Refusal("sync.gap", f"events before {segment.first_seq} of a chain are missing"))
            self._rejected += len(segment.events)
            return 0
        if place.branch is None:
            return 0
        if segment.device == raw(self._session.me.device):
            self._behind()
        fresh = [
            Item(
                segment.first_seq + at, links[at].id, links[at - 1].id if at else segment.prev, event.suite,
                event.epoch, segment.signature if at == len(links) - 1 else None, event.body,
            )
            for at, event in enumerate(segment.events)
            if at >= place.skip
        ]  # fmt: skip
        branch = self._fork(place.branch, fresh[0]) if place.forks else place.branch
        if branch is None:
            self._rejected += len(segment.events)
            return 0
        if len(branch.queue) + len(fresh) > _QUEUE_MOST:
            self._drain()
        if len(branch.queue) + len(fresh) > _QUEUE_MOST:
            self._full(len(fresh))
            return 0
        branch.queue.extend(fresh)
        return len(fresh)

    def _behind(self) -> None:
        """A peer knows more of this device than the store does: a restored or copied home, read-only from now on."""
        own.put(self._db, "behind", b"1")
        self._session.behind = True

    def _fork(self, branch: Branch, item: Item) -> Branch | None:
        """A second history begins with this event: a branch for it, unless its device forks without end."""
        device = branch.chain.device
        name = f"dev-{public('dev', text(device))[4:12]}"
        if self._forks[self._id, device] >= FORKS_MOST:
            self._problems.append(Refusal("chain.too_forked", f"{name} forks on and on; the rest is for the next sync"))
            return None
        self._forks[self._id, device] += 1
        self._problems.append(
            Refusal("chain.forked", f"{name} wrote two histories from event {item.seq} on; both are kept")
        )
        made, parted = self._lineup.fork(branch, item.seq, item.id)
        if parted is not None:
            tail = events.chain_numbered(self._db, parted).first >= item.seq
            self._stored = [
                row._replace(chain=parted) if row.chain == branch.chain.no and (row.seq >= item.seq) is tail else row
                for row in self._stored
            ]
        return made

    def _write_down(self) -> None:
        """Put what was opened so far into the store."""
        if self._rows:
            self._append()
            for branch in self._lineup:
                events.save_chain(self._db, branch.chain)

    def _append(self) -> None:
        events.append(self._db, self._rows)
        self._stored += self._rows
        self._rows = []

    def _full(self, count: int) -> None:
        self._problems.append(Refusal("sync.waiting_full", "too many events wait for what they cite"))
        self._rejected += count

    def _queue_waiting(self) -> None:
        """Line up what waits on chains of which nothing came: what it waits for may have."""
        assert self._space is not None, "introduced above"
        for device in waiting.devices(self._db, self._space.no):
            self._lineup.of(device)

    def _greet(self, segment: Segment) -> None:
        """Look at the key of a device that is new here, and at a genesis."""
        assert self._space is not None, "introduced above"
        if not self._lineup.knows(segment.device):
            signing.admit_key(segment.device, torsion=self._space.kind == "deal")
        if segment.first_seq == 0 and segment.events[0].suite == header.CLEAR:
            self._genesis(segment)

    def _genesis(self, segment: Segment) -> None:
        """A genesis proves itself by its id; for a board joined by invite it tells the creator."""
        assert self._space is not None, "introduced above"
        genesis = clear.read_genesis(segment.events[0].body)
        if genesis.space != self._space.kind:
            raise segments.BadSegment(why="the genesis is of another kind of space")
        if not self._space.creator:
            self._space = events.set_creator(self._db, self._space.no, genesis.creator, segment.device)

    def _open_all(self) -> None:
        """Open what can be; where a key lacks, look for it in the wraps held too, with the box keys of today."""
        assert self._space is not None, "introduced above"
        held: set[bytes] | None = None
        while True:
            self._drain()
            names = epoch_rows.names(self._db, self._space.no)
            if names == held or self._space.kind == "board" or not self._lacks_key(self._space):
                return
            held = names
            self._write_down()
            rekeying.learn(self._session, self._space)
            self._space = events.space_numbered(self._db, self._space.no)

    def _lacks_key(self, space: Space) -> bool:
        """Whether the next event of some chain is sealed under a key that is not held."""
        fronts = [branch.queue[0] for branch in self._lineup if branch.queue]
        return any(one.suite and self._session.epochs.number(space.no, one.epoch) is None for one in fronts)

    def _drain(self) -> None:
        """Open and keep whatever has its key and everything it cites, until nothing moves."""
        early = []
        for branch in self._lineup:
            unsaid = branch.chain.identity is None and branch.chain.void is None
            for item in branch.queue:
                unsaid = unsaid and item.suite == header.CLEAR
                if item.suite == header.CLEAR and item.seq:
                    self._note_first(branch.chain, item, early=unsaid)
                    early.append((branch.chain, item))
        for chain, item in early:
            self._try_wrap(chain, item)
        moved = True
        while moved:
            moved = False
            for branch in self._lineup:
                queue = branch.queue
                while queue and branch.begin() and self._admit(branch, queue[0]):
                    queue.popleft()
                    moved = True

    def _note_first(self, chain: Chain, item: Item, *, early: bool) -> None:
        """Note the key that a wrap of the space's maker gives it, before that has said anything sealed."""
        assert self._space is not None, "introduced above"
        if self._first is None:
            self._first = rekeying.first_commits(self._session, self._space)
        wrap = _wrap_in(item.body) if early and chain.device == self._space.creator_device else None
        if wrap is not None:
            self._first.add(wrap.commit)

    def _try_wrap(self, chain: Chain, item: Item) -> None:
        """Take the key out of a wrap, and the older ones it carries: one that the maker gave the space, at once.

        Any other has its turn on its chain first, which by then has proved an owner. Which of the keys seals is
        chosen later; a board's key is that of its invite, for life.
        """
        assert self._space is not None, "introduced above"
        wrap = _wrap_in(item.body)
        if wrap is None or self._space.kind == "board" or chain.grant is not None:
            return
        number = self._session.epochs.number(self._space.no, raw(wrap.commit)[: epochs.NAME])
        first = wrap.commit in (self._first or ())
        if number is None and (first or (chain.identity and not chain.void)):
            secret = wraps.unwrap(raw(self._id), wrap, self._box_keys())
            if secret is not None and self._session.epochs.keep(self._space, secret):
                number = self._session.epochs.number(self._space.no, raw(wrap.commit)[: epochs.NAME])
        if number is not None:
            rekeying.history(self._session, self._space, wrap, number, wraps)
        self._space = events.space_numbered(self._db, self._space.no)

    def _admit(self, branch: Branch, item: Item) -> bool:
        """Move one event from the queue into the rows, or leave it waiting."""
        assert self._space is not None, "introduced above"
        chain, device = branch.chain, branch.chain.device
        if item.suite == header.CLEAR:
            kind = "wrap" if item.seq else "genesis"
            wrap = _wrap_in(item.body) if item.seq else None
            if item.seq:
                self._try_wrap(chain, item)
            # Only who can read a space hands it out: its maker, or whoever has said something sealed before.
            if (
                wrap
                and chain.void is None
                and chain.grant is None
                and (chain.identity or device == self._space.creator_device)
            ):
                writing.name(self._session, self._space, wrap)
            opened = _Opened(None, item.body, kind, None, None, None)
            branch.chain = self._keep(chain, item, opened, chain.lamport + 1)
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
            chain = branch.chain = self._claim(chain, said)
        content = None
        if chain.void is not None:
            void = void or chain.void
        elif said is not None and void is None:
            content, void = self._content(chain, said)
        opened = _Opened(number, data, said and said.kind, void, said, content)
        branch.chain = self._keep(chain, item, opened, lamport)
        return True

    def _open(self, device: bytes, item: Item, number: int) -> tuple[plaintext.Plaintext | None, bytes, str | None]:
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
        assert self._space is not None, "introduced above"
        lamports = []
        for cited in said.seen:
            found = self._known.get(cited)
            if found is None:
                device, seq, id_ = cited
                found = events.lamport_of(self._db, self._space.no, raw(device), seq, raw(id_))
            if found is None:
                return None
            lamports.append(found)
        return lamports

    def _claim(self, chain: Chain, said: plaintext.Plaintext | None) -> Chain:
        """Whose chain it is, by the certificates in its first sealed event; without them all of it is void."""
        try:
            certificates = certificate.check(said.cert if said else None)
            if raw(certificates[0].device) != chain.device:
                raise certificate.BadCertificate(why="it is another device's")
            if not certificates[0].is_device and not _is_run_of(certificates, self._id):
                raise certificate.BadCertificate(why="it is a grant's, or a run's of another space")
            if self._space and self._space.kind == "self" and certificates[0].identity != self._session.me.identity:
                raise certificate.BadCertificate(why="it is of somebody else, in a space of ours")
        except ChaiseError:
            return chain._replace(void="certificate.bad")
        first = certificates[0]
        grant = None if first.is_device else DeviceId(first.by)
        return chain._replace(identity=IdentityId(first.identity), admin=first.kind == "admin", grant=grant)

    def _content(self, chain: Chain, said: plaintext.Plaintext) -> tuple[Any, str | None]:
        """The checked body, or why it counts for nothing."""
        assert self._space is not None, "introduced above"
        row = kinds.KINDS.get(said.kind)
        if row is None or said.version != 1:
            if not said.optional:
                events.set_newer(self._db, self._space.no)
            return None, "kind.unknown"
        if row.space != self._space.kind:
            return None, "kind.misplaced"
        if chain.grant is not None and said.kind not in VERB_OF:
            return None, "grant.kind"
        try:
            body = border.read(said.kind, said.data)
        except (border.InvalidBody, Newer):
            return None, "body.invalid"
        if said.kind in _TERMS and not signing.verify(
            chain.device, signing.TAGS.terms, raw(body.hash), raw(body.signature)
        ):
            return None, "terms.bad_signature"
        if said.kind in _VOUCHED and not vouchers.holds(body.voucher):
            return None, "review.bad_voucher"
        if said.kind in revocation.KINDS and not _is_signed(chain, body):
            return None, "device.bad_revocation"
        if said.kind == "grant.created" and not _is_certified(chain, body, self._id):
            return None, "grant.bad_certificate"
        return body, None

    def owner(self, chain: Chain, said: plaintext.Plaintext | None) -> Chain:
        """Whose a chain is by its first sealed event, as `verify` asks again of one that was admitted."""
        return self._claim(chain._replace(identity=None, admin=False, void=None, grant=None), said)

    def verdict(self, chain: Chain, said: plaintext.Plaintext) -> str | None:
        """Why an event's content counts for nothing, as `verify` asks again; inside a transaction that is undone."""
        return self._content(chain, said)[1]

    def _open_late(self) -> None:
        """A box key that came with self may open wraps that came before it, before or after what they let read."""
        if not any(row.kind == "self.box_key" for row in self._stored):
            return
        for space in events.spaces(self._db, "deal"):
            if rekeying.learn(self._session, space):
                Admission(self._session, space.id).run([])
                rekeying.choose(self._session, events.space_numbered(self._db, space.no))

    def _keep(
        self,
        chain: Chain,
        item: Item,
        opened: _Opened,
        lamport: int,
    ) -> Chain:
        said = opened.said
        seen = said.seen if said else ()
        self._rows.append(
            events.Row(
                chain.no, item.seq, item.id, item.suite, opened.epoch, opened.kind, lamport, opened.void,
                item.signature, opened.data, chain.device, chain.identity, said.at if said else 0, seen, opened.content,
                chain.grant,
            )
        )  # fmt: skip
        self._known[text(chain.device), item.seq, text(item.id)] = lamport
        return chain._replace(seq=item.seq, id=item.id, lamport=lamport)

    def _keep_waiting(self) -> None:
        """What could not be admitted yet stays, sealed; beyond the limit it is left to be fetched again.

        Chains that have proved no owner share one limit: a stranger could make any number of them.
        """
        lineup = self._lineup
        stored = sum(lineup.stored[device] for device, rows in lineup.devices() if not rows[0].is_proved)
        unproven = max(0, WAITING_MOST - stored)  # for newcomers: what waits already keeps its place
        for device, rows in lineup.devices():
            held, proved = lineup.stored[device], any(branch.is_proved for branch in rows)
            kept = self._cut(rows, WAITING_MOST if proved else held + unproven)
            unproven -= 0 if proved else max(0, sum(map(len, kept)) - held)
            lineup.save(device, kept)

    def _cut(self, rows: Sequence[Branch], room: int) -> list[list[Item]]:
        """What may go on waiting of the branches of one chain, each after the one it leaves."""
        made: dict[int, list[Item]] = {}
        for branch in rows:
            whole = branch.parent is None or len(made[branch.parent.chain.no]) == len(branch.parent.queue)
            kept = list(branch.queue)[:room] if whole else []
            if len(branch.queue) > len(kept):  # end on a kept signature, or what stays could not be passed on
                while kept and kept[-1].signature is None:
                    kept.pop()
                self._full(len(branch.queue) - len(kept))
                self._accepted -= len(branch.queue) - len(kept)
            room -= len(kept)
            made[branch.chain.no] = kept
        return list(made.values())


def _is_run_of(certificates: Sequence[certificate.Certificate], space: SpaceId) -> bool:
    """Whether they are those of a run, whose grant is for this space."""
    return certificates[0].kind == "run" and certificates[1].space == space


def _is_certified(chain: Chain, body: Any, space: SpaceId) -> bool:
    """Whether the writer, a device that may certify, has certified the grant's key for this space and until then."""
    try:
        made = certificate.read(canonical.decode(body.certificate.encode()))
    except ChaiseError:
        return False
    said = ("grant", chain.identity, body.key, body.name, text(chain.device), space, body.scope.until)
    told = (made.kind, made.identity, made.device, made.name, made.by, made.space, made.until)
    return chain.admin and said == told and certificate.is_signed(made)


def _is_signed(chain: Chain, body: Any) -> bool:
    """Whether the writer's root, or an admin device of his, signed this revocation."""
    stated = (body.device, body.keeps, body.at, body.by, body.certificates, body.signature)
    return chain.identity is not None and statement.holds(chain.identity, *stated)


def _places_gone(rows: Sequence[Row]) -> list[str]:
    return [row.content.url for row in rows if row.kind == "self.place" and row.content and row.content.gone]


def _wrap_in(body: bytes) -> clear.Wrap | None:
    try:
        return clear.read_wrap(body)
    except ChaiseError:
        return None
