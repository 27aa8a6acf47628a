"""Backups: all of a home in one file, every byte of which counts."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.crypto import attachments, keyslots, recovery, storekey
from chaise_cli.domain import talk
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import SpaceId, public, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.session import access, archive, backing, checking, contents, founding, renewal, restoring
from chaise_cli.session import home as homes_of
from chaise_cli.session.archive import Record
from chaise_cli.session.session import Behind, Session
from chaise_cli.store import backup_reads, events, message_reads, own, places, requests
from tests.fakes import acts, homes
from tests.fakes.homes import Hands, Market
from tests.fakes.stages import Stages

HELLO = talk.MessageSent("Hello", ())


def silent(_done: int, _total: int) -> None:
    pass


def problems(session: Session) -> list[str]:
    """What is damaged; that a restored home is behind is no damage."""
    return [problem for problem in checking.verify(session, silent).problems if problem != Behind().sentence()]


def restore(file: Path, to: Path, key: Path, **more: Any) -> Session:
    """The home in `to`, made from a backup; still behind."""
    plan = restoring.Plan(file, homes_of.Home(to), access.Keys(key_file=key), **more)
    return restoring.restore(plan, Hands(homes.NOON_MS + 1000), silent, homes.seeded(str(to)))


@pytest.fixture
def deal(stages: Stages, lisa: Session, james: Session) -> SpaceId:
    """A deal under way, with money held, an attachment and something unsent."""
    return stages.at(lisa, james, play=lambda: _under_way(lisa, james))


def _under_way(lisa: Session, james: Session) -> SpaceId:
    made = homes.open_deal(lisa, james.me.identity, client=True)
    content = b"".join(attachments.seal_file_chunks(bytes(32), [b"plan"]))
    address = attachments.address([content])
    (lisa.home.objects / address.hex()).write_bytes(content)
    file = talk.Attachment("plan.txt", 4, text(bytes(32)), text(address), text(bytes(32)))
    homes.write(lisa, made, talk.MessageSent("See", (file,)))
    for who, what in ((james, "propose"), (lisa, "hire"), (james, "accept"), (lisa, "fund"), (lisa, "attest")):
        homes.meet(lisa, james)
        assert acts.do(who, made, what), what
    homes.meet(lisa, james)
    homes.write(lisa, made, HELLO)
    return made


@pytest.fixture
def file(lisa: Session, deal: SpaceId, tmp_path: Path) -> Path:
    """Lisa's backup."""
    path = tmp_path / "lisa.backup"
    with lisa.admitting():
        no = places.remember(lisa.db, "ssh://nowhere", auto=True)
        places.carry(lisa.db, no, events.spaces(lisa.db, "board")[0].no)
        requests.keep(lisa.db, "r-1", requests.Used(text(bytes(32)), public("deal", deal), []))
        message_reads.mark_read(lisa.db, homes.space_no(lisa, deal))
    backing.back_up(lisa, path, silent)
    return path


def test_a_restored_home_is_the_one_that_was_saved(
    lisa: Session, deal: SpaceId, file: Path, market: Market, tmp_path: Path
) -> None:
    back = restore(file, tmp_path / "back", market.key("lisa"))
    for space in (deal, market.board):
        assert homes.state(back, space) == homes.state(lisa, space)
    now, before = dict(backup_reads.own_values(back.db)), dict(backup_reads.own_values(lisa.db))
    assert before.items() <= now.items()
    assert all(name.startswith("board ") for name in now.keys() - before.keys())  # what self tells of boards
    for one in (backup_reads.requests, backup_reads.places):
        assert one(back.db) == one(lisa.db) != []
    no, there = homes.space_no(back, deal), homes.space_no(lisa, deal)
    assert backup_reads.read_until(back.db, no) == backup_reads.read_until(lisa.db, there) is not None
    assert {path.name for path in back.home.objects.iterdir()} == {path.name for path in lisa.home.objects.iterdir()}
    assert problems(back) == []
    back.close()


def test_a_restored_home_writes_nothing_before_it_has_a_new_key(
    lisa: Session, james: Session, deal: SpaceId, file: Path, market: Market, tmp_path: Path
) -> None:
    back = restore(file, tmp_path / "back", market.key("lisa"))
    with pytest.raises(Behind), back.writing():
        pass
    back.close()
    again = homes.reopen(back.home, market.key("lisa"))
    assert again.behind
    old = again.me.device
    renewal.renew(again)
    assert again.me.device != old
    homes.write(again, deal, HELLO)
    homes.meet(again, james)
    assert homes.state(again, deal) == homes.state(james, deal)
    assert problems(again) == problems(james) == []
    again.close()


