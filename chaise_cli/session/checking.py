"""`verify`: the file, every hash and kept signature, every chain, every projection against a refold, every balance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chaise_cli.crypto import signing
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import public, raw, text
from chaise_cli.ledger import segment as segments
from chaise_cli.session.replica import HomeReplica
from chaise_cli.store import check, connection, events, forks, money_reads

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

Step = Callable[[int, int], None]


class Checked(NamedTuple):
    """What `verify` looked at, and what did not hold."""

    events: int
    spaces: int
    balances: list[dict[str, Any]]
    problems: list[str]


def verify(session: Session, step: Step) -> Checked:
    """Check everything this home holds; changes nothing. step: told events done, and of how many."""
    problems: list[str] = []
    balances: list[dict[str, Any]] = []
    spaces: list[Space] = []
    total = 0
    try:
        with connection.naming_errors():
            problems += [f"the store's pages: {row}" for row in check.pages(session.db)]
            total = events.count(session.db)
            spaces = events.spaces(session.db)
            balances = money_reads.balances(session.db)
            problems += _events(session, spaces, step, total)
    except ChaiseError as error:  # what cannot be read cannot be compared either
        problems.append(error.sentence())
    except (AssertionError, LookupError, TypeError, ValueError) as error:  # rows that none of our folds has written
        problems.append(f"what is stored does not hang together: {type(error).__name__}")
    return Checked(total, len(spaces), balances, problems)


def _events(session: Session, spaces: Sequence[Space], step: Step, total: int) -> list[str]:
    problems: list[str] = []
    done = 0
    for space in spaces:
        found: list[str] = []
        for count, problem in _chains(session, space):
            done += count
            step(done, total)
            found += [problem] if problem else []
        if not found:  # damaged events cannot be folded again
            tables = check.differing(session.db, space)
            found = [f"the table {table} does not agree with the events" for table in tables]
        problems += [f"{_name(space)}: {problem}" for problem in found]
    return problems + _balances(session) + _forks(session)


def _chains(session: Session, space: Space) -> Iterator[tuple[int, str]]:
    """For each run of a chain: how many events it has, and what is wrong with it."""
    replica = HomeReplica(session)
    for head in replica.heads(raw(space.id)):
        first = 0
        prev = bytes(32)
        while first <= head.seq:
            try:
                run = replica.read(raw(space.id), head.device, first, segments.LONGEST)
                if run is None:
                    yield 0, f"no signature proves the end of {_device(head.device)}"
                    break
                if run.prev != prev:
                    yield 0, f"{_device(head.device)} does not hang together at event {first}"
                prev = segments.verify(run)[-1].id
            except ChaiseError as error:
                yield 0, error.sentence()
                break
            first = run.last_seq + 1
            yield len(run.events), ""
    yield from ((0, problem) for problem in _signatures(session, space))
    for event in check.misplaced(session.db, space):
        yield 0, f"the place or kind of event {event.seq} of {_device(event.device)} is damaged"


def _signatures(session: Session, space: Space) -> Iterator[str]:
    """Every kept signature, also those inside a run, which `_chains` proves by the run's end alone."""
    for chain in events.chains(session.db, space.no):
        for seq, id_, signature in check.signatures(session.db, chain.no):
            packed = _header(session, space, chain.device, seq)
            if packed is None or packed.id != id_:
                yield f"event {seq} of {_device(chain.device)} is damaged"
            elif not signing.verify(chain.device, signing.TAGS.event, packed.header, signature):
                yield f"the signature of event {seq} of {_device(chain.device)} is wrong"


def _header(session: Session, space: Space, device: bytes, seq: int) -> segments.Link | None:
    try:
        run = HomeReplica(session).read(raw(space.id), device, seq, 1)
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


def _forks(session: Session) -> list[str]:
    return [
        f"{_name(events.space_numbered(session.db, no))}: {_device(key)} wrote two histories from event {seq} on"
        for no, key, seq in forks.known(session.db)
    ]


def _device(key: bytes) -> str:
    return public("dev", text(key))


def _name(space: Space) -> str:
    return "self" if space.kind == "self" else public(space.kind, space.id)
