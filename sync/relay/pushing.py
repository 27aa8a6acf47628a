"""Taking in events: every segment is verified whole, and one push is kept in one transaction. docs/spec/relay.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chaise_cli import ids
from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import clear, header, receipt, segment
from chaise_cli.ledger.segment import Link, Segment

from ..relay_messages import Push
from .contract import Chain, Entry, Space, Transaction
from .limits import SEGMENT_LIMIT, Limits
from .people import Caller, malformed
from .refusal import Refusal, not_found

GAP: Final = "sync.gap"
FORKED: Final = "relay.forked"
TOO_LARGE: Final = "sync.too_large"


class Checked(NamedTuple):
    """A segment of a push; its links, or why it was refused."""

    segment: Segment
    links: Sequence[Link]
    code: str


class Kept(NamedTuple):
    """What a push came to. before: the head at first − 1; space: as it is now, None while it is not here.

    touched: something was written, or somebody is served now who was not.
    """

    first: int
    before: bytes
    space: Space | None
    taken: Sequence[int]
    refused: Sequence[tuple[int, str]]
    touched: bool


def check(given: Push) -> list[Checked]:
    """Every segment with its links, verified; takes most of a push's time and no transaction."""
    return [_checked(one) for one in given.segments]


def _checked(one: Segment) -> Checked:
    try:
        if sum([len(event.body) + segment.EVENT_SIZE for event in one.events]) > SEGMENT_LIMIT:
            return Checked(one, (), TOO_LARGE)
        links = segment.verify(one)
        if links[0].id == one.space:
            clear.read_genesis(one.events[0].body)
    except ChaiseError as error:
        return Checked(one, (), error.code)
    return Checked(one, links, "")


def keep(writing: Transaction, who: Caller, given: Push, checked: Sequence[Checked], limits: Limits) -> Kept:
    """Keep what holds of a push. Raises Refusal, and then nothing of it is kept."""
    space = writing.space(given.space)
    found = _enter(writing, who, given, space) if space is not None else _found(writing, who, given, checked)
    if found is None:
        codes = [(at, one.code or GAP) for at, one in enumerate(checked)]
        return Kept(1, receipt.START, None, [0] * len(checked), codes, touched=False)
    intake = _Intake(writing, given.space, found, who.device)
    for at, one in enumerate(checked):
        intake.add(at, one)
    served = _serve(writing, given.space, found, intake.wraps, new=None if space is not None else who.identity)
    if intake.entries:
        writing.append(given.space, intake.entries, intake.chains)
        size = sum([len(entry.events) + len(entry.signature) for entry in intake.entries])
        _spend(writing, who.identity, size, int(space is None), limits)
        newest = intake.entries[-1]
        after = found._replace(number=newest.to, head=newest.head, last=newest.last)
    else:
        after = found
    touched = served or bool(intake.entries) or found != space
    return Kept(found.number + 1, found.head, after, intake.taken, intake.refused, touched)


def _enter(writing: Transaction, who: Caller, given: Push, space: Space) -> Space:
    """A space that is here, for somebody it is served to; its creator may set the door of a board anew."""
    owns = space.kind == "board" and who.identity == space.creator
    if not (owns or writing.serves(given.space, who.identity)):
        raise not_found()
    if not owns:
        return space
    if given.door is not None and given.door != space.door:
        writing.set_door(given.space, given.door)
        space = space._replace(door=given.door)
    if not writing.serves(given.space, who.identity):
        writing.serve(given.space, [who.identity])
    return space


def _found(writing: Transaction, who: Caller, given: Push, checked: Sequence[Checked]) -> Space | None:
    """A space that begins with this push; None when its genesis does not hold. Raises Refusal."""
    if not checked or (not checked[0].code and checked[0].links[0].id != given.space):
        raise not_found()
    if checked[0].code:
        return None
    genesis = clear.read_genesis(checked[0].segment.events[0].body)
    maker, creator = checked[0].segment.device, ids.raw(genesis.creator)
    _may_found(writing, who, given, genesis.space, creator, _named(checked, maker), _named(checked, None))
    made = Space(genesis.space, creator, maker, given.door if genesis.space == "board" else None)
    writing.add_space(given.space, made)
    return made


def _may_found(
    writing: Transaction,
    who: Caller,
    given: Push,
    kind: str,
    creator: bytes,
    by_maker: frozenset[bytes],
    named: frozenset[bytes],
) -> None:
    match kind:
        case "self" if who.identity != creator:
            raise Refusal("relay.not_admitted", "a self space comes from its owner")
        case "board" if given.door is None:
            raise malformed("a board comes with its door key")
        case "deal":
            if who.identity not in by_maker | {creator}:
                raise Refusal("relay.not_admitted", "a deal comes from somebody it is between")
            people = named | {creator}
            if not any(all(one == other or writing.meet(one, other) for other in people) for one in people):
                raise Refusal("relay.stranger", "a deal is between people who share a board or a deal here")


