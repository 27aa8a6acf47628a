"""Repair: a damaged store made whole from itself and from a place, or left as it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import pytest

from chaise_cli.crypto import attachments
from chaise_cli.domain import talk
from chaise_cli.ids import SpaceId, raw, text
from chaise_cli.session import checking, repairing, syncing
from chaise_cli.session import home as homes_of
from chaise_cli.session.session import Behind, Session
from chaise_cli.store import backup_reads, busy, connection, fence, own
from tests.fakes import acts, homes
from tests.fakes.homes import Market
from tests.fakes.stages import Stages
from tests.volume import soaking

HELLO: Final = talk.MessageSent("Hello", ())


def silent(_done: int, _total: int) -> None:
    pass


def problems(session: Session) -> list[str]:
    return checking.verify(session, silent).problems


@pytest.fixture
def place(stages: Stages) -> Path:
    return stages.empty("place")


@pytest.fixture
def deal(stages: Stages, lisa: Session, james: Session, market: Market, place: Path) -> SpaceId:
    """A deal under way with money held, a call and an attachment; all of it in the place, and a word of Lisa's not."""
    return stages.at(lisa, james, play=lambda: _under_way(lisa, james, market, place), folders=[place])


def _under_way(lisa: Session, james: Session, market: Market, place: Path) -> SpaceId:
    post = homes.post(lisa, market.board)
    homes.carry(lisa, james)
    made = homes.open_deal(james, lisa.me.identity, post, client=False)
    homes.carry(james, lisa)
    content = b"".join(attachments.seal_file_chunks(bytes(32), [b"plan"]))
    address = attachments.address([content])
    (lisa.home.objects / address.hex()).write_bytes(content)
    file = talk.Attachment("plan.txt", 4, text(bytes(32)), text(address), text(bytes(32)))
    homes.write(lisa, made, talk.MessageSent("See", (file,)))
    script = (
        (james, "propose"), (lisa, "hire"), (james, "accept"), (james, "message"), (lisa, "book"), (lisa, "fund"),
        (lisa, "attest"),
    )  # fmt: skip
    for who, what in script:
        homes.meet(lisa, james)
        assert acts.do(who, made, what), what
    homes.meet(lisa, james)
    syncing.sync_once(lisa, str(place))
    syncing.sync_once(james, str(place))
    homes.write(lisa, made, HELLO)
    with lisa.admitting():
        busy.add(lisa.db, busy.Source(1, "work", "file", "work.ics", tentative=False, email=None, every=1_000))
    assert problems(lisa) == []
    return made


def everything(session: Session, *spaces: SpaceId) -> dict[str, Any]:
    found: dict[str, Any] = {space: homes.state(session, space) for space in spaces}
    found["own"] = {name: value for name, value in backup_reads.own_values(session.db) if not name.startswith("board ")}
    found["requests"] = backup_reads.requests(session.db)
    found["places"] = backup_reads.places(session.db)
    found["calendars"] = busy.known(session.db)
    return found


def reopened(session: Session, market: Market) -> Session:
    session.close()
    return homes.reopen(session.home, market.key("lisa"))


