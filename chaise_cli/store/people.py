"""Names people go by. A handle is a claim; whoever shared a deal first keeps theirs in this store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import IdentityId, base32, prefix_range, raw, text
from chaise_cli.ledger import canonical

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Known(NamedTuple):
    """What is known of a person from their profile or from a deal."""

    handle: str
    name: str
    tz: str | None
    email: str | None


def remember(connection: Connection, identity: IdentityId, known: Known, at: int, *, dealt: bool = False) -> None:
    """Note what a person says of themselves; the word given inside a deal, or the newest, stands.

    at: the claim's time in ms, only compared with other claims of the same person.
    """
    connection.execute(
        "INSERT INTO person(identity, handle, name, tz, email, first, dealt) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT(identity) DO UPDATE SET handle = excluded.handle, name = excluded.name, tz = excluded.tz,"
        " email = coalesce(excluded.email, email), first = excluded.first, dealt = excluded.dealt"
        " WHERE excluded.dealt > dealt OR excluded.dealt = dealt AND excluded.first >= first",
        (raw(identity), known.handle, known.name, known.tz, known.email, at, dealt),
    )


def recall(connection: Connection, identity: IdentityId) -> None:
    """Note anew what a person says on boards: what a device said that is revoked by now must not stand."""
    connection.execute("DELETE FROM person WHERE identity = ? AND dealt = 0", (raw(identity),))
    query = (
        "SELECT e.body FROM chain c JOIN event e ON e.chain = c.no"
        " WHERE c.identity = ? AND e.kind = 'profile.published' AND e.void IS NULL"
    )
    for (body,) in connection.execute(query, (raw(identity),)).fetchall():
        read: Any = canonical.trusted(body)
        said = read["data"]
        remember(connection, identity, Known(said["handle"], said["name"], said["tz"], None), read["at"])


def find(connection: Connection, identity: IdentityId) -> Known | None:
    """What is known of a person, if anything."""
    row = connection.execute(
        "SELECT handle, name, tz, email FROM person WHERE identity = ?", (raw(identity),)
    ).fetchone()
    return Known(*row) if row else None


def shown_handle(connection: Connection, identity: IdentityId, handle: str) -> str:
    """The handle without its @, with four characters of the id where somebody else uses it by better right."""
    rows = connection.execute("SELECT identity, dealt FROM person WHERE handle = ?", (handle,)).fetchall()
    others = [dealt for other, dealt in rows if other != raw(identity)]
    mine = next((dealt for other, dealt in rows if other == raw(identity)), 0)
    if others and mine <= max(others):
        return f"{handle}.{base32(raw(identity), 4)}"
    return handle


def named(connection: Connection, handle: str) -> list[IdentityId]:
    """The identities a typed handle (without @) may mean; `james.k3x9` names one of several."""
    name, _, mark = handle.rpartition(".")
    rows = connection.execute(
        "SELECT identity, dealt FROM person WHERE handle = ? ORDER BY identity", (handle,)
    ).fetchall()
    if dealt := [row for row in rows if row[1]]:
        rows = dealt
    if not rows and name:
        found = connection.execute("SELECT identity FROM person WHERE handle = ? ORDER BY identity", (name,)).fetchall()
        rows = [row for row in found if base32(row[0], 4) == mark.lower()]
    return [IdentityId(text(row[0])) for row in rows]


def with_prefix(connection: Connection, chars: str) -> list[IdentityId]:
    """Identities whose public id begins with these characters."""
    query = "SELECT identity FROM person WHERE identity BETWEEN ? AND ? ORDER BY identity"
    return [IdentityId(text(row[0])) for row in connection.execute(query, prefix_range(chars)).fetchall()]


def with_calls(connection: Connection, who: IdentityId) -> list[int]:
    """The deals of this home in which somebody is a side and calls were offered."""
    query = "SELECT DISTINCT b.space FROM booking b JOIN deal d ON d.space = b.space WHERE ? IN (d.client, d.talent)"
    return [row[0] for row in connection.execute(query, (raw(who),)).fetchall()]