def _named(checked: Sequence[Checked], maker: bytes | None) -> frozenset[bytes]:
    """Whom the wraps of these segments name; maker: only those on this device's chain."""
    found = frozenset[bytes]()
    for one in checked:
        if not one.code and maker in (None, one.segment.device):
            found = found.union(*[_names(event.suite, event.body) for event in one.segment.events])
    return found


def _names(suite: int, body: bytes) -> frozenset[bytes]:
    """Whom an event names, if it is a wrap. What is no wrap, as a genesis or a malformed one, names nobody."""
    if suite != header.CLEAR:
        return frozenset()
    try:
        return frozenset(ids.raw(box.to[0]) for box in clear.read_wrap(body).boxes)
    except ChaiseError:
        return frozenset()


def _serve(writing: Transaction, name: bytes, space: Space, wraps: frozenset[bytes], new: bytes | None) -> bool:
    """Extend the serving list. `new`: who brought a space that was not here."""
    if space.kind == "board":
        wanted = {space.creator, new} if new is not None else set()
    else:
        wanted = {*wraps, space.creator} if new is not None else set(wraps)
    missing = [one for one in sorted(one for one in wanted if one) if not writing.serves(name, one)]
    if missing:
        writing.serve(name, missing)
    return bool(missing)


def _spend(writing: Transaction, identity: bytes, size: int, spaces: int, limits: Limits) -> None:
    spent = writing.spend(identity, size, spaces)
    if spent.size > limits.size or spent.spaces > limits.spaces:
        raise Refusal("relay.quota", "your identity takes up all that it may here", retry_s=3600)


class _Intake:
    """What becomes of the segments of one push, in their order."""

    def __init__(self, writing: Transaction, name: bytes, space: Space, own: bytes) -> None:
        self._writing, self._name, self._own = writing, name, own
        self._count, self._head = space.number, space.head
        self._known: dict[bytes, Chain | None] = {}
        self.entries: list[Entry] = []
        self.chains: dict[bytes, Chain] = {}
        self.taken: list[int] = []
        self.refused: list[tuple[int, str]] = []
        self.wraps = frozenset[bytes]()

    def add(self, at: int, one: Checked) -> None:
        """Keep what is new of a segment, or note why not."""
        code, start = one.code, 0
        if not code:
            code, start = self._place(one)
        new = 0 if code else len(one.links) - start
        self.taken.append(new)
        if code:
            self.refused.append((at, code))
        elif new:
            self._keep(one, start)

    def _place(self, one: Checked) -> tuple[str, int]:
        """Why the segment is refused, and how many of its events are here already."""
        given, chain = one.segment, self._chain(one.segment.device)
        if chain is None:
            return (GAP, 0) if given.first_seq else ("", 0)
        goes_on = given.first_seq == chain.seq + 1 and given.prev == chain.id
        if goes_on and chain.top == chain.seq:
            return "", 0
        here = self._ids(given.space, given.device, max(given.first_seq - 1, 0), given.last_seq)
        if given.first_seq and given.prev not in here:
            return GAP, 0
        start = next((at for at, link in enumerate(one.links) if link.id not in here), len(one.links))
        prev = one.links[start - 1].id if start else given.prev
        other = start < len(one.links) and prev != chain.id
        return (FORKED, 0) if other and given.device == self._own else ("", start)

    def _chain(self, device: bytes) -> Chain | None:
        if device not in self._known:
            self._known[device] = self._writing.chain(self._name, device)
        return self.chains.get(device, self._known[device])

    def _ids(self, space: bytes, device: bytes, first_seq: int, last_seq: int) -> set[bytes]:
        """The ids that are here of a chain between these, from whatever history of it."""
        held = [*self._writing.overlapping(space, device, first_seq, last_seq)]
        held += [one for one in self.entries if one.device == device]
        return {link for entry in held for link in event_ids(space, entry)}

    def _keep(self, one: Checked, start: int) -> None:
        given, links = one.segment, one.links[start:]
        events, seq = given.events[start:], given.first_seq + start
        prev = one.links[start - 1].id if start else given.prev
        self._head = receipt.advance(self._head, [link.id for link in links])
        packed, last = segment.pack_events(events), links[-1].id
        first = self._count + 1
        self._count += len(links)
        self.entries.append(
            Entry(first, len(links), given.device, seq, prev, last, self._head, packed, given.signature)
        )
        before = self._chain(given.device)
        main = before is None or prev == before.id
        top = max(given.last_seq, before.top if before else 0)
        self.chains[given.device] = Chain(given.last_seq, last, top) if main or not before else before._replace(top=top)
        self.wraps = self.wraps.union(*[_names(event.suite, event.body) for event in events])


def event_ids(space: bytes, entry: Entry) -> list[bytes]:
    """The ids of the events of an entry, in order."""
    whole = segment.frame(space, entry.device, entry.first_seq, entry.prev, entry.length, entry.events, entry.signature)
    return [link.id for link in segment.links(segment.unpack(whole))]
