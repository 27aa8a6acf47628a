"""The agent's line of a deal, worked out from all its events: which opening counts, and which way through what follows.

docs/spec/order.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import order
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import text

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from chaise_cli.domain.fold import DealState
    from chaise_cli.domain.recorded import Parties
    from chaise_cli.store.events import Chain, Row

MOVEMENTS = frozenset({"money.held", "money.released", "money.refunded", "money.paid_out"})


class Opened(NamedTuple):
    """An opening that may count: its event, and the deal right after it."""

    row: Row
    state: DealState


class Telling:
    """All events of a deal, by the rows of its chains."""

    def __init__(
        self,
        chains: Mapping[int, Chain],
        rows: Iterable[Row],
        place: Callable[[Row], order.Place],
        cut: Callable[[Parties], Container[bytes]] = lambda _parties: (),
    ) -> None:
        """cut: given the parties, the ids of events that stand on no line, since their device was revoked."""
        self._chains, self._place, self._cut = chains, place, cut
        self._by_chain: dict[int, list[Row]] = {}
        for row in rows:
            self._by_chain.setdefault(row.chain, []).append(row)
        for held in self._by_chain.values():
            held.sort(key=lambda row: row.seq)

    def _rows(self) -> Iterable[tuple[Row, Row | None]]:
        """Every event with the one before it on its chain; a stem before its branches."""
        last: dict[int | None, Row | None] = {None: None}
        for chain in sorted(self._chains.values(), key=lambda chain: chain.first if chain.parent else -1):
            before = last[chain.parent]
            for row in self._by_chain.get(chain.no, ()):
                yield row, before
                before = row
            last[chain.no] = before

    def openings(self, device: bytes) -> list[Row]:
        """The first sealed event of each history of a device."""
        begun: set[bytes] = set()  # events with a sealed one at or before them
        found: list[Row] = []
        for row, before in self._rows():
            if before is not None and before.id in begun:
                begun.add(row.id)
            elif row.suite:
                begun.add(row.id)
                found += [row] if row.device == device else []
        return found

    def line(self, openings: Sequence[Opened], through: str | None = None) -> tuple[Opened, order.Line]:
        """The opening that counts, and the agent's line behind it; the one that leads through an event, if named."""
        first = [through] if through is not None else []
        if len(openings) == 1:
            (only,) = openings
            return only, order.agent_line(self._opening(only), self._said(only, None, first))
        told = [(self._opening(one), self._said(one, self._covering(one.row), first)) for one in openings]
        best, line = order.standing(told)
        return openings[best], line

    def ways(self, openings: Sequence[Opened]) -> list[tuple[list[order.Place], bool]]:
        """What stands to choice in a contested deal: each way from its first event on, and whether it stands now."""
        _, line = self.line(openings)
        standing = {place.id for place in line.events}
        found = []
        for first in line.contested:
            opened, way = self.line(openings, first)
            events = [place for place in way.events if place.lamport >= self._lamport(first)]
            found.append((events, first in standing or text(opened.row.id) == first))
        return found

    def _lamport(self, id_: str) -> int:
        return next(row.lamport for row, _ in self._rows() if text(row.id) == id_)

    def words(self) -> list[tuple[str, str]]:
        """Who named which event as the agent's last."""
        return [
            (row.identity, row.content.last)
            for row, _ in self._rows()
            if isinstance(row.content, order.AgentSettled) and row.identity
        ]

    def _opening(self, opened: Opened) -> order.Opening:
        return order.Opening(self._place(opened.row), opened.state.deal.parties.agent_device)

    def _covering(self, opening: Row) -> set[str]:
        """The events that cover an opening, through what precedes them and what they cite; it among them."""
        found = {text(opening.id)}
        for row, before in sorted(self._rows(), key=lambda pair: pair[0].lamport):
            cited = [id_ for _, _, id_ in row.seen] + ([text(before.id)] if before else [])
            if not found.isdisjoint(cited):
                found.add(text(row.id))
        return found

    def _said(self, opened: Opened, among: set[str] | None, settled: Sequence[str]) -> order.Said:
        """What may stand on the agent's line, only events `among`, if given; `settled` goes before what was settled."""
        client = opened.state.deal.parties.client
        cut = self._cut(opened.state.deal.parties)
        chains: dict[str, list[order.Place]] = {}
        before: dict[str, str | None] = {}
        moves: set[str] = set()
        handovers: list[order.Handover] = []
        last: dict[bytes, str | None] = {}  # for each event the id of the one that may count at or before it
        for row, prev in self._rows():
            earlier = last[prev.id] if prev is not None else None
            if not may_take(row, client) or (among is not None and text(row.id) not in among) or row.id in cut:
                last[row.id] = earlier
                continue
            place = self._place(row)
            chains.setdefault(place.device, []).append(place)
            before[place.id], last[row.id] = earlier, place.id
            if row.kind in MOVEMENTS:
                moves.add(place.id)
            if isinstance(row.content, order.AgentDevice) and self._may_move(row, opened):
                handovers.append(order.Handover(place, row.content.device, row.content.after))
        return order.Said(chains, before, handovers, moves, [*settled, *self._settled(opened)])

    def _may_move(self, row: Row, opened: Opened) -> bool:
        """The agent's old device, or one its identity's admin certificate names, may move the role to itself or on."""
        parties = opened.state.deal.parties
        admin = self._chains[row.chain].admin
        return row.identity == parties.agent and (admin or text(row.device) == parties.agent_device)

    def _settled(self, opened: Opened) -> list[str]:
        """What client and talent both named as the last event, in the order in which the client first did."""
        parties = opened.state.deal.parties
        named: dict[str, dict[str, tuple[int, bytes, int, bytes]]] = {parties.client: {}, parties.talent: {}}
        for row, _ in self._rows():
            if isinstance(row.content, order.AgentSettled) and row.identity in named:
                rank = self._place(row).rank()
                said = named[row.identity]
                said[row.content.last] = min(rank, said.get(row.content.last, rank))
        by_client, by_talent = named[parties.client], named[parties.talent]
        return sorted(by_client.keys() & by_talent.keys(), key=lambda last: by_client[last])


def may_take(row: Row, client: str) -> bool:
    """Whether it is a sealed event of the agent, who is the client: an opening may name any device."""
    return bool(row.suite) and row.identity == client
