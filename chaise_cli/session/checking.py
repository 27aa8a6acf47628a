"""`verify`: the file, every hash and kept signature, every chain, every projection against a refold, every balance.

With a part n of t it looks at a share: what is looked at together has a name, and a hash of the name says in which
share it falls, so that all shares together see everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from chaise_cli.crypto import signing
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import public, raw, text
from chaise_cli.ledger import segment as segments
from chaise_cli.session import examining
from chaise_cli.session.replica import Head, HomeReplica
from chaise_cli.session.session import Behind
from chaise_cli.store import check, check_rows, connection, events, forks, money_reads

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

Step = Callable[[int, int], None]
Kept: TypeAlias = dict[tuple[int, bytes], list[bytes]]  # signatures by the seq and id of what they are under
PARTS_MOST: Final = 1_000


class Part(NamedTuple):
    """Share `n` of `of`, counted from 1."""

    n: int
    of: int

    def takes(self, *name: bytes) -> bool:
        """Whether what has this name falls in this share."""
        digest = sha256(b"chaise/1 subset\0" + b"".join(name)).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.n - 1


WHOLE: Final = Part(1, 1)


class Checked(NamedTuple):
    """What `verify` looked at, and what did not hold. spaces: folded anew; pages: whether the file's were read.

    forks: chains of which several histories are held. All of them hold, so they are facts and no damage.
    """

    events: int
    chains: int
    spaces: int
    files: int
    pages: bool
    balances: list[dict[str, Any]]
    problems: list[str]
    forks: list[str]


class _Look:
    """One run: what was seen so far."""

    def __init__(self, session: Session, step: Step, part: Part) -> None:
        self._session, self._step, self._part = session, step, part
        self.events = self.chains = self.spaces = self.files = self.total = 0
        self.balances: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.forks: list[str] = []

    def run(self) -> None:
        """Look at everything of this share; what cannot even be read is a problem like others."""
        db = self._session.db
        if self._part.takes(b"pages"):
            self._try(lambda: [f"the store's pages: {row}" for row in check.pages(db)])
        spaces: list[Space] = []
        self._try(lambda: spaces.extend(events.spaces(db)))
        self._try(self._count)
        for space in spaces:
            self._try(lambda space=space: self._space(space))  # type: ignore[misc]
        self._try(self._whole)
        if self._part.takes(b"book"):
            self._try(self._book)

    def _try(self, look: Callable[[], Sequence[str] | None]) -> None:
        try:
            with connection.naming_errors():
                self.problems += look() or ()
        except ChaiseError as error:  # what cannot be read cannot be compared either
            self.problems.append(error.sentence())
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            # rows that none of our folds has written
            self.problems.append(f"what is stored does not hang together: {type(error).__name__}")

    def _count(self) -> None:
        self.total = events.count(self._session.db)
        self.balances = money_reads.balances(self._session.db)

    def _book(self) -> list[str]:
        self.forks = [_fork(self._session, fork) for fork in forks.known(self._session.db)]
        behind = [Behind().sentence()] if self._session.behind else []
        return [*_balances(self._session), *behind]

    def _space(self, space: Space) -> None:
        session, found = self._session, list[str]()
        for device, rows in groupby(events.chains(session.db, space.no), lambda row: row.device):
            if self._part.takes(raw(space.id), device):
                self.chains += 1
                found += self._chain(space, device, [*rows])
        if self._part.takes(raw(space.id)):
            self.spaces += 1
            found += self._folded(space, sound=not found)
        self.problems += [f"{_name(space)}: {problem}" for problem in found]

    def _chain(self, space: Space, device: bytes, rows: Sequence[events.Chain]) -> list[str]:
        """One device's chain with all its branches."""
        if not check_rows.is_tree(self._session.db, rows):
            return [f"where the histories of {_device(device)} part is noted wrongly"]
        found: list[str] = []
        kept: Kept = {}
        for row in rows:
            for seq, id_, signature in check.signatures(self._session.db, row.no):
                kept.setdefault((seq, id_), []).append(signature)
        for count, problem in _runs(self._session, space, device, kept):
            self.events += count
            self._step(self.events, self.total)
            found += [problem] if problem else []
        found += _unread(self._session, space, device, kept)
        return found or [problem for row in rows for problem in examining.chain_rows(self._session, space, row)]

    def _folded(self, space: Space, *, sound: bool) -> list[str]:
        session = self._session
        found = [
            f"the place or kind of event {event.seq} of {_device(event.device)} is damaged"
            for event in check.misplaced(session.db, space)
        ]
        found += examining.space_rows(session, space)
        if not found and sound:  # damaged events cannot be folded again
            tables = check.differing(session.db, space)
            found = [f"the table {table} does not agree with the events" for table in tables]
        return found

    def _whole(self) -> None:
        """What belongs to no one space."""
        looks = ((b"own", examining.owner), (b"requests", examining.requests), (b"people", examining.people))
        for name, look in looks:
            if self._part.takes(name):
                self._try(lambda look=look: list(look(self._session)))  # type: ignore[misc]
        for address in examining.files(self._session):
            if self._part.takes(address):
                self.files += 1
                if not examining.is_sound(self._session, address):
                    self.problems.append(f"attachment {address.hex()[:16]} is damaged")


