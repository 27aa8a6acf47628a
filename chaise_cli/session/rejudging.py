"""A store that was folded by other rules is judged and folded anew, once: an upgrade knows kinds that were unknown.

What an older Chaise could not read made a space read-only and counted for nothing. docs/spec/store.md.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from chaise_cli.errors import Corrupt
from chaise_cli.session import adopting, plaintext, rekeying, selfspace
from chaise_cli.session.admission import Admission
from chaise_cli.store import check, check_rows, connection, content, events, own

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Row, Space

_SHUT = frozenset({"body.unopenable", "body.malformed"})  # which no rules can read
_KINDS = ("self", "board", "deal")


def run(session: Session) -> None:
    """Bring all that is derived from events to the rules of this Chaise. Nothing is done when it is so already.

    What is too damaged for that stays as it is: the home has to open, for `verify` to name it and to be repaired.
    """
    with suppress(Corrupt, AssertionError, LookupError, TypeError, ValueError):  # as `verify` meets damaged rows
        _run(session)


def _run(session: Session) -> None:
    with session.admitting():
        known = own.rules(session.db)
        if known == connection.RULES:
            return
        for space in sorted(events.spaces(session.db), key=lambda one: _KINDS.index(one.kind)):
            rows = _judged(session, space, everything=known > connection.RULES)
            events.set_newer(session.db, space.no, newer=check_rows.is_newer(session.db, space))
            check_rows.clear_verdicts(session.db, space)
            check.refold(session.db, space)
            adopting.adopt(session, space, rows)
            rekeying.choose(session, events.space_numbered(session.db, space.no))
        selfspace.settle(session)
        own.put(session.db, own.RULES, str(connection.RULES).encode())


def _judged(session: Session, space: Space, *, everything: bool) -> list[Row]:
    """Judge anew what counted for nothing as it came in; what counts now. everything: older rules know less."""
    admission = Admission(session, space.id)
    fresh = []
    for chain in events.chains(session.db, space.no):
        for stored in events.read_chain(session.db, chain.no, 0, chain.seq) if chain.void is None else ():
            judged = stored.void in content.AT_ADMISSION
            if not stored.suite or stored.void in _SHUT or not (judged or everything):
                continue
            void = admission.verdict(chain, plaintext.stored(stored.body))
            if void != stored.void and (judged or void is not None):
                events.set_void(session.db, chain.no, stored.seq, void)
            if judged and void is None:
                fresh.append(content.row(stored._replace(void=None)))
    return fresh
