"""What the two sides have said to one another, and what was read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import public
from chaise_cli.session import finding
from chaise_cli.store import message_reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ids import IdentityId, SpaceId
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.store.message_reads import Said

STATES: Final = ("unread", "read", "sent")
SORTS: Final = ("at", "oldest")


class Wanted(NamedTuple):
    """Which messages a list wants; None wants all. `since` is ms since 1970, UTC."""

    deal: SpaceId | None
    person: IdentityId | None
    states: Sequence[str]
    since: int | None
    sort: str
    limit: int


def conversation(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """Messages and updates, newest first."""
    me = session.me.identity

    def fits(said: Said) -> bool:
        state = "sent" if said.by == me else "unread" if said.unread else "read"
        return (not wanted.states or state in wanted.states) and (wanted.since is None or said.at >= wanted.since)

    with session.reading():
        space = finding.space_no(session, wanted.deal) if wanted.deal is not None else None
        found = message_reads.select(session.db, me, space, wanted.person, fits, wanted.limit)
        shown = [shape(session, said) for said in found]
    return shown[::-1] if wanted.sort == "oldest" else shown


def named(session: Session, what: Named) -> tuple[str, dict[str, Any]]:
    """The shape and the object of a message. Raises Unknown."""
    said = message_reads.one(session.db, what.event, session.me.identity)
    if said is None:
        raise finding.Unknown(given=public("msg", what.id))
    return "message", shape(session, said)


def shape(session: Session, said: Said) -> dict[str, Any]:
    """The message object; an update says so, and of which milestone."""
    deal = public("deal", said.deal)
    shown: dict[str, Any] = {
        "id": public("msg", said.id),
        "deal": deal,
        "by": session.person(said.by),
        "at": instant_text(said.at),
        "text": said.body.text,
        "files": [
            {"name": file.name, "size": file.size, "digest": file.digest, "fetched": session.fetched(file)}
            for file in said.body.files
        ],
        "kind": "message" if said.kind == "message.sent" else "update",
        "unread": said.unread,
        "branch": said.branch,
    }
    if said.revoked:
        shown["revoked"] = True
    if said.kind == "work.update":
        shown["milestone"] = f"{deal}/{said.body.milestone}" if said.body.milestone else None
    return shown


def mark_read(session: Session, deal: SpaceId, shown: Sequence[dict[str, Any]]) -> None:
    """Remember on this device that a deal's messages were read, if all that was new is among `shown`."""
    space = finding.space_no(session, deal)
    new = dict(message_reads.unread(session.db, session.me.identity)).get(space, 0)
    if new and not session.behind and sum(item["unread"] for item in shown) >= new:
        with session.admitting() as database:
            message_reads.mark_read(database, space)


def last_words(session: Session, what: Named) -> str:
    """What the other side said last in a deal, for the editor to show below the line."""
    if what.kind != "deal":
        return ""
    me = session.me.identity
    found = message_reads.of_deal(session.db, finding.space_no(session, what.space), me)
    return next((str(said.body.text) for said in found if said.by != me), "")
