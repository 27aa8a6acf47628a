"""Whatever two sides and their agent do, in whatever order and however often: money is neither made nor lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chaise_cli.domain import agent, cancellation, deal_fold, escrow, movements, record, work
from chaise_cli.domain.deal import (
    DealDeclined,
    DealInvited,
    DealShortlisted,
    DealWithdrawn,
    TermsAccepted,
    TermsOffered,
)
from chaise_cli.domain.may import may_deal, may_milestone
from chaise_cli.domain.money import Money
from chaise_cli.domain.recorded import Recorded
from chaise_cli.domain.shape import Body
from chaise_cli.domain.terms import DAY_MS, Planned, digest
from chaise_cli.errors import ChaiseError, Refused
from chaise_cli.ids import EventId, IdentityId
from tests.unit.domain.deal_world import (
    ADA,
    JAMES,
    LISA,
    MALLORY,
    SIGNATURE,
    World,
    hired,
    in_state,
    name,
    opening,
    proposal,
)

AMOUNTS = st.integers(1, 400) | st.integers(1, 1_300)
NUMBERS = st.sampled_from([1, 2])
PEOPLE = st.sampled_from([LISA, JAMES, ADA, MALLORY])
CLIENT = st.sampled_from([LISA] * 7 + [JAMES, ADA, MALLORY])  # mostly right, or nothing would ever happen
TALENT = st.sampled_from([JAMES] * 7 + [LISA, ADA, MALLORY])
REQUESTS = st.one_of(st.none(), st.sampled_from(["a", "b"]))


class Escrow(RuleBasedStateMachine):
    """Two milestones, three people and a stranger, retries included; every answer must be an act or a refusal."""

    world: World
    currency: str

    @initialize(
        currency=st.sampled_from(["EUR", "JPY", "BHD", "USD"]),
        fees=st.tuples(st.integers(0, 999), st.integers(0, 999)),
        holder=st.sampled_from([LISA, ADA]),
        auto=st.booleans(),
        paid=st.integers(0, 3),
    )
    def hire(self, currency: str, fees: tuple[int, int], holder: IdentityId, paid: int, *, auto: bool) -> None:
        self.currency = currency
        self.world = hired(
            1_000,
            700,
            currency=currency,
            client_fee=fees[0],
            talent_fee=fees[1],
            agent_of=holder,
            auto_release=auto,
            revisions=2,
        )
        for n in (1, 2)[:paid]:
            self.world.fund(n)

    def attempt(self, who: IdentityId, bodies: list[Body]) -> None:
        """Say it; an own act that its decision let pass is never void."""
        for body in bodies:
            self.world.record(who, body)

    @rule(who=CLIENT, n=NUMBERS, total=st.none() | AMOUNTS, request_id=REQUESTS, times=st.integers(1, 2))
    def fund(self, who: IdentityId, n: int, total: int | None, request_id: str | None, times: int) -> None:
        for _ in range(times):
            with suppress(Refused):
                self.attempt(
                    who,
                    escrow.fund(self.world.deal, self.world.by(who), n, total=self.money(total), request_id=request_id),
                )

    @rule(
        usual=st.integers(0, 9),
        who=PEOPLE,
        n=NUMBERS,
        how=st.sampled_from(["all", "total", "amount"]),
        amount=AMOUNTS,
        request_id=REQUESTS,
        back=st.booleans(),
    )
    def give(
        self, usual: int, who: IdentityId, n: int, how: str, amount: int, request_id: str | None, *, back: bool
    ) -> None:
        if usual:
            who = JAMES if back else LISA
        ask = escrow.refund if back else escrow.release
        kind = "refund" if back else "release"
        with suppress(Refused):
            bodies = ask(
                self.world.deal,
                self.world.by(who),
                n,
                total=self.money(amount) if how == "total" else None,
                amount=self.money(amount) if how == "amount" else None,
                request_id=request_id,
            )
            before = self.world.ms(n)
            self.attempt(who, bodies)
            for body in bodies:  # a second device says the same without having seen the first
                self.world.record(who, body)
            assert self.world.ms(n).held == before.held, "an authorisation moved money"
            if request_id is not None or how == "total":
                repeat = ask(
                    self.world.deal,
                    self.world.by(who),
                    n,
                    total=self.money(amount) if how == "total" else None,
                    amount=self.money(amount) if how == "amount" else None,
                    request_id=request_id,
                )
                assert repeat == [], f"a repeated {kind} said something"

    @rule(who=TALENT, n=NUMBERS)
    def deliver(self, who: IdentityId, n: int) -> None:
        with suppress(Refused):
            self.attempt(who, work.deliver(self.world.deal, self.world.by(who), n, "done"))

    @rule(who=CLIENT, n=NUMBERS)
    def changes(self, who: IdentityId, n: int) -> None:
        with suppress(Refused):
            self.attempt(who, work.request_changes(self.world.deal, self.world.by(who), n, "more"))

    @rule(who=PEOPLE, n=NUMBERS)
    def cancel(self, who: IdentityId, n: int) -> None:
        with suppress(Refused):
            self.attempt(who, cancellation.cancel(self.world.deal, self.world.by(who), n))

    @rule(who=PEOPLE, n=NUMBERS, answer=st.sampled_from(["accept", "decline", "withdraw"]))
    def answer(self, who: IdentityId, n: int, answer: str) -> None:
        act = {
            "accept": cancellation.accept_cancel,
            "decline": cancellation.decline_cancel,
            "withdraw": cancellation.withdraw_cancel,
        }[answer]
        with suppress(Refused):
            self.attempt(who, act(self.world.deal, self.world.by(who), n))

    @rule(days=st.integers(0, 8))
    def wait(self, days: int) -> None:
        self.world.now += days * DAY_MS + 1

    @rule()
    def run_agent(self) -> None:
        self.world.settle()

    @rule(pick=st.integers(0, 9), cost=st.sampled_from([0, 0, 3, 10**6]))
    def move(self, pick: int, cost: int) -> None:
        due = agent.rail_due(self.world.deal)
        if due:
            with suppress(agent.NothingDue):
                self.world.attest(due[pick % len(due)].op, cost=cost)

    @rule(pick=st.integers(0, 9), amount=st.integers(0, 30_000), ref=st.sampled_from(["b1", "b2", "b3", " "]))
    def claw_back(self, pick: int, amount: int, ref: str) -> None:
        holds = [op for op in self.world.deal.ops.values() if op.kind == "fund"]
        if holds:
            op = holds[pick % len(holds)]
            agent_of = self.world.deal.parties.agent
            with suppress(Refused):
                bodies = agent.reverse(self.world.deal, self.world.by(agent_of), op.id, amount, 1, ref)
                self.attempt(agent_of, bodies)

    @rule()
    def decline_transfer(self) -> None:
        holder = self.world.deal.parties.agent
        for due in agent.rail_due(self.world.deal):
            if due.kind == "fund":
                bodies = agent.refuse(self.world.deal, self.world.by(holder), due.op, "never came")
                self.world.record(holder, *bodies)

    @invariant()
    def the_book_balances_and_owes_nobody_less_than_nothing(self) -> None:
        balance: Counter[str] = Counter()
        for entry in self.world.deal.entries:
            assert sum(posting.amount for posting in entry.postings) == 0
            for posting in entry.postings:
                balance[posting.account] += posting.amount
                assert not posting.account.startswith(("liabilities", "income")) or balance[posting.account] <= 0
        for ms in self.world.deal.milestones:
            ref = self.world.deal.ref(ms.n).replace("/", ":")
            assert ms.held == ms.funded - ms.released - ms.refunded >= 0
            assert -balance[f"liabilities:escrow:{ref}"] == ms.held
            assert -balance[f"liabilities:fees:{ref}"] == ms.fees_held
            assert escrow.free(self.world.deal, ms) >= 0
        held = sum(ms.held + ms.fees_held + ms.payable for ms in self.world.deal.milestones)
        back = sum(ms.reversed for ms in self.world.deal.milestones)
        receivable = sum(amount for account, amount in balance.items() if account.startswith("assets:receivable:"))
        assert receivable == back
        assert balance["assets:rail:manual"] + balance["expenses:rail"] == held - balance["income:fees"] - back

    @invariant()
    def the_state_can_be_shown_and_every_op_is_somewhere(self) -> None:
        may_deal(self.world.deal)
        for ms in self.world.deal.milestones:
            may_milestone(self.world.deal, ms)
        for op in self.world.deal.ops.values():
            assert agent.op_state(self.world.deal, op) in {"authorized", "released", "moved", "declined"}

    def money(self, minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, self.currency)

    def teardown(self) -> None:
        """Once the agent has run and people have paid, nothing is open, and nothing more is to be done."""
        if not hasattr(self, "world"):
            return
        self.world.settle()
        self.world.pay_all()
        self.world.settle()
        assert agent.rail_due(self.world.deal) == []
        for ms in self.world.deal.milestones:
            assert not any(ms.open.values())
            assert ms.payable == 0


TestEscrow = Escrow.TestCase


@given(st.integers(1, 999), st.lists(st.tuples(st.sampled_from(["fund", "release", "refund"]), st.integers(1, 500))))
def test_a_fee_is_earned_or_given_back_to_the_unit_however_it_is_cut(fee: int, cuts: list[tuple[str, int]]) -> None:
    """On top of what the movements assert: once nothing is held, the agent has the fee on what was released."""
    world = hired(5_000, client_fee=fee, agent_of=ADA)
    acts: dict[str, tuple[IdentityId, Callable[..., list[Body]]]] = {
        "fund": (LISA, escrow.fund),
        "release": (LISA, escrow.release),
        "refund": (JAMES, escrow.refund),
    }
    for kind, amount in [("fund", 700), *cuts]:
        who, act = acts[kind]
        with suppress(Refused):
            world.record(who, *act(world.deal, world.by(who), 1, total=Money(world.ms().moved(kind) + amount, "EUR")))
        world.settle()
        world.pay_all()
    if world.ms().held:
        world.release()
        world.pay_all()
    postings = Counter[str]()
    for entry in world.deal.entries:
        postings.update(dict(entry.postings))
    assert -postings["income:fees"] == world.ms().released * fee // 10_000
    assert postings["assets:rail:manual"] == -postings["income:fees"]


def worlds() -> list[World]:
    states = ["planned", "funding", "funded", "delivered", "changes", "released", "refunded", "cancelled"]
    fresh = World()
    offered = World()
    offered.propose(600)
    return [fresh, offered, *(in_state(state) for state in states)]


WORLDS = worlds()
MINOR = st.integers(0, 3) | st.integers(0, 2**53 - 1) | st.just(60_000)
N = st.integers(1, 100) | st.just(1)


def known_ids(world: World) -> st.SearchStrategy[EventId]:
    ids = [world.deal.opening, world.deal.last_movement, *(EventId(op) for op in world.deal.ops), EventId(name("x"))]
    return st.sampled_from([*ids, *(ms.last_hold for ms in world.deal.milestones if ms.last_hold)])


@st.composite
def bodies(draw: st.DrawFn, world: World) -> Body:
    """Any well-formed body: right, wrong, hostile."""
    ids, text = known_ids(world), st.sampled_from(["", "x"])
    codes = st.sampled_from(["EUR", "JPY", "XXX"])
    maybe_minor = st.none() | MINOR
    terms = hired(700).deal.agreed
    give = (N, maybe_minor, maybe_minor, st.none() | ids, codes, REQUESTS, st.just(name("f")) | st.just(name("g")))
    request = (
        st.builds(cancellation.CancelAccepted, ids)
        | st.builds(cancellation.CancelDeclined, ids)
        | st.builds(cancellation.CancelWithdrawn, ids)
    )
    everything: st.SearchStrategy[Body] = st.one_of(
        st.just(opening()),
        st.builds(DealInvited, text),
        st.builds(lambda code, minor: proposal([Planned("P", minor + 1, None)] * 2, code), codes, MINOR),
        st.just(DealShortlisted()),
        st.builds(DealDeclined, ids, text),
        st.builds(DealWithdrawn, ids),
        st.builds(TermsOffered, st.just(terms), st.sampled_from([digest(terms), name("h")]), st.just(SIGNATURE)),
        st.builds(TermsAccepted, ids, st.just(digest(terms)), st.just(SIGNATURE)),
        st.builds(escrow.FundRequested, N, MINOR, codes, REQUESTS, st.just(name("f"))),
        st.builds(escrow.ReleaseAuthorized, *give, st.none() | ids),
        st.builds(escrow.RefundAuthorized, *give),
        st.builds(work.WorkDelivered, N, text, st.just(())),
        st.builds(work.WorkChangesRequested, N, text),
        st.builds(cancellation.CancelRequested, N, text),
        request,
        st.builds(movements.MoneyHeld, ids, N, MINOR, MINOR, MINOR, ids, text),
        st.builds(movements.MoneyRefused, ids, text, ids),
        st.builds(movements.MoneyReleased, st.none() | ids, N, MINOR, MINOR, ids),
        st.builds(movements.MoneyRefunded, ids, N, MINOR, MINOR, ids),
        st.builds(movements.MoneyPaidOut, N, PEOPLE, MINOR, MINOR, ids, text),
        st.builds(movements.MoneyReversed, N, MINOR, MINOR, ids, text),
    )
    return draw(everything)


@given(st.data())
def test_a_step_raises_refusals_and_nothing_else(data: st.DataObject) -> None:
    world = data.draw(st.sampled_from(WORLDS))
    deal = world.deal
    for count in range(data.draw(st.integers(1, 4))):
        body = data.draw(bodies(world))
        if body.KIND not in deal_fold.STEPS:
            continue
        who = data.draw(PEOPLE)
        clock = data.draw(st.sampled_from([0, world.now, world.now + 30 * DAY_MS]))
        final, is_agent = data.draw(st.booleans()), data.draw(st.booleans())
        device = world.by(who).device
        e = Recorded(EventId(name(f"any{count}")), who, device, clock, clock, final, is_agent, body)
        with suppress(Refused):
            deal = deal_fold.step(deal, e)
    for n, ms in enumerate(deal.milestones, start=1):
        assert ms.n == n
        assert ms.held == ms.funded - ms.released - ms.refunded >= 0
    assert record.dump(deal)


def test_every_refusal_of_a_fold_is_a_refusal_with_a_sentence() -> None:
    assert issubclass(escrow.RequestReused, Refused)
    assert issubclass(escrow.RequestReused, ChaiseError)
