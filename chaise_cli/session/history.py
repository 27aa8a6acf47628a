"""The log: signed events as objects, filtered."""

from __future__ import annotations

from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from chaise_cli import ids
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import instant_text
from chaise_cli.errors import NotFound
from chaise_cli.ids import public
from chaise_cli.session import finding
from chaise_cli.store import log_reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ids import DeviceId, IdentityId, SpaceId
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.store.log_reads import Logged

STATES: Final = log_reads.STATES
SORTS: Final = ("at", "oldest")
_SHOWN_CHARS: Final = 12
_GRANTS: Final = "chaise_cli.session.showing_grants"  # most deals have none


class SeveralEvents(NotFound):
    """More than one event answers to the shortened id."""

    code = "event.ambiguous"
    message = "{given} may mean: {candidates}"
    hint = "type more of the id"
    given: str
    candidates: str


class Wanted(NamedTuple):
    """Which events a list wants; None and empty want all. `since` is ms since 1970, UTC."""

    where: Named | None = None
    person: IdentityId | None = None
    kinds: Sequence[str] = ()
    states: Sequence[str] = ()
    since: int | None = None
    sort: str = "at"
    limit: int = 50


def events(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """The newest events that fit, newest first unless `sort` is `oldest`."""
    space = finding.space_no(session, wanted.where.space) if wanted.where else None
    with session.reading():
        found = list(islice(filter(_fits(wanted), log_reads.newest(session.db, space)), wanted.limit))
        shown = [entry(session, logged) for logged in found]
    return shown[::-1] if wanted.sort == "oldest" else shown


def _fits(wanted: Wanted) -> Any:
    """A test for one event."""

    def fits(logged: Logged) -> bool:
        return (
            (wanted.person is None or logged.by == wanted.person)
            and (not wanted.kinds or any(f"{logged.kind}.".startswith(f"{kind}.") for kind in wanted.kinds))
            and (not wanted.states or logged.status in wanted.states)
            and (wanted.since is None or (logged.at is not None and logged.at >= wanted.since))
        )

    return fits


def entry(session: Session, logged: Logged) -> dict[str, Any]:
    """The log entry object. Its id has no kind; `show` takes it as it is."""
    return {
        "id": ids.base32(ids.raw(logged.id)),
        "space": "self" if logged.space_kind == "self" else public(logged.space_kind, logged.space),
        "kind": logged.kind,
        "by": session.person(logged.by) if logged.by else None,
        "device": public("dev", logged.device),
        "seq": logged.seq,
        "lamport": logged.lamport,
        "at": instant_text(logged.at) if logged.at is not None else None,
        "status": logged.status,
        "reason": logged.reason,
        "delivery": logged.delivery,
        "branch": logged.branch,
        "grant": _grant(session, logged.space, logged.grant) if logged.grant else None,
    }


def _grant(session: Session, space: SpaceId, key: DeviceId) -> str | None:
    grants: Any = import_module(_GRANTS)
    found: str | None = grants.grant_of(session, space, key)
    return found


def event(session: Session, given: str) -> dict[str, Any]:
    """The log entry of an event's id, which may be shortened. Raises Unknown, SeveralEvents."""
    return entry(session, find(session, given))


def find(session: Session, given: str) -> Logged:
    """The event of an id as the log shows it, which may be shortened. Raises Unknown, SeveralEvents."""
    try:
        _, chars = ids.read_public(f"op-{given}", "op")  # the form of any id's characters
    except ids.BadId as error:
        raise finding.Unknown(given=given[:60] or "''") from error
    found = log_reads.ids_like(session.db, chars, finding.SHOWN_MOST + 1)
    if len(found) > 1:
        shown = ", ".join(ids.base32(one)[: max(_SHOWN_CHARS, len(chars) + 4)] for one in found[: finding.SHOWN_MOST])
        raise SeveralEvents(given=given[:60], candidates=shown)
    logged = log_reads.with_id(session.db, found[0]) if found else None
    if logged is None:
        raise finding.Unknown(given=given[:60])
    return logged
