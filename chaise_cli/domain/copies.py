"""Copies of calls on a calendar server: what a push has to do, and what was changed there. docs/spec/caldav.md.

Plan first, effects second: nothing here knows a server. The ledger is the truth; what comes back is a suggestion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from chaise_cli.domain import when
from chaise_cli.domain.booking import MINUTES_MOST
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import DAY, MINUTE
from chaise_cli.ids import public

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from chaise_cli.ids import EventId

KEPT: Final = 30 * DAY  # so long a call that was called off stays there, as cancelled
EMPTIED: Final = 3  # so many copies that vanish at once are no tidying up

Act = Literal["created", "updated", "deleted", "left"]
State = Literal["written", "moved", "changed", "cancelled", "hidden"]


class Span(NamedTuple):
    """When an entry begins and ends, ms since 1970, UTC, and the zone it names."""

    start: int
    end: int
    tz: str


class Wanted(NamedTuple):
    """One entry as the ledger wants it on a server. over: called off. modified: ms, of the event that made it so.

    again: how a check-in repeats, with what is left out of it; empty for a single call.
    """

    uid: str
    booking: EventId
    data: bytes
    digest: bytes
    start: int
    end: int
    over: bool
    modified: int
    again: str = ""


class Known(NamedTuple):
    """One entry as it was left there, or was last seen; all up to `over` but the ETag is what we wrote.

    digest: empty where that is not sure, since a push was cut off; a hidden one may then be there. state: moved,
    changed and cancelled are what somebody did there; hidden is deleted there. there: where it was moved to.
    """

    uid: str
    booking: EventId
    etag: str
    digest: bytes
    start: int
    end: int
    over: bool
    state: State
    there: Span | None
    again: str = ""


class Read(NamedTuple):
    """What an entry on the server says. span: None for what no call can be: a whole day, one time of many, no end.

    again: how it repeats, alike for whatever means the same. sequence: of the revision that it is.
    """

    span: Span | None
    cancelled: bool
    again: str = ""
    sequence: int = 0


class Step(NamedTuple):
    """One thing that a push does, or leaves as somebody made it."""

    act: Act
    uid: str
    wanted: Wanted | None
    known: Known | None


def plan(wanted: Iterable[Wanted], known: Iterable[Known], now: int, *, restore: bool) -> list[Step]:
    """What a push does, by (start, UID); what is there as it should be is no step.

    restore: put back what was changed or deleted there. Otherwise that stays until the call itself changes.
    """
    held = {one.uid: one for one in known}
    entries = {one.uid: one for one in wanted if not (one.over and _past(one, held.get(one.uid), now))}
    told = {(one.booking, one.start, one.end) for one in entries.values()}
    steps = [
        Step(act, uid, one, held.get(uid))
        for uid, one in sorted(entries.items(), key=lambda item: (item[1].start, item[0]))
        if (act := _act(one, held.get(uid), told, restore=restore))
    ]
    return steps + [Step("deleted", uid, None, one) for uid, one in sorted(held.items()) if uid not in entries]


def _past(over: Wanted, known: Known | None, now: int) -> bool:
    """Whether a call that was called off has no place there: it never had one, perhaps, or had it for long enough."""
    return known is None or perhaps(known) or now - over.modified > KEPT


def perhaps(known: Known) -> bool:
    """Whether an entry may be there: a push was cut off, and nobody knows whether it came to the first write of it."""
    return known.state == "hidden" and not known.digest


def _act(wanted: Wanted, known: Known | None, told: Collection[object], *, restore: bool) -> Act | None:
    if known is None:
        return "created"
    # What was done there was done to another time, or to a call that still was to be.
    newer = (wanted.start, wanted.end, wanted.over, wanted.again) != (known.start, known.end, known.over, known.again)
    if known.state == "hidden":
        return "created" if not wanted.over and (restore or newer or perhaps(known)) else None
    if known.state == "written":
        return "updated" if wanted.digest != known.digest else None
    # Once its time is offered or agreed, the edit has come to what it was meant for.
    there = known.there and (known.booking, known.there.start, known.there.end)
    return "updated" if restore or newer or there in told else "left"


def begun(steps: Iterable[Step]) -> list[Known]:
    """What is to be noted before any of these steps is taken, for a push may end where nobody hears of its writes.

    An entry that a step writes is as it will be, which is not sure; one that is not there yet is hidden until it is.
    """
    return [
        written(one.wanted, one.known.etag if one.known and one.act == "updated" else "")._replace(
            digest=b"", state="written" if one.act == "updated" else "hidden"
        )
        for one in steps
        if one.wanted and one.act in {"created", "updated"}
    ]


def absent(known: Known) -> bool:
    """Whether nothing of an entry is there that would have to be deleted."""
    return known.state == "hidden" and not perhaps(known)


def written(wanted: Wanted, etag: str) -> Known:
    """An entry that the server has just taken."""
    uid, booking, _, digest, start, end, over, _, again = wanted
    return Known(uid, booking, etag, digest, start, end, over, "written", None, again)


def taken_for_ours(wanted: Wanted, there: Read | None, sequence: int) -> Known:
    """What we take it that we wrote there, of an entry that we know nothing of: a push cut off, another device.

    sequence: of what is wanted. What is of an earlier revision is as we wrote it then, not what somebody made of it.
    """
    known = written(wanted, "")._replace(digest=b"")
    earlier = there is not None and there.sequence < sequence
    if there is None or there.span is None or not earlier:
        return known
    return known._replace(start=there.span.start, end=there.span.end, again=there.again)


def seen(known: Known, etag: str, read: Read | None) -> Known:
    """An entry as it is now known, after the server's copy was read; None was deleted there.

    Other words, alarms and colours are the user's own affair.
    """
    if read is None:
        return known._replace(state="hidden", there=None, etag="")
    if read.cancelled and not known.over:
        return known._replace(state="cancelled", there=None, etag=etag)
    if read.span is None:
        return known._replace(state="changed", there=None, etag=etag)
    if (read.span.start, read.span.end, read.again) == (known.start, known.end, known.again):
        return known._replace(state="written", there=None, etag=etag)
    if read.again or known.again:  # one time would take the place of all
        return known._replace(state="changed", there=None, etag=etag)
    return known._replace(state="moved", there=read.span, etag=etag)


def emptied(known: Collection[Known], gone: Collection[str]) -> bool:
    """Whether everything that was there has vanished at once: a calendar replaced or lost, not one tidied up."""
    shown = [one.uid for one in known if one.state != "hidden"]
    return len(shown) >= EMPTIED and set(shown) <= set(gone)


def draft(known: Known, call_state: str) -> str | None:
    """The command that would make the change the ledger's; None where there is none, or the call allows none."""
    call = public("book", known.booking)
    if known.state == "cancelled" and call_state == "confirmed" and "-" not in known.uid:
        return f"chaise cancel {call}"
    if known.state != "moved" or known.there is None or call_state not in {"proposed", "confirmed", "conflicted"}:
        return None
    start, end, tz = known.there
    at = when.utc(start).astimezone(when.zone(when.shown(tz))).isoformat(timespec="minutes")
    length = end - start
    if not 1 <= length // MINUTE <= MINUTES_MOST:
        return None
    lasts = "" if length == known.end - known.start else f" --for {when.duration_text(length - length % MINUTE)}"
    return f"chaise book {call} --at {at} --tz {when.shown(tz)}{lasts}"
