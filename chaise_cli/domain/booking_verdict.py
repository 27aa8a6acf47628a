"""Which of a talent's calls in different deals lose, when two of the talent's devices agreed to both.

Replicas of one deal see that deal alone; the talent's devices see all, and write what follows here as verdicts.
docs/spec/bookings.md.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaise_cli.domain.booking import meet
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import EventId

Rank = tuple[int, bytes, int, bytes]


class Claim(NamedTuple):
    """A call that takes the talent's time for itself, and where the event that binds the talent stands."""

    deal: int  # the row of its space
    booking: EventId
    commitment: EventId
    rank: Rank  # of the commitment: lamport, device, seq, id
    took_place: bool  # somebody has said how it went: it keeps its time, whatever its rank
    times: tuple[tuple[int, int], ...]


def losers(claims: Iterable[Claim]) -> list[Claim]:
    """The calls that give way: in the ledger's order each is kept that overlaps none kept before.

    Plain intervals, no buffers, no clocks. Calls of one deal do not meet here: its own fold has judged between them.
    """
    kept: list[Claim] = []
    lost: list[Claim] = []
    for claim in sorted(claims, key=_order):
        beaten = any(other.deal != claim.deal and meet(other.times, claim.times) for other in kept)
        (lost if beaten and not claim.took_place else kept).append(claim)
    return lost


def _order(claim: Claim) -> tuple[bool, Rank]:
    return not claim.took_place, claim.rank
