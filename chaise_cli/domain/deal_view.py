"""What a deal looks like in results: the shapes deal, milestone, op, journal entry and balance. docs/spec/results.md.

Amounts become money, instants RFC 3339 text, people what `person` says of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, cast

from chaise_cli.domain.agent import op_state, root
from chaise_cli.domain.deal import Deal, DealProposed, Milestone, Op
from chaise_cli.domain.hiring import planned
from chaise_cli.domain.journal import JournalEntry
from chaise_cli.domain.may import may_deal, may_milestone
from chaise_cli.domain.money import Money
from chaise_cli.domain.movements import due
from chaise_cli.domain.recorded import May
from chaise_cli.domain.runs import key_line
from chaise_cli.domain.talk import Attachment
from chaise_cli.domain.terms import Part, Terms, amount_of
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import IdentityId, public

if TYPE_CHECKING:
    from chaise_cli import shapes

    Look = Callable[[IdentityId], shapes.Person]
    Fetched = Callable[[Attachment], bool]

TOTALS: Final = ("funded", "held", "released", "refunded", "disputed", "reversed")
FLOWS: Final = (*TOTALS[:-1], "payable", "paid_out", "reversed")
NO_CURRENCY: Final = {"minor": 0, "currency": "", "text": ""}  # of a deal in which nobody has named one


def _nowhere(_: Attachment) -> bool:
    return False


def money(minor: int, currency: str) -> shapes.Money:
    """An amount as results carry it."""
    return cast("shapes.Money", Money(minor, currency).shape())


def instant(ms: int | None) -> str | None:
    """An instant as results carry it."""
    return None if ms is None else instant_text(ms)


def _source(deal: Deal) -> Terms | DealProposed | None:
    """What the milestones are shown from: the signed terms, else the offered ones, else the last proposal."""
    if deal.terms is not None:
        return deal.terms
    if deal.offer is not None and (deal.state == "offered" or deal.proposal is None):
        return deal.offer.terms
    return deal.proposal.body if deal.proposal else None


def currency_of(deal: Deal) -> str | None:
    """The currency agreed, else offered, else proposed."""
    source = _source(deal)
    return source.currency if source else None


def milestones_of(deal: Deal) -> tuple[Milestone, ...]:
    """The milestones; before the hire those offered, else proposed, as planned."""
    source = _source(deal)
    if deal.terms is not None or source is None:
        return deal.milestones
    parts = [p if isinstance(p, Part) else Part(p.title, p.amount, p.due, (), None) for p in source.milestones]
    return tuple(ms._replace(final=deal.final) for ms in planned(parts))


def deal_shape(deal: Deal, person: Look, fetched: Fetched = _nowhere) -> shapes.Deal:
    """The deal as results carry it; `fetched` tells whether a file's content is on this machine."""
    milestones = milestones_of(deal)
    shown_hash = deal.terms_hash or (deal.offer.hash if deal.offer and deal.state == "offered" else None)
    shape: shapes.Deal = {
        "id": deal.public,
        "post": public("post", deal.post) if deal.post else None,
        "client": person(deal.parties.client),
        "talent": person(deal.parties.talent),
        "agent": person(deal.parties.agent),
        "agent_device": public("dev", deal.parties.agent_device),
        "secured": deal.parties.agent != deal.parties.client,
        "currency": currency_of(deal),
        "terms_hash": shown_hash,
        "cover": deal.proposal.body.cover if deal.proposal else "",
        "valid_until": instant(deal.proposal.body.valid_until) if deal.proposal else None,
        "final": deal.final,
        "contested": deal.contested,
        "state": deal.state,
        "milestones": [milestone_shape(deal, ms, fetched) for ms in milestones],
        "totals": _totals(deal, milestones),
        "may": [_may(each) for each in may_deal(deal)],
    }
    if not deal.keys:
        return shape
    keys = sorted(deal.keys.items())
    return {**shape, "signing_keys": [{"by": person(IdentityId(who)), "key": key_line(key)} for who, key in keys]}


def _totals(deal: Deal, milestones: Sequence[Milestone]) -> shapes.Totals:
    currency = currency_of(deal)
    if currency is None:
        return cast("shapes.Totals", dict.fromkeys(TOTALS, NO_CURRENCY))
    return cast("shapes.Totals", {key: money(sum(getattr(ms, key) for ms in milestones), currency) for key in TOTALS})


