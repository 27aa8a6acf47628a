"""Deals as tables. Folds what the agent device took up once; only the tail nobody took up is folded again.

docs/spec/order.md. Out of the ordinary (the opening arrives, the agent's role moves) the deal is folded from zero.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from chaise_cli.domain import kinds, order, record
from chaise_cli.domain.agent import op_state
from chaise_cli.domain.contest import Moved, Way, Word
from chaise_cli.domain.recorded import Recorded
from chaise_cli.errors import Refused
from chaise_cli.ids import DeviceId, EventId, IdentityId, raw, text
from chaise_cli.store import content, cuts, events, lines, people, revocations
from chaise_cli.store.deal_states import Loaded, keep, load

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.domain.booking import Booking
    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.recorded import Parties
    from chaise_cli.store.events import Row, Space

_TURNS = frozenset(
    {"agent.device", "agent.refused", "agent.settled", "deal.opened"}
)  # may change which of the agent's events count
_TABLES = ("deal", "pending", "milestone", "op", "entry", "booking", "occurrence", "review", "message", "file")


@cache
def _rules() -> Any:
    """The rules of the fold, loaded by the first event that is under them; a message is not."""
    return import_module("chaise_cli.domain.fold")


class DealFold:
    """The fold of one deal during one transaction."""

    def __init__(self, connection: Connection, space: Space) -> None:
        self._db = connection
        self._space = space
        self._rows: dict[tuple[str, int], Row] = {}
        self._places: dict[bytes, order.Place] = {}
        self._chains = {chain.no: chain for chain in events.chains(connection, space.no)}
        self._names = {no: chain.name for no, chain in self._chains.items()}
        self._devices = {no: DeviceId(text(chain.device)) for no, chain in self._chains.items()}
        self._named = {self._names[no]: chain for no, chain in self._chains.items()}
        self._forked = {chain.device for chain in self._chains.values() if chain.parent is not None}
        self._branches = order.Branches(self._first, self._stem) if self._forked else order.STRAIGHT
        self._uptakes: list[tuple[int, str | None, int, int]] = []
        self._state: DealState
        self._old: Loaded | None = None
        # A revocation reaches back, and who vouches for what comes before it may come last; deals rarely hold one.
        self._said = revocations.said(connection, space.no) if revocations.any_in(connection, space.no) else []
        self._above: dict[int, tuple[DeviceId, ...]] = {}
        self._beside = revocations.beside(connection, self._said)

    def fold(self, rows: Sequence[Row]) -> None:
        """Fold newly appended events, given in a causal order."""
        found = load(self._db, self._space.no)
        if found is None or self._said or self._may_move_line(found, rows):
            held = "SELECT count(*) FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ?"
            is_all = self._db.execute(held, (self._space.no,)).fetchone()[0] == len(rows)
            self._refold(rows if is_all else self._stored())
            return
        self._remember(rows)
        self._old = found
        self._begin(found)
        agent = text(found.agent)
        for row in rows:
            if row.device == found.agent and _may_take(row, self._state) and not self._state.deal.awaits_agent:
                self._take(self._place(row))
            elif row.kind in kinds.GUARDED and row.seq > self._frontier.get(self._names[row.chain], -1):
                self._pend(row)
        if self._state.deal.awaits_agent:  # whose answer may have come before the take-up that it needs
            self._uptakes, self._old = [], None
            self._refold(self._stored())
            return
        self._finish(agent, rows)

    def _awaited(self) -> str | None:
        """The device of a third party that has yet to take the role which signed terms give it."""
        deal = self._state.deal
        return deal.terms.agent_device if deal.terms and deal.awaits_agent else None

    def _may_move_line(self, found: Loaded, rows: Sequence[Row]) -> bool:
        """Whether events may change which of the agent's events count.

        Such are a handover, what a handover names, and, once there was one, words of a device without the role;
        words of an agent's device that wrote several histories; what settles them; another opening; and, where terms
        name a third party, whatever comes before that has consented, and what the client says it moved all the same.
        """
        if found.taken.deal.awaits_agent or any(self._names_agent(row, found) for row in rows):
            return True
        parties = found.taken.deal.parties
        if parties.agent != parties.client and any(
            row.kind in lines.MOVEMENTS and row.identity == parties.client for row in rows
        ):
            return True
        if any(row.kind in _TURNS and (row.kind != "deal.opened" or self._is_makers(row)) for row in rows):
            return True
        if found.agent in self._forked and any(row.device == found.agent and row.suite for row in rows):
            return True
        query = "SELECT body, void FROM event WHERE kind = 'agent.device' AND chain = ?"
        chains = [chain.no for chain in self._chains.values() if chain.identity == parties.agent]
        moves = [row for no in chains for row in self._db.execute(query, (no,)).fetchall()]
        after = {content.said(body)["after"] for body, void in moves if void not in content.AT_ADMISSION}
        return bool(after) and any(
            _may_take(row, found.taken) and (row.device != found.agent or text(row.id) in after) for row in rows
        )

    def _names_agent(self, row: Row, found: Loaded) -> bool:
        """Whether terms may make a third party the agent: it may write freely once they are accepted."""
        refused = "SELECT 1 FROM event WHERE kind = 'agent.refused' AND chain = ?"
        if row.kind == "terms.accepted" and any(self._db.execute(refused, (no,)).fetchone() for no in self._chains):
            return True  # which it may confirm
        offer = row.content if row.kind == "terms.offered" else None
        if row.kind == "terms.accepted" and row.content is not None:
            stored = events.find_event(self._db, raw(row.content.offer))
            offer = content.row(stored).content if stored and stored.kind == "terms.offered" else None
        return offer is not None and offer.terms.agent != found.taken.deal.parties.client

    def refold(self) -> None:
        """Fold the whole deal from nothing."""
        self._refold(self._stored())

    def ways(self) -> list[Way]:
        """The histories between which the sides of a contested deal have to choose; writes nothing."""
        telling, openings = self._told()
        words = telling.words()
        chosen = self._stands(telling, openings)
        has_third = bool(openings) and not telling.line(openings, chosen)[1].contested

        def lead(through: str | None) -> tuple[str, order.Line]:
            if has_third and (third := self._third(telling, through)):
                return "", third
            opened, line = telling.line(openings, chosen, through)
            return text(opened.row.id), line

        return [self._way(places, words, stands=stands) for places, stands in telling.ways(lead)]

    def _third(self, telling: lines.Telling, through: str | None = None) -> order.Line | None:
        """The line of the third party that has consented in the deal as it is stored; None where there is none."""
        found = load(self._db, self._space.no)
        consent = found and found.taken.deal.consent
        stored = events.find_event(self._db, raw(consent)) if consent else None
        if found is None or stored is None:
            return None
        root = events.find_event(self._db, raw(content.row(stored).content.after))
        assert root, "a consent that counts names an event of the line"
        return telling.behind(self._place(content.row(root)), found.taken.deal, through)

    def _way(self, places: Sequence[order.Place], words: Sequence[tuple[str, str]], *, stands: bool) -> Way:
        ids = [EventId(place.id) for place in places]
        rows = [self._rows[place.branch, place.seq] for place in places]
        moved = [
            Moved(EventId(text(row.id)), str(row.kind), row.content.milestone, row.content.amount, row.at)
            for row in rows
            if row.kind in lines.MOVEMENTS and row.content is not None
        ]
        said = [Word(IdentityId(who), EventId(last)) for who, last in words if last in ids]
        return Way(ids[0], ids, places[0].device, stands, moved, said)

    def _stored(self) -> list[Row]:
        return list(content.rows(events.read_space(self._db, self._space.no)))

    def _refold(self, rows: Sequence[Row]) -> None:
        """Fold the whole deal, given all its events."""
        for table in _TABLES:
            self._db.execute(f"DELETE FROM {table} WHERE space = ?", (self._space.no,))
        numbers = "SELECT no FROM chain WHERE space = ?"
        taken = f"UPDATE event SET uptake = NULL WHERE chain IN ({numbers}) AND uptake IS NOT NULL"
        self._db.execute(taken, (self._space.no,))
        # Free words are folded by insertion: nothing else takes this back where terms have made their writer a member.
        self._db.execute(
            f"UPDATE event SET void = NULL WHERE chain IN ({numbers}) AND void = ?",
            (self._space.no, _rules().NotAMember.code),
        )
        self._remember(rows)
        telling = self._telling(rows)
        makers = telling.openings(self._space.creator_device)
        openings = [lines.Opened(row, state) for row in makers if (state := self._opened(row))]
        if not openings:
            return
        opened, line = telling.line(openings, self._stands(telling, openings))
        state = opened.state._replace(deal=opened.state.deal._replace(contested=bool(line.contested)))
        device = self._lead(telling, state, line)
        for row in rows:
            if row.kind in kinds.GUARDED and row.seq > self._frontier.get(self._names[row.chain], -1):
                self._pend(row)
        self._finish(device, rows, telling.agents(state.deal.parties))

    def _lead(self, telling: lines.Telling, opened: DealState, line: order.Line) -> str:
        """Take up along the client's line, and that of a third party behind it; the device that has the role."""
        self._begin(Loaded(opened, opened, b"", 0, 0, {}, 0, None))
        _, behind = self._follow(telling, line)
        if behind is None:
            return self._awaited() or line.device
        for place in behind.events:
            self._take(place)
        deal = self._state.deal._replace(contested=bool(line.contested or behind.contested))
        self._state = self._state._replace(deal=deal)
        return behind.device

    def _follow(self, telling: lines.Telling, line: order.Line) -> tuple[int, order.Line | None]:
        """Take up along the client's line until a third party has to answer, through refusals.

        How many events of it that were, and the line of the third party, if it consented.
        """
        for at, place in enumerate(line.events, start=1):
            self._take(place)
            if not self._state.deal.awaits_agent:
                continue
            behind = telling.behind(place, self._state.deal)
            if behind is None or behind.holders:
                return at, behind
            self._take(behind.events[0])
            if self._state.deal.awaits_agent:  # the refusal came to nothing
                return at, None
        return len(line.events), None

    def _stands(self, telling: lines.Telling, openings: Sequence[lines.Opened]) -> frozenset[str] | None:
        """Ids of what chooses among the client's ways where terms name a third party; else None: every movement does.

        These are movements that count, and take-ups behind which a third party consented. So neither a word of a
        client that holds no money any more, nor one of an agent of terms that came to nothing, turns the line.
        """
        if not any(telling.agents(opened.state.deal.parties) for opened in openings):
            return None
        found = set()
        for opened, line in telling.leads(openings):
            self._uptakes = []
            self._begin(Loaded(opened.state, opened.state, b"", 0, 0, {}, 0, None))
            reached, behind = self._follow(telling, line)
            counts = {(chain, seq) for _, void, chain, seq in self._uptakes if void is None}
            rows = [self._rows[place.branch, place.seq] for place in line.events[:reached]]
            found |= {text(row.id) for row in rows if row.kind in lines.MOVEMENTS and (row.chain, row.seq) in counts}
            found |= {text(rows[-1].id)} if behind else set()
        self._uptakes = []
        return frozenset(found)

    def line(self) -> order.Line | None:
        """The agent's line as it stands; None before the opening has arrived. Writes nothing."""
        telling, openings = self._told()
        if not openings:
            return None
        return self._third(telling) or telling.line(openings, self._stands(telling, openings))[1]

    def _told(self) -> tuple[lines.Telling, list[lines.Opened]]:
        rows = self._stored()
        self._remember(rows)
        telling = self._telling(rows)
        makers = telling.openings(self._space.creator_device)
        return telling, [lines.Opened(row, state) for row in makers if (state := self._try(row)[0])]

    def _telling(self, rows: Sequence[Row]) -> lines.Telling:
        def cut(parties: Parties, holder: str) -> frozenset[bytes]:
            return cuts.cut(self._db, self._said, self._chains, rows, parties, holder) if self._said else frozenset()

        return lines.Telling(self._chains, rows, self._place, cut)

    def _remember(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._rows[self._names[row.chain], row.seq] = row

    def _is_makers(self, row: Row) -> bool:
        return row.device == self._space.creator_device

    def _first(self, branch: str) -> int:
        return self._named[branch].first

    def _stem(self, branch: str) -> str | None:
        parent = self._named[branch].parent
        return None if parent is None else self._names[parent]

    def _place(self, row: Row) -> order.Place:
        known = self._places.get(row.id)
        if known is None:
            chain = row.chain
            seen = [self._spot(*cited) for cited in row.seen] if row.seen else ()
            known = order.Place(self._devices[chain], row.seq, text(row.id), row.lamport, seen, self._names[chain])
            self._places[row.id] = known
        return known

    def _spot(self, device: str, seq: int, id_: str) -> tuple[str, int]:
        """Where a cited event stands. Of a device that wrote several histories, its id tells on which."""
        if not self._forked or raw(device) not in self._forked:
            return device, seq
        found = events.find_event(self._db, raw(id_))
        assert found, "an event waits for what it cites"
        return self._names[found.chain], seq

    def _begin(self, found: Loaded) -> None:
        self._state, self._line_length, self._clock = found.taken, found.line, found.clock
        self._tip = found.tip
        self._frontier, self._at = dict(found.frontier), found.at

    def _opened(self, opening: Row) -> DealState | None:
        state, void = self._try(opening)
        if void is not None:
            events.set_void(self._db, opening.chain, opening.seq, void)
        return state

    def _try(self, opening: Row) -> tuple[DealState | None, str | None]:
        """The deal right after an opening, or why it opens none."""
        if opening.kind != "deal.opened" or opening.content is None or opening.identity is None:
            return None, None
        try:
            return _rules().opened(self._space.id, self._recorded(opening, 0, final=False, agent=False)), None
        except Refused as refusal:
            return None, refusal.code

    def _take(self, tip: order.Place) -> None:
        """Fold what the agent's event `tip` covers, then `tip`; all of it is final."""
        row = self._rows[tip.branch, tip.seq]
        self._tip = row.id
        if tip.seq <= self._frontier.get(tip.branch, -1):
            return  # taken up before its device got the role
        deal = self._state.deal
        if deal.parties.agent_device != tip.device:  # its first word since the old device gave the role away
            parties = deal.parties._replace(agent_device=DeviceId(tip.device))
            self._state = self._state._replace(deal=deal._replace(parties=parties))
        self._clock = max(self._clock, row.at)
        places = order.cover(self._frontier, tip, self._find, self._branches)
        for place in self._revocations_first(places):
            covered = row if place is tip else self._row(place.branch, place.seq)
            if covered.kind not in kinds.GUARDED:
                continue
            if place.id == self._state.deal.opening:
                void = None
                self._state = self._state._replace(deal=self._state.deal._replace(final=True))
            else:
                void = self._apply(covered, agent=place is tip)
            self._uptakes.append((self._line_length, void, covered.chain, covered.seq))
        self._line_length += 1

    def _revocations_first(self, places: list[order.Place]) -> list[order.Place]:
        """Within one uptake a revocation comes before what it cuts off, whatever lamport that claims."""
        if not self._said:
            return places
        strength = {(self._names[one.row.chain], one.row.seq): len(one.row.content.certificates) for one in self._said}
        return sorted(places, key=lambda place: strength.get((place.branch, place.seq), len(places) + 9))

    def _apply(self, row: Row, *, agent: bool) -> str | None:
        if row.void is not None or row.content is None or row.identity is None:
            return row.void
        void: str | None
        self._state, void = _rules().apply(self._state, self._recorded(row, self._clock, final=True, agent=agent))
        return void

    def _find(self, branch: str, seq: int) -> order.Place:
        return self._place(self._row(branch, seq))

    def _row(self, branch: str, seq: int) -> Row:
        if (branch, seq) not in self._rows:
            chain = self._named[branch]
            self._remember(content.rows(events.read_chain(self._db, chain.no, seq, seq)))
        return self._rows[branch, seq]

    def _pend(self, row: Row) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO pending(space, chain, seq) VALUES (?, ?, ?)", (self._space.no, row.chain, row.seq)
        )

    def _finish(self, agent: str, rows: Sequence[Row], agents: frozenset[str] | None = None) -> None:
        """Write down what was folded. rows: what came; agents: third parties that ever may have been the agent."""
        self._many("UPDATE event SET uptake = ?, void = ? WHERE chain = ? AND seq = ?", self._uptakes)
        self._many(
            "DELETE FROM pending WHERE space = ? AND chain = ? AND seq = ?",
            [(self._space.no, chain, seq) for _, _, chain, seq in self._uptakes],
        )
        self._uptakes = []
        taken = self._state
        entries = taken.deal.entries
        taken = taken._replace(deal=taken.deal._replace(entries=()))
        begin = taken
        if agent and taken.deal.parties.agent_device != agent:  # it has the role already, and has said nothing yet
            parties = taken.deal.parties._replace(agent_device=DeviceId(agent))
            begin = taken._replace(deal=taken.deal._replace(parties=parties))
        now = self._tail(begin)
        parties = now.deal.parties
        members = {*parties[:2], *(agents if agents is not None else {parties.agent})}
        if agents is None and any(row.identity not in members for row in rows if row.content is not None):
            members |= self._telling(self._stored()).agents(parties)
        self._free(frozenset(members), rows)
        self._save(taken, now, agent)
        self._entries(entries)

    def _tail(self, state: DealState) -> DealState:
        """The state with what nobody took up folded on top, provisional."""
        query = "SELECT chain, seq FROM pending WHERE space = ?"
        rows = [self._row(self._names[no], seq) for no, seq in self._db.execute(query, (self._space.no,)).fetchall()]
        tail = self._revocations_first(sorted((self._place(row) for row in rows), key=order.Place.rank))
        for row in (self._row(place.branch, place.seq) for place in tail):
            if text(row.id) == state.deal.opening:
                continue
            void = row.void
            if void is None and row.content is not None and row.identity is not None:
                state, void = _rules().apply(state, self._recorded(row, self._clock, final=False, agent=False))
            events.set_void(self._db, row.chain, row.seq, void)
        return state

    def _recorded(self, row: Row, clock: int, *, final: bool, agent: bool) -> Recorded:
        assert row.identity is not None, "a chain without an owner is void"
        if self._said and row.chain not in self._above:
            self._above[row.chain] = revocations.above(self._db, row.chain)
        return Recorded(
            EventId(text(row.id)), row.identity, self._devices[row.chain], row.at, clock, final, agent, row.content,
            row.seq, self._above.get(row.chain, ()), row.grant, self._beside.get(row.chain, frozenset()),
        )  # fmt: skip

    def _free(self, members: frozenset[str], rows: Sequence[Row]) -> None:
        """Insert what is folded by insertion: messages, updates, contacts; and the files that events name."""
        messages, files = [], []
        for row in rows:
            if row.content is None or row.identity is None:
                continue
            if row.identity not in members:
                events.set_void(self._db, row.chain, row.seq, _rules().NotAMember.code)
                continue
            if row.kind in ("message.sent", "work.update"):
                messages.append((self._space.no, row.lamport, row.chain, row.seq, row.kind))
            elif row.kind == "contact.shared":
                self._contact(row.identity, row)
            if getattr(row.content, "files", ()):
                files += self._files(row)
            self._at = max(self._at, row.at)
        self._many("INSERT OR IGNORE INTO message(space, lamport, chain, seq, what) VALUES (?,?,?,?,?)", messages)
        self._many(
            "INSERT OR IGNORE INTO file(address, space, chain, seq, milestone, body) VALUES (?,?,?,?,?,?)", files
        )

    def _contact(self, identity: IdentityId, row: Row) -> None:
        body = row.content
        known = people.Known(body.handle, body.name, body.tz, body.email)
        people.remember(self._db, identity, known, row.at, dealt=True)

    def _files(self, row: Row) -> list[tuple[Any, ...]]:
        number = getattr(row.content, "milestone", None)
        return [
            (raw(file.address), self._space.no, row.chain, row.seq, number, record.dump(file))
            for file in row.content.files
        ]

    def _save(self, taken: DealState, now: DealState, agent: str) -> None:
        deal, old = now.deal, self._old
        self._db.execute(
            "INSERT OR REPLACE INTO deal(space, client, talent, post, board, state, at, final, agent, clock, line,"
            " frontier, taken, now, tip, contested, holder) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                self._space.no, raw(deal.parties.client), raw(deal.parties.talent),
                raw(deal.post) if deal.post else None, raw(deal.board), deal.state, self._at, now is taken, raw(agent),
                self._clock, self._line_length, json.dumps(self._frontier, sort_keys=True), _json(taken),
                None if now is taken else _json(now), self._tip, deal.contested,
                raw(deal.parties.agent),
            ),
        )  # fmt: skip
        self._milestones(old and old.now.deal, deal)
        numbers = _touched(old.now.deal, deal) if old else {op.n for op in deal.ops.values()}
        before = old and _op_states(old.now.deal, numbers)
        self._changed("op", before, _op_states(deal, numbers), lambda state: (state,), "state")
        known = old and old.now.bookings.by_id
        self._changed("booking", known, now.bookings.by_id, _booking_row, "state, begins, ends")
        self._occurrences(known or {}, now.bookings.by_id)
        reviews = old and _by_id(old.now.reviews.by_author)
        self._changed("review", reviews, _by_id(now.reviews.by_author), lambda review: (raw(review.by),), "author")

    def _changed(self, table: str, old: Any, new: Any, values: Any, columns: str) -> None:
        """Write the rows of one table whose object is another than before, and drop those that are gone."""
        old = old or {}
        rows = [(raw(id_), self._space.no, *values(item)) for id_, item in new.items() if old.get(id_) != item]
        names = ["id", "space", *columns.split(", ")]
        marks = ",".join("?" * len(names))
        self._many(f"INSERT OR REPLACE INTO {table}({', '.join(names)}) VALUES ({marks})", rows)
        self._many(f"DELETE FROM {table} WHERE id = ?", [(raw(id_),) for id_ in old if id_ not in new])

    def _occurrences(self, old: Mapping[str, Booking], new: Mapping[str, Booking]) -> None:
        changed = [id_ for id_ in {**old, **new} if old.get(id_) != new.get(id_)]
        self._many("DELETE FROM occurrence WHERE id = ?", [(raw(id_),) for id_ in changed])
        held = [new[id_] for id_ in changed if id_ in new and new[id_].held]
        rows = [(raw(call.id), self._space.no, *time) for call in held for time in call.times]
        self._many("INSERT INTO occurrence(id, space, begins, ends) VALUES (?,?,?,?)", rows)

    def _milestones(self, old: Deal | None, deal: Deal) -> None:
        currency = deal.terms.currency if deal.terms else ""
        kept = old.milestones if old and old.terms and old.terms.currency == currency else ()
        rows = [
            (
                self._space.no, m.n, m.state, currency, m.amount, m.due, m.review_deadline, m.funded, m.held,
                m.released, m.refunded, m.disputed, m.payable, m.paid_out, m.reversed,
            )
            for m, before in zip_longest(deal.milestones, kept[: len(deal.milestones)])
            if m != before
        ]  # fmt: skip
        self._many(f"INSERT OR REPLACE INTO milestone VALUES ({','.join('?' * 15)})", rows)
        if old and len(old.milestones) > len(deal.milestones):
            query = "DELETE FROM milestone WHERE space = ? AND n > ?"
            self._db.execute(query, (self._space.no, len(deal.milestones)))

    def _many(self, query: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:  # mostly there are none, and to prepare for nothing takes its time too
            self._db.executemany(query, rows)

    def _entries(self, entries: Sequence[Any]) -> None:
        if not entries:
            return
        start = self._db.execute("SELECT count(*) FROM entry WHERE space = ?", (self._space.no,)).fetchone()[0]
        rows = [
            (self._space.no, start + n, e.at, e.text, e.ref, e.currency, record.dump(e.postings), raw(e.id))
            for n, e in enumerate(entries)
        ]
        self._many("INSERT INTO entry VALUES (?,?,?,?,?,?,?,?)", rows)


def line(connection: Connection, space: Space) -> order.Line | None:
    """The agent's line of a deal; None before its opening has arrived."""
    return DealFold(connection, space).line()


def _op_states(deal: Deal, numbers: Container[int]) -> dict[str, str]:
    """The states of the operations on these milestones."""
    return {id_: op_state(deal, op) for id_, op in deal.ops.items() if op.n in numbers}


def _touched(old: Deal, new: Deal) -> set[int]:
    """The milestones that are others than before, or of which an operation is, or is gone."""
    parts = zip_longest(old.milestones, new.milestones)
    found = {ms.n for pair in parts if pair[0] != pair[1] for ms in pair if ms is not None}
    found |= {op.n for id_, op in new.ops.items() if old.ops.get(id_) != op}
    return found | {op.n for id_, op in old.ops.items() if id_ not in new.ops}


def _by_id(reviews: Any) -> dict[str, Any]:
    return {review.id: review for review in reviews.values()}


def _booking_row(booking: Any) -> tuple[Any, ...]:
    return booking.state, booking.slot.start, booking.last[1]


def _json(state: DealState) -> str:
    stored = record.dump_again(state)
    keep(stored, state)
    return stored


def _may_take(row: Row, state: DealState) -> bool:
    """Whether it is a sealed event of the agent's: the opening may name any device."""
    return lines.may_take(row, state.deal.parties.agent)
