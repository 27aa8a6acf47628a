"""Acting in deals: opening one with somebody, deciding on its state, and what its agent device does by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import signing
from chaise_cli.domain import deal as deals
from chaise_cli.domain import talk
from chaise_cli.domain.contest import Contested
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.errors import NotFound
from chaise_cli.ids import EventId, public, raw, text
from chaise_cli.session import rekeying
from chaise_cli.store import deal_states, events

if TYPE_CHECKING:
    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.shape import Body
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.session.writing import Writer
    from chaise_cli.store.events import Row, Space

Sign = Callable[[str], str]


class NotOpen(NotFound):
    """The space of a deal is here, its opening is not."""

    code = "deal.not_open"
    message = "{deal} has not arrived whole yet"
    hint = "chaise sync"
    deal: str


def contact(session: Session) -> talk.ContactShared:
    """How the other side may reach us."""
    settings = session.me.settings
    return talk.ContactShared(settings.handle, settings.name, settings.tz, settings.email)


class DealWriter:
    """One deal inside a transaction: its state as this device must judge it, and the way to write into it."""

    def __init__(self, session: Session, writer: Writer, space: Space) -> None:
        self.session, self.writer, self.space = session, writer, space
        found = deal_states.load(session.db, space.no)
        if found is None:
            raise NotOpen(deal=public("deal", space.id))
        self.found = found
        self._is_known = False  # whether this device has written here before

    @property
    def state(self) -> DealState:
        """The deal as it now stands, provisional acts included."""
        return self.found.now

    @property
    def by(self) -> By:
        """Who acts, and when."""
        me = self.session.me
        return By(me.identity, me.device, self.session.clock.now(), raw(me.device) == self.found.agent)

    def sign(self, digest: str) -> str:
        """This device's signature under a terms hash."""
        return text(self.writer.sign(signing.TAGS.terms, raw(digest)))

    def write(self, bodies: Sequence[Any], request: Request | None = None) -> list[EventId]:
        """Check decided bodies against the state, then sign, append and fold them. Raises what makes one void."""
        state = self.found.now
        if state.deal.contested and (not bodies or any(body.KIND not in _SETTLING for body in bodies)):
            raise Contested(deal=state.deal.public)  # even what seems to be done already may be undone
        if not bodies:
            return []
        for body in bodies:
            trial = Recorded(
                deals.TRIAL, self.by.identity, self.by.device, self.by.now, max(self.by.now, self.found.clock),
                self.by.agent, self.by.agent, body, grant=self.session.me.grant and self.session.me.grant.key,
            )  # fmt: skip
            if body.KIND not in _FREE:
                state = import_module(_RULES).step(state, trial)
        bodies = [*self._introduction(), *bodies]
        if self.session.me.grant is None and not rekeying.is_plain(self.session, self.space):
            bodies = self._freshen(bodies)
        written = self.writer.write(self.space, bodies, request)
        self._reload()
        return written

    def follow(self, decide: Callable[[Deal], Body | None]) -> None:
        """Write what `decide` names, then what it names on the state that this left, until it names nothing.

        As the agent device. Raises what makes one void.
        """
        while body := decide(self.state.deal):
            self.write([body])
            if self.found.now is self.found.taken and not self.state.revoked:
                self._follow_at_once(decide)  # else what comes to what is for the fold to say

    def _follow_at_once(self, decide: Callable[[Deal], Body | None]) -> None:
        """As `follow`, folded once, at the end."""
        state, by, clock = self.found.now, self.by, self.found.clock

        def following(last: Row | None) -> Body | None:
            nonlocal state, clock
            if last is not None:
                clock = max(clock, last.at)
                id_, said = EventId(text(last.id)), last.content
                e = Recorded(id_, by.identity, by.device, last.at, clock, final=True, agent=True, body=said)
                state = import_module(_RULES).step(state, e)
            return decide(state.deal)

        if self.writer.write_each(self.space, following):
            self._reload()
            told = state._replace(deal=state.deal._replace(entries=()))
            assert self.state == told, "what was decided one by one comes to something else when it is folded"

    def _reload(self) -> None:
        found = deal_states.load(self.session.db, self.space.no)
        assert found, "the deal just written to"
        self.found = found

    def _freshen(self, bodies: list[Any]) -> list[Any]:
        """Open a new epoch where one is due. What is left to write: a device's first words prove it, in the old one."""
        if not self._has_written():
            self.writer.write(self.space, bodies[:1])
            bodies = bodies[1:]
        self.space = rekeying.freshen(self.session, self.writer, self.space)
        return bodies

    def _introduction(self) -> list[Any]:
        """How to reach us, before our first words in a deal that the other side opened; a run reaches nobody."""
        if self.session.me.grant is not None:
            return []
        return [] if self._has_written() else [contact(self.session)]

    def _has_written(self) -> bool:
        """Whether this device is proved to be ours in the deal, as by its first words."""
        if not self._is_known:
            rows = events.branches_of(self.session.db, self.space.no, raw(self.session.me.device))
            self._is_known = bool(rows and rows[0].identity)
        return self._is_known


_RULES: Final = "chaise_cli.domain.fold"  # which what is free, a message say, is under none of
_FREE = frozenset({"message.sent", "work.update", "contact.shared", "slots.shared"})
_SETTLING = _FREE | {"agent.settled", "agent.device"}  # what may be written while a deal is contested