def verify(session: Session, step: Step, part: Part = WHOLE) -> Checked:
    """Check what this home holds, or a share of it; changes nothing. step: told events done, and of how many."""
    look = _Look(session, step, part)
    look.run()
    pages = part.takes(b"pages")
    return Checked(look.events, look.chains, look.spaces, look.files, pages, look.balances, look.problems, look.forks)


def _runs(session: Session, space: Space, device: bytes, kept: Kept) -> Iterator[tuple[int, str]]:
    """For each run of a chain: how many events it has, and what is wrong with it. Takes out of `kept` what it proves.

    A run is proved by the signature of its end; those that are kept inside it are looked at on the way.
    """
    replica = HomeReplica(session)
    for head, first, _ in replica.parted(raw(space.id), device):  # what histories share is read once
        yield from _history(replica, space, head, first, kept)


def _history(replica: HomeReplica, space: Space, head: Head, first: int, kept: Kept) -> Iterator[tuple[int, str]]:
    prev = bytes(32) if first == 0 else None
    while first <= head.seq:
        try:
            run = replica.read(raw(space.id), head, first, segments.LONGEST)
            if run is None:
                yield 0, f"no signature proves the end of {_device(head.device)}"
                return
            if prev is not None and run.prev != prev:
                yield 0, f"{_device(head.device)} does not hang together at event {first}"
            links = segments.verify(run)
        except ChaiseError as error:
            yield 0, error.sentence()
            return
        for seq in replica.misnamed(raw(space.id), head, run, links):
            yield 0, f"event {seq} of {_device(head.device)} goes by another's name"
        for seq, link in enumerate(links, first):
            known = run.signature if seq == run.last_seq else None
            for wrong in _wrong(head.device, seq, link, kept.pop((seq, link.id), ()), known):
                yield 0, wrong
        prev, first = links[-1].id, run.last_seq + 1
        yield len(run.events), ""
    if prev is not None and prev != head.id:
        yield 0, f"{_device(head.device)} does not end in its head"


def _wrong(
    device: bytes, seq: int, link: segments.Link, signatures: Sequence[bytes], known: bytes | None = None
) -> Iterator[str]:
    """Which signatures under an event do not hold. known: one that does."""
    for signature in signatures:
        if signature != known and not signing.verify(device, signing.TAGS.event, link.header, signature):
            yield f"the signature of event {seq} of {_device(device)} is wrong"


def _unread(session: Session, space: Space, device: bytes, kept: Kept) -> Iterator[str]:
    """Kept signatures that no run has come by: behind damage, or under an event that is damaged itself."""
    for (seq, id_), signatures in kept.items():
        link = _header(session, space, Head(device, seq, id_))
        if link is None or link.id != id_:
            yield f"event {seq} of {_device(device)} is damaged"
        else:
            yield from _wrong(device, seq, link, signatures)


def _header(session: Session, space: Space, head: Head) -> segments.Link | None:
    try:
        run = HomeReplica(session).read(raw(space.id), head, head.seq, 1)
    except ChaiseError:
        return None
    return segments.links(run)[0] if run else None


def _balances(session: Session) -> list[str]:
    """Journal entries that do not balance, and milestones whose money does not add up."""
    wrong = [
        f"an entry of the book does not balance: {entry.text} ({_name(events.space_numbered(session.db, entry.space))})"
        for entry in check.unbalanced(session.db)
    ]
    return wrong + [
        f"the money of milestone {part.n} does not add up ({_name(events.space_numbered(session.db, part.space))})"
        for part in check.uneven(session.db)
    ]


def _fork(session: Session, fork: forks.Fork) -> str:
    who = f" of {session.called(text(fork.identity))}" if fork.identity else ""
    space = _name(events.space_numbered(session.db, fork.space))
    return f"{space}: {_device(fork.device)}{who} wrote several histories from event {fork.seq} on; all are kept"


def _device(key: bytes) -> str:
    return public("dev", text(key))


def _name(space: Space) -> str:
    return "self" if space.kind == "self" else public(space.kind, space.id)
