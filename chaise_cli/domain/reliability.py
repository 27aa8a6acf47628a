"""How somebody keeps to agreed calls, as far as the ledger tells. docs/spec/bookings.md, Reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chaise_cli.domain.booking import Booking
    from chaise_cli.domain.recorded import Parties
    from chaise_cli.ids import IdentityId


class Reliability(NamedTuple):
    """The figures on one person. A check-in is one call; a contested outcome counts nowhere."""

    met: int  # calls that took place
    missed: int  # calls they did not come to
    late: int  # calls they cancelled within the notice or, as the talent, lost to another


def reliability(calls: Iterable[tuple[Parties, Booking]], who: IdentityId) -> Reliability:
    """What these calls, each with the two sides of its deal, say of `who`; calls of others say nothing."""
    theirs = [(parties, call) for parties, call in calls if who in {parties.client, parties.talent}]
    sure = [call for _, call in theirs if not call.contested]
    return Reliability(
        met=sum(call.state == "met" for call in sure),
        missed=sum(call.state == "no_show" and call.missing == who for call in sure),
        late=sum(call.late and call.ended_by == who for _, call in theirs)
        + sum(call.losses for parties, call in theirs if parties.talent == who),
    )
