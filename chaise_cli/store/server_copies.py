"""Calendars on servers: how to get in, and which entries were left there in which state. Of this device alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain.copies import Known, Span
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import EventId, raw, text

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Calendar(NamedTuple):
    """A calendar that is ours. url: of its collection, with a slash at its end. pushed_at, pulled_at: ms or never.

    token: where the last pull ended, in the server's words; empty for a pull from the beginning.
    """

    no: int
    url: str
    user: str
    password: str
    private: bool
    token: str
    pushed_at: int | None
    pulled_at: int | None

    def __repr__(self) -> str:
        """Without the password, which has no place in a traceback."""
        return f"Calendar({self.url!r}, {self.user!r})"


def known(connection: Connection) -> list[Calendar]:
    """Every calendar, in the order in which they were named."""
    query = "SELECT no, url, user, password, private, token, pushed_at, pulled_at FROM server_calendar ORDER BY no"
    rows = connection.execute(query).fetchall()
    return [Calendar(no, url, user, word, bool(private), *rest) for no, url, user, word, private, *rest in rows]


def find(connection: Connection, url: str) -> Calendar | None:
    """A calendar by its address."""
    return next((one for one in known(connection) if one.url == url), None)


def remember(connection: Connection, url: str, user: str, password: str, *, private: bool) -> None:
    """Remember a calendar, or how to get into one and what to write there."""
    connection.execute(
        "INSERT INTO server_calendar(url, user, password, private) VALUES (?, ?, ?, ?) ON CONFLICT(url) DO UPDATE"
        " SET user = excluded.user, password = excluded.password, private = excluded.private",
        (url, user, password, private),
    )


def forget(connection: Connection, calendar: int) -> None:
    """Forget a calendar and what is in it."""
    connection.execute("DELETE FROM server_copy WHERE calendar = ?", (calendar,))
    connection.execute("DELETE FROM server_calendar WHERE no = ?", (calendar,))


def note_pushed(connection: Connection, calendar: int, now: int) -> None:
    """Note that a push came to its end."""
    connection.execute("UPDATE server_calendar SET pushed_at = ? WHERE no = ?", (now, calendar))


def note_pulled(connection: Connection, calendar: int, token: str, now: int) -> None:
    """Note that a pull came to its end, and where the next one begins."""
    connection.execute("UPDATE server_calendar SET pulled_at = ?, token = ? WHERE no = ?", (now, token, calendar))


def copies(connection: Connection, calendar: int) -> list[Known]:
    """What is known to be in a calendar of what we wrote, by UID."""
    query = (
        "SELECT uid, booking, etag, digest, begins, ends, over, state, there_begins, there_ends, there_tz, again"
        " FROM server_copy WHERE calendar = ? ORDER BY uid"
    )
    return [_known(*row) for row in connection.execute(query, (calendar,)).fetchall()]


def _known(uid: str, booking: bytes, etag: str, digest: bytes, begins: int, *rest: Any) -> Known:
    ends, over, state, *there, again = rest
    span = None if there[0] is None else Span(*there)
    return Known(uid, EventId(text(booking)), etag, digest, begins, ends, bool(over), state, span, again)


def note(connection: Connection, calendar: int, copy: Known) -> None:
    """Note what is now known of an entry."""
    uid, booking, etag, digest, begins, ends, over, state, there, again = copy
    connection.execute(
        "INSERT OR REPLACE INTO server_copy VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (calendar, uid, raw(booking), etag, digest, begins, ends, over, state, *(there or (None,) * 3), again),
    )


def drop(connection: Connection, calendar: int, uid: str) -> None:
    """Know nothing of an entry any more."""
    connection.execute("DELETE FROM server_copy WHERE calendar = ? AND uid = ?", (calendar, uid))


def drop_all(connection: Connection, calendar: int) -> None:
    """Know nothing of a calendar's entries any more, and pull from the beginning."""
    connection.execute("DELETE FROM server_copy WHERE calendar = ?", (calendar,))
    connection.execute("UPDATE server_calendar SET token = '' WHERE no = ?", (calendar,))


def call_state(connection: Connection, booking: EventId) -> str:
    """The state of a call; empty for one that is not held."""
    row = connection.execute("SELECT state FROM booking WHERE id = ?", (raw(booking),)).fetchone()
    return str(row[0]) if row else ""
