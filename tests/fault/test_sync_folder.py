"""A folder may be cut off at any write, full, gone, or full of other people's rubbish; the rest goes on."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from chaise_cli import ids
from chaise_cli.ledger import canonical, segment
from sync import directory, pack
from sync.engine import Exchange
from sync.transports import folder
from tests.fakes.links import FolderLink
from tests.fakes.replica import Device, Forgetful, MemoryReplica, scribble

LISA, JAMES, ADA, MALLORY = Device("lisa"), Device("james"), Device("ada"), Device("mallory")
OK = (0, 0, 0, (), None)  # of an Exchange: nothing moved, nothing went wrong


class Killed(BaseException):
    """The process is gone."""


class FailingOs:
    """The `os` of `sync.directory`, which fails at its n-th write and, when killed, at every later one."""

    WRITES = frozenset({"write", "fsync", "rename", "unlink", "mkdir"})

    def __init__(self, at: int, failure: BaseException) -> None:
        self.left = at
        self.failure = failure
        self.done = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.WRITES:
            return real

        def call(*args: object, **kwargs: object) -> object:
            if self.left == 0:
                raise self.failure
            self.left -= 1
            self.done += 1
            return real(*args, **kwargs)

        return call


@pytest.fixture
def place(tmp_path: Path) -> FolderLink:
    path = tmp_path / "stick"
    path.mkdir()
    return FolderLink(path)


def lisa_and_deal(*, events: int = 4) -> tuple[MemoryReplica, bytes]:
    lisa = MemoryReplica(LISA)
    deal = lisa.open("deal", [LISA.identity, JAMES.identity])
    scribble(lisa, deal, events, random.Random(1))
    return lisa, deal


def packs(place: FolderLink) -> Path:
    return place.path / "chaise-1" / "packs"


def pointer(place: FolderLink, device: Device) -> Path:
    return place.path / "chaise-1" / "latest" / f"{device.device.hex()}.json"


def codes(exchange: Exchange) -> list[str]:
    return [problem.code for problem in exchange.problems]


def whole(place: FolderLink, lisa: MemoryReplica) -> None:
    """A newcomer finds everything of Lisa's in the folder."""
    james = MemoryReplica(JAMES)
    assert place.visit(james).failure is None
    assert james.contents() == lisa.contents()
    assert james.objects == lisa.objects


def visits_with_failures(
    place: FolderLink, lisa: MemoryReplica, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> list[Exchange | None]:
    """Let Lisa's visit fail at its first write, then at its second and so on, until one passes whole."""
    ended: list[Exchange | None] = []
    for at in range(500):
        failing = FailingOs(at, failure)
        monkeypatch.setattr(directory, "os", failing)
        try:
            ended.append(place.visit(lisa))
        except Killed:
            ended.append(None)
        monkeypatch.setattr(directory, "os", os)
        if failing.left:
            return ended
        james = MemoryReplica(JAMES)
        seen = place.visit(james)
        assert seen.failure is None
        assert set(codes(seen)) <= {"pack.missing"}
        scribble(lisa, next(iter(lisa.held)), 1, random.Random(at))
    raise AssertionError("the visit never passes")


@pytest.mark.parametrize(
    "failure", [Killed(), OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "")]
)
@pytest.mark.parametrize("packs_before", [0, 64])
def test_a_visit_that_ends_at_any_write_leaves_a_place_from_which_all_converge(
    place: FolderLink, monkeypatch: pytest.MonkeyPatch, failure: BaseException, packs_before: int
) -> None:
    lisa, deal = lisa_and_deal()
    lisa.attach(deal, b"content")
    for _ in range(packs_before):
        scribble(lisa, deal, 1, random.Random(2))
        place.visit(lisa)
    before = lisa.contents()
    *failed, last = visits_with_failures(place, lisa, monkeypatch, failure)
    assert len(failed) > 5
    assert last is not None
    assert last.failure is None
    for exchange in failed:
        assert exchange is None or (exchange.failure and exchange.failure.code == "place.unwritable")
    assert before[deal][LISA.device] == lisa.contents()[deal][LISA.device][: len(before[deal][LISA.device])]
    place.visit(lisa)
    whole(place, lisa)