LOCAL: Final = {  # mended without any place: the signed bytes are there
    "a verdict": "UPDATE event SET void = 'deal.not_yours' WHERE kind = 'terms.accepted'",
    "a signature before another": "UPDATE event SET signature = zeroblob(64) WHERE kind = 'terms.accepted'",
    "a verdict of admission": "UPDATE event SET void = 'body.invalid' WHERE kind = 'terms.accepted'",
    "an uptake": "UPDATE event SET uptake = uptake + 1 WHERE kind = 'terms.accepted'",
    "a place in the order": "UPDATE event SET lamport = lamport + 1 WHERE kind = 'terms.accepted'",
    "a kind": "UPDATE event SET kind = 'work.update' WHERE kind = 'message.sent'",
    "the head of a chain": "UPDATE chain SET id = zeroblob(32)",
    "whose a chain is": "UPDATE chain SET identity = zeroblob(32)",
    "an own id": "UPDATE event SET id = zeroblob(32) WHERE kind = 'fund.requested'",
    "an epoch's number": "UPDATE event SET epoch = 999 WHERE kind = 'terms.accepted'",
    "held money": "UPDATE milestone SET held = held + 1 WHERE n = 1",
    "the state of a deal": "UPDATE deal SET state = 'closed'",
    "an entry taken out": "DELETE FROM entry WHERE n = 0",
    "a listing": "UPDATE listing SET ended = 'closed'",
    "a message taken out": "DELETE FROM message",
    "the creator": "UPDATE space SET creator = zeroblob(32)",
    "whom wraps name": "DELETE FROM named",
    "the settings": "UPDATE own SET value = CAST(replace(value, 'Lisa', 'Liza') AS BLOB) WHERE name = 'settings'",
    "a name": "UPDATE person SET name = 'Jane'",
    "skills": "DELETE FROM skill",
}
FETCHED: Final = {
    "a word in a message": (
        "UPDATE event SET body = CAST(replace(body, 'words', 'sword') AS BLOB) WHERE kind = 'message.sent'"
    ),
    "an event taken out": "DELETE FROM event WHERE kind = 'terms.offered'",
    "many events taken out": "DELETE FROM event WHERE kind NOT IN ('message.sent', 'genesis')",
    "bodies of all kinds": "UPDATE event SET body = zeroblob(9) WHERE seq = 2",
    "an own event": "UPDATE event SET body = zeroblob(9) WHERE kind = 'fund.requested'",
}


@pytest.mark.parametrize("what", LOCAL)
def test_what_follows_from_signed_bytes_is_mended_without_a_place(
    lisa: Session, deal: SpaceId, market: Market, what: str
) -> None:
    before = everything(lisa, deal, market.board)
    assert lisa.db.execute(LOCAL[what]).rowcount > 0
    done = repairing.repair(lisa, None, silent)
    assert (done.checked.problems, done.notes) == ([], ["the store was built anew from its events"])
    again = reopened(lisa, market)
    assert everything(again, deal, market.board) == before
    assert not again.behind
    assert sorted(path.name for path in again.home.path.iterdir() if "store" in path.name or "repair" in path.name)[
        :1
    ] == ["store.db"]
    assert not (again.home.path / "store.db.damaged").exists()
    homes.write(again, deal, HELLO)
    assert problems(again) == []
    again.close()


@pytest.mark.parametrize("what", FETCHED)
def test_what_is_damaged_comes_back_from_a_place_and_what_only_we_hold_stays(
    lisa: Session, james: Session, deal: SpaceId, market: Market, place: Path, what: str
) -> None:
    before = everything(lisa, deal, market.board)
    assert lisa.db.execute(FETCHED[what]).rowcount > 0
    done = repairing.repair(lisa, str(place), silent)
    assert done.checked.problems == []
    again = reopened(lisa, market)
    assert everything(again, deal, market.board) == before
    assert not again.behind
    homes.write(again, deal, HELLO)
    homes.meet(again, james)
    assert homes.state(again, deal) == homes.state(james, deal)
    again.close()


@pytest.mark.parametrize("what", FETCHED)
def test_what_nobody_else_has_is_left_as_it_is_and_named(
    lisa: Session, deal: SpaceId, market: Market, tmp_path: Path, what: str
) -> None:
    lisa.db.execute(FETCHED[what])
    (tmp_path / "empty").mkdir()
    for where in (None, str(tmp_path / "empty")):
        before = lisa.db.execute("SELECT * FROM event ORDER BY chain, seq").fetchall()
        done = repairing.repair(lisa, where, silent)
        assert any(problem.startswith("could not be mended: ") for problem in done.checked.problems)
        assert lisa.db.execute("SELECT * FROM event ORDER BY chain, seq").fetchall() == before
    assert [path.name for path in lisa.home.path.iterdir() if path.name.startswith(".")] == []


