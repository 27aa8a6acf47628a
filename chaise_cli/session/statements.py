"""Bank statements on the manual rail: read, set against what is due, and what fits for certain attested.

Safe to run again: each payment is attested under a reference made of the bank's day and id, and one that is in the
book under it counts as known. docs/spec/books.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import agent, statement
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.errors import Usage
from chaise_cli.ids import ALPHABET, EventId, public
from chaise_cli.rails import manual
from chaise_cli.session import agency, dealing, paying, requests, writing
from chaise_cli.session.acting import Done
from chaise_cli.store import deal_states, duties, money_reads, public_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.statement import Awaited, Line, Matching, Unmatched
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session

FORMATS: Final = ("csv", "camt053")
_CSV: Final = "chaise_cli.rails.statement_csv"  # loaded only for a statement
_CAMT: Final = "chaise_cli.rails.statement_camt"
_MOST_BYTES: Final = 16 * 1024 * 1024
_CHARACTERS: Final = frozenset(ALPHABET)
UNMATCHED: Final = "{count} of {lines} payments attest nothing; see why at each"


class NoStatement(Usage):
    """The statement's file cannot be read."""

    code = "statement.no_file"
    message = "the statement {path!r} cannot be read: {why}"
    hint = "name a file of at most 16 MiB"
    path: str
    why: str


class _Plan(NamedTuple):
    """What may be attested: the operations in their order, and the row of the deal each belongs to."""

    awaited: Sequence[Awaited]
    spaces: Mapping[EventId, int]


def read(path: Path, format_: str | None = None, columns: str | None = None) -> list[Line]:
    """The payments of a statement. format_: one of `FORMATS`; None takes what begins with `<` for XML.

    Raises NoStatement, BadStatement.
    """
    shown = str(path).encode("utf-8", "replace").decode()[:80]
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise NoStatement(path=shown, why=error.strerror or "unknown") from error
    xml = format_ == "camt053" if format_ else data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
    reader: Any = import_module(_CAMT if xml else _CSV)
    found: list[Line] = reader.read(data) if xml else reader.read(data, reader.columns(columns))
    return found


def attest(session: Session, lines: Sequence[Line], asked: Request | None) -> Done:
    """Attest every payment that is one operation's for certain, in one transaction; a `statement` object.

    Only what this device is the agent's of. Raises Reused.
    """
    with session.writing():
        before = requests.replayed(session, asked)
        writer = writing.Writer(session)
        _take_up(session, writer)
        plan = _plan(session)
        booked = money_reads.booked_under(session.db, session.me.device, [line.ref for line in lines])
        matching = statement.match(lines, plan.awaited, booked)
        writers: dict[int, dealing.DealWriter] = {}
        for line, op in matching.matched:
            space = plan.spaces[op]
            if space not in writers:
                writers[space] = dealing.DealWriter(session, writer, session.space(space))
            _record(writers[space], op, line)
        subject = public("op", matching.matched[0].op) if matching.matched else public("id", session.me.identity)
        # Without events there is nothing to remember: the statement is read anew, and says the same or more.
        asked = asked if writer.written and before is None else None
        events = requests.remember(session, asked, subject, writer.written)
        data = _shown(session, lines, matching)
    left = len(data["unmatched"])
    warnings = [UNMATCHED.format(count=left, lines=len(lines))] if left else []
    return Done(data, "statement", events, replayed=bool(matching.known) and not events, warnings=warnings)


def _take_up(session: Session, writer: writing.Writer) -> None:
    """Let this device do what it owes before anything is compared, as every act of an agent device does."""
    for space in duties.paying(session.db, session.me.device, None):
        if duties.has_pending(session.db, space):
            agency.tend(dealing.DealWriter(session, writer, session.space(space)))


def _plan(session: Session) -> _Plan:
    awaited: list[Awaited] = []
    spaces: dict[EventId, int] = {}
    for space in duties.paying(session.db, session.me.device, None):
        state = deal_states.load(session.db, space)
        if state is None or state.now.deal.contested or state.now.deal.agreed.rail != manual.NAME:
            continue
        for item in awaited_of(state.now.deal):
            awaited.append(item)
            spaces[item.op] = space
    return _Plan(awaited, spaces)


def awaited_of(deal: Deal) -> list[Awaited]:
    """What a statement would show of a deal once it was paid: what is due, signed as a bank has it."""
    found = []
    for due in agent.rail_due(deal):
        sign = 1 if due.kind == "fund" else -1
        turn = f"{deal.ref(due.n)} {due.kind}"
        found.append(statement.Awaited(due.op, turn, Money(sign * due.amount, deal.agreed.currency)))
    return found


def _record(deal: dealing.DealWriter, op: EventId, line: Line) -> None:
    bodies: list[Any] = agent.attest(deal.state.deal, deal.by, op, manual.reference(line.ref))
    moved = sum(body.amount + getattr(body, "fee", 0) for body in bodies)
    assert moved == abs(line.amount.minor), "a payment attests its very amount"
    deal.write(bodies)
    agency.tend(deal)


def _shown(session: Session, lines: Sequence[Line], matching: Matching) -> dict[str, Any]:
    return {
        "lines": len(lines),
        "attested": [_line(match.line, [match.op]) for match in matching.matched],
        "known": [_line(line, []) for line in matching.known],
        "unmatched": [_unmatched(session, item) for item in matching.unmatched],
        "due": paying.due(session),
    }


def _unmatched(session: Session, item: Unmatched) -> dict[str, Any]:
    """What attests nothing; of a payment that names no operation that is due, whether it names another."""
    if item.why != "unnamed":
        return _line(item.line, item.ops, item.why)
    named = [
        EventId(op)
        for chars in sorted(statement.written(item.line))
        if set(chars) <= _CHARACTERS
        for op in public_ids.beginning(session.db, "op", chars, 2)
    ]
    return _line(item.line, named, "not_due" if named else "unnamed")


def _line(line: Line, ops: Sequence[EventId], why: str | None = None) -> dict[str, Any]:
    return {
        "line": line.n,
        "booked": line.booked,
        "amount": line.amount.shape(),
        "text": " ".join(text for text in line.texts if text),
        "party": line.party,
        "ref": line.ref,
        "ops": [public("op", op) for op in ops],
        "why": why,
    }
