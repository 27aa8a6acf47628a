"""Boards as tables: profiles, services, posts, opinions. Folds each author's events in their own order.

An event that comes late (before one of its author's that was folded already) makes that author's objects on
the board be folded anew, so the tables do not depend on the order of arrival.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chaise_cli.domain import directory, revocation, shape
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Refused
from chaise_cli.ids import IdentityId, raw, text
from chaise_cli.store import content, events, people, profiles, revocations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Row, Space

_LISTED = (directory.PostPublished, directory.ServicePublished)
_CHANGING = (directory.PostRevised, directory.PostClosed, directory.ServiceRevised, directory.ServiceClosed)


class Listed(NamedTuple):
    """A post or service: the board it stands on (a space's row number), and the key of the device that signed it."""

    space: int
    device: bytes
    listing: directory.Listing


class BoardFold:
    """The fold of one board during one transaction; `flush` writes what changed."""

    def __init__(self, connection: Connection, space: Space) -> None:
        self._db = connection
        self._space = space
        self._marks: dict[IdentityId, tuple[int, bytes, int, bytes]] = {}
        self._listings: dict[str, tuple[directory.Listing, bytes] | None] = {}
        self._changed: set[str] = set()

    def fold(self, rows: Sequence[Row]) -> None:
        """Fold newly appended events; afterwards the tables stand as if all had come in order."""
        late: set[IdentityId] = set()
        if revocations.any_in(self._db, self._space.no):  # a revocation reaches back
            revoking = {said.row.identity for said in revocations.said(self._db, self._space.no)}
            late |= {row.identity for row in rows if row.identity in revoking and row.identity}
        for row in rows:
            if row.kind == "genesis" and self._space.creator:  # only now is it known whose word names the board
                late.add(IdentityId(self._space.creator))
            if row.identity is None or row.identity in late:
                continue
            rank = (row.lamport, row.device, row.seq, row.id)
            if rank < self._mark(row.identity):
                late.add(row.identity)
                continue
            self._marks[row.identity] = rank
            self._step(row)
        self._flush()
        for author in sorted(late):
            self.refold(author)

    def refold(self, author: IdentityId) -> None:
        """Fold all of one author's events on this board from nothing."""
        self._forget(author)
        cuts = revocations.Cuts(self._db, self._space.no, author)
        for stored in events.read_author(self._db, self._space.no, author):
            row = content.row(stored)
            self._marks[author] = (row.lamport, row.device, row.seq, row.id)
            void = row.void or cuts.why(row)
            if stored.void != void:
                events.set_void(self._db, row.chain, row.seq, void)
            if void is None:
                self._step(row)
        if cuts.standing:
            people.recall(self._db, author)
        self._flush()

    def _mark(self, author: IdentityId) -> tuple[int, bytes, int, bytes]:
        found = self._marks.get(author)
        if found is None:
            query = "SELECT lamport, device, seq, id FROM mark WHERE space = ? AND author = ?"
            row = self._db.execute(query, (self._space.no, raw(author))).fetchone()
            found = self._marks[author] = row or (-1, b"", -1, b"")
        return found

    def _step(self, row: Row) -> None:
        body, author = row.content, row.identity
        if body is None or author is None or isinstance(body, revocation.BoardDeviceRevoked):
            return
        try:
            if isinstance(body, _LISTED):
                self._put(text(row.id), directory.publish(author, body, row.at), row.device)
            elif isinstance(body, _CHANGING):
                self._change(author, body, row.device)
            elif isinstance(body, directory.ProfilePublished):
                self._profile(row, author, body)
            elif isinstance(body, directory.BoardNamed):
                self._name(author, body)
            else:
                self._opinion(row, author, body)
        except Refused as refusal:
            events.set_void(self._db, row.chain, row.seq, refusal.code)

    def _put(self, id_: str, listing: directory.Listing, device: bytes) -> None:
        self._listings[id_] = (listing, device)
        self._changed.add(id_)

    def _change(self, author: str, body: Any, device: bytes) -> None:
        id_ = body.post if isinstance(body, directory.PostRevised | directory.PostClosed) else body.service
        found = self._listing(id_)
        # Somebody else's is as good as none: whether it has arrived must not show in the reason.
        theirs = found[0] if found and found[0].author == author else None
        self._put(id_, directory.change(theirs, author, body), device)

    def _listing(self, id_: str) -> tuple[directory.Listing, bytes] | None:
        if id_ not in self._listings:
            found = find(self._db, id_)
            self._listings[id_] = (found.listing, found.device) if found and found.space == self._space.no else None
        return self._listings[id_]

    def _profile(self, row: Row, author: IdentityId, body: directory.ProfilePublished) -> None:
        key = (raw(author), self._space.no)
        data = json.dumps(shape.to_data(body))
        self._db.execute(
            "INSERT OR REPLACE INTO profile(identity, space, role, event, device, at, body) VALUES (?,?,?,?,?,?,?)",
            (*key, body.role, row.id, row.device, row.at, data),
        )
        self._profile_skills(raw(author))
        people.remember(self._db, author, people.Known(body.handle, body.name, body.tz, None), row.at)

    def _name(self, author: str, body: directory.BoardNamed) -> None:
        if author != self._space.creator:
            raise directory.NotTheAuthor
        self._db.execute("INSERT OR REPLACE INTO board_name(space, name) VALUES (?, ?)", (self._space.no, body.name))

    def _opinion(self, row: Row, author: IdentityId, body: Any) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO opinion(id, space, author, about, at, body) VALUES (?,?,?,?,?,?)",
            (row.id, self._space.no, raw(author), raw(body.about), row.at, json.dumps(shape.to_data(body))),
        )

    def _profile_skills(self, author: bytes) -> None:
        """Somebody on several boards is found by the skills of the newest profile, whichever arrived last."""
        found = profiles.newest(self._db, IdentityId(text(author)))
        self._skills(author, "profile", found.body["skills"] if found else ())

    def _skills(self, owner: bytes, what: str, skills: Iterable[str]) -> None:
        self._db.execute("DELETE FROM skill WHERE owner = ? AND what = ?", (owner, what))
        self._db.executemany(
            "INSERT OR IGNORE INTO skill(skill, owner, what) VALUES (?,?,?)", [(s, owner, what) for s in skills]
        )

    def _flush(self) -> None:
        rows, skills = [], []
        for id_ in self._changed:
            found = self._listings[id_]
            assert found, "a changed listing exists"
            listed, device = found
            rows.append(_row(id_, listed, device, self._space.no))
            skills += [(skill, raw(id_), _what(listed)) for skill in listed.content.skills]
        self._db.executemany("DELETE FROM skill WHERE owner = ?", [(row[0],) for row in rows if row[10] > 1])
        self._db.executemany("INSERT OR REPLACE INTO listing VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)
        self._db.executemany("INSERT OR IGNORE INTO skill(skill, owner, what) VALUES (?,?,?)", skills)
        self._changed.clear()
        self._db.executemany(
            "INSERT OR REPLACE INTO mark(space, author, lamport, device, seq, id) VALUES (?,?,?,?,?,?)",
            [(self._space.no, raw(author), *rank) for author, rank in self._marks.items()],
        )

    def _forget(self, author: IdentityId) -> None:
        key = (self._space.no, raw(author))
        self._db.execute("DELETE FROM skill WHERE owner IN (SELECT id FROM listing WHERE space=? AND author=?)", key)
        for table, column in (
            ("listing", "author"),
            ("opinion", "author"),
            ("mark", "author"),
            ("profile", "identity"),
        ):
            self._db.execute(f"DELETE FROM {table} WHERE space = ? AND {column} = ?", key)
        if author == self._space.creator:  # the name is the creator's word, and may be one that is cut off by now
            self._db.execute("DELETE FROM board_name WHERE space = ?", (self._space.no,))
        self._profile_skills(key[1])
        self._listings = {id_: found for id_, found in self._listings.items() if found and found[0].author != author}
        self._marks.pop(author, None)


def find(connection: Connection, id_: str) -> Listed | None:
    """The post or service of this id, if it has arrived."""
    query = "SELECT space, device, author, body, version, ended, at, what FROM listing WHERE id = ?"
    row = connection.execute(query, (raw(id_),)).fetchone()
    if row is None:
        return None
    space, device, author, body, version, ended, at, what = row
    cls = directory.PostPublished if what == "post" else directory.ServicePublished
    content_ = shape.from_data(cls, json.loads(body))
    return Listed(space, device, directory.Listing(text(author), content_, version, ended, at))


def _what(listed: directory.Listing) -> str:
    return "post" if isinstance(listed.content, directory.PostPublished) else "service"


def _row(id_: str, listed: directory.Listing, device: bytes, space: int) -> tuple[Any, ...]:
    body = listed.content
    currency, least, most, deadline = None, None, None, None
    if isinstance(body, directory.PostPublished):
        deadline = body.deadline
        if body.budget:
            currency, least, most = body.budget.currency, body.budget.least, body.budget.most
    elif body.price:
        currency, least, most = body.price.currency, body.price.amount, body.price.amount
    return (
        raw(id_), space, raw(listed.author), device, _what(listed), body.category, currency, least, most, deadline,
        listed.version, listed.ended, listed.at, json.dumps(shape.to_data(body)),
    )  # fmt: skip
