"""Release policies at work: judged against a deal, put on record beside the release, and judged again by others.

The verdict that counts is made inside the transaction that releases, on bytes that were read once and are attached
as they were read. docs/spec/policies.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import deal as deals
from chaise_cli.domain import deal_view, escrow, runs, verdict
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.policy import BYTES_MOST
from chaise_cli.errors import Denied, Refused, StillWaiting
from chaise_cli.ids import base32, public, raw
from chaise_cli.session import acting, agency, evidence, fetching, files, finding, showing
from chaise_cli.store import content, events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chaise_cli.domain.deal import Deal, Run
    from chaise_cli.domain.runs import RunRecorded, Verdict
    from chaise_cli.errors import ChaiseError
    from chaise_cli.ids import EventId, SpaceId
    from chaise_cli.session.acting import Done
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.escrow import Order
    from chaise_cli.session.evidence import Source
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


class PolicyDenied(Denied):
    """The evidence is against it."""

    code = "policy.denied"
    message = "the policy lets nothing of {milestone} go: {first}"
    hint = "chaise policy check FILE {milestone} tells all reasons; nothing was written"
    milestone: str
    first: str
    reasons: list[str]


class PolicyWaits(StillWaiting):
    """The evidence, or the deal, is not as far."""

    code = "policy.waiting"
    message = "the policy does not let anything of {milestone} go yet: {first}"
    hint = "repeat it when that is there; nothing was released"
    milestone: str
    first: str
    reasons: list[str]


class RunVoid(Refused):
    """The record is there and counts for nothing."""

    code = "policy.run_void"
    message = "{run} counts for nothing: {reason}"
    hint = "no release rests on it; chaise help {reason} says what that means"
    run: str
    reason: str


class Case(NamedTuple):
    """A policy with the evidence for one milestone, as it was read."""

    source: Source
    n: int
    found: dict[str, bytes]

    def judged(self, deal: Deal) -> Verdict:
        """What the policy says as the deal stands. Raises NoSuchMilestone."""
        facts = runs.facts_of(deal, deals.milestone(deal, self.n))
        return verdict.judge(self.source.policy, facts, evidence.evidence(self.source.policy, self.found))


def case(path: Path, folder: Path | None, n: int) -> Case:
    """A policy and its evidence, read. Raises what reading and parsing them raises."""
    source = evidence.read_policy(path)
    return Case(source, n, evidence.gathered(folder or path.parent, source.policy.paths_of(n)))


def refusal(milestone: str, said: Verdict) -> ChaiseError | None:
    """What a verdict comes to as an error; None for an allow."""
    first, reasons = next(iter(said.reasons), ""), list(said.reasons)
    if said.word == "deny":
        return PolicyDenied(milestone=milestone, first=first, reasons=reasons)
    if said.word == "wait":
        return PolicyWaits(milestone=milestone, first=first, reasons=reasons)
    return None


class Judge:
    """What an order asks before it releases."""

    def __init__(self, one: Case) -> None:
        self.case = one

    def __call__(self, deal: DealWriter, order: Order) -> Order:
        """The order with the total that may go, and the run that says so, written here unless nothing is to do.

        Raises PolicyDenied, PolicyWaits, OverTotal, and what the release itself would raise.
        """
        state, one = deal.state.deal, self.case
        said = one.judged(state)
        error = refusal(state.ref(one.n), said)
        if error is not None:
            raise error
        allowed = Money(said.total or 0, state.agreed.currency)
        total = allowed if order.total is None else order.total
        if not allowed.covers(total):
            raise escrow.OverTotal(milestone=state.ref(one.n), total=allowed)
        asked = order.asked.id if order.asked else None
        if not escrow.release(state, deal.by, one.n, total=total, request_id=asked):
            return order._replace(total=total)
        return order._replace(total=total, run=_record(deal, one, said))


def _record(deal: DealWriter, one: Case, said: Verdict) -> EventId:
    source = one.source
    attached = [files.attach_content(deal.session, source.name, source.content)]
    seen = []
    for name, data in sorted(one.found.items()):
        attached.append(files.attach_content(deal.session, name, data))
        seen.append(runs.Seen(name, evidence.digest(data), len(data)))
    return deal.write(runs.record(deal.state.deal, deal.by, one.n, source.digest, said, seen, attached))[-1]


def record_refusal(session: Session, space: SpaceId, one: Case) -> list[str]:
    """Put a deny or wait on record, by `release --record`; the events. An allow is recorded by the release alone."""

    def record(deal: DealWriter) -> None:
        said = one.judged(deal.state.deal)
        if said.word != "allow":
            _record(deal, one, said)
            agency.tend(deal)

    with session.writing():
        _, written, _ = acting.once(session, None, space, record)
        return list(written)


def checked(session: Session, named: Named, one: Case) -> tuple[dict[str, Any], ChaiseError | None]:
    """The shape of a policy with its verdict on a milestone as the deal stands, and the error it comes to."""
    deal = showing.state_of(session, named.space).deal
    said = one.judged(deal)
    shape = policy_shape(one.source) | {"milestone": deal.ref(one.n), "verdict": verdict_shape(said, deal)}
    return shape, refusal(deal.ref(one.n), said)


def policy_shape(source: Source) -> dict[str, Any]:
    """What a policy file is, judged or not."""
    return {
        "name": source.name,
        "digest": source.digest,
        "rules": len(source.policy.rules),
        "files": source.policy.paths,
        "milestone": None,
        "verdict": None,
    }


def verdict_shape(said: Verdict, deal: Deal) -> dict[str, Any]:
    """A verdict as results carry it."""
    total = deal_view.money(said.total, deal.agreed.currency) if said.total is not None else None
    return {"verdict": said.word, "total": total, "reasons": list(said.reasons)}


def name_key(session: Session, space: SpaceId, key: str, asked: Request | None) -> Done:
    """Tell the other side by which key one's tags are signed. Raises NotYours."""

    def decide(deal: DealWriter) -> Sequence[Any]:
        return runs.name_key(deal.state.deal, deal.by, key)

    return acting.act(session, asked, acting.in_deal(session, space), decide, acting.the_deal)


