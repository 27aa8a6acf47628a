"""Terms: the contract both sides sign, by the hash of its canonical JSON. docs/spec/money.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import DIGITS, LARGEST, Money, fee, total
from chaise_cli.domain.recorded import Parties
from chaise_cli.domain.shape import (
    Currency,
    Device,
    Digest,
    Identity,
    Instant,
    Line,
    Many,
    OneOf,
    Text,
    Title,
    Whole,
    to_data,
)
from chaise_cli.errors import Refused
from chaise_cli.ids import text

DAY_MS: Final = 86_400_000
REVIEW_MS: Final = 14 * DAY_MS
CANCEL_MS: Final = 7 * DAY_MS
DISPUTE_MS: Final = 30 * DAY_MS
MILESTONES_MOST: Final = 100
CRITERIA_MOST: Final = 20

Number = Annotated[int, Whole(1, MILESTONES_MOST)]  # of a milestone, from 1
Amount = Annotated[int, Whole(1)]  # minor units, never nothing
BasisPoints = Annotated[int, Whole(0, 10_000)]
Duration = Annotated[int, Whole(0, 3650 * DAY_MS)]  # ms
RAILS: Final = ("manual", "sim")
Rail = Annotated[str, OneOf(*RAILS)]
Criteria = Annotated[tuple[Annotated[str, Text(500, 1)], ...], Many(CRITERIA_MOST)]


class UnknownCurrency(Refused):
    """A deal can only be made in a currency that is in use."""

    code = "terms.unknown_currency"
    message = "{currency} is not a currency in use"
    hint = "currencies are ISO 4217 codes such as EUR, USD or JPY"
    currency: str


class TooLarge(Refused):
    """The milestones with their fees add up to more than an amount can be."""

    code = "terms.too_large"
    message = "the milestones add up to more than an amount can be"
    hint = "the most is 9007199254740991 of the smallest unit, fees included"


class OtherParties(Refused):
    """The terms name other people than the deal does."""

    code = "terms.other_parties"
    message = "these terms are not for the client and the talent of this deal"
    hint = "a deal keeps its two sides for life; open another deal for somebody else"


class OtherAgent(Refused):
    """The terms name the talent as agent, or the client with another device than has the role."""

    code = "terms.other_agent"
    message = "these terms name the talent as the agent, or another device of the client's than holds the role"
    hint = "offer the terms again: the agent is the client, or somebody who is neither of the two sides"


class OtherHash(Refused):
    """The hash beside the terms is not theirs."""

    code = "terms.other_hash"
    message = "the hash does not belong to these terms"
    hint = "the sender's software is broken or hostile; ask for a new offer"


@body
class Planned:
    """A part of the work as proposed: `amount` in minor units, `due` as an instant."""

    title: Title
    amount: Amount
    due: Instant | None


@body
class Part:
    """A milestone as agreed. `revisions`: how often changes may be asked for, None is without limit."""

    title: Title
    amount: Amount
    due: Instant | None
    criteria: Criteria
    revisions: Annotated[int, Whole(0, 1000)] | None


@body
class Terms:
    """The contract text. Fees are basis points: the client's comes on top, the talent's is withheld at release.

    `dispute_default` says who gets disputed money when nobody answers for `dispute_ms`; `supersedes` is the
    hash of the terms these amend.
    """

    client: Identity
    talent: Identity
    agent: Identity
    agent_device: Device
    arbiter: Identity | None
    currency: Currency
    milestones: Annotated[tuple[Part, ...], Many(MILESTONES_MOST, 1)]
    client_fee: BasisPoints
    talent_fee: BasisPoints
    review_ms: Duration
    auto_release: bool
    rail: Rail
    dispute_ms: Duration
    dispute_default: Annotated[str, OneOf("client", "talent")]
    cancel_ms: Duration
    law: Line | None
    supersedes: Digest | None


class Concern(NamedTuple):
    """Something to be said before terms are sent: a stable code, and by how much (money) or how long (ms)."""

    code: str
    over: Money | None
    late_ms: int | None


def canonical(value: Any) -> bytes:
    """The canonical JSON of a body, a list or plain values: the same bytes as the envelope's encoder writes."""
    return json.dumps(to_data(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, as base64url text."""
    return text(hashlib.sha256(canonical(value)).digest())


def amount_of(parts: Sequence[Planned | Part], currency: str) -> Money:
    """What all the parts cost, without fees."""
    return total([Money(part.amount, currency) for part in parts], currency)


def check_amounts(parts: Sequence[Planned | Part], currency: str, fee_points: int = 0) -> None:
    """Raise UnknownCurrency or TooLarge unless such parts can be paid for."""
    if currency not in DIGITS:
        raise UnknownCurrency(currency=currency)
    whole = amount_of(parts, currency)
    if whole.minor + fee(whole, fee_points).minor > LARGEST:
        raise TooLarge


def check_terms(terms: Terms, terms_hash: str, parties: Parties) -> None:
    """Raise unless these terms can be signed in this deal.

    OtherParties, OtherAgent, OtherHash, UnknownCurrency or TooLarge.
    """
    if (terms.client, terms.talent) != (parties.client, parties.talent):
        raise OtherParties
    # Money that the client holds stays with the device that has the role. Whose device a third party's is shows when it
    # consents: nothing is held before that.
    own = (terms.agent, terms.agent_device) == (parties.client, parties.agent_device)
    if not own and terms.agent in (parties.client, parties.talent):
        raise OtherAgent
    check_amounts(terms.milestones, terms.currency, terms.client_fee)
    if digest(terms) != terms_hash:
        raise OtherHash


def concerns(terms: Terms, budget: Money | None, deadline: int | None) -> list[Concern]:
    """Where the terms go beyond the post: `terms.over_budget`, `terms.other_currency`, `terms.after_deadline`.

    budget: the most the post named; deadline: its instant.
    """
    found = []
    cost = amount_of(terms.milestones, terms.currency)
    if budget and budget.currency != cost.currency:
        found.append(Concern("terms.other_currency", cost, None))
    elif budget and cost > budget:
        found.append(Concern("terms.over_budget", cost - budget, None))
    last_due = max((part.due for part in terms.milestones if part.due is not None), default=None)
    if deadline is not None and last_due is not None and last_due > deadline:
        found.append(Concern("terms.after_deadline", None, last_due - deadline))
    return found
