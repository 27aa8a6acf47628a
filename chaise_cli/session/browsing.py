"""Looking around on boards: lists of posts, services, talents and boards, with what makes a list incomplete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import MixedCurrency, Money
from chaise_cli.session import finding, portraits, which
from chaise_cli.session.choosing import one_of
from chaise_cli.store import board_reads, listings
from chaise_cli.store.listings import DEFAULT_LIMIT, PEOPLE_SORTS, POST_STATES, SERVICE_STATES, SORTS

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Post, Service

ALL: Final = "all"


class Ask(NamedTuple):
    """What a list is asked for, as typed where it names something: a person, a board, a state, an order."""

    skills: Sequence[str] = ()
    kind: str | None = None
    currency: str | None = None
    least: Money | None = None
    most: Money | None = None
    person: str | None = None
    since: int | None = None
    state: str = ALL
    board: str | None = None
    sort: str = "at"
    limit: int | None = None


class Found(NamedTuple):
    """What was found, and what the reader should know about it."""

    objects: Sequence[Mapping[str, Any]]
    warnings: list[str]


def posts(session: Session, ask: Ask) -> Found:
    """Posts on our boards. Raises NotAChoice, MixedCurrency, and what naming a person or board raises."""
    wanted = _wanted(session, ask, POST_STATES, SORTS)
    return _cut(session, ask, listings.posts(session.db, wanted, session.clock.now(), cache(session.person)))


def services(session: Session, ask: Ask) -> Found:
    """Services on our boards. Raises what `posts` raises."""
    wanted = _wanted(session, ask, SERVICE_STATES, SORTS)
    return _cut(session, ask, listings.services(session.db, wanted, session.clock.now(), cache(session.person)))


def talents(session: Session, ask: Ask) -> Found:
    """Talents on our boards, each with what paid deals did for them. Raises what `posts` raises."""
    wanted = _wanted(session, ask, (), PEOPLE_SORTS)
    profiles = listings.talents(session.db, wanted, cache(session.person))
    found = _cut(session, ask, list(profiles.values()))
    shown = dict(zip(profiles, found.objects, strict=False))  # without the one beyond the limit
    return found._replace(objects=portraits.with_reputation(session, shown))


def boards(session: Session) -> Found:
    """The boards we are on."""
    held = [board_reads.view(session.db, one) for one in board_reads.boards(session.db)]
    return Found(held, board_reads.stale(session.db, session.clock.now()))


def post(session: Session, id_: str) -> Post:
    """A post that `finding` named."""
    return listings.post(session.db, id_, session.clock.now(), session.person)


def service(session: Session, id_: str) -> Service:
    """A service that `finding` named."""
    return listings.service(session.db, id_, session.person)


def _wanted(session: Session, ask: Ask, states: Sequence[str], sorts: Sequence[str]) -> listings.Wanted:
    one_of(ask.sort, sorts, "--sort")
    if ask.state != ALL:
        one_of(ask.state, (*states, ALL), "--state")
    named = [amount for amount in (ask.least, ask.most) if amount is not None]
    currencies = list(
        dict.fromkeys([*([ask.currency] if ask.currency else []), *(amount.currency for amount in named)])
    )
    if len(currencies) > 1:
        raise MixedCurrency(currency=currencies[0], other=currencies[1])
    return listings.Wanted(
        skills=ask.skills,
        kind=ask.kind,
        currency=currencies[0] if currencies else None,
        least=ask.least.minor if ask.least is not None else None,
        most=ask.most.minor if ask.most is not None else None,
        author=finding.person(session, ask.person) if ask.person is not None else None,
        since=ask.since,
        state=None if ask.state == ALL else ask.state,
        board=which.board(session, ask.board).no if ask.board is not None else None,
        sort=ask.sort,
        limit=ask.limit or DEFAULT_LIMIT,
    )


def _cut(session: Session, ask: Ask, found: Sequence[Mapping[str, Any]]) -> Found:
    """The list within its limit, and a word where it leaves something out."""
    most = ask.limit or DEFAULT_LIMIT
    warnings = board_reads.stale(session.db, session.clock.now())
    if len(found) > most:
        warnings.append(f"there are more than these {most}: --limit {min(most * 10, 10_000)}, or ask for less")
    return Found(found[:most], warnings)