def shown(session: Session, named: Named) -> dict[str, Any]:
    """The run object, whether it stands or not."""
    stored = events.find_event(session.db, raw(named.id))
    assert stored, "a run that was found by its id"
    row = content.row(stored)
    body: RunRecorded | None = row.content
    space = finding.deal_of(session, named)
    deal = showing.state_of(session, space).deal
    standing = deal.runs.get(named.id)
    status = "void" if stored.void else "valid" if standing and standing.final else "pending"
    if body is None:
        raise RunVoid(run=public("run", named.id), reason=stored.void or "")
    total = deal_view.money(body.total, body.currency) if body.total is not None else None
    return {
        "id": public("run", named.id),
        "deal": deal.public,
        "milestone": deal.ref(body.milestone),
        "by": session.person(row.identity or ""),
        "at": deal_view.instant(row.at),
        "policy": body.policy,
        "verdict": body.verdict,
        "total": total,
        "reasons": list(body.reasons),
        "delivery": base32(raw(body.delivery)) if body.delivery else None,
        "files": [deal_view.file_shape(file, session.fetched) for file in body.files],
        "status": status,
        "reason": stored.void,
    }


def explain(
    session: Session, named: Named, own: Path | None, folder: Path | None
) -> tuple[dict[str, Any], ChaiseError | None]:
    """The run object judged again from what is attached: `again` and what `differs`; and the error that comes of it.

    own: one's own copy of the policy; folder: of the evidence; what has another digest there differs, too.
    Raises RunVoid, CannotJudge.
    """
    shape = shown(session, named)
    deal = showing.state_of(session, finding.deal_of(session, named)).deal
    run = deal.runs.get(named.id)
    if run is None:
        raise RunVoid(run=shape["id"], reason=shape["reason"] or "")
    body = _body(session, named)
    try:
        contents = _contents(session, body)
    except fetching.DamagedFile as error:
        return shape, error
    missing = sum(one is None for one in contents)
    if missing:
        return shape, fetching.NotHereYet(missing=missing, all=len(contents))
    again, differs = _again(run, body, [one for one in contents if one is not None])
    differs += _compared(body, own, folder)
    more = {"again": verdict_shape(again, deal) if again else None, "differs": differs}
    if differs:
        return shape | more, evidence.OtherVerdict(run=shape["id"], why=differs[0], deal=deal.public)
    return shape | more, None


def _body(session: Session, named: Named) -> RunRecorded:
    stored = events.find_event(session.db, raw(named.id))
    assert stored, "a run that was found by its id"
    body: RunRecorded | None = content.row(stored).content
    assert body, "a run that stands has a form"
    return body


def _contents(session: Session, body: RunRecorded) -> list[bytes | None]:
    """The policy and the evidence as attached; None for what has not arrived."""
    mosts = [BYTES_MOST] + [evidence.EVIDENCE_MOST] * len(body.evidence)
    return [fetching.content(session, file, most) for file, most in zip(body.files, mosts, strict=True)]


def _again(run: Run, body: RunRecorded, contents: list[bytes]) -> tuple[Verdict | None, list[str]]:
    """The verdict by what is attached and what the deal said at the run's place; and how the record differs."""
    try:
        wanted = evidence.parsed(contents[0])
    except evidence.UNREADABLE as error:
        return None, [f"what is attached is no policy: {error.sentence()}"]
    found = dict(zip((seen.name for seen in body.evidence), contents[1:], strict=True))
    again = verdict.judge(wanted, run.facts, evidence.evidence(wanted, found))
    if again.word != body.verdict:
        return again, [f"the policy says {again.word}, the record {body.verdict}"]
    if (body.total or 0) > (again.total or 0):
        return again, [f"the policy lets {_amount(again, body)} go, the record says more"]
    return again, []


def _amount(said: Verdict, body: RunRecorded) -> str:
    return Money(said.total or 0, body.currency).text


def _compared(body: RunRecorded, own: Path | None, folder: Path | None) -> list[str]:
    """Which of one's own copies are something else than what was judged."""
    differs = []
    if own is not None and evidence.read_policy(own).digest != body.policy:
        differs.append(f"{own.name} is another policy than the one that was judged")
    if folder is not None:
        mine = evidence.gathered(folder, [seen.name for seen in body.evidence])
        for seen in body.evidence:
            if seen.name not in mine:
                differs.append(f"{seen.name} was judged, and is not here")
            elif evidence.digest(mine[seen.name]) != seen.digest:
                differs.append(f"{seen.name} is not what was judged")
    return differs
