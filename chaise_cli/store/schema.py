"""The tables of the client's store, as an append-only list of migrations. docs/spec/store.md.

Loaded only when a store is behind; sqlite-utils runs them, each in one transaction with its number.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from sqlcipher3 import dbapi2 as driver

from chaise_cli.store import deals, events, own, selves
from chaise_cli.store.connection import RULES, SCHEMA, schema_of, transaction

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

# sqlite-utils catches the error classes of a driver of this name, and falls back to the standard library's.
sys.modules.setdefault("pysqlite3", driver)
sys.modules.setdefault("pysqlite3.dbapi2", driver)
import sqlite_utils  # noqa: E402  the line above must come first

_FIRST: Final = """
CREATE TABLE own(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE space(no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, creator BLOB NOT NULL,
    creator_device BLOB NOT NULL, epoch INTEGER, newer INTEGER NOT NULL DEFAULT 0, synced_at INTEGER);
CREATE TABLE epoch(no INTEGER PRIMARY KEY, space INTEGER NOT NULL REFERENCES space, name BLOB NOT NULL,
    secret BLOB NOT NULL, UNIQUE(space, name));
CREATE TABLE named(space INTEGER NOT NULL REFERENCES space, identity BLOB NOT NULL,
    PRIMARY KEY(space, identity)) WITHOUT ROWID;
CREATE TABLE chain(no INTEGER PRIMARY KEY, space INTEGER NOT NULL REFERENCES space, device BLOB NOT NULL,
    identity BLOB, admin INTEGER NOT NULL DEFAULT 0, void TEXT, seq INTEGER NOT NULL DEFAULT -1, id BLOB,
    lamport INTEGER NOT NULL DEFAULT -1, cited BLOB, UNIQUE(space, device));
CREATE TABLE event(chain INTEGER NOT NULL REFERENCES chain, seq INTEGER NOT NULL, id BLOB NOT NULL,
    suite INTEGER NOT NULL, epoch INTEGER, kind TEXT, lamport INTEGER NOT NULL, uptake INTEGER, void TEXT,
    signature BLOB, body BLOB NOT NULL, PRIMARY KEY(chain, seq, id)) WITHOUT ROWID;
CREATE INDEX event_id ON event(id);
CREATE INDEX event_handover ON event(chain) WHERE kind = 'agent.device';
CREATE TABLE waiting(chain INTEGER NOT NULL REFERENCES chain, seq INTEGER NOT NULL, id BLOB NOT NULL,
    suite INTEGER NOT NULL, epoch BLOB NOT NULL, signature BLOB, body BLOB NOT NULL,
    PRIMARY KEY(chain, seq)) WITHOUT ROWID;
CREATE TABLE fork(space INTEGER NOT NULL REFERENCES space, device BLOB NOT NULL, seq INTEGER NOT NULL,
    one BLOB NOT NULL, other BLOB NOT NULL, PRIMARY KEY(space, device)) WITHOUT ROWID;
CREATE TABLE request(id TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, subject TEXT NOT NULL,
    events TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE place(no INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, auto INTEGER NOT NULL DEFAULT 0,
    synced_at INTEGER);
CREATE TABLE carried(place INTEGER NOT NULL REFERENCES place, space INTEGER NOT NULL REFERENCES space,
    PRIMARY KEY(place, space)) WITHOUT ROWID;
CREATE TABLE pack(place INTEGER NOT NULL REFERENCES place, name TEXT NOT NULL, PRIMARY KEY(place, name)) WITHOUT ROWID;
CREATE TABLE delivered(place INTEGER NOT NULL REFERENCES place, chain INTEGER NOT NULL REFERENCES chain,
    seq INTEGER NOT NULL, PRIMARY KEY(place, chain)) WITHOUT ROWID;

CREATE TABLE mark(space INTEGER NOT NULL, author BLOB NOT NULL, lamport INTEGER NOT NULL, device BLOB NOT NULL,
    seq INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY(space, author)) WITHOUT ROWID;
CREATE TABLE person(identity BLOB PRIMARY KEY, handle TEXT NOT NULL, name TEXT NOT NULL, tz TEXT,
    email TEXT, first INTEGER NOT NULL, dealt INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX person_handle ON person(handle);
CREATE TABLE profile(identity BLOB NOT NULL, space INTEGER NOT NULL, role TEXT NOT NULL, event BLOB NOT NULL,
    device BLOB NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(identity, space)) WITHOUT ROWID;
CREATE TABLE listing(id BLOB PRIMARY KEY, space INTEGER NOT NULL, author BLOB NOT NULL, device BLOB NOT NULL,
    what TEXT NOT NULL, category TEXT NOT NULL, currency TEXT, least INTEGER, most INTEGER, deadline INTEGER,
    version INTEGER NOT NULL, ended TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX listing_at ON listing(what, at, id, space, author, category, currency, least, most, deadline, ended);
CREATE INDEX listing_author ON listing(space, author);
CREATE TABLE skill(skill TEXT NOT NULL, owner BLOB NOT NULL, what TEXT NOT NULL,
    PRIMARY KEY(skill, what, owner)) WITHOUT ROWID;
CREATE INDEX skill_owner ON skill(owner);
CREATE TABLE board_name(space INTEGER PRIMARY KEY, name TEXT NOT NULL);

CREATE TABLE deal(space INTEGER PRIMARY KEY REFERENCES space, client BLOB NOT NULL, talent BLOB NOT NULL, post BLOB,
    board BLOB, state TEXT NOT NULL, at INTEGER NOT NULL, final INTEGER NOT NULL, agent BLOB NOT NULL,
    clock INTEGER NOT NULL, line INTEGER NOT NULL, frontier TEXT NOT NULL, taken TEXT NOT NULL, now TEXT);
CREATE INDEX deal_post ON deal(post);
CREATE INDEX deal_at ON deal(at);
CREATE TABLE pending(space INTEGER NOT NULL, chain INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY(space, chain, seq)) WITHOUT ROWID;
CREATE TABLE milestone(space INTEGER NOT NULL, n INTEGER NOT NULL, state TEXT NOT NULL, currency TEXT NOT NULL,
    amount INTEGER NOT NULL, due INTEGER, review_deadline INTEGER, funded INTEGER NOT NULL, held INTEGER NOT NULL,
    released INTEGER NOT NULL, refunded INTEGER NOT NULL, disputed INTEGER NOT NULL, payable INTEGER NOT NULL,
    paid_out INTEGER NOT NULL, PRIMARY KEY(space, n)) WITHOUT ROWID;
CREATE TABLE op(id BLOB PRIMARY KEY, space INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry(space INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL,
    ref TEXT, currency TEXT NOT NULL, postings TEXT NOT NULL, PRIMARY KEY(space, n)) WITHOUT ROWID;
CREATE TABLE booking(id BLOB PRIMARY KEY, space INTEGER NOT NULL, state TEXT NOT NULL, begins INTEGER,
    ends INTEGER) WITHOUT ROWID;
CREATE INDEX booking_begins ON booking(begins);
CREATE TABLE review(id BLOB PRIMARY KEY, space INTEGER NOT NULL, author BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE opinion(id BLOB PRIMARY KEY, space INTEGER NOT NULL, author BLOB NOT NULL, about BLOB NOT NULL,
    at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX opinion_about ON opinion(about);
CREATE INDEX opinion_author ON opinion(author);
CREATE TABLE message(space INTEGER NOT NULL, lamport INTEGER NOT NULL, chain INTEGER NOT NULL, seq INTEGER NOT NULL,
    what TEXT NOT NULL, PRIMARY KEY(space, lamport, chain, seq)) WITHOUT ROWID;
CREATE TABLE file(address BLOB NOT NULL, space INTEGER NOT NULL, chain INTEGER NOT NULL, seq INTEGER NOT NULL,
    milestone INTEGER, body TEXT NOT NULL, PRIMARY KEY(address, space, chain, seq)) WITHOUT ROWID;
CREATE TABLE read_mark(space INTEGER PRIMARY KEY, lamport INTEGER NOT NULL);
"""
# A chain is a tree: one row for each run of it that has no fork. Foreign keys are off while `chain` is made anew, so
# that nothing refers to a table that is gone for a moment.
_SECOND: Final = """
CREATE TABLE chain_2(no INTEGER PRIMARY KEY, space INTEGER NOT NULL REFERENCES space, device BLOB NOT NULL,
    root BLOB NOT NULL DEFAULT x'', parent INTEGER REFERENCES chain, first INTEGER NOT NULL DEFAULT 0,
    identity BLOB, admin INTEGER NOT NULL DEFAULT 0, void TEXT, seq INTEGER NOT NULL DEFAULT -1, id BLOB,
    lamport INTEGER NOT NULL DEFAULT -1, cited BLOB, UNIQUE(space, device, root));
INSERT INTO chain_2(no, space, device, identity, admin, void, seq, id, lamport, cited)
    SELECT no, space, device, identity, admin, void, seq, id, lamport, cited FROM chain;
DROP TABLE chain;
ALTER TABLE chain_2 RENAME TO chain;
CREATE INDEX chain_parent ON chain(parent) WHERE parent IS NOT NULL;
ALTER TABLE deal ADD COLUMN tip BLOB;
ALTER TABLE deal ADD COLUMN contested INTEGER NOT NULL DEFAULT 0;
ALTER TABLE place ADD COLUMN kind TEXT;
ALTER TABLE place ADD COLUMN problem TEXT;
CREATE TABLE relay(place INTEGER PRIMARY KEY REFERENCES place, key BLOB, device BLOB, invite TEXT);
CREATE TABLE relay_log(no INTEGER PRIMARY KEY, place INTEGER NOT NULL REFERENCES place, space BLOB NOT NULL,
    number INTEGER NOT NULL DEFAULT 0, head BLOB NOT NULL DEFAULT (zeroblob(32)), receipt BLOB,
    door INTEGER NOT NULL DEFAULT 0, refused BLOB, UNIQUE(place, space));
CREATE INDEX relay_log_space ON relay_log(space);
CREATE TABLE relay_run(log INTEGER NOT NULL REFERENCES relay_log, first INTEGER NOT NULL, length INTEGER NOT NULL,
    device BLOB NOT NULL, seq INTEGER NOT NULL, last BLOB NOT NULL, head BLOB NOT NULL,
    PRIMARY KEY(log, first)) WITHOUT ROWID;
CREATE TABLE relay_tip(log INTEGER NOT NULL REFERENCES relay_log, id BLOB NOT NULL, device BLOB NOT NULL,
    seq INTEGER NOT NULL, PRIMARY KEY(log, id)) WITHOUT ROWID;
CREATE TABLE relay_claim(relay BLOB NOT NULL, space BLOB NOT NULL, receipt BLOB NOT NULL,
    PRIMARY KEY(relay, space)) WITHOUT ROWID;
CREATE TABLE relay_incident(no INTEGER PRIMARY KEY, url TEXT NOT NULL, space BLOB NOT NULL, code TEXT NOT NULL,
    at INTEGER NOT NULL, proof BLOB NOT NULL);
CREATE INDEX relay_incident_url ON relay_incident(url);
CREATE TABLE relay_struck(place INTEGER NOT NULL REFERENCES place, device BLOB NOT NULL,
    PRIMARY KEY(place, device)) WITHOUT ROWID;
CREATE TABLE told(space INTEGER NOT NULL REFERENCES space, kind TEXT NOT NULL, name TEXT NOT NULL, rank TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY(space, kind, name)) WITHOUT ROWID;
CREATE INDEX event_wrap ON event(chain) WHERE kind = 'wrap';
CREATE INDEX event_revocation ON event(chain)
    WHERE kind IN ('self.device_revoked', 'board.device_revoked', 'deal.device_revoked');
"""
# holder: who holds the money, the client until signed terms name a third party.
_THIRD: Final = """
ALTER TABLE deal ADD COLUMN holder BLOB NOT NULL DEFAULT x'';
CREATE TABLE attempt(op BLOB NOT NULL, act TEXT NOT NULL, space INTEGER NOT NULL REFERENCES space, n INTEGER NOT NULL,
    tries INTEGER NOT NULL, party BLOB NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL,
    ref TEXT NOT NULL DEFAULT '', said TEXT NOT NULL DEFAULT '', at INTEGER NOT NULL,
    PRIMARY KEY(op, act)) WITHOUT ROWID;
CREATE INDEX attempt_space ON attempt(space);
"""
_FOURTH: Final = """
ALTER TABLE chain ADD COLUMN grant_key BLOB;
CREATE INDEX event_grant ON event(chain) WHERE kind = 'grant.created';
"""
_FIFTH: Final = """
ALTER TABLE milestone ADD COLUMN reversed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN event BLOB NOT NULL DEFAULT x'';
CREATE INDEX entry_ref ON entry(ref) WHERE ref IS NOT NULL;
"""
# Of other calendars: when their owner is busy, never with what. uid: of the call of ours that an entry copies.
_SIXTH: Final = """
CREATE TABLE calendar(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, url TEXT NOT NULL,
    tentative INTEGER NOT NULL, email TEXT, every INTEGER NOT NULL, digest BLOB, tag TEXT, read_at INTEGER,
    until INTEGER, entries INTEGER, skipped INTEGER, problem TEXT);
CREATE TABLE busy(calendar INTEGER NOT NULL REFERENCES calendar, begins INTEGER NOT NULL, ends INTEGER NOT NULL,
    uid TEXT NOT NULL, PRIMARY KEY(calendar, begins, ends, uid)) WITHOUT ROWID;
"""
# Calendars on servers, and what was left there; the password is this store's to keep, and never travels.
_SEVENTH: Final = """
CREATE TABLE server_calendar(no INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, user TEXT NOT NULL,
    password TEXT NOT NULL, private INTEGER NOT NULL DEFAULT 0, token TEXT NOT NULL DEFAULT '',
    pushed_at INTEGER, pulled_at INTEGER);
CREATE TABLE server_copy(calendar INTEGER NOT NULL REFERENCES server_calendar, uid TEXT NOT NULL, booking BLOB NOT NULL,
    etag TEXT NOT NULL, digest BLOB NOT NULL, begins INTEGER NOT NULL, ends INTEGER NOT NULL,
    over INTEGER NOT NULL, state TEXT NOT NULL, there_begins INTEGER, there_ends INTEGER, there_tz TEXT,
    PRIMARY KEY(calendar, uid)) WITHOUT ROWID;
"""
# Each time at which a call takes the talent's time: a check-in that comes again has many.
_EIGHTH: Final = """
CREATE TABLE occurrence(id BLOB NOT NULL, space INTEGER NOT NULL, begins INTEGER NOT NULL, ends INTEGER NOT NULL,
    PRIMARY KEY(id, begins)) WITHOUT ROWID;
CREATE INDEX occurrence_begins ON occurrence(begins);
"""
# How the server of a calendar that busy time is read from lets one in.
_NINTH: Final = """
ALTER TABLE calendar ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE calendar ADD COLUMN password TEXT NOT NULL DEFAULT '';
"""
# How a check-in that was left on a server repeats there.
_TENTH: Final = """
ALTER TABLE server_copy ADD COLUMN again TEXT NOT NULL DEFAULT '';
"""
_MIGRATIONS: Final = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH, _SEVENTH, _EIGHTH, _NINTH, _TENTH)
assert len(_MIGRATIONS) == SCHEMA, "SCHEMA counts the migrations"


def migrate(connection: Connection) -> None:
    """Bring an opened store to `SCHEMA`, one transaction a step; a crash in between loses nothing.

    A step that is not the store's first also folds every deal anew: the tables of deals are derived.
    """
    database = sqlite_utils.Database(connection, execute_plugins=False)
    fresh = schema_of(connection) == 0
    connection.execute("PRAGMA foreign_keys=OFF")  # which no transaction can switch
    try:
        for number, script in enumerate(_MIGRATIONS, 1):
            with transaction(connection):
                if schema_of(connection) < number:
                    _step(database, script)
                    connection.execute(f"PRAGMA user_version = {number}")
                    assert not connection.execute("PRAGMA foreign_key_check").fetchall(), "a row that refers to nothing"
                    if fresh:
                        own.put(connection, own.RULES, str(RULES).encode())
    finally:
        connection.execute("PRAGMA foreign_keys=ON")


def _step(database: sqlite_utils.Database, script: str) -> None:
    for statement in filter(str.strip, script.split(";\n")):
        database.execute(statement)
    connection: Connection = database.conn
    if script is _MIGRATIONS[-1]:
        for space in events.spaces(connection, "deal"):
            deals.DealFold(connection, space).refold()
        for space in events.spaces(connection, "self"):
            selves.SelfFold(connection, space).refold()
