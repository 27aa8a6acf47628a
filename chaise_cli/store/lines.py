"""The agent's line of a deal, worked out from all its events: which opening counts, and which way through what follows.

docs/spec/order.md.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from operator import attrgetter
from typing import TYPE_CHECKING

from chaise_cli.domain import order
from chaise_cli.domain.consent import AgentRefused
from chaise_cli.domain.deal import TermsAccepted, TermsOffered
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import Parties
from chaise_cli.ids import raw, text

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence

    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.deal_state import DealState
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


Cut = Callable[[Parties, str], AbstractSet[bytes]]


class Telling:
    """All events of a deal, by the rows of its chains."""

    def __init__(
        self,
        chains: Mapping[int, Chain],
        rows: Iterable[Row],
        place: Callable[[Row], order.Place],
        cut: Cut = lambda _parties, _holder: frozenset(),
    ) -> None:
        """cut: given the parties and a holder of the role, ids of events on no line, since their device was revoked."""
        self._chains, self._place, self._cut = chains, place, cut
        self._by_chain: dict[int, list[Row]] = {}
        for row in rows:
            self._by_chain.setdefault(row.chain, []).append(row)
        for held in self._by_chain.values():
            held.sort(key=attrgetter("seq"))
        self._rows = list(self._walk())
        self._saying: dict[type, list[Row]] = {}  # the rows by what they say
        self._writing: dict[IdentityId | None, list[tuple[Row, Row | None]]] = {}  # and by who wrote them
        for both in self._rows:
            row = both[0]
            self._saying.setdefault(type(row.content), []).append(row)
            self._writing.setdefault(row.identity, []).append(both)
        self._agreed: dict[Parties, list[tuple[Row, Row]]] = {}
        self._known: dict[tuple[str, Parties, Holder, str | None, str | None], order.Line | None] = {}

    def _walk(self) -> Iterator[tuple[Row, Row | None]]:
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
        for row, before in self._rows:
            if row.device != device:
                continue
            if before is not None and before.id in begun:
                begun.add(row.id)
            elif row.suite:
                begun.add(row.id)
                found.append(row)
        return found

    def line(
        self, openings: Sequence[Opened], stands: Collection[str] | None = None, through: str | None = None
    ) -> tuple[Opened, order.Line]:
        """The opening that counts, and the client's line behind it; the one that leads through an event, if named.

        stands: ids of the events that choose among its ways, if not each movement does.
        """
        first = [through] if through is not None else []
        told = [(self._opening(one), self._clients(one, apart, first, stands)) for one, apart in self._apart(openings)]
        if len(told) == 1:
            return openings[0], order.agent_line(*told[0])
        best, line = order.standing(told)
        return openings[best], line

    def leads(self, openings: Sequence[Opened]) -> Iterator[tuple[Opened, order.Line]]:
        """The client's line to each last event of a history behind each opening."""
        for opened, apart in self._apart(openings):
            for line in order.leads(self._opening(opened), self._clients(opened, apart, [], None)):
                yield opened, line

    def behind(self, root: order.Place, deal: Deal, through: str | None = None) -> order.Line | None:
        """The line of the third party that the signed terms name, behind the take-up `root` that ended the client's.

        None until that agent has consented or refused; a refusal is the one event of its line, which has no holders.
        """
        assert deal.terms is not None, "a role that terms give"
        holder = Holder(deal.terms.agent, deal.terms.agent_device)
        key = (root.id, deal.parties, holder, deal.hired_by, through)  # of the deal all that is looked at below
        if key not in self._known:
            self._known[key] = self._find_behind(root, deal, holder, through)
        return self._known[key]

    def _find_behind(self, root: order.Place, deal: Deal, holder: Holder, through: str | None) -> order.Line | None:
        cut = self._cut(deal.parties, holder.identity)
        answers = self._answers(root, holder, deal, cut)
        refusals = [row for row in answers if isinstance(row.content, AgentRefused)]
        refused = self._covering(refusals)
        settled = [*([through] if through is not None else []), *self._settled(deal.parties)]
        said = self._said(holder, {*cut, *map(raw, refused)}, root, settled)
        consents = {text(row.id) for row in answers}
        handovers = [one for one in said.handovers if one.after != root.id or one.place.id in consents]
        line = order.agent_line(order.Opening(root, root.device), said._replace(handovers=handovers))
        # Terms that both sides signed knowing of it confirm a refusal: then only what they settle on stands before it.
        pairs = [{text(row.id), row.content.offer} for row, _ in self._signed(deal.parties)]
        confirmed = any(pair <= self._covering([refusal]) for refusal in refusals for pair in pairs)
        ends = {*settled, *(() if confirmed else said.moves)}
        if len(line.holders) > 1 and (not refusals or any(place.id in ends for place in line.events[1:])):
            return line._replace(events=line.events[1:])
        if not refusals:
            return None
        first = min((self._place(row) for row in refusals), key=order.Place.rank)
        return order.Line([first], root.device)

    def agents(self, parties: Parties) -> frozenset[str]:
        """Third parties whom terms that both sides signed name as the agent, whatever became of those terms."""
        found = {offer.content.terms.agent for _, offer in self._signed(parties)}
        return frozenset(found - {parties.client, parties.talent})

    def _signed(self, parties: Parties) -> Sequence[tuple[Row, Row]]:
        """Each acceptance by one side of what the other one offered, with that offer."""
        if parties not in self._agreed:
            self._agreed[parties] = list(self._find_signed(parties))
        return self._agreed[parties]

    def _find_signed(self, parties: Parties) -> Iterator[tuple[Row, Row]]:
        offers = {text(row.id): row for row in self._saying.get(TermsOffered, ())}
        for row in self._saying.get(TermsAccepted, ()):
            offer = offers.get(row.content.offer)
            if offer is None or {offer.identity, row.identity} != {parties.client, parties.talent}:
                continue
            if offer.content.hash == row.content.hash:
                yield row, offer

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
        return next(row.lamport for row, _ in self._rows if text(row.id) == id_)

    def words(self) -> list[tuple[str, str]]:
        """Who named which event as the agent's last."""
        return [(row.identity, row.content.last) for row in self._saying.get(order.AgentSettled, ()) if row.identity]

    def _opening(self, opened: Opened) -> order.Opening:
        return order.Opening(self._place(opened.row), opened.state.deal.parties.agent_device)

    def _covering(self, roots: Sequence[Row]) -> set[str]:
        """The events that cover one of these, through what precedes them and what they cite; these among them."""
        found = {text(row.id) for row in roots}
        for row, before in sorted(self._rows, key=lambda pair: pair[0].lamport) if found else ():
            cited = [id_ for _, _, id_ in row.seen] + ([text(before.id)] if before else [])
            if not found.isdisjoint(cited):
                found.add(text(row.id))
        return found

    def _apart(self, openings: Sequence[Opened]) -> Iterator[tuple[Opened, set[bytes]]]:
        """Each opening with the ids of what cannot stand behind it: all that does not cover it, beside another one."""
        rows = self._rows if len(openings) > 1 else []
        for one in openings:
            covering = self._covering([one.row]) if rows else set()
            yield one, {row.id for row, _ in rows if text(row.id) not in covering}

    def _clients(
        self, opened: Opened, apart: AbstractSet[bytes], first: Sequence[str], stands: Collection[str] | None
    ) -> order.Said:
        """What may stand on the client's line, no event `apart` from it; `first` goes before what was settled."""
        parties = opened.state.deal.parties
        holder = Holder(parties.client, parties.agent_device)
        cut = self._cut(parties, parties.client)
        settled = [*first, *self._settled(parties)]
        said = self._said(holder, cut | apart, None, settled)
        return said if stands is None else said._replace(moves=stands)

    def _said(
        self,
        holder: Holder,
        cut: Container[bytes],
        root: order.Place | None,
        settled: Sequence[str],
    ) -> order.Said:
        """What the devices of a holder of the role have said, without `cut`; behind `root`, if not the opening."""
        chains: dict[str, list[order.Place]] = {root.device: [root]} if root else {}
        before: dict[str, str | None] = {root.id: None} if root else {}
        moves: set[str] = set()
        handovers: list[order.Handover] = []
        last: dict[bytes, str | None] = {}  # for each event the id of the one that may count at or before it
        for row, prev in self._writing.get(holder.identity, ()):  # not whatever else its device wrote
            earlier = last.get(prev.id) if prev is not None else None
            if row.id in cut or not may_take(row, holder.identity):
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

    def _answers(self, root: order.Place, holder: Holder, deal: Deal, cut: Container[bytes]) -> list[Row]:
        """Where the agent consented or refused; not behind an answer that it has given already."""
        found: list[Row] = []
        answers = [*self._saying.get(order.AgentDevice, ()), *self._saying.get(AgentRefused, ())]
        for row in sorted(answers, key=lambda row: (row.lamport, row.id)):
            if row.identity != holder.identity or row.id in cut or not self._may_move(row, holder):
                continue
            if _answers(row, root, deal) and text(row.id) not in self._covering(found):
                found.append(row)
        return found

    def _settled(self, parties: Parties) -> list[str]:
        """What client and talent both named as the last event, in the order in which the client first did."""
        named: dict[str, dict[str, tuple[int, bytes, int, bytes]]] = {parties.client: {}, parties.talent: {}}
        for row in self._saying.get(order.AgentSettled, ()):
            if row.identity in named:
                rank = self._place(row).rank()
                said = named[row.identity]
                said[row.content.last] = min(rank, said.get(row.content.last, rank))
        by_client, by_talent = named[parties.client], named[parties.talent]
        return sorted(by_client.keys() & by_talent.keys(), key=lambda last: by_client[last])


def _answers(row: Row, root: order.Place, deal: Deal) -> bool:
    """Whether it consents behind `root`, for its own device, or refuses the hire."""
    said = row.content
    if isinstance(said, order.AgentDevice):
        return said.after == root.id and said.device == text(row.device)
    return isinstance(said, AgentRefused) and said.hire == deal.hired_by


def may_take(row: Row, holder: str) -> bool:
    """Whether it is a sealed word of whoever may have the agent's role; an opening may name any device, but no run."""
    return bool(row.suite) and row.identity == holder and row.grant is None
