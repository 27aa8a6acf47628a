"""Every column of every table, spoilt one at a time: a full check notices it, or the page says that it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.crypto import attachments
from chaise_cli.domain import talk
from chaise_cli.ids import SpaceId, public, raw, text
from chaise_cli.session import checking, profiles, requests
from chaise_cli.session.checking import Part
from chaise_cli.session.session import Behind, Session
from chaise_cli.store import events, message_reads, places
from chaise_cli.store import requests as request_rows
from tests.architecture.tree import ROOT
from tests.fakes import acts, homes
from tests.fakes.homes import Market
from tests.fakes.stages import Stages

RELAYS: Final = ("relay", "relay_log", "relay_run", "relay_tip", "relay_claim", "relay_incident")
CALENDARS: Final = {
    "calendar": {
        *("no", "name", "kind", "url", "tentative", "email", "every", "digest", "tag", "read_at", "until", "entries"),
        *("skipped", "problem", "user", "password"),
    },
    "busy": {"calendar", "begins", "ends", "uid"},
    "server_calendar": {"no", "url", "user", "password", "private", "token", "pushed_at", "pulled_at"},
    "server_copy": {
        *("calendar", "uid", "booking", "etag", "digest", "begins", "ends", "over", "state", "there_begins"),
        *("there_ends", "there_tz", "again"),
    },
}
# What no signed byte tells; the same list stands in docs/spec/recovery.md.
COMFORT: Final = {
    "place": {"no", "url", "auto", "synced_at", "kind", "problem"},
    "relay": {"place", "key", "device", "invite"},
    "relay_log": {"no", "place", "space", "number", "head", "receipt", "door", "refused"},
    "relay_run": {"log", "first", "length", "device", "seq", "last", "head"},
    "relay_tip": {"log", "id", "device", "seq"},
    "relay_claim": {"relay", "space", "receipt"},
    "relay_incident": {"no", "url", "space", "code", "at", "proof"},
    "carried": {"place", "space"},
    "pack": {"place", "name"},
    "delivered": {"place", "chain", "seq"},
    "read_mark": {"space", "lamport"},
    "space": {"synced_at"},
    "request": {"subject"},
} | CALENDARS
OWN_COMFORT: Final = {"backup", "behind"}


def silent(_done: int, _total: int) -> None:
    pass


def problems(session: Session, part: Part = checking.WHOLE) -> list[str]:
    """What is damaged; that a home is behind is no damage."""
    return [problem for problem in checking.verify(session, silent, part).problems if problem != Behind().sentence()]


@pytest.fixture(scope="module")
def rich(stages: Stages, market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Lisa's home with something in every table."""
    folder = tmp_path_factory.mktemp("rich")
    with market.visit(folder, "lisa", "james") as (lisa, james):
        fill(stages, lisa, james, market)
        assert problems(lisa) == []
        lisa.db.execute("PRAGMA foreign_keys=OFF")
        yield lisa


def fill(stages: Stages, lisa: Session, james: Session, market: Market) -> None:
    """Something in every table of Lisa's home."""
    stages.at(lisa, james, play=lambda: _fill(lisa, james, market))


def _fill(lisa: Session, james: Session, market: Market) -> None:
    post = homes.post(lisa, market.board)
    homes.carry(lisa, james)
    deal = homes.open_deal(james, lisa.me.identity, post, client=False)
    homes.carry(james, lisa)
    content = b"".join(attachments.seal_file_chunks(bytes(32), [b"plan"]))
    address = attachments.address([content])
    (lisa.home.objects / address.hex()).write_bytes(content)
    file = talk.Attachment("plan.txt", 4, text(bytes(32)), text(address), text(bytes(32)))
    homes.write(lisa, deal, talk.MessageSent("See", (file,)))
    script = (
        (james, "propose"), (lisa, "hire"), (james, "accept"), (james, "message"), (lisa, "book"), (james, "take"),
        (lisa, "fund"), (lisa, "attest"), (james, "deliver"), (lisa, "release"),
    )  # fmt: skip
    for who, what in script:
        homes.meet(lisa, james)
        assert acts.do(who, deal, what), what
    homes.meet(lisa, james)
    _local(lisa, market.board, deal)
    homes.write(james, deal, talk.MessageSent("one", ()))
    assert acts.do(james, deal, "raw deliver")
    late = [run for run in homes.runs(james, deal, 1) if run.device == raw(james.me.device)]
    homes.deliver(lisa, deal, late)


