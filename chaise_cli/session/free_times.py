"""Times at which both sides are free for a call: what the other side told, less what is taken here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import availability, availability_file, slots, when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import DAY, MINUTE, instant_text
from chaise_cli.ids import IdentityId, SpaceId, public
from chaise_cli.session import busy, calls, finding, showing, showing_calls
from chaise_cli.session.meeting import OwnPost
from chaise_cli.session.upcoming import Step
from chaise_cli.store import deal_reads, deal_words, selves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.availability import SelfAvailability
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.store.deal_words import Told

FRESH_MS = DAY  # what was told longer ago comes with a warning


class Free(NamedTuple):
    """The free times in order, and what is said beside them."""

    slots: Sequence[dict[str, Any]]
    warnings: Sequence[str]
    next: Sequence[Step]


def find(session: Session, what: Named, said: int | None, within: int) -> Free:
    """When a call with somebody, or a named call in the place of its old time, can be; starting in `within` ms.

    said: how long it lasts, in ms; None: as long as it did, else the first length told. Where the other side has told
    nothing, one's own free times. Raises NotTold, NoSuchLength, WholeMinutes, UnknownZone, OwnPost.
    """
    now, me = session.clock.now(), session.me
    other, space = _whom(session, what)
    told = deal_words.told(session.db, finding.space_no(session, space), other) if space else None
    told = told if told and told.times.lengths else None  # they stopped telling
    own = selves.availability(session.db)
    if told is None and own is None:
        raise availability.NotTold(who=session.called(other), what=public(what.kind, what.id))
    usual = _usual(told, own)
    minutes = calls.whole_minutes(calls.length(session, what, said, usual * MINUTE))
    moved = what.id if what.kind == "book" else None
    taken = calls.engaged(session, moved, now + within + 2 * DAY)  # no buffer and no call is as long as a day
    if told is not None:
        starts = slots.suiting(own, minutes, taken, now, _told_starts(session, told, other, minutes, now + within))
    else:
        assert own is not None, "one of the two has said when it is free"
        starts = slots.free(own, minutes, taken, now, now + within)
    zones = {"tz": me.settings.tz, "theirs": showing_calls.zone_of(session, other) or (told.times.tz if told else None)}
    made = [{"start": instant_text(at), "end": instant_text(at + minutes * MINUTE), **zones} for at in starts]
    warnings = [*_warnings(session, told, other), *busy.warnings(session, ())]
    return Free(made, warnings, [] if calls.checkin(session, what) else _next(what, made, minutes))


def _whom(session: Session, what: Named) -> tuple[IdentityId, SpaceId | None]:
    """The other side, and the deal with it, where there is one."""
    if what.kind == "id":
        other = IdentityId(what.id)
        going = deal_reads.between(session.db, session.me.identity, other)
        return other, going[0] if going else None
    if what.kind == "post":
        post = deal_reads.post(session.db, what.event)
        assert post, "a post that was found by its id"
        if post.author == session.me.identity:
            raise OwnPost(post=public("post", what.id))
        return post.author, deal_reads.existing(session.db, post.author, what.event)
    space = finding.deal_of(session, what)
    return showing.state_of(session, space).deal.parties.other(session.me.identity), space


def _usual(told: Told | None, own: SelfAvailability | None) -> int:
    """The first length that is told, else the first of one's own, in minutes."""
    if told is not None:
        return told.times.lengths[0].minutes
    return own.kinds[0].lengths[0] if own else calls.USUAL // MINUTE


def _told_starts(session: Session, told: Told, other: IdentityId, minutes: int, until: int) -> list[int]:
    of = told.times.of(minutes)
    if of is None:
        lengths = ", ".join(availability_file.minutes_text(one.minutes) for one in told.times.lengths)
        given = availability_file.minutes_text(minutes)
        raise availability.NoSuchLength(who=session.called(other), given=given, lengths=lengths)
    return of.starts(session.clock.now() + of.notice * MINUTE + 1, until)


def _warnings(session: Session, told: Told | None, other: IdentityId) -> list[str]:
    who = session.called(other)
    if told is None:
        return [f"{who} has told no free times: these are free on your side alone"]
    if session.clock.now() - told.at > FRESH_MS:
        return [f"{who} told these times on {when.one_zone(told.at, session.me.settings.tz)}; some may be taken since"]
    return []


def _next(what: Named, found: Sequence[dict[str, Any]], minutes: int) -> list[Step]:
    if not found:
        return []
    length = availability_file.minutes_text(minutes)
    return [Step("you", f"chaise book {public(what.kind, what.id)} --at {found[0]['start']} --for {length}")]
