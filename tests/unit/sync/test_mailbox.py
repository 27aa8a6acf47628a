"""A folder's mailbox: opened first, written once, gone after ten minutes; hostile files are left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync.directory import PlaceUnreachable
from sync.mailbox import ANSWERS, ASKS, FolderMailbox, MailboxUsed, NoMailbox, PeerMailbox
from sync.wire import PeerProtocol

NAME = bytes(range(32))


class Wall:
    """The clock that the files of a folder are dated by: what was written last is new."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self) -> float:
        return self._folder.stat().st_mtime


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path)


@pytest.fixture
def box(tmp_path: Path, wall: Wall) -> FolderMailbox:
    made = FolderMailbox(str(tmp_path), wall)
    made.open(NAME)
    return made


def aged(tmp_path: Path, wall: Wall, by: float) -> None:
    """Give every file of the mailbox an age."""
    for path in (tmp_path / "chaise-1/pair").iterdir():
        os.utime(path, (wall() - by, wall() - by))


def test_a_message_is_left_once_and_read_by_who_knows_the_name(box: FolderMailbox) -> None:
    assert box.get(NAME, ASKS, 0) is None
    box.put(NAME, ASKS, b"hello")
    assert box.get(NAME, ASKS, 0) == b"hello"
    assert box.get(NAME, ANSWERS, 0) is None
    with pytest.raises(MailboxUsed):
        box.put(NAME, ASKS, b"again")
    assert box.get(NAME, ASKS, 0) == b"hello"


def test_a_mailbox_that_nobody_opened_is_none(tmp_path: Path, box: FolderMailbox, wall: Wall) -> None:
    with pytest.raises(NoMailbox):
        box.put(bytes(32), ASKS, b"hello")
    with pytest.raises(NoMailbox):
        box.get(bytes(32), ASKS, 0)
    (tmp_path / "other").mkdir()
    empty = FolderMailbox(str(tmp_path / "other"), wall)
    with pytest.raises(NoMailbox):
        empty.put(NAME, ASKS, b"hello")
    empty.close(NAME)
    with pytest.raises(PlaceUnreachable):
        FolderMailbox(str(tmp_path / "nowhere"), wall).open(NAME)


def test_it_is_over_after_ten_minutes_and_swept_out_by_the_next(tmp_path: Path, box: FolderMailbox, wall: Wall) -> None:
    box.put(NAME, ASKS, b"hello")
    aged(tmp_path, wall, 599)
    assert box.get(NAME, ASKS, 0) == b"hello"
    aged(tmp_path, wall, 601)
    with pytest.raises(NoMailbox):
        box.get(NAME, ASKS, 0)
    box.open(bytes(32))
    assert [path.name for path in (tmp_path / "chaise-1/pair").iterdir()] == [bytes(32).hex()]


def test_what_was_left_is_taken_away(tmp_path: Path, box: FolderMailbox) -> None:
    box.put(NAME, ASKS, b"hello")
    box.put(NAME, ANSWERS, b"there")
    box.close(NAME)
    assert list((tmp_path / "chaise-1/pair").iterdir()) == []


def test_a_link_or_a_pipe_is_no_message(tmp_path: Path, box: FolderMailbox) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (tmp_path / f"chaise-1/pair/{NAME.hex()}.0").symlink_to(secret)
    assert box.get(NAME, ASKS, 0) is None
    os.mkfifo(tmp_path / f"chaise-1/pair/{NAME.hex()}.1")
    assert box.get(NAME, ANSWERS, 0) is None
    (tmp_path / "chaise-1/pair/folder").mkdir()
    box.open(bytes(32))


def test_a_peer_answers_by_itself() -> None:
    class Far:
        def pair(self, mailbox: bytes, message: bytes) -> bytes:
            return mailbox + message

    peer = PeerMailbox(Far())
    peer.open(NAME)
    assert peer.get(NAME, ANSWERS, 0) is None
    peer.put(NAME, ASKS, b"hello")
    assert peer.get(NAME, ANSWERS, 0) == NAME + b"hello"
    assert peer.get(NAME, ASKS, 0) is None
    with pytest.raises(PeerProtocol):
        peer.put(NAME, ANSWERS, b"no")
    peer.close(NAME)