def test_a_full_stick_still_gives_what_it_holds(place: FolderLink, monkeypatch: pytest.MonkeyPatch) -> None:
    lisa, deal = lisa_and_deal()
    place.visit(lisa)
    james = MemoryReplica(JAMES)
    place.visit(james)
    scribble(james, deal, 2, random.Random(3))
    scribble(lisa, deal, 3, random.Random(4))
    place.visit(lisa)
    monkeypatch.setattr(directory, "os", FailingOs(0, OSError(errno.EROFS, "Read-only file system")))
    exchange = place.visit(james)
    assert (exchange.received, exchange.sent) == (3, 0)
    assert exchange.failure is not None
    assert (exchange.failure.code, exchange.failure.exit) == ("place.unwritable", 13)


def test_a_stick_that_is_not_there_is_not_made_up(tmp_path: Path) -> None:
    lisa, _ = lisa_and_deal()
    missing = FolderLink(tmp_path / "stick")
    exchange = missing.visit(lisa)
    assert exchange.failure is not None
    assert (exchange.failure.code, exchange.failure.exit) == ("place.unreachable", 13)
    assert not missing.path.exists()


def test_a_stick_pulled_out_while_it_is_read_is_a_typed_error(
    place: FolderLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    lisa, _ = lisa_and_deal()
    place.visit(lisa)

    def gone(*_: object) -> bytes:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(os, "pread", gone)
    monkeypatch.setattr(directory, "os", FailingOs(0, OSError(errno.ENODEV, "No such device")))
    james = MemoryReplica(JAMES)
    scribble(james, james.open("self", [JAMES.identity]), 1, random.Random(1))
    exchange = place.visit(james)
    assert set(codes(exchange)) == {"place.not_a_file"}
    assert exchange.failure is not None
    assert exchange.failure.code == "place.unwritable"


def test_a_folder_where_a_file_should_be_and_a_link_where_a_folder_should_be(place: FolderLink, tmp_path: Path) -> None:
    lisa, _ = lisa_and_deal()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (place.path / "chaise-1").mkdir()
    packs(place).symlink_to(elsewhere)
    exchange = place.visit(lisa)
    assert exchange.failure is not None
    assert exchange.failure.code == "place.unreachable"
    assert not list(elsewhere.iterdir())


def a_pack(
    replica: MemoryReplica, space: bytes, *, ranges: list[pack.Range] | None = None, parts: list[bytes] | None = None
) -> bytes:
    device = replica.device.device
    part = replica.read(space, replica.tip(space, device), 0, 1_000)
    assert part is not None
    ids_held = replica.held[space].chains[device].ids
    rows = ranges or [pack.Range(device, 0, part.last_seq, ids_held[part.last_seq])]
    names = frozenset([JAMES.identity])
    return pack.build(space, MALLORY.device, names, rows, [segment.pack(part)] if parts is None else parts)


def put(place: FolderLink, data: bytes, name: str | None = None) -> None:
    packs(place).mkdir(parents=True, exist_ok=True)
    (packs(place) / (name or f"{sha256(data).hexdigest()}.pack")).write_bytes(data)


def hostile(data: bytes, at: int, form: bytes) -> bytes:
    return data[:at] + form + data[at + len(form) :]


Spoil = Callable[[bytes, FolderLink], None]


def spoiled(make: Callable[[bytes], bytes]) -> Spoil:
    """A file under the right name for its spoiled content."""
    return lambda data, place: put(place, make(data))


def misnamed(make: Callable[[bytes], bytes]) -> Spoil:
    """Spoiled content under the name of the whole."""
    return lambda data, place: put(place, make(data), f"{sha256(data).hexdigest()}.pack")


def giant(_: bytes, place: FolderLink) -> None:
    put(place, b"", "0" * 64 + ".pack")
    with (packs(place) / ("0" * 64 + ".pack")).open("wb") as file:
        file.truncate(pack.LIMIT + 1)


def linked(data: bytes, place: FolderLink) -> None:
    (place.path / "outside").write_bytes(data)
    packs(place).mkdir(parents=True, exist_ok=True)
    (packs(place) / f"{sha256(data).hexdigest()}.pack").symlink_to(place.path / "outside")


def fifo(_: bytes, place: FolderLink) -> None:
    packs(place).mkdir(parents=True, exist_ok=True)
    os.mkfifo(packs(place) / ("1" * 64 + ".pack"))


def subfolder(_: bytes, place: FolderLink) -> None:
    (packs(place) / ("2" * 64 + ".pack")).mkdir(parents=True)


HEAD = 83
CORPUS: dict[str, tuple[Spoil, str]] = {
    "empty": (spoiled(lambda _: b""), "pack.malformed"),
    "foreign content": (spoiled(lambda _: b"GIF89a" + bytes(500)), "pack.malformed"),
    "newer": (spoiled(lambda data: hostile(data, 4, b"\2")), "pack.newer"),
    "cut in its head": (spoiled(lambda data: data[:100]), "pack.partial"),
    "cut in its body": (misnamed(lambda data: data[:-10]), "pack.partial"),
    "with more at its end": (misnamed(lambda data: data + b"x"), "pack.partial"),
    "holes instead of content": (misnamed(lambda data: data[:200] + bytes(len(data) - 200)), "pack.damaged"),
    "one bit changed": (misnamed(lambda data: hostile(data, len(data) - 3, b"\0\0")), "pack.damaged"),
    "a bomb of names": (spoiled(lambda data: hostile(data, 77, b"\xff\xff")), "pack.malformed"),
    "a bomb of ranges": (spoiled(lambda data: hostile(data, 79, b"\xff\xff\xff\xff")), "pack.malformed"),
    "a bomb of segment": (spoiled(lambda data: hostile(data, HEAD + 32 + 80, b"\xff\xff\xff\xff")), "pack.malformed"),
    "a segment of nothing": (spoiled(lambda data: hostile(data, HEAD + 32 + 80, bytes(4))), "pack.malformed"),
    "a range backwards": (spoiled(lambda data: hostile(data, HEAD + 64, b"\0" * 7 + b"\x63")), "pack.malformed"),
    "a range that is not inside": (
        spoiled(lambda data: hostile(data, HEAD + 72, b"\0" * 7 + b"\x63")),
        "pack.malformed",
    ),
    "a segment of another space": (spoiled(lambda data: hostile(data, HEAD + 116, bytes(32))), "pack.malformed"),
    "a segment that is none": (
        spoiled(lambda data: hostile(data, HEAD + 116 + 108 + 9, b"\xff" * 4)),
        "pack.malformed",
    ),
    "a wrong signature": (spoiled(lambda data: data[:-64] + bytes(64)), "events.refused"),
    "a changed body": (spoiled(lambda data: hostile(data, len(data) - 66, b"zz")), "events.refused"),
    "a giant": (giant, "pack.too_large"),
    "a link": (linked, "place.not_a_file"),
    "a pipe": (fifo, "place.not_a_file"),
    "a folder": (subfolder, "place.not_a_file"),
    "not ours": (lambda data, place: put(place, data, "holiday.jpg"), "place.foreign_file"),
}


@pytest.mark.parametrize("which", CORPUS)
def test_a_hostile_pack_is_a_problem_and_the_rest_goes_on(place: FolderLink, which: str) -> None:
    lisa, deal = lisa_and_deal()
    mallory = MemoryReplica(MALLORY)
    trap = mallory.open("deal", [JAMES.identity], nonce=b"trap")
    scribble(mallory, trap, 3, random.Random(5))
    spoil, code = CORPUS[which]
    place.visit(lisa)
    spoil(a_pack(mallory, trap), place)
    james = MemoryReplica(JAMES)
    exchange = place.visit(james)
    assert exchange.failure is None
    assert codes(exchange) == [code]
    assert james.contents() == {deal: lisa.contents()[deal]}
    assert codes(place.visit(james)) == [code]


def test_a_copy_that_does_not_hold_does_not_keep_the_true_events_out(place: FolderLink) -> None:
    """Mallory leaves a pack that claims Lisa's chain, with another body and no signature."""
    lisa, deal = lisa_and_deal()
    part = lisa.read(deal, lisa.tip(deal, LISA.device), 0, 1_000)
    assert part is not None
    false = part._replace(signature=bytes(64))
    put(place, a_pack(lisa, deal, parts=[segment.pack(false)]))
    assert place.visit(lisa).sent == len(part.events)
    james = MemoryReplica(JAMES)
    seen = place.visit(james)
    assert seen.failure is None
    assert james.contents() == lisa.contents()


def test_a_pack_with_another_history_of_a_held_chain_is_taken_and_counts(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    place.visit(lisa)
    restored, _ = lisa_and_deal(events=3)
    restored.write(deal, b"something else")
    put(place, a_pack(restored, deal))
    exchange = place.visit(lisa)
    assert (exchange.received, exchange.sent, exchange.rejected, exchange.problems) == (1, 0, 0, ())
    whole(place, lisa)


def test_a_true_copy_counts_even_when_somebody_else_wrote_it(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    put(place, a_pack(lisa, deal))
    assert place.visit(lisa)[:5] == OK
    whole(place, lisa)


@pytest.mark.parametrize("lost", ["remove", "cut", "change"])
def test_what_was_lost_in_the_folder_is_written_again_by_whoever_holds_it(place: FolderLink, lost: str) -> None:
    lisa, _ = lisa_and_deal()
    place.visit(lisa)
    (file,) = packs(place).iterdir()
    content = file.read_bytes()
    if lost == "remove":
        file.unlink()
    else:
        file.write_bytes(content[:-1] if lost == "cut" else content[:-1] + b"?")
    place.memories.clear()
    assert place.visit(lisa).failure is None
    assert place.visit(lisa)[:5] == OK
    whole(place, lisa)


def test_a_pack_its_writer_names_and_nobody_sees_yet_is_reported(place: FolderLink) -> None:
    lisa, _ = lisa_and_deal()
    place.visit(lisa)
    (file,) = packs(place).iterdir()
    content = file.read_bytes()
    file.unlink()
    james = MemoryReplica(JAMES)
    assert codes(place.visit(james)) == ["pack.missing"]
    file.write_bytes(content)
    assert codes(place.visit(james)) == []
    assert james.contents() == lisa.contents()


def test_a_conflict_copy_stands_in_for_a_damaged_original(place: FolderLink) -> None:
    lisa, _ = lisa_and_deal()
    place.visit(lisa)
    (file,) = packs(place).iterdir()
    content = file.read_bytes()
    (packs(place) / f"{file.stem}.sync-conflict-20261121.pack").write_bytes(content)
    james = MemoryReplica(JAMES)
    assert place.visit(james).problems == ()
    file.write_bytes(bytes(len(content)))
    fresh = MemoryReplica(JAMES)
    assert codes(FolderLink(place.path).visit(fresh)) == ["pack.malformed"]
    assert fresh.contents() == lisa.contents()


def test_with_an_empty_memory_everything_is_read_again_and_nothing_written(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    james = MemoryReplica(JAMES)
    place.visit(lisa)
    place.visit(james)
    scribble(james, deal, 3, random.Random(1))
    place.visit(james)
    files = sorted(packs(place).iterdir())
    place.memories.clear()
    place.visit(lisa)
    assert place.visit(james)[:5] == place.visit(lisa)[:5] == OK
    assert sorted(packs(place).iterdir()) == files


def test_a_memory_from_before_a_store_was_set_back_is_not_believed(place: FolderLink) -> None:
    lisa, _ = lisa_and_deal()
    place.visit(lisa)
    james = MemoryReplica(JAMES)
    place.visit(james)
    assert place.visit(MemoryReplica(JAMES)).received == len(next(iter(lisa.contents().values()))[LISA.device])


def test_many_small_packs_are_merged_by_their_writer(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    james = MemoryReplica(JAMES)
    place.visit(lisa)
    place.visit(james)
    scribble(james, deal, 1, random.Random(1))
    place.visit(james)
    for _ in range(folder.OWN_PACKS + 1):
        scribble(lisa, deal, 1, random.Random(1))
        assert place.visit(lisa).sent == 1
    assert len(list(packs(place).iterdir())) <= 4
    assert place.visit(lisa)[:5] == OK
    named = canonical.decode(pointer(place, LISA).read_bytes())
    assert isinstance(named, dict)
    mine = {file.stem for file in packs(place).iterdir()}
    assert set(named["packs"]) < mine
    place.visit(james)
    whole(place, lisa)
    assert place.visit(james)[:5] == OK


def test_events_before_those_found_are_waited_for(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    place.visit(lisa)
    (first,) = packs(place).iterdir()
    scribble(lisa, deal, 2, random.Random(1))
    place.visit(lisa)
    content = first.read_bytes()
    first.unlink()
    james = MemoryReplica(JAMES)
    assert "pack.missing" in codes(place.visit(james))
    james.join(deal, b"")
    assert "pack.incomplete" in codes(place.visit(james))
    first.write_bytes(content)
    assert place.visit(james).problems == ()
    assert james.contents() == lisa.contents()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        canonical.encode({"v": 2, "device": "", "packs": []}),
        canonical.encode({"v": 1, "device": ids.text(MALLORY.device), "packs": []}),
        canonical.encode({"v": 1, "device": ids.text(LISA.device), "packs": {}}),
        canonical.encode({"v": 1, "device": ids.text(LISA.device), "packs": ["../../x"]}),
        b" " * (folder.POINTER_BYTES + 1),
    ],
)
def test_a_list_of_packs_that_is_none_is_a_problem_and_is_made_anew(place: FolderLink, content: bytes) -> None:
    lisa, _ = lisa_and_deal()
    place.visit(lisa)
    good = pointer(place, LISA).read_bytes()
    pointer(place, LISA).write_bytes(content)
    james = MemoryReplica(JAMES)
    assert codes(place.visit(james)) in (["place.bad_pointer"], ["envelope.not_canonical"])
    assert james.contents() == lisa.contents()
    place.visit(lisa)
    assert pointer(place, LISA).read_bytes() == good


def test_a_damaged_attachment_is_not_kept_and_is_put_right_by_who_holds_it(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    address = lisa.attach(deal, b"content")
    place.visit(lisa)
    file = place.path / "chaise-1" / "objects" / address.hex()
    file.write_bytes(b"half")
    james = MemoryReplica(JAMES)
    assert codes(place.visit(james)) == ["object.damaged"]
    assert not james.objects
    file.unlink()
    file.mkdir()
    assert codes(place.visit(james)) == ["place.not_a_file"]
    file.rmdir()
    file.write_bytes(b"half")
    place.visit(lisa)
    assert place.visit(james).problems == ()
    assert james.objects == lisa.objects
    place.memories[LISA.device] = Forgetful()
    assert place.visit(lisa)[:5] == OK


def test_what_killed_writers_left_is_swept_away_after_a_day(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    place.visit(lisa)
    old = packs(place) / f".{'a' * 64}.pack.{'b' * 16}.tmp"
    new = packs(place) / f".{'c' * 64}.pack.{'d' * 16}.tmp"
    foreign = packs(place) / ".DS_Store"
    for file in (old, new, foreign):
        file.write_bytes(b"")
    for file in (old, foreign):
        os.utime(file, (0, 0))
    scribble(lisa, deal, 1, random.Random(1))
    assert place.visit(lisa).problems == ()
    assert [file.exists() for file in (old, new, foreign)] == [False, True, True]


def test_files_are_open_to_whoever_the_folder_is_open_to(place: FolderLink) -> None:
    lisa, _ = lisa_and_deal()
    place.path.chmod(0o770)
    before = os.umask(0o077)
    try:
        place.visit(lisa)
    finally:
        os.umask(before)
    (file,) = packs(place).iterdir()
    assert file.stat().st_mode & 0o777 == 0o660
    assert packs(place).stat().st_mode & 0o777 == 0o770


def test_another_device_of_the_writer_is_told_of_nothing_by_its_own_packs(place: FolderLink) -> None:
    """Events that a device finds of its own chain are taken like any others: so a new disk is filled again."""
    lisa, _ = lisa_and_deal()
    place.visit(lisa)
    empty = MemoryReplica(LISA)
    assert place.visit(empty).received > 0
    assert empty.contents() == lisa.contents()


def test_a_long_history_is_split_into_packs(place: FolderLink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PACK_BYTES", 50_000)
    lisa, _ = lisa_and_deal(events=5_000)
    assert place.visit(lisa).sent == 5_003
    files = list(packs(place).iterdir())
    assert len(files) > 3
    assert place.visit(lisa)[:5] == OK
    whole(place, lisa)


def test_events_without_a_kept_signature_wait_for_one(place: FolderLink) -> None:
    lisa, deal = lisa_and_deal()
    lisa.write(deal, b"unsigned", signed=False)
    assert place.visit(lisa).sent == 7
    assert place.visit(lisa)[:5] == OK
    lisa.write(deal, b"signed")
    assert place.visit(lisa).sent == 2


def test_a_pack_that_vanishes_after_it_was_listed_is_no_problem(
    place: FolderLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer merges it while another device reads."""
    lisa, _ = lisa_and_deal()
    place.visit(lisa)
    (file,) = packs(place).iterdir()
    real = directory.Directory.names

    def then_gone(self: directory.Directory) -> object:
        found = real(self)
        if self.place.endswith("packs"):
            file.unlink()
            pointer(place, LISA).unlink()
        return found

    monkeypatch.setattr(directory.Directory, "names", then_gone)
    assert place.visit(MemoryReplica(JAMES))[:5] == OK


def test_a_folder_that_cannot_be_listed_is_unreachable(place: FolderLink, monkeypatch: pytest.MonkeyPatch) -> None:
    lisa, _ = lisa_and_deal()
    place.visit(lisa)

    def gone(*_: object) -> list[str]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "listdir", gone)
    exchange = place.visit(lisa)
    assert exchange.failure is not None
    assert exchange.failure.code == "place.unreachable"
