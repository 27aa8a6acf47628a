"""Driving rails: each payment that is due is written down, asked for, and booked, so that no crash loses any.

The attempt is on disk before the rail hears of it, and its end is booked in the transaction that notes it. Whatever
was tried is looked up by our own reference before it is sent again. docs/spec/rails.md, Outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import agent
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.errors import ChaiseError, Corrupt
from chaise_cli.ids import EventId, public
from chaise_cli.rails import manual, rail
from chaise_cli.session import agency, dealing, writing
from chaise_cli.store import attempts, duties, events
from chaise_cli.store.attempts import Attempt

if TYPE_CHECKING:
    from chaise_cli.domain.agent import Due
    from chaise_cli.domain.deal import Deal
    from chaise_cli.rails.rail import Outcome, Rail, Succeeded
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.session import Session

_CHANGED: Final = "a refund changed what was to be held with the fee: it goes back, and may be asked for anew"
_LOST: Final = "the rail may have moved money for it, and it is yours no more; compare: chaise rail reconcile"
_ACTS: Final = {"fund": "hold", "release": "payout", "refund": "payout"}
_STATES: Final[dict[type, str]] = {rail.Pending: "pending", rail.ActionNeeded: "action", rail.Unknown: "unknown"}


class OtherAmount(Corrupt):
    """A rail says that it moved another amount than it was asked to."""

    code = "rail.other_amount"
    message = "the rail {rail} says that it moved {moved} for {op}, which was to be {asked}"
    hint = "nothing was booked; ask whoever runs the rail, and compare: chaise rail reconcile"
    rail: str
    moved: Money
    asked: Money
    op: str


class OtherFee(Corrupt):
    """A rail took its fee in a currency that the deal's book does not have."""

    code = "rail.other_fee"
    message = "the rail {rail} says that it took {fee} for {op}, which moved {asked}"
    hint = "nothing was booked; ask whoever runs the rail, and compare: chaise rail reconcile"
    rail: str
    fee: Money
    asked: Money
    op: str


class Driven(NamedTuple):
    """What a round came to: payments that moved, that ended without moving, and what a person should know."""

    moved: int
    declined: int
    problems: list[str]


def drive(session: Session, find_rail: Callable[[str], Rail | None]) -> Driven:
    """Do whatever is due in the deals of which this device is the agent's, each payment at most once a round.

    find_rail: the adapter of a rail by its name; None where it is not set up here.
    """
    moved, declined, problems = 0, 0, []
    me = session.me
    found = [*duties.paying(session.db, me.device, None), *duties.busy(session.db, me.identity, me.device)]
    spaces = dict.fromkeys([*found, *attempts.busy(session.db)])
    for space in spaces:
        deal = _Driver(session, space, find_rail)
        try:
            deal.run()
        except ChaiseError as error:
            problems.append(f"{public('deal', events.space_numbered(session.db, space).id)}: {error.sentence()}")
        moved, declined, problems = moved + deal.moved, declined + deal.declined, [*problems, *deal.problems]
    return Driven(moved, declined, problems)


def again(session: Session) -> int:
    """Let payments that a rail declined be made again, under new keys; how many."""
    count = 0
    with session.writing():
        spaces = [*duties.paying(session.db, session.me.device, None), *attempts.busy(session.db)]
        for space in dict.fromkeys(spaces):
            for one in attempts.of_space(session.db, space):
                if one.state == "declined" and one.act != "hold":  # a hold that was declined has ended its operation
                    attempts.put(session.db, space, one._replace(tries=one.tries + 1, state="declined again"))
                    count += 1
    return count


class _Turn(NamedTuple):
    """A payment that is written down. tried: the rail may have heard of it before."""

    attempt: Attempt
    tried: bool
    adapter: Rail