def _local(lisa: Session, board: SpaceId, deal: SpaceId) -> None:
    asked = requests.request("r-1", "profile", {})
    profiles.publish(lisa, {"headline": "Hi", "skills": ("seo",)}, None, asked)
    with lisa.admitting():
        request_rows.keep(lisa.db, "r-2", request_rows.Used(text(bytes(32)), public("deal", deal), []))
        no = places.remember(lisa.db, "ssh://nowhere", auto=True)
        places.carry(lisa.db, no, homes.space_no(lisa, board))
        places.note_read(lisa.db, no, ["x"])
        spaces = [space.no for space in events.spaces(lisa.db)]
        places.note_synced(lisa.db, no, spaces, places.heights(lisa.db), 5)
        message_reads.mark_read(lisa.db, homes.space_no(lisa, deal))
        places.set_kind(lisa.db, no, "relay")
        places.note_problem(lisa.db, no, "it was asleep")
        for table in (*RELAYS, *CALENDARS):
            _fill_in(lisa, table, no)


def _fill_in(lisa: Session, table: str, no: int) -> None:
    """A row with something in each column."""
    columns = lisa.db.execute(f"PRAGMA table_info({table})").fetchall()
    made = {"INTEGER": no, "TEXT": "x", "BLOB": bytes(32)}
    marks = ", ".join("?" * len(columns))
    lisa.db.execute(f"INSERT INTO {table} VALUES ({marks})", [made[row[2]] for row in columns])  # noqa: S608


def cells(session: Session) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """Table, column, the row's whole content and the value: of each column the first row and the last."""
    names = [row[0] for row in session.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    for table in sorted(names):
        columns = [row[1] for row in session.db.execute(f"PRAGMA table_info({table})").fetchall()]
        rows = session.db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        chosen = rows[:: max(1, len(rows) - 1)]
        if table == "own":
            chosen = rows
        for row in chosen:
            known = dict(zip(columns, row, strict=True))
            for column in columns:
                if known[column] is not None:
                    yield table, column, known, known[column]


def spoilt(value: Any) -> Any:
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:] if value else b"\1"
    if isinstance(value, str):
        return ("x" if value[:1] != "x" else "y") + value[1:]
    return 1 - value if value in (0, 1) else value + 1