def test_what_was_written_after_the_backup_comes_back_and_what_was_unsent_goes_out(
    lisa: Session, james: Session, deal: SpaceId, file: Path, market: Market, tmp_path: Path
) -> None:
    homes.write(lisa, deal, talk.MessageSent("after", ()))
    homes.meet(lisa, james)
    assert acts.do(lisa, deal, "release")
    homes.meet(lisa, james)
    back = restore(file, tmp_path / "back", market.key("lisa"))
    homes.carry(james, back)
    renewal.renew(back)
    homes.meet(back, james)
    assert homes.state(back, deal) == homes.state(james, deal)
    assert len(homes.state(back, deal)["message"]) == len(homes.state(james, deal)["message"]) == 3
    assert problems(back) == problems(james) == []
    back.close()


def test_the_backup_of_a_home_that_is_lost_brings_its_unsent_words(
    james: Session, deal: SpaceId, file: Path, market: Market, tmp_path: Path
) -> None:
    before = len(homes.state(james, deal)["message"])
    back = restore(file, tmp_path / "back", market.key("lisa"))
    renewal.renew(back)
    homes.meet(back, james)
    assert len(homes.state(james, deal)["message"]) == before + 1
    back.close()


def test_a_backup_is_private_and_writes_over_nothing(lisa: Session, file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    with pytest.raises(backing.BackupExists):
        backing.back_up(lisa, file, silent)
    assert file.read_bytes() == before
    backing.back_up(lisa, file, silent, force=True)
    assert file.read_bytes() != before
    assert [path.name for path in file.parent.glob(".lisa.backup*")] == []


def test_a_backup_does_not_go_into_the_home(lisa: Session) -> None:
    with pytest.raises(backing.InsideHome):
        backing.back_up(lisa, lisa.home.path / "a" / ".." / "b", silent)


def test_nothing_of_a_backup_can_be_read_without_a_key(lisa: Session, file: Path) -> None:
    data = file.read_bytes()
    for secret in (b"Hello", b"ssh://nowhere", b"lisa", raw(lisa.me.identity), raw(lisa.me.device), lisa.key):
        assert secret not in data


def test_a_damaged_event_is_not_saved_as_if_it_were_sound(lisa: Session, deal: SpaceId, tmp_path: Path) -> None:
    lisa.db.execute("UPDATE event SET body = CAST(replace(body, 'Hello', 'Jello') AS BLOB) WHERE kind = 'message.sent'")
    with pytest.raises(ChaiseError) as caught:
        backing.back_up(lisa, tmp_path / "new", silent)
    assert caught.value.code == "store.damaged_event"
    assert not (tmp_path / "new").exists()
    assert list(tmp_path.glob(".new*")) == []


def test_attachments_that_are_damaged_or_missing_are_left_out_and_told(
    lisa: Session, deal: SpaceId, tmp_path: Path
) -> None:
    (path,) = lisa.home.objects.iterdir()
    path.write_bytes(b"other")
    made = backing.back_up(lisa, tmp_path / "new", silent)
    assert (made["files"], len(made["problems"])) == (0, 1)
    path.unlink()
    made = backing.back_up(lisa, tmp_path / "newer", silent)
    assert (made["files"], len(made["problems"])) == (0, 1)


def test_without_files_they_are_left_to_the_next_sync(
    lisa: Session, deal: SpaceId, market: Market, tmp_path: Path
) -> None:
    made = backing.back_up(lisa, tmp_path / "new", silent, files=False)
    assert (made["files"], made["problems"]) == (0, [])
    back = restore(tmp_path / "new", tmp_path / "back", market.key("lisa"))
    assert len(homes.HomeReplica(back).objects_wanted()) == 1
    back.close()


def test_a_check_tells_what_is_in_it_and_what_this_home_has_besides(
    lisa: Session, deal: SpaceId, file: Path, james: Session
) -> None:
    looked = backing.look(file, lisa.key, lisa, silent)
    assert looked.problem is None
    found = looked.backup
    assert (found["events"], found["spaces"], found["files"]) == (events.count(lisa.db), 3, 1)
    assert (found["requests"], found["newer_here"], found["problems"]) == (1, 0, [])
    homes.write(lisa, deal, HELLO, HELLO)
    assert backing.look(file, lisa.key, lisa, silent).backup["newer_here"] == 2
    other = backing.look(file, lisa.key, james, silent)
    assert other.backup["newer_here"] is None
    assert other.backup["problems"] == ["it is of another identity than this home"]


def test_a_home_remembers_its_last_backup(lisa: Session, file: Path) -> None:
    last = backing.last(lisa)
    assert last == backing.Last(homes.NOON_MS, str(file), events.count(lisa.db))


def _damage(session: Session, data: bytes, path: Path, key: Path) -> ChaiseError | None:
    path.write_bytes(data)
    try:
        found = backing.open_key(path, access.Keys(key_file=key), session.home, 0)
        return backing.look(path, found, session, silent).problem
    except ChaiseError as error:
        return error


def test_no_byte_can_be_changed_and_none_be_missing(lisa: Session, file: Path, market: Market, tmp_path: Path) -> None:
    """Each byte of the front, and bytes all over the stream; all ends, and something behind them."""
    data = file.read_bytes()
    front = data.index(attachments.MAGIC) + 8
    places_ = [*range(0, front, 1), *range(front, len(data), max(1, (len(data) - front) // 60)), len(data) - 1]
    bad = tmp_path / "bad"
    for at in places_:
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        error = _damage(lisa, changed, bad, market.key("lisa"))
        assert error is not None, at
        assert error.exit == 11, (at, error)
    for cut in [*range(0, front + 2, 7), front + 100, len(data) - 1]:
        error = _damage(lisa, data[:cut], bad, market.key("lisa"))
        assert error is not None, cut
        assert error.exit == 11, (cut, error)
    for more in (b"\0", data):
        error = _damage(lisa, data + more, bad, market.key("lisa"))
        assert error is not None
        assert error.exit == 11
    assert _damage(lisa, data, bad, market.key("lisa")) is None


def test_a_newer_backup_is_told_from_a_damaged_one(lisa: Session, file: Path) -> None:
    data = bytearray(file.read_bytes())
    size = int.from_bytes(data[8:12], "big")
    data[7] = 2
    data[12 + size : 44 + size] = sha256(bytes(data[: 12 + size])).digest()
    with pytest.raises(archive.NewerBackup):
        archive.read_front(io.BytesIO(bytes(data)), "x")


def test_somebody_elses_backup_does_not_open(lisa: Session, james: Session, file: Path, market: Market) -> None:
    keys = access.Keys(key_file=market.key("james"))
    with pytest.raises(keyslots.WrongKey):
        backing.open_key(file, keys, james.home, 0)
    with pytest.raises(backing.BackupLocked):
        backing.open_key(file, access.Keys(), homes_of.Home(file.with_name("none")), 0)


def test_slots_of_another_home_open_nothing(lisa: Session, james: Session, file: Path, tmp_path: Path) -> None:
    """James's slots before Lisa's stream: his key opens the slots, and what is behind them stays shut."""
    theirs = tmp_path / "james.backup"
    backing.back_up(james, theirs, silent)
    ours, other = file.read_bytes(), theirs.read_bytes()
    cut, other_cut = ours.index(attachments.MAGIC), other.index(attachments.MAGIC)
    for mixed in (other[:other_cut] + ours[cut:], other[: other_cut - 60] + ours[cut - 60 :]):
        (tmp_path / "mixed").write_bytes(mixed)
        looked = backing.look(tmp_path / "mixed", james.key, None, silent)
        assert looked.problem is not None
        assert looked.problem.code == "backup.damaged"
        assert looked.backup["at"] is None


@pytest.mark.parametrize("way", ["code", "passphrase"])
def test_every_way_into_the_home_opens_its_backup(
    lisa: Session, file: Path, market: Market, tmp_path: Path, way: str
) -> None:
    code = recovery.generate(homes.seeded("code"))
    cost = keyslots.Cost(1, 1, 8)
    slots: list[dict[str, object]] = [
        keyslots.make_recovery_slot(lisa.key, code, homes.seeded(1)),
        keyslots.make_passphrase_slot(lisa.key, "öpen", homes.seeded(2), cost),
    ]
    homes_of.write_keys(lisa.home, slots, None)
    backing.back_up(lisa, file, silent, force=True)
    keys = access.Keys(recovery=recovery.write(code)) if way == "code" else access.Keys(passphrase="öpen")
    found = backing.open_key(file, keys, homes_of.Home(tmp_path / "none"), 0)
    assert found == lisa.key


def test_with_the_recovery_code_a_new_key_file_can_be_named(
    lisa: Session, deal: SpaceId, file: Path, tmp_path: Path
) -> None:
    code = recovery.generate(homes.seeded("code"))
    homes_of.write_keys(lisa.home, [keyslots.make_recovery_slot(lisa.key, code, homes.seeded(1))], None)
    backing.back_up(lisa, file, silent, force=True)
    plan = restoring.Plan(
        file,
        homes_of.Home(tmp_path / "back"),
        access.Keys(recovery=recovery.write(code)),
        founding.Secrets(None, tmp_path / "new.key"),
    )
    restoring.restore(plan, Hands(), silent, homes.seeded("back")).close()
    again = homes.reopen(homes_of.Home(tmp_path / "back"), tmp_path / "new.key")
    assert again.key == lisa.key
    assert [slot["kind"] for slot in homes_of.read_keys(again.home)["slots"]] == ["recovery", "keyfile"]
    again.close()


def test_nothing_is_restored_over_a_home(lisa: Session, file: Path, market: Market) -> None:
    before = sorted(path.name for path in lisa.home.path.iterdir())
    with pytest.raises(homes_of.HomeExists):
        restore(file, lisa.home.path, market.key("lisa"))
    assert sorted(path.name for path in lisa.home.path.iterdir()) == before


# A backup is sealed under the store key, so only who has that can write these; a bug of ours could.


def rewritten(session: Session, file: Path, change: Callable[[list[Record]], list[Record]]) -> Path:
    """The backup with other records, sealed anew."""
    with file.open("rb") as held:
        front = archive.read_front(held, "")
        records = list(archive.records(held, front, session.key))
    path = file.with_name("rewritten")
    with path.open("wb") as out:
        archive.write(out, front.slots, session.key, change(records), homes.seeded(len(records)))
    return path


def _without(kind: int) -> Callable[[list[Record]], list[Record]]:
    def change(records: list[Record]) -> list[Record]:
        gone = next(at for at, record in reversed(list(enumerate(records))) if record.kind == kind)
        return records[:gone] + records[gone + 1 :]

    return change


def _json(kind: int, /, **fields: Any) -> Callable[[list[Record]], list[Record]]:
    def change(records: list[Record]) -> list[Record]:
        return [
            Record(one.kind, canonical.encode(json.loads(one.data) | fields)) if one.kind == kind else one
            for one in records
        ]

    return change


WRONG: dict[str, Callable[[list[Record]], list[Record]]] = {
    "no end": _without(archive.END),
    "no beginning": _without(archive.ABOUT),
    "an own value missing": _without(archive.OWN),
    "a space missing": _without(archive.SPACE),
    "events missing": _without(archive.SEGMENT),
    "a request missing": _without(archive.REQUEST),
    "a place missing": _without(archive.PLACE),
    "an attachment without its end": _without(archive.OBJECT_END),
    "an attachment without content": _without(archive.OBJECT),
    "another order": lambda records: [records[0], *reversed(records[1:-1]), records[-1]],
    "everything twice": lambda records: records + records,
    "an unknown record": lambda records: [*records[:1], Record(99, b""), *records[1:]],
    "a field more": _json(archive.SPACE, more=1),
    "a field of another type": _json(archive.PLACE, auto=1),
    "a kind of space that is none": _json(archive.SPACE, kind="other"),
    "heads that are not there": _json(archive.SPACE, heads=[[text(bytes(32)), 0, text(bytes(32))]]),
    "heads that are none": _json(archive.SPACE, heads=[[1]]),
    "a secret that is none": _json(archive.SPACE, secrets=["!"]),
    "two selves": _json(archive.SPACE, kind="self"),
    "no JSON": lambda records: [Record(records[0].kind, b"{"), *records[1:]],
    "a segment that is none": lambda records: [
        Record(one.kind, one.data[:-1]) if one.kind == archive.SEGMENT else one for one in records
    ],
    "a false signature": lambda records: [
        Record(one.kind, one.data[:-1] + b"\xff") if one.kind == archive.SEGMENT else one for one in records
    ],
    "events of another space": lambda records: [
        *[one for one in records if one.kind != archive.SPACE][:-1],
        *[one for one in records if one.kind == archive.SPACE],
        records[-1],
    ],
    "another identity": _json(archive.ABOUT, identity=text(bytes(32))),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_backup_that_does_not_hang_together_makes_no_home(
    lisa: Session, deal: SpaceId, file: Path, market: Market, tmp_path: Path, what: str
) -> None:
    bad = rewritten(lisa, file, WRONG[what])
    if what != "another identity":  # which only shows when the home is there to be asked
        looked = backing.look(bad, lisa.key, lisa, silent)
        assert looked.problem is not None, what
    with pytest.raises(archive.DamagedBackup):
        restore(bad, tmp_path / "to" / "back", market.key("lisa"))
    assert list((tmp_path / "to").iterdir()) == []


def test_a_record_of_any_size_is_not_read(lisa: Session, file: Path) -> None:
    held = bytearray(b"\x01" + (archive.RECORD_MOST + 1).to_bytes(4, "big"))
    with pytest.raises(archive.DamagedBackup):
        list(archive._taken(held))


def test_a_fork_is_kept_through_a_backup(lisa: Session, james: Session, market: Market, tmp_path: Path) -> None:
    twin = market.open("james", tmp_path / "twin")
    for number, who in enumerate((james, twin)):
        homes.post(who, market.board, homes.replace(homes.POST, title=f"Post {number}"))
    for who in (james, twin):
        homes.deliver(lisa, market.board, homes.runs(who, market.board))
    told = checking.verify(lisa, silent).forks
    assert len(told) == 1
    backing.back_up(lisa, tmp_path / "b", silent)
    back = restore(tmp_path / "b", tmp_path / "back", market.key("lisa"))
    assert homes.state(back, market.board) == homes.state(lisa, market.board)
    assert homes.HomeReplica(back).heads(raw(market.board)) == homes.HomeReplica(lisa).heads(raw(market.board))
    assert checking.verify(back, silent).forks == told
    assert problems(back) == problems(lisa) == []
    back.close()
    twin.close()


def test_events_that_wait_are_saved_too(
    lisa: Session, james: Session, deal: SpaceId, market: Market, tmp_path: Path
) -> None:
    homes.write(james, deal, HELLO)
    runs = [run for run in homes.runs(james, deal, 1) if run.device == raw(james.me.device)]
    late = market.open("lisa", tmp_path / "late")
    homes.deliver(late, deal, [run for run in homes.runs(lisa, deal, 1) if run.device == raw(lisa.me.device)][:3])
    homes.deliver(late, deal, runs)
    assert homes.waiting(late) > 0
    backing.back_up(late, tmp_path / "b", silent)
    back = restore(tmp_path / "b", tmp_path / "back", market.key("lisa"))
    assert homes.waiting(back) == homes.waiting(late)
    assert homes.HomeReplica(back).heads(raw(deal)) == homes.HomeReplica(late).heads(raw(deal))
    back.close()
    late.close()


def test_the_store_key_is_the_only_key_of_a_backup(lisa: Session, file: Path) -> None:
    with file.open("rb") as held:
        front = archive.read_front(held, "")
        other = storekey.generate(homes.seeded("other"))
        with pytest.raises(archive.DamagedBackup):
            list(archive.records(held, front, other))


def test_own_values_are_kept_but_for_what_is_of_the_store_alone(lisa: Session) -> None:
    with lisa.admitting():
        own.put(lisa.db, "behind", b"1")
        own.put(lisa.db, "unheard of", b"x")
    names = {name for name, _ in backup_reads.own_values(lisa.db)}
    assert "unheard of" in names
    assert names.isdisjoint({"behind", "backup"})


def test_what_is_read_is_counted(lisa: Session, file: Path) -> None:
    found = contents.Contents()
    with file.open("rb") as held:
        front = archive.read_front(held, "")
        kinds = [item.kind for item in found.read(archive.records(held, front, lisa.key))]
    assert kinds[0] == archive.ABOUT
    assert kinds[-1] == archive.END
    assert found.counts["events"] == events.count(lisa.db)