class _Driver:
    """One deal during one round."""

    def __init__(self, session: Session, space: int, find_rail: Callable[[str], Rail | None]) -> None:
        self.moved, self.declined = 0, 0
        self.problems: list[str] = []
        self._session, self._space, self._find_rail = session, space, find_rail
        self._asked: set[tuple[EventId, str]] = set()

    def run(self) -> None:
        """Raises OtherAmount, OtherFee, KeyReused, Contradicted, and what writing raises."""
        turn = self._turn(None)
        while turn is not None:
            self._asked.add((turn.attempt.op, turn.attempt.act))
            turn = self._turn((turn, self._ask(turn)))

    def _turn(self, last: tuple[_Turn, Outcome] | None) -> _Turn | None:
        """In one transaction: note what became of the last payment, and write the next one down."""
        with self._session.writing():
            deal = self._writer()
            if not deal.by.agent or deal.state.deal.contested:
                self._tell_lost(deal)
                return None
            if last is not None:
                self._settle(deal, self._checked(deal, *last), last[1])
            agency.tend(deal)
            return self._next(deal)

    def _tell_lost(self, deal: DealWriter) -> None:
        """Where a hire was refused on another device after this one had the rail asked, nobody books what moved."""
        state, found = deal.state.deal, attempts.of_space(self._session.db, self._space)
        if state.parties.agent != self._session.me.identity and any(one.state in attempts.LIVE for one in found):
            self.problems.append(f"{state.public}: {_LOST}")

    def _writer(self) -> DealWriter:
        session = self._session
        return dealing.DealWriter(session, writing.Writer(session), session.space(self._space))

    def _next(self, deal: DealWriter) -> _Turn | None:
        """The next payment, written down."""
        session, state = self._session, deal.state.deal
        if state.terms is None or state.awaits_agent or state.terms.rail == manual.NAME:
            return None
        adapter = self._find_rail(state.terms.rail)
        for found in self._wanted(state, agency.inherited(deal)):
            if (found.op, found.act) in self._asked:
                continue
            if adapter is None:
                self.problems.append(f"{state.public}: the rail {state.terms.rail} is not set up here")
                return None
            known = found.state != "new"
            attempt = found if known else found._replace(state="sending")
            attempts.put(session.db, self._space, attempt._replace(at=session.clock.now()))
            return _Turn(attempt, known or agency.is_heir(deal), adapter)
        return None

    def _wanted(self, deal: Deal, inherited: Sequence[Due]) -> Iterator[Attempt]:
        """What to ask the rail, in order: how open attempts ended, holds to give back, and what is due.

        Of payments to one party for one milestone only the first: an attestation covers all up to its own.
        """
        known = {(one.op, one.act): one for one in attempts.of_space(self._session.db, self._space)}
        yield from (one for one in known.values() if one.state in attempts.OPEN)
        for one in known.values():
            back = known.get((one.op, "return"))
            if one.state == "stray" and (back is None or back.state == "declined again"):
                yield one._replace(act="return", tries=back.tries if back else 1, state="new")
        seen: set[tuple[int, str]] = set()
        dues = agent.rail_due(deal) if inherited else ()
        for item in chain(dues or agent.dues(deal), (one for one in inherited if one not in dues)):
            party = deal.parties.client if item.kind == "fund" else item.to
            is_first = (item.n, item.kind) not in seen
            seen.add((item.n, item.kind))
            found = known.get((item.op, _ACTS[item.kind]))
            if not is_first or (found and (found.state == "declined" or found.state in attempts.OPEN)):
                continue
            if item.kind == "fund" and not deal.ops[item.op].final:
                continue
            tries = found.tries if found else 1
            currency = deal.agreed.currency
            # Done, and due all the same: it was booked on a history that was settled away. The rail has it already.
            state = "sending" if found and found.state == "done" else "new"
            yield Attempt(item.op, _ACTS[item.kind], item.n, tries, party, item.amount, currency, state, "", "", 0)

    def _ask(self, turn: _Turn) -> Outcome:
        session, attempt, adapter = self._session, turn.attempt, turn.adapter
        space = events.space_numbered(session.db, self._space).id
        key = rail.key(space, attempt.op, attempt.step)
        intent = rail.Intent(
            public("id", attempt.party), session.called(attempt.party), Money(attempt.amount, attempt.currency),
            f"{public('deal', space)}/{attempt.n}",
        )  # fmt: skip

        def send() -> Outcome:
            if attempt.act == "hold":
                return adapter.hold(intent, key)
            if attempt.act == "payout":
                return adapter.payout(intent, key)
            held = attempts.find(session.db, attempt.op, "hold")
            assert held, "only what was held is given back"
            return adapter.refund(held.ref, intent, key)

        return rail.drive(adapter, key, send, tried=turn.tried)

    def _checked(self, deal: DealWriter, turn: _Turn, outcome: Outcome) -> Attempt:
        """The attempt whose outcome this is: a hold may be of what another device asked for that had the role."""
        attempt = turn.attempt
        if not isinstance(outcome, rail.Succeeded):
            return attempt
        asked, op = Money(attempt.amount, attempt.currency), public("op", attempt.op)
        if outcome.amount != asked:
            if attempt.act != "hold" or outcome.amount.currency != asked.currency or not agency.is_heir(deal):
                raise OtherAmount(rail=turn.adapter.name, moved=outcome.amount, asked=asked, op=op)
            attempt = attempt._replace(amount=outcome.amount.minor)
        if outcome.fee.currency != asked.currency:
            raise OtherFee(rail=turn.adapter.name, fee=outcome.fee, asked=asked, op=op)
        return attempt

    def _settle(self, deal: DealWriter, attempt: Attempt, outcome: Outcome) -> None:
        """Note what became of a payment, with the movement that it proves."""
        noted = self._noted(deal, attempt, outcome)
        attempts.put(self._session.db, self._space, noted._replace(at=self._session.clock.now()))

    def _noted(self, deal: DealWriter, attempt: Attempt, outcome: Outcome) -> Attempt:
        match outcome:
            case rail.Succeeded():
                self.moved += 1
                return self._booked(deal, attempt, outcome)
            case rail.Declined():
                self.declined += 1
                return self._refused(deal, attempt, outcome.code)
            case rail.NotSent():
                self.problems.append(f"{deal.state.deal.ref(attempt.n)}: the rail was not reached: {outcome.why}")
                return attempt  # sending: what an earlier attempt came to is as unknown as before
            case rail.Unknown():
                self.problems.append(f"{deal.state.deal.ref(attempt.n)}: nobody knows yet what moved: {outcome.why}")
                return attempt._replace(state="unknown", said=outcome.why[:200])
            case rail.Pending():
                return attempt._replace(state="pending", ref=outcome.ref)
            case rail.ActionNeeded():
                self.problems.append(f"{deal.state.deal.ref(attempt.n)}: {outcome.text}")
                return attempt._replace(state="action", ref=outcome.ref or "", said=outcome.text[:200])

    def _booked(self, deal: DealWriter, attempt: Attempt, moved: Succeeded) -> Attempt:
        done = attempt._replace(state="done", ref=moved.ref, said="")
        if attempt.act == "return":
            held = attempts.find(self._session.db, attempt.op, "hold")
            assert held, "only what was held is given back"
            attempts.put(self._session.db, self._space, held._replace(state="done"))
            return done
        if attempt.act == "hold":
            asked = next((item for item in agent.dues(deal.state.deal) if item.op == attempt.op), None)
            if asked is None or asked.amount != attempt.amount:
                # The milestone has ended meanwhile, or a refund has changed the fee: it goes back.
                if asked is not None:
                    deal.write(agent.refuse(deal.state.deal, deal.by, attempt.op, _CHANGED))
                return done._replace(state="stray")
        bodies: list[Any] = agent.attest(deal.state.deal, deal.by, attempt.op, moved.ref, moved.fee.minor)
        due = sum(body.amount + getattr(body, "fee", 0) for body in bodies)
        assert due in {0, attempt.amount}, "a rail confirms the very amount that is due"
        deal.write(bodies)
        return done

    def _refused(self, deal: DealWriter, attempt: Attempt, code: str) -> Attempt:
        declined = attempt._replace(state="declined", said=code[:200])
        attempts.put(self._session.db, self._space, declined)
        if attempt.act == "hold":
            bodies = agent.refuse(deal.state.deal, deal.by, attempt.op, f"the rail declined: {code}"[:200])
            deal.write(bodies)
        else:
            self.problems.append(
                f"{deal.state.deal.ref(attempt.n)}: the rail declined to pay {deal.session.called(attempt.party)}:"
                f" {code}; once that is mended: chaise agent run --retry"
            )
        return declined