def test_whatever_byte_of_a_row_is_spoilt_it_is_told(rich: Session) -> None:
    unseen = []
    tables = set()
    spaces = {space.no: raw(space.id) for space in events.spaces(rich.db)}
    chains = {chain.no: (spaces[no], chain.device) for no in spaces for chain in events.chains(rich.db, no)}
    for table, column, row, value in list(cells(rich)):
        tables.add(table)
        if column in COMFORT.get(table, ()) or (table == "own" and row["name"].split()[0] in OWN_COMFORT):
            continue
        if table == "request" and row["id"] == "r-2":  # it signed nothing
            continue
        if change(rich, table, row, row | {column: spoilt(value)}):
            if not problems(rich, share(table, row, spaces, chains)) and not problems(rich):
                unseen.append((table, column, row.get("name") or row.get("kind") or row.get("no"), str(value)[:40]))
            assert change(rich, table, row | {column: spoilt(value)}, row)
    assert not unseen, "\n".join(map(str, unseen))
    empty = {"attempt", "fork", "relay_struck", "chaise", "waiting", "review", "opinion", "sqlite_sequence"}
    every = {row[0] for row in rich.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    assert sorted(every - tables - empty) == []


def share(table: str, row: dict[str, Any], spaces: dict[int, bytes], chains: dict[int, tuple[bytes, bytes]]) -> Part:
    """The share of a check in which a row is looked at, if it is one of the rows that have a place of their own.

    A share of so many has little else in it. It sees what the whole check sees, so nothing is lost by asking it first.
    """
    name: tuple[bytes, ...] = ({"own": b"own", "person": b"people", "skill": b"people"}.get(table, b"requests"),)
    if table in {"event", "chain"}:
        name = chains[row["chain" if table == "event" else "no"]]
    elif "space" in row or table == "space":
        name = (spaces[row["no" if table == "space" else "space"]],)
    return homes.share_with(*name)


def change(session: Session, table: str, row: dict[str, Any], to: dict[str, Any]) -> bool:
    """Turn one row into another; whether that was possible."""
    where = " AND ".join(f"{name} IS ?" for name in row)
    new = ", ".join(f"{name} = ?" for name in to)
    query = f"UPDATE OR IGNORE {table} SET {new} WHERE {where}"  # noqa: S608
    done = session.db.execute(query, (*to.values(), *row.values()))
    session._epochs = None  # it may remember what was there before
    return bool(done.rowcount)


def test_the_page_lists_what_cannot_be_checked() -> None:
    page = (ROOT / "docs/spec/recovery.md").read_text()
    listed = page[page.index("cannot be checked") :]
    for table, columns in COMFORT.items():
        for column in columns:
            assert f"`{table}`" in listed or f"`{table}.{column}`" in listed, (table, column)


@pytest.mark.parametrize("of", [1, 2, 5])
def test_all_shares_together_see_everything(rich: Session, of: int) -> None:
    whole = checking.verify(rich, silent)
    shares = [checking.verify(rich, silent, Part(n, of)) for n in range(1, of + 1)]
    for name in ("events", "chains", "spaces", "files"):
        assert sum(getattr(share, name) for share in shares) == getattr(whole, name) > 0
    assert sum(share.pages for share in shares) == 1
    assert all(share.problems == [] for share in shares)


SPOILT: Final = {
    "an event": "UPDATE event SET body = CAST(replace(body, 'See', 'Sea') AS BLOB) WHERE kind = 'message.sent'",
    "a table": "UPDATE milestone SET released = released + 1",
    "a name": "UPDATE person SET name = name || 'x'",
    "a request": "UPDATE request SET fingerprint = zeroblob(32) WHERE id = 'r-1'",
    "a setting": "UPDATE own SET value = CAST(replace(value, 'Lisa', 'Liza') AS BLOB) WHERE name = 'settings'",
    "the book": "UPDATE entry SET postings = replace(postings, '60000', '60001')",
}


@pytest.mark.parametrize("what", SPOILT)
def test_some_share_sees_each_damage(stages: Stages, lisa: Session, james: Session, market: Market, what: str) -> None:
    fill(stages, lisa, james, market)
    assert lisa.db.execute(SPOILT[what]).rowcount
    assert any(problems(lisa, Part(n, 3)) for n in (1, 2, 3))


@pytest.mark.parametrize(
    "what", ["seq = seq + 1", "id = zeroblob(32)", "suite = 0", "epoch = zeroblob(8)", "signature = zeroblob(64)",
             "body = zeroblob(5)", "signature = NULL"],
)  # fmt: skip
def test_what_is_spoilt_of_waiting_events_is_told(
    lisa: Session, james: Session, market: Market, tmp_path: Path, what: str
) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    homes.write(lisa, deal, talk.MessageSent("one", ()), talk.MessageSent("two", ()))
    homes.meet(lisa, james)
    homes.write(james, deal, talk.MessageSent("three", ()))
    late = market.open("lisa", tmp_path / "late")
    homes.deliver(late, deal, [run for run in homes.runs(lisa, deal, 1) if run.device == raw(lisa.me.device)][:3])
    homes.deliver(late, deal, [run for run in homes.runs(james, deal, 1) if run.device == raw(james.me.device)])
    assert homes.waiting(late) == 2
    assert problems(late) == []
    late.db.execute(f"UPDATE waiting SET {what} WHERE seq = (SELECT max(seq) FROM waiting)")  # noqa: S608
    assert problems(late) != []
    late.close()


def test_a_damaged_attachment_is_told(stages: Stages, lisa: Session, james: Session, market: Market) -> None:
    fill(stages, lisa, james, market)
    (path,) = lisa.home.objects.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert [problem for problem in problems(lisa) if problem.startswith("attachment ")] != []