def test_an_own_event_that_reached_nobody_is_never_dropped(
    lisa: Session, deal: SpaceId, market: Market, place: Path
) -> None:
    lisa.db.execute("UPDATE event SET body = zeroblob(9) WHERE body LIKE '%Hello%'")
    head = homes.HomeReplica(lisa).heads(raw(deal))
    done = repairing.repair(lisa, str(place), silent)
    assert any("intact nowhere else" in problem for problem in done.checked.problems)
    assert homes.HomeReplica(lisa).heads(raw(deal)) == head


def test_a_damaged_attachment_is_fetched_again(lisa: Session, deal: SpaceId, market: Market, place: Path) -> None:
    (path,) = lisa.home.objects.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert repairing.repair(lisa, None, silent).checked.problems != []
    assert path.read_bytes() == whole[:-1]
    again = homes.reopen(lisa.home, market.key("lisa"))
    assert repairing.repair(again, str(place), silent).checked.problems == []
    assert path.read_bytes() == whole
    assert len(list(path.parent.iterdir())) == 1


def test_what_this_device_wrote_and_lost_shows_as_a_restored_home(
    lisa: Session, deal: SpaceId, market: Market, place: Path
) -> None:
    """The place knows more of this device than the store ever said: a second history could have begun."""
    syncing.sync_once(lisa, str(place))
    mine = (homes.space_no(lisa, deal), raw(lisa.me.device))
    chain = lisa.db.execute("SELECT no FROM chain WHERE space = ? AND device = ?", mine).fetchone()[0]
    lisa.db.execute("DELETE FROM event WHERE chain = ? AND seq > 2", (chain,))
    lisa.db.execute("UPDATE chain SET seq = 2 WHERE no = ?", (chain,))
    lisa.db.execute("DELETE FROM message")
    done = repairing.repair(lisa, str(place), silent)
    assert done.checked.problems == [Behind().sentence()]
    again = reopened(lisa, market)
    assert again.behind
    assert repairing.repair(again, None, silent).notes == ["nothing is damaged"]
    again.close()


def test_a_sound_home_is_left_alone(lisa: Session, deal: SpaceId) -> None:
    before = lisa.home.store.stat().st_ino
    assert repairing.repair(lisa, None, silent).notes == ["nothing is damaged"]
    assert lisa.home.store.stat().st_ino == before


