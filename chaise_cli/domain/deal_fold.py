"""The fold of a deal after `hiring.open_deal`: one step per guarded event of its hiring, work and money.

docs/spec/transitions.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chaise_cli.domain import cancellation, consent, escrow, grant, grants, hiring, movements, runs, work
from chaise_cli.domain import deal as hired
from chaise_cli.domain.deal import Deal, tick
from chaise_cli.domain.recorded import Recorded

Apply = Callable[[Deal, Recorded, Any], Deal]

STEPS: Final[dict[str, Apply]] = {
    hired.DealInvited.KIND: hiring.apply_invited,
    hired.DealProposed.KIND: hiring.apply_proposed,
    hired.DealShortlisted.KIND: hiring.apply_shortlisted,
    hired.DealDeclined.KIND: hiring.apply_declined,
    hired.DealWithdrawn.KIND: hiring.apply_withdrawn,
    hired.TermsOffered.KIND: hiring.apply_offered,
    hired.TermsAccepted.KIND: hiring.apply_accepted,
    consent.AgentRefused.KIND: consent.apply_refused,
    work.WorkDelivered.KIND: work.apply_delivered,
    work.WorkChangesRequested.KIND: work.apply_changes,
    escrow.FundRequested.KIND: escrow.apply_fund,
    escrow.ReleaseAuthorized.KIND: escrow.apply_give,
    escrow.RefundAuthorized.KIND: escrow.apply_give,
    cancellation.CancelRequested.KIND: cancellation.apply_requested,
    cancellation.CancelAccepted.KIND: cancellation.apply_answer,
    cancellation.CancelDeclined.KIND: cancellation.apply_answer,
    cancellation.CancelWithdrawn.KIND: cancellation.apply_answer,
    runs.RunRecorded.KIND: runs.apply_recorded,
    runs.DealSigningKey.KIND: runs.apply_key,
    movements.MoneyHeld.KIND: movements.apply_held,
    movements.MoneyRefused.KIND: movements.apply_refused,
    movements.MoneyReleased.KIND: movements.apply_released,
    movements.MoneyRefunded.KIND: movements.apply_refunded,
    movements.MoneyPaidOut.KIND: movements.apply_paid_out,
    movements.MoneyReversed.KIND: movements.apply_reversed,
    grant.GrantCreated.KIND: grants.apply_created,
    grant.GrantRevoked.KIND: grants.apply_revoked,
    grant.GrantApproved.KIND: grants.apply_approved,
}
"""The rule of every kind that `step` folds."""


def step(deal: Deal, e: Recorded) -> Deal:
    """The deal after `e`, whose kind is one of `STEPS`.

    Raises a Refused error, and nothing else, when the event is not allowed at its place: it is void then.
    """
    after = STEPS[e.body.KIND](tick(deal, e.clock), e, e.body)
    return after if e.final or not after.final else after._replace(final=False)
