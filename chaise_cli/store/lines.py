"""The agent's line of a deal, worked out from all its events: which opening counts, and which way through what follows.

docs/spec/order.md.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from chaise_cli.domain import order
from chaise_cli.domain.consent import AgentRefused
from chaise_cli.domain.deal import TermsAccepted, TermsOffered
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import Parties
from chaise_cli.ids import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.fold import DealState
    from chaise_cli.ids import IdentityId
    from chaise_cli.store.events import Chain, Row

MOVEMENTS = frozenset({"money.held", "money.released", "money.refunded", "money.paid_out", "money.reversed"})


class Opened(NamedTuple):
    """An opening that may count: its event, and the deal right after it."""

    row: Row
    state: DealState


class Holder(NamedTuple):
    """Who may be on the agent's line: an identity, and the one of its devices that has the role to begin with."""

    identity: IdentityId
    device: str


Cut = Callable[[Parties, str], Container[bytes]]


class Telling:
    """All events of a deal, by the rows of its chains."""

    def __init__(
        self,
        chains: Mapping[int, Chain],
        rows: Iterable[Row],
        place: Callable[[Row], order.Place],
        cut: Cut = lambda _parties, _holder: (),
    ) -> None:
        """cut: given the parties and a holder of the role, ids of events on no line, since their device was revoked."""
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
        """The opening that counts, and the client's line behind it; the one that leads through an event, if named."""
        first = [through] if through is not None else []
        if len(openings) == 1:
            (only,) = openings
            return only, order.agent_line(self._opening(only), self._clients(only, None, first))
        told = [(self._opening(one), self._clients(one, self._covering([one.row]), first)) for one in openings]
        best, line = order.standing(told)
        return openings[best], line

    def behind(self, root: order.Place, deal: Deal, through: str | None = None) -> order.Line | None:
        """The line of the third party that the signed terms name, behind the take-up `root` that ended the client's.

        None until that agent has consented or refused; a refusal is the one event of its line.
        """
        assert deal.terms is not None, "a role that terms give"
        holder = Holder(deal.terms.agent, deal.terms.agent_device)
        cut = self._cut(deal.parties, holder.identity)
        refusals = self._refusals(root, holder, deal, cut)
        refused = self._covering(refusals)
        settled = [*([through] if through is not None else []), *self._settled(deal.parties)]
        said = self._said(holder, cut, lambda row: text(row.id) not in refused, root, settled)
        line = order.agent_line(order.Opening(root, root.device), said)
        if len(line.holders) > 1 and (not refusals or any(place.id in said.moves for place in line.events)):
            return line._replace(events=line.events[1:])
        if not refusals:
            return None
        first = min((self._place(row) for row in refusals), key=order.Place.rank)
        return order.Line([first], root.device)

    def agents(self, parties: Parties) -> frozenset[str]:
        """Third parties whom terms that both sides signed name as the agent, whatever became of those terms."""
        offers = {text(row.id): row for row, _ in self._rows() if isinstance(row.content, TermsOffered)}
        found = set()
        for row, _ in self._rows():
            offer = offers.get(row.content.offer) if isinstance(row.content, TermsAccepted) else None
            if offer is None or {offer.identity, row.identity} != {parties.client, parties.talent}:
                continue
            if (offer.content.hash, offer.content.terms.talent) == (row.content.hash, parties.talent):
                found.add(offer.content.terms.agent)
        return frozenset(found - {parties.client, parties.talent})

    def ways(self, lead: Callable[[str | None], tuple[str, order.Line]]) -> list[tuple[list[order.Place], bool]]:
        """What stands to choice in a contested deal: each way from its first event on, and whether it stands now.

        lead: the line that leads through an event, and what it begins with; for None the one that stands.
        """
        line = lead(None)[1]
        standing = {place.id for place in line.events}
        found = []
        for first in line.contested:
            begins, way = lead(first)
            events = [place for place in way.events if place.lamport >= self._lamport(first)]
            found.append((events, first in standing or begins == first))
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

    def _covering(self, roots: Sequence[Row]) -> set[str]:
        """The events that cover one of these, through what precedes them and what they cite; these among them."""
        found = {text(row.id) for row in roots}
        for row, before in sorted(self._rows(), key=lambda pair: pair[0].lamport) if found else ():
            cited = [id_ for _, _, id_ in row.seen] + ([text(before.id)] if before else [])
            if not found.isdisjoint(cited):
                found.add(text(row.id))
        return found

    def _clients(self, opened: Opened, among: set[str] | None, settled: Sequence[str]) -> order.Said:
        """What may stand on the client's line, only events `among`, if given; `settled` goes before what was settled.

        Where an agent of signed terms has consented, the client's own movements say nothing: the way that it consented
        behind stands as one with movements does.
        """
        parties = opened.state.deal.parties
        holder = Holder(parties.client, parties.agent_device)
        cut = self._cut(parties, parties.client)
        said = self._said(
            holder, cut, lambda row: among is None or text(row.id) in among, None, [*settled, *self._settled(parties)]
        )
        agents = self.agents(parties)
        consents = {
            row.content.after
            for row, _ in self._rows()
            if isinstance(row.content, order.AgentDevice) and row.identity in agents
        }
        ours = {place.id for places in said.chains.values() for place in places}
        return said._replace(moves=consents & ours) if consents & ours else said

    def _said(
        self,
        holder: Holder,
        cut: Container[bytes],
        counts: Callable[[Row], bool],
        root: order.Place | None,
        settled: Sequence[str],
    ) -> order.Said:
        """What the devices of a holder of the role have said; behind `root`, where it is not the opening."""
        chains: dict[str, list[order.Place]] = {root.device: [root]} if root else {}
        before: dict[str, str | None] = {root.id: None} if root else {}
        moves: set[str] = set()
        handovers: list[order.Handover] = []
        last: dict[bytes, str | None] = {}  # for each event the id of the one that may count at or before it
        for row, prev in self._rows():
            earlier = last[prev.id] if prev is not None else None
            if not may_take(row, holder.identity) or not counts(row) or row.id in cut:
                last[row.id] = earlier
                continue
            place = self._place(row)
            chains.setdefault(place.device, []).append(place)
            before[place.id], last[row.id] = earlier, place.id
            if row.kind in MOVEMENTS:
                moves.add(place.id)
            if isinstance(row.content, order.AgentDevice) and self._may_move(row, holder):
                handovers.append(order.Handover(place, row.content.device, row.content.after))
        return order.Said(chains, before, handovers, moves, settled)

    def _may_move(self, row: Row, holder: Holder) -> bool:
        """The agent's old device, or one its identity's admin certificate names, may move the role to itself or on."""
        return self._chains[row.chain].admin or text(row.device) == holder.device

    def _refusals(self, root: order.Place, holder: Holder, deal: Deal, cut: Container[bytes]) -> list[Row]:
        """Where the agent refused; not behind its own consent. What follows one of these is no consent any more."""
        refusals: list[Row] = []
        consents: list[Row] = []
        for row, _ in sorted(self._rows(), key=lambda pair: (pair[0].lamport, pair[0].id)):
            if row.identity != holder.identity or row.id in cut or not self._may_move(row, holder):
                continue
            if isinstance(row.content, AgentRefused) and row.content.hire == deal.hired_by:
                refusals += [] if text(row.id) in self._covering(consents) else [row]
            elif isinstance(row.content, order.AgentDevice) and row.content.after == root.id:
                consents += [] if text(row.id) in self._covering(refusals) else [row]
        return refusals

    def _settled(self, parties: Parties) -> list[str]:
        """What client and talent both named as the last event, in the order in which the client first did."""
        named: dict[str, dict[str, tuple[int, bytes, int, bytes]]] = {parties.client: {}, parties.talent: {}}
        for row, _ in self._rows():
            if isinstance(row.content, order.AgentSettled) and row.identity in named:
                rank = self._place(row).rank()
                said = named[row.identity]
                said[row.content.last] = min(rank, said.get(row.content.last, rank))
        by_client, by_talent = named[parties.client], named[parties.talent]
        return sorted(by_client.keys() & by_talent.keys(), key=lambda last: by_client[last])


def may_take(row: Row, holder: str) -> bool:
    """Whether it is a sealed word of whoever may have the agent's role; an opening may name any device, but no run."""
    return bool(row.suite) and row.identity == holder and row.grant is None
