"""`balance` and `journal`: what all deals come to, or those that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.session import finding
from chaise_cli.store import money_reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ids import IdentityId
    from chaise_cli.session.session import Session

NOT_SECURED: Final = "held by the client, not secured: {deals}"
SHOWN_MOST: Final = 5  # deals named in one warning


class Scope(NamedTuple):
    """Which deals: those with a person, one by its row number, or all."""

    person: IdentityId | None
    deal: int | None


class Found(NamedTuple):
    """The objects asked for, and what has to be said beside them."""

    objects: Sequence[dict[str, Any]]
    warnings: Sequence[str]


def scope(session: Session, deal: str | None, person: str | None) -> Scope:
    """What a call means by its deal and `--with`. Raises what finding them raises."""
    named = finding.find(session, deal, "deal") if deal is not None else None
    who = finding.person(session, person) if person is not None else None
    return Scope(who, finding.space_no(session, named.space) if named else None)


def balances(session: Session, of: Scope) -> Found:
    """One `balance` object per currency."""
    return Found(money_reads.balances(session.db, *of), _not_secured(session, of))


def journal(session: Session, of: Scope, since: int, limit: int | None) -> Found:
    """`journal_entry` objects, the newest first."""
    found = money_reads.entries(session.db, *of, since=since, limit=-1 if limit is None else limit)
    return Found(found, _not_secured(session, of))


def _not_secured(session: Session, of: Scope) -> list[str]:
    found = money_reads.held_by_client(session.db, *of)
    if not found:
        return []
    rest = [f"and {len(found) - SHOWN_MOST} more"] if len(found) > SHOWN_MOST else []
    return [NOT_SECURED.format(deals=", ".join([*found[:SHOWN_MOST], *rest]))]
