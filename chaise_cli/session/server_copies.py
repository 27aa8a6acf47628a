"""Calls copied to calendars on servers, and what was changed there. docs/spec/caldav.md.

What was done is noted request by request, so a push that is cut off goes on where it stopped; nothing that comes back
changes the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import copies, when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Conflict, NotFound, Refused
from chaise_cli.ids import public
from chaise_cli.session import caldav
from chaise_cli.store import server_copies as store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.domain.copies import Known, Read, Step, Wanted
    from chaise_cli.errors import ChaiseError
    from chaise_cli.session.logins import Login
    from chaise_cli.session.session import Session
    from chaise_cli.shapes_calendar import PushedCalendar
    from chaise_cli.store.server_copies import Calendar

NAME: Final = "Chaise"  # of a calendar that we make


class NotOurs(Refused):
    """The calendar holds entries that Chaise did not write."""

    code = "calendar.not_ours"
    message = "{url} holds entries that are not Chaise's: calls go into a calendar of their own"
    hint = "name an address where no calendar is yet, and it is made; or make an empty one there"
    url: str


class NoneKnown(NotFound):
    """No calendar on a server was named so far, or not this one."""

    code = "calendar.not_pushed_to"
    message = "no calendar {given!r} is pushed to; known are: {known}"
    hint = "chaise calendar push URL --user NAME --password-file FILE; chaise calendars --pushed lists them"
    given: str
    known: str

    def sentence(self) -> str:
        """Without an address there is none to call unknown."""
        return super().sentence() if self.given else "calls are pushed to no calendar on a server yet"


class Emptied(Conflict):
    """Everything that was written into a calendar has vanished at once."""

    code = "calendar.emptied"
    message = "all {count} entries at {url} are gone at once; nothing was noted"
    hint = "put them back: chaise calendar push --restore; or forget the calendar: chaise calendar forget URL"
    count: int
    url: str


class Outcome(NamedTuple):
    """What was done, or found, as `calendar_copy` objects; `error` ended it early."""

    items: list[dict[str, Any]]
    error: ChaiseError | None = None


def known(session: Session, url: str | None = None) -> list[Calendar]:
    """Every calendar that is pushed to, or the one at an address. Raises NoneKnown."""
    every = store.known(session.db)
    found = [one for one in every if url is None or one.url == _address(url)]
    if not found:
        raise NoneKnown(given=(url or "")[:200], known=", ".join(one.url for one in every) or "none")
    return found


def listed(session: Session) -> list[PushedCalendar]:
    """Every calendar that is pushed to, in the order in which they were named. No server is asked."""
    return [_shape(one, store.copies(session.db, one.no)) for one in store.known(session.db)]


def _shape(calendar: Calendar, held: Sequence[Known]) -> PushedCalendar:
    return {
        "url": calendar.url,
        "user": calendar.user,
        "private": calendar.private,
        "entries": sum(one.state != "hidden" for one in held),
        "changed": sum(one.state != "written" and not copies.perhaps(one) for one in held),
        "pushed_at": None if calendar.pushed_at is None else when.instant_text(calendar.pushed_at),
        "pulled_at": None if calendar.pulled_at is None else when.instant_text(calendar.pulled_at),
    }


def planned_at(session: Session, url: str, *, private: bool | None) -> Calendar:
    """A calendar as a push to that address would take it; nothing is asked or noted."""
    found = store.find(session.db, _address(url))
    if found is None:
        return store.Calendar(0, _address(url), "", "", bool(private), "", None, None)
    return found._replace(private=found.private if private is None else private)


def adopt(session: Session, url: str, login: Login | None, *, private: bool | None) -> Calendar | Outcome:
    """The calendar at an address, ours from now on, made where none is; or what the server makes of that.

    Raises NotOurs.
    """
    try:
        return _adopted(session, url, login, private=private)
    except caldav.TROUBLE as error:
        return Outcome([], error)


def _adopted(session: Session, url: str, login: Login | None, *, private: bool | None) -> Calendar:
    wanted = planned_at(session, url, private=private)
    if login is not None:
        wanted = wanted._replace(user=login.user, password=login.password)
    with caldav.Server(wanted.url, wanted.user, wanted.password) as server:
        names = server.names()
        if names is None:
            server.make(NAME)
        elif not wanted.no and not all(map(caldav.uid_in, names)):
            raise NotOurs(url=wanted.url)
    with session.admitting():
        store.remember(session.db, wanted.url, wanted.user, wanted.password, private=wanted.private)
        if names is None and wanted.no:
            store.drop_all(session.db, wanted.no)
    return known(session, wanted.url)[0]


def forget(session: Session, url: str) -> list[dict[str, Any]]:
    """Push to a calendar no more; what lies there stays there. What it held, as far as known. Raises NoneKnown."""
    (calendar,) = known(session, url)
    with session.admitting():
        held = store.copies(session.db, calendar.no)
        store.forget(session.db, calendar.no)
    return [_item(session, calendar, "forgotten", None, one) for one in held]


def rehearse(session: Session, calendar: Calendar, wanted: Sequence[Wanted], *, restore: bool) -> Outcome:
    """What a push would do, as far as it is known without asking the server."""
    held = store.copies(session.db, calendar.no)
    steps = copies.plan(wanted, held, session.clock.now(), restore=restore)
    return Outcome([_told(session, calendar, step) for step in steps])


def push(
    session: Session, calendar: Calendar, wanted: Sequence[Wanted], read: Callable[[bytes], Read], *, restore: bool
) -> Outcome:
    """Bring a calendar to what the ledger says, but for what was changed there."""
    items: list[dict[str, Any]] = []
    try:
        with caldav.Server(calendar.url, calendar.user, calendar.password) as server:
            work = _Push(session, calendar, server, wanted, read, restore=restore)
            steps = work.plan()
            _note(session, calendar, copies.begun(steps))
            for step in steps:
                items += work.take(step)
    except caldav.TROUBLE as error:
        return Outcome(items, error)
    with session.admitting():
        store.note_pushed(session.db, calendar.no, session.clock.now())
    return Outcome(items)


def pull(session: Session, calendar: Calendar, read: Callable[[bytes], Read]) -> Outcome:
    """What was changed in a calendar: all that is not settled, and what vanished since the last pull."""
    held = store.copies(session.db, calendar.no)
    try:
        with caldav.Server(calendar.url, calendar.user, calendar.password) as server:
            changes = server.changes(calendar.token)
            gone = _gone(held, changes)
            if copies.emptied(held, gone):
                return Outcome([], Emptied(count=len(gone), url=calendar.url))
            news = _looked_at(server, held, changes, read)
    except caldav.TROUBLE as error:
        return Outcome([], error)
    with session.admitting():
        _still(session, calendar)
        for one in news:
            store.note(session.db, calendar.no, one)
        store.note_pulled(session.db, calendar.no, changes.token, session.clock.now())
    hidden = {one.uid for one in news if one.state == "hidden"}
    now = store.copies(session.db, calendar.no)
    told = [one for one in now if one.uid in hidden or one.state in {"moved", "changed", "cancelled"}]
    return Outcome([_item(session, calendar, one.state, None, one) for one in told])


class _Push:
    """One push to one calendar, over one connection."""

    def __init__(
        self, session: Session, calendar: Calendar, server: caldav.Server, wanted: Sequence[Wanted],
        read: Callable[[bytes], Read], *, restore: bool,
    ) -> None:  # fmt: skip
        self._session, self._calendar, self._server, self._read = session, calendar, server, read
        self._wanted, self._restore = wanted, restore

    def plan(self) -> list[Step]:
        """What is to be done; to put back what is gone, one has to look first."""
        held = store.copies(self._session.db, self._calendar.no)
        if self._restore:
            for one in _looked_at(self._server, held, self._server.changes(""), self._read):
                self._note(one)
            held = store.copies(self._session.db, self._calendar.no)
        return self._planned(held)

    def take(self, step: Step, *, again: bool = True) -> list[dict[str, Any]]:
        """Take one step and note what came of it."""
        if step.act == "left":
            return [_told(self._session, self._calendar, step)]
        if step.act == "deleted":
            assert step.known is not None, "only what is known is deleted"
            if self._delete(step.known):
                return [_told(self._session, self._calendar, step)]
            return [_item(self._session, self._calendar, "left", None, step.known)]
        assert step.wanted is not None, "what is written is wanted"
        hidden = step.known is None or step.known.state == "hidden"
        etag = None if hidden or step.known is None else step.known.etag
        new = self._server.put(step.uid, step.wanted.data, etag) if etag != "" else None
        if new is None:
            return self._differs(step, again=again)
        if not new:  # the server tells no ETag to who writes
            got = self._server.get(step.uid)
            new = got.etag if got else ""
        self._note(copies.written(step.wanted, new))
        return [_told(self._session, self._calendar, step)]

    def _differs(self, step: Step, *, again: bool) -> list[dict[str, Any]]:
        """What stands there is not what we know: it is read, and the step thought over once."""
        assert step.wanted is not None, "what is written is wanted"
        got = self._server.get(step.uid)
        there = self._read(got.data) if got else None
        sure = step.known if step.known and step.known.digest else None
        base = sure or copies.taken_for_ours(step.wanted, there, self._read(step.wanted.data).sequence)
        found = copies.seen(base, got.etag if got else "", there)
        self._note(found)
        next_ = [one for one in self._planned([found]) if one.uid == step.uid]
        if again and next_:
            return self.take(next_[0], again=False)
        did = "left" if found.state == "written" else found.state  # somebody changes it all the time
        return [_item(self._session, self._calendar, did, None, found)]

    def _delete(self, known: Known) -> bool:
        """An entry that nobody wants any more goes, whatever was made of it; whether it went."""
        gone = copies.absent(known) or self._server.delete(known.uid, known.etag)
        if not gone:
            got = self._server.get(known.uid)
            gone = got is None or self._server.delete(known.uid, got.etag)
        if not gone:
            return False
        with self._session.admitting():
            store.drop(self._session.db, self._calendar.no, known.uid)
        return True

    def _planned(self, held: Sequence[Known]) -> list[Step]:
        return copies.plan(self._wanted, held, self._session.clock.now(), restore=self._restore)

    def _note(self, copy: Known) -> None:
        _note(self._session, self._calendar, [copy])


def _note(session: Session, calendar: Calendar, found: Sequence[Known]) -> None:
    """Note all of these at once. Raises NoneKnown."""
    if found:
        with session.admitting():
            _still(session, calendar)
            for copy in found:
                store.note(session.db, calendar.no, copy)


def _still(session: Session, calendar: Calendar) -> None:
    """Raise NoneKnown where another process has forgotten the calendar meanwhile."""
    if not any(one.no == calendar.no for one in known(session, calendar.url)):
        raise NoneKnown(given=calendar.url[:200], known="another of that address")


def _gone(held: Sequence[Known], changes: caldav.Changes) -> set[str]:
    """The UIDs, of those that are known, that are not there any more."""
    every = {one.uid for one in held}
    return every - changes.etags.keys() if changes.whole else every & changes.gone


def _looked_at(
    server: caldav.Server, held: Sequence[Known], changes: caldav.Changes, read: Callable[[bytes], Read]
) -> list[Known]:
    """What is to be noted after a look at what changed."""
    gone = _gone(held, changes)
    news = [copies.seen(one, "", None) for one in held if one.uid in gone and one.state != "hidden"]
    for one in held:
        etag = changes.etags.get(one.uid)
        if etag is None or (etag and etag == one.etag):
            continue
        got = server.get(one.uid)
        news.append(copies.seen(one, got.etag or etag, read(got.data)) if got else copies.seen(one, "", None))
    return news


def _told(session: Session, calendar: Calendar, step: Step) -> dict[str, Any]:
    did = step.known.state if step.act == "left" and step.known else step.act
    return _item(session, calendar, did, step.wanted if step.act in {"created", "updated"} else None, step.known)


def _item(session: Session, calendar: Calendar, did: str, wanted: Wanted | None, known: Known | None) -> dict[str, Any]:
    """A `calendar_copy`: what was done or found, when the entry is, and what would make a change the ledger's."""
    one = wanted or known
    assert one is not None, "a copy that is wanted or known"
    there = known.there if known and did == "moved" else None
    start, end = (there.start, there.end) if there else (one.start, one.end)
    asked = known if known is not None and did == known.state else None
    return {
        "uid": one.uid,
        "calendar": calendar.url,
        "booking": public("book", one.booking),
        "did": did,
        "start": when.instant_text(start),
        "end": when.instant_text(end),
        "command": copies.draft(asked, store.call_state(session.db, one.booking)) if asked else None,
    }


def _address(url: str) -> str:
    return url.rstrip("/") + "/"
