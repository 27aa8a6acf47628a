"""The state of a deal, apart from the rules that fold it: what is only read needs none of them."""

from __future__ import annotations

from chaise_cli.domain import booking, deal, review, revocation
from chaise_cli.domain.light import NamedTuple


class DealState(NamedTuple):
    """Everything guarded in a deal."""

    deal: deal.Deal
    bookings: booking.Bookings
    reviews: review.Reviews
    revoked: tuple[revocation.Revoked, ...] = ()  # devices, in the order of their uptake
