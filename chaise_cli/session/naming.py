"""Which thing of a deal an argument may name: the whole deal, or whom to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.errors import Usage
from chaise_cli.ids import public
from chaise_cli.session import finding

if TYPE_CHECKING:
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session


class MilestoneUnwanted(Usage):
    """A milestone stands where a whole deal is meant."""

    code = "usage.milestone_unwanted"
    message = "{given} is a milestone, and this verb is about the whole deal"
    hint = "write {whole}"
    given: str
    whole: str


def target(session: Session, given: str) -> Named:
    """The deal, post or person that is meant. Raises what `finding.find` raises, MilestoneUnwanted."""
    return whole(finding.find(session, given, "deal", "post", "id"), given)


def callee(session: Session, given: str) -> Named:
    """The deal, post, person or call that is meant. Raises what `finding.find` raises, MilestoneUnwanted."""
    return whole(finding.find(session, given, "deal", "post", "id", "book"), given)


def deal(session: Session, given: str, *, exact: bool = False) -> Named:
    """The deal that is meant. Raises what `finding.find` raises, MilestoneUnwanted."""
    return whole(finding.find(session, given, "deal", exact=exact), given)


def whole(named: Named, given: str) -> Named:
    """What was named, unless it is a part of a deal. Raises MilestoneUnwanted."""
    if named.n is not None:
        raise MilestoneUnwanted(given=given[:60], whole=public(named.kind, named.id))
    return named