def milestone_shape(
    deal: Deal, ms: Milestone, fetched: Fetched = _nowhere, op: shapes.Op | None = None
) -> shapes.Milestone:
    """One milestone as results carry it; `op` is put beside it after a money verb."""
    currency = currency_of(deal)
    assert currency is not None, "a milestone without a currency"
    shape: shapes.Milestone = {
        "id": deal.ref(ms.n),
        "deal": deal.public,
        "n": ms.n,
        "title": ms.title,
        "amount": money(ms.amount, currency),
        "due": instant(ms.due),
        "criteria": list(ms.criteria),
        "final": ms.final,
        "state": ms.state,
        "funded": money(ms.funded, currency),
        "held": money(ms.held, currency),
        "released": money(ms.released, currency),
        "refunded": money(ms.refunded, currency),
        "payable": money(ms.payable, currency),
        "paid_out": money(ms.paid_out, currency),
        "reversed": money(ms.reversed, currency),
        "review_deadline": instant(ms.review_deadline) if ms.state == "delivered" else None,
        "files": [file_shape(file, fetched) for file in ms.files],
        "may": [_may(each) for each in may_milestone(deal, ms)],
    }
    return {**shape, "op": op} if op is not None else shape


def file_shape(file: Attachment, fetched: Fetched = _nowhere) -> shapes.File:
    """A delivered file as results carry it."""
    return {"name": file.name, "size": file.size, "digest": file.digest, "fetched": fetched(file)}


def op_shape(deal: Deal, op: Op, person: Look) -> shapes.Op:
    """One operation as results carry it: what it moves, to whom, and how far it is. A repeat shows what it repeats."""
    acting = root(deal, op)
    ms = deal.milestones[op.n - 1]
    currency = deal.agreed.currency
    waiting = due(ms, acting) if acting.id in ms.open[acting.kind] else 0
    to = {"fund": deal.parties.agent, "release": deal.parties.talent, "refund": deal.parties.client}[op.kind]
    shape: shapes.Op = {
        "id": public("op", op.id),
        "request_id": op.request_id,
        "kind": op.kind,
        "amount": money(acting.moved or waiting, currency),
        "total": money(op.end, currency) if op.end is not None else None,
        "to": person(to),
        "state": op_state(deal, op),
        "ref": acting.ref,
        "grant": public("grant", op.grant) if op.grant else None,
    }
    return {**shape, "run": public("run", acting.run)} if acting.run else shape


def entry_shape(entry: JournalEntry) -> shapes.JournalEntry:
    """One journal entry as results carry it."""
    return {
        "at": instant_text(entry.at),
        "text": entry.text,
        "ref": entry.ref,
        "postings": [
            {"account": posting.account, "amount": money(posting.amount, entry.currency)} for posting in entry.postings
        ],
    }


def balances(deals: Iterable[Deal]) -> list[shapes.Balance]:
    """One balance per currency over all these deals, by currency."""
    sums: dict[str, dict[str, int]] = {}
    for deal in deals:
        for ms in deal.milestones:
            flows = sums.setdefault(deal.agreed.currency, dict.fromkeys(FLOWS, 0))
            for key in FLOWS:
                flows[key] += getattr(ms, key)
    return [
        cast("shapes.Balance", {"currency": currency, **{key: money(flows[key], currency) for key in FLOWS}})
        for currency, flows in sorted(sums.items())
    ]


def terms_shape(terms: Terms, person: Look) -> dict[str, object]:
    """Terms for people and scripts to read before they sign: `show DEAL --terms`."""
    return {
        "client": person(terms.client),
        "talent": person(terms.talent),
        "agent": person(terms.agent),
        "agent_device": public("dev", terms.agent_device),
        "arbiter": person(terms.arbiter) if terms.arbiter else None,
        "currency": terms.currency,
        "total": money(amount_of(terms.milestones, terms.currency).minor, terms.currency),
        "milestones": [
            {
                "n": n,
                "title": part.title,
                "amount": money(part.amount, terms.currency),
                "due": instant(part.due),
                "criteria": list(part.criteria),
                "revisions": part.revisions,
            }
            for n, part in enumerate(terms.milestones, start=1)
        ],
        "client_fee": terms.client_fee,
        "talent_fee": terms.talent_fee,
        "review_ms": terms.review_ms,
        "auto_release": terms.auto_release,
        "rail": terms.rail,
        "dispute_ms": terms.dispute_ms,
        "dispute_default": terms.dispute_default,
        "cancel_ms": terms.cancel_ms,
        "law": terms.law,
        "supersedes": terms.supersedes,
    }


def _may(may: May) -> shapes.May:
    return {"who": may.who, "verb": may.verb, "until": instant(may.until)}
