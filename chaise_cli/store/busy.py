"""Calendars read for busy time: where each is, what was last read of it, and the intervals. Of this device alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.booking import uid
from chaise_cli.domain.busy import Busy, merged
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlcipher3.dbapi2 import Connection


class Source(NamedTuple):
    """A calendar as it was added. url: an address, or the full path of a file or folder. Times are ms.

    tentative: what is only pencilled in counts. email: who the owner is there; None is the profile's address.
    every: older than this its busy time is stale.
    """

    no: int
    name: str
    kind: str
    url: str
    tentative: bool
    email: str | None
    every: int


class Reading(NamedTuple):
    """What was last read of a calendar. digest: of its content and of all else that its intervals follow from.

    tag: what a server calls that content, to be asked with. until: the intervals are known up to this instant.
    entries: how many there were; skipped: how many could not be read.
    """

    digest: bytes
    tag: str | None
    at: int
    until: int
    entries: int
    skipped: int


class Interval(NamedTuple):
    """A time that is taken. uid: that of the call of ours which an entry looks like a copy of, else empty."""

    start: int
    end: int
    uid: str


_SOURCE = "SELECT no, name, kind, url, tentative, email, every FROM calendar"


def known(connection: Connection) -> list[Source]:
    """Every calendar, by name."""
    rows = connection.execute(f"{_SOURCE} ORDER BY name").fetchall()
    return [Source(no, name, kind, url, bool(maybe), *rest) for no, name, kind, url, maybe, *rest in rows]


def add(connection: Connection, source: Source) -> int:
    """Remember a calendar; its row number, whatever `no` says."""
    row = connection.execute(
        "INSERT INTO calendar(name, kind, url, tentative, email, every) VALUES (?, ?, ?, ?, ?, ?) RETURNING no",
        source[1:],
    ).fetchone()
    return int(row[0])


def change(connection: Connection, source: Source) -> None:
    """Remember a calendar otherwise; what was read of it stays."""
    connection.execute(
        "UPDATE calendar SET name = ?, kind = ?, url = ?, tentative = ?, email = ?, every = ? WHERE no = ?",
        (*source[1:], source.no),
    )


def set_login(connection: Connection, no: int, user: str, password: str) -> None:
    """Remember how the server of a calendar lets one in."""
    connection.execute("UPDATE calendar SET user = ?, password = ? WHERE no = ?", (user, password, no))


def login(connection: Connection, no: int) -> tuple[str, str]:
    """Name and password at the server of a calendar; empty where it asks for none."""
    found = connection.execute("SELECT user, password FROM calendar WHERE no = ?", (no,)).fetchone()
    return found or ("", "")


def remove(connection: Connection, no: int) -> None:
    """Forget a calendar and its busy time."""
    connection.execute("DELETE FROM busy WHERE calendar = ?", (no,))
    connection.execute("DELETE FROM calendar WHERE no = ?", (no,))


def reading(connection: Connection, no: int) -> Reading | None:
    """What was last read of a calendar; None before the first time."""
    query = "SELECT digest, tag, read_at, until, entries, skipped FROM calendar WHERE no = ? AND digest IS NOT NULL"
    row = connection.execute(query, (no,)).fetchone()
    return Reading(*row) if row else None


def problem(connection: Connection, no: int) -> str | None:
    """Why the last attempt to read a calendar failed; None when it did not."""
    found = connection.execute("SELECT problem FROM calendar WHERE no = ?", (no,)).fetchone()
    return found[0] if found else None


def note_problem(connection: Connection, no: int, why: str) -> None:
    """The last attempt failed; what was read before stays."""
    connection.execute("UPDATE calendar SET problem = ? WHERE no = ?", (why, no))


def note_reading(connection: Connection, no: int, reading: Reading) -> None:
    """The last attempt succeeded."""
    connection.execute(
        "UPDATE calendar SET problem = NULL, digest = ?, tag = ?, read_at = ?, until = ?, entries = ?, skipped = ?"
        " WHERE no = ?",
        (*reading, no),
    )


def replace(connection: Connection, no: int, intervals: Iterable[Interval]) -> None:
    """The busy time of a calendar is this now."""
    connection.execute("DELETE FROM busy WHERE calendar = ?", (no,))
    connection.executemany(
        "INSERT OR IGNORE INTO busy(calendar, begins, ends, uid) VALUES (?, ?, ?, ?)",
        [(no, *interval) for interval in intervals],
    )


def count(connection: Connection, no: int) -> int:
    """How many intervals a calendar has."""
    return int(connection.execute("SELECT count(*) FROM busy WHERE calendar = ?", (no,)).fetchone()[0])


def intervals(connection: Connection, start: int, end: int) -> list[Busy]:
    """The busy time of all calendars that shares an instant with [start, end), merged and in order.

    Copies of calls that this store holds are left out: the ledger knows better where they stand.
    """
    query = "SELECT begins, ends, uid FROM busy WHERE begins < ? AND ends > ?"
    rows = connection.execute(query, (end, start)).fetchall()
    own = _uids(connection) if any(copy for _, _, copy in rows) else frozenset()
    return merged([(begins, ends) for begins, ends, copy in rows if copy not in own])


def _uids(connection: Connection) -> frozenset[str]:
    query = "SELECT s.id, b.id FROM booking b JOIN space s ON s.no = b.space"
    return frozenset(uid(text(space), text(id_)) for space, id_ in connection.execute(query).fetchall())
