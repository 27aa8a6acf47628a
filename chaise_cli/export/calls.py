"""Calls of the ledger as a calendar file: from what a booking says to the entries of `ical`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from chaise_cli.domain.when import utc
from chaise_cli.export import ical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chaise_cli.domain.booking_view import EntryFacts


class Call(Protocol):
    """One call: what the ledger says of it, and the words and addresses (name, e-mail) beside it."""

    @property
    def uid(self) -> str:
        """Its UID for life."""

    @property
    def facts(self) -> EntryFacts:
        """What the ledger says."""

    @property
    def summary(self) -> str:
        """The title of its entry."""

    @property
    def description(self) -> str:
        """The text of its entry."""

    @property
    def people(self) -> Mapping[str, tuple[str, str | None]]:
        """Name and e-mail by identity."""


def feed_of(calls: Iterable[Call], *, name: str, private: bool) -> bytes:
    """All these calls as a calendar to follow; see `ical.calendar`."""
    return ical.calendar([entry(call) for call in calls], name=name, method="PUBLISH", private=private)


def calendar_of(call: Call, *, name: str, private: bool) -> bytes:
    """One call as a plain file, with who is invited."""
    return ical.calendar([entry(call)], name=name, private=private)


def message_of(call: Call, method: ical.Method) -> bytes:
    """One scheduling message about a call, whose facts are the message's; only an invitation has an alarm."""
    if method == "DECLINECOUNTER":
        return ical.refusal(entry(call))
    alarm = 15 if method == "REQUEST" else None
    return ical.calendar([entry(call)._replace(alarm_minutes=alarm)], name="", method=method)


def entry(call: Call) -> ical.Entry:
    """One call as a calendar's entry."""
    facts = call.facts
    attendees = tuple((person(call, who), cast("ical.Partstat", partstat)) for who, partstat in facts.partstats)
    return ical.Entry(
        uid=call.uid,
        sequence=facts.sequence,
        status=cast("ical.Status", facts.status),
        start=utc(facts.start),
        end=utc(facts.end),
        tz=facts.tz,
        summary=call.summary,
        description=call.description,
        url=facts.url,
        organizer=person(call, facts.organizer),
        attendees=attendees,
        created=utc(facts.created),
        modified=utc(facts.modified),
        extra=tuple(ical.Slot(utc(start), utc(end)) for start, end in facts.extra),
        comment=facts.comment,
        days=facts.series.days if facts.series else 0,
        starts=tuple(utc(start) for start in facts.series.starts) if facts.series else (),
        skipped=tuple(utc(start) for start in facts.skipped),
    )


def person(call: Call, identity: str) -> ical.Person:
    """A side of the call, by name and address."""
    name, email = call.people[identity]
    return ical.Person(name, email)
