"""What a grant looks like in results. docs/spec/results.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.deal_view import instant, money
from chaise_cli.domain.grants import spent
from chaise_cli.ids import IdentityId

if TYPE_CHECKING:
    from chaise_cli import shapes
    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.deal_view import Look
    from chaise_cli.domain.grant import Grant


def grant_shape(deal: Deal, grant: Grant, state: str, person: Look, *, final: bool) -> shapes.Grant:
    """The grant as results carry it. state: as `grants.state_of` gives it; final: its making was taken up."""
    scope, currency = grant.scope, deal.agreed.currency
    return {
        "id": grant.public,
        "deal": deal.public,
        "name": grant.name,
        "by": person(grant.by),
        "can": list(scope.can),
        "milestone": deal.ref(scope.milestone) if scope.milestone is not None else None,
        "max": money(scope.max, currency),
        "per_day": money(scope.per_day, currency) if scope.per_day is not None else None,
        "spent": money(spent(deal, grant), currency),
        "until": instant(scope.until),
        "approvals": {"need": scope.approvals.need, "of": [person(who) for who in scope.approvals.of]}
        if scope.approvals
        else None,
        "approved": [
            {"by": person(IdentityId(who)), "milestone": deal.ref(int(n)), "total": money(total, currency)}
            for key, total in grant.approved.items()
            for who, _, n in [key.partition(" ")]
        ],
        "delivered_for_ms": scope.delivered_for_ms,
        "policy": scope.policy,
        "state": state,
        "final": final,
    }