def test_pages_that_do_not_open_are_replaced(
    lisa: Session, james: Session, deal: SpaceId, market: Market, place: Path
) -> None:
    """A flipped bit on the disk takes a whole page with it."""
    syncing.sync_once(lisa, str(place))
    before = everything(lisa, deal, market.board)
    lisa.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store, mended, untouched = lisa.home.store, 0, 0
    whole = store.read_bytes()
    lisa.close()
    for page in range(1, len(whole) // 4096, 1 if soaking() else 7):
        at = page * 4096 + 100
        store.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            session = homes.reopen(lisa.home, market.key("lisa"))
        except Exception as error:  # noqa: BLE001, what kind it is, is asked below
            assert getattr(error, "code", "") == "store.damaged", error  # noqa: PT017
            untouched += 1
            continue
        assert problems(session) != []
        done = repairing.repair(session, str(place), silent)
        if {*done.checked.problems} - {Behind().sentence()}:
            untouched += 1
            continue
        mended += 1
        assert any("so it is kept" in note for note in done.notes)
        again = homes.reopen(lisa.home, market.key("lisa"))
        assert everything(again, deal, market.board) == before
        again.close()
    assert mended > 2 * untouched, (mended, untouched)


def test_own_keys_that_are_damaged_are_named_and_not_made_up(
    lisa: Session, deal: SpaceId, market: Market, place: Path
) -> None:
    device = lisa.me.device
    lisa.db.execute("UPDATE own SET value = zeroblob(32) WHERE name = ?", (f"seed {device}",))
    done = repairing.repair(lisa, None, silent)
    assert any("a device key of this home" in problem for problem in done.checked.problems)
    assert own.get(lisa.db, f"seed {device}") == bytes(32)


def _damaged(lisa: Session) -> None:
    lisa.db.execute("UPDATE listing SET ended = 'closed'")


def _says(home: homes_of.Home, key: Path, deal: SpaceId, word: str) -> None:
    """Another process, as far as files are concerned: a session of its own writes and is closed."""
    other = homes.reopen(home, key)
    other.random = homes.seeded(word)
    homes.write(other, deal, talk.MessageSent(word, ()))
    other.close()


def _words(home: homes_of.Home, key: Path) -> list[str]:
    session = homes.reopen(home, key)
    rows = session.db.execute("SELECT body FROM event WHERE kind = 'message.sent'").fetchall()
    found = [str(json.loads(body)["data"]["text"]) for (body,) in rows]
    assert problems(session) == []
    session.close()
    return found


def test_what_is_written_while_the_new_store_is_checked_ends_the_repair(
    lisa: Session, market: Market, deal: SpaceId, monkeypatch: pytest.MonkeyPatch
) -> None:
    _damaged(lisa)
    original = repairing._settle

    def settled(*given: Any) -> None:
        original(*given)
        _says(lisa.home, market.key("lisa"), deal, "meanwhile")

    monkeypatch.setattr(repairing, "_settle", settled)
    with pytest.raises(repairing.MovedOn):
        repairing.repair(lisa, None, silent)
    monkeypatch.undo()
    assert repairing.repair(lisa, None, silent).checked.problems == []
    assert "meanwhile" in _words(lisa.home, market.key("lisa"))


def test_what_others_said_and_came_in_meanwhile_ends_the_repair_too(
    lisa: Session, james: Session, market: Market, deal: SpaceId, monkeypatch: pytest.MonkeyPatch
) -> None:
    _damaged(lisa)
    original = repairing._settle

    def settled(*given: Any) -> None:
        original(*given)
        other = homes.reopen(lisa.home, market.key("lisa"))
        homes.write(james, deal, talk.MessageSent("from James", ()))
        homes.carry(james, other)
        other.close()

    monkeypatch.setattr(repairing, "_settle", settled)
    with pytest.raises(repairing.MovedOn):
        repairing.repair(lisa, None, silent)
    monkeypatch.undo()
    assert repairing.repair(lisa, None, silent).checked.problems == []
    assert "from James" in _words(lisa.home, market.key("lisa"))


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_a_home_that_somebody_has_open_is_not_put_away(
    lisa: Session, market: Market, deal: SpaceId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays, as a watch, would go on writing into the old file."""
    monkeypatch.setattr(fence, "PAUSE_S", 0.0)
    _damaged(lisa)
    other = homes.reopen(lisa.home, market.key("lisa"))
    other.random = homes.seeded("stays")
    with pytest.raises(connection.InUse):
        repairing.repair(lisa, None, silent)
    homes.write(other, deal, talk.MessageSent("still here", ()))
    other.close()
    assert repairing.repair(lisa, None, silent).checked.problems == []
    assert "still here" in _words(lisa.home, market.key("lisa"))


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
@pytest.mark.parametrize("step", ["link", "replace"])
def test_who_comes_during_the_swap_waits_and_writes_into_the_new_store(
    lisa: Session, market: Market, deal: SpaceId, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _damaged(lisa)
    writers: list[Thread] = []
    came = Event()

    def comes(*given: Any, **more: Any) -> Any:
        if not writers:
            writers.append(Thread(target=writes))
            writers[0].start()
            came.wait(10)
        return real(*given, **more)

    def writes() -> None:
        came.set()
        _says(lisa.home, market.key("lisa"), deal, "just then")

    holder: Any = os if step == "link" else Path
    real = getattr(holder, step)
    monkeypatch.setattr(holder, step, comes)
    assert repairing.repair(lisa, None, silent).checked.problems == []
    writers[0].join(30)
    assert _words(lisa.home, market.key("lisa")).count("just then") == 1
