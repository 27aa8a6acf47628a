"""Which words of a revoked device of the agent's the agent's line goes on without. docs/spec/devices.md.

A word behind the last one that the revocation knew counts on the line only where somebody else of the deal had it
before hearing of the revocation: so neither a thief nor the agent himself takes back what they have relied on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import revocation
from chaise_cli.ids import DeviceId, raw, text
from chaise_cli.store import revocations

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.domain.recorded import Parties
    from chaise_cli.store.events import Chain, Row
    from chaise_cli.store.revocations import Said

Frontier = dict[int, int]  # the highest seq of each branch, by its row


def cut(
    connection: Connection,
    said: Sequence[Said],
    chains: Mapping[int, Chain],
    rows: Sequence[Row],
    parties: Parties,
    holder: str,
) -> frozenset[bytes]:
    """The ids of events of the agent, `holder`, that are on no line: revoked, and not witnessed before that.

    rows: all events of the deal. The client's are witnessed by the talent, a third party's by either of the two.
    """
    ours = [one for one in said if one.row.identity == holder]
    standing = revocation.standing(one.claim for one in ours)
    limits: Frontier = {}
    strays = revocations.strays(connection, ours) if standing else frozenset()
    for chain in chains.values() if standing else ():
        above = revocations.above(connection, chain.no) or (DeviceId(text(chain.device)),)
        limit = revocation.limit(above, standing)
        if chain.identity == holder and limit is not None:
            limits[chain.no] = -1 if chain.no in strays else limit
    late = [row for row in rows if row.seq > limits.get(row.chain, row.seq)]
    if not late:
        return frozenset()
    witnessed = _witnessed(chains, rows, {parties.client, parties.talent} - {holder}, ours)
    return frozenset(row.id for row in late if row.seq > witnessed.get(row.chain, -1))


def _witnessed(
    chains: Mapping[int, Chain], rows: Sequence[Row], witnesses: Container[str], revoking: Sequence[Said]
) -> Frontier:
    """How far the witnesses had each branch before they had any of these revocations."""
    ids = {(row.chain, row.seq): row.id for row in rows}
    reach: dict[bytes, Frontier] = {}
    found: Frontier = {}
    for row in sorted(rows, key=lambda row: (row.lamport, row.device, row.seq, row.id)):
        before = _before(chains, ids, row)
        had = dict(reach.get(before, {})) if before else {}
        for _, _, id_ in row.seen:
            _join(had, reach.get(raw(id_), {}))
        had[row.chain] = row.seq
        reach[row.id] = had
        knows = any(had.get(one.row.chain, -1) >= one.row.seq for one in revoking)
        if row.identity is not None and row.identity in witnesses and row.suite and not knows:
            _join(found, had)
    return found


def _before(chains: Mapping[int, Chain], ids: Mapping[tuple[int, int], bytes], row: Row) -> bytes | None:
    """The id of the event before one on its history."""
    at: int | None = row.chain
    for _ in chains:  # no longer, should damage have closed a circle
        if at is None:
            break
        if (at, row.seq - 1) in ids:
            return ids[at, row.seq - 1]
        at = chains[at].parent
    return None


def _join(one: Frontier, other: Frontier) -> None:
    for chain, seq in other.items():
        one[chain] = max(seq, one.get(chain, -1))
