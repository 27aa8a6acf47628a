"""A calendar is read once for one content; what cannot be read, or takes too long, costs nothing that was known."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain.when import DAY, HOUR, MINUTE
from chaise_cli.session import busy, busy_sources, busy_web
from chaise_cli.session.busy_sources import Adding
from chaise_cli.session.busy_web import Answer
from chaise_cli.session.session import Session
from chaise_cli.store import busy as store
from tests.fakes.homes import NOON_MS, Hands

FEED = "https://calendar.example/secret/me.ics"
NINE = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20261210T090000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n"
TEN = NINE.replace(b"T09", b"T10")


class Reader:
    """Stands before the real reader and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.fate: BaseException | subprocess.CompletedProcess[bytes] | None = None

    def run(self, *argv: Any, **more: Any) -> subprocess.CompletedProcess[bytes]:
        self.asked += 1
        if isinstance(self.fate, BaseException):
            raise self.fate
        return self.fate or RUN(*argv, **more)


RUN = subprocess.run


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    made = Reader()
    monkeypatch.setattr(subprocess, "run", made.run)
    return made


@pytest.fixture
def clock(james: Session) -> Hands:
    held = james.clock
    assert isinstance(held, Hands)
    return held


def intervals(session: Session) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in store.intervals(session.db, 0, 1 << 50)]


def add(session: Session, path: Path, **more: Any) -> busy_sources.Read:
    return busy_sources.add(session, Adding(str(path), **more))


def test_the_same_content_is_read_once(james: Session, reader: Reader, clock: Hands, tmp_path: Path) -> None:
    path = tmp_path / "me.ics"
    path.write_bytes(NINE)
    add(james, path)
    before = intervals(james)
    assert len(before) == 1
    path.touch()
    clock.at += 2 * HOUR
    (again,) = busy_sources.refresh(james, ()).shapes
    assert (again["stale"], reader.asked) == (False, 1)
    path.write_bytes(TEN)
    busy.look(james, web=False)
    assert intervals(james) == [(start + HOUR, end + HOUR) for start, end in before]
    assert reader.asked == 2


def test_it_is_read_anew_when_the_window_has_moved_or_the_settings_changed(
    james: Session, reader: Reader, clock: Hands, tmp_path: Path
) -> None:
    path = tmp_path / "me.ics"
    path.write_bytes(NINE)
    until = add(james, path).shapes[0]["until"]
    clock.at += 30 * DAY
    assert busy_sources.refresh(james, ()).shapes[0]["until"] != until
    add(james, path, tentative=False)
    add(james, path, email="else@example.org")
    assert reader.asked == 4


@pytest.mark.parametrize(
    ("fate", "why"),
    [
        (subprocess.TimeoutExpired("reader", 60), "it takes too long to read"),
        (subprocess.CompletedProcess("reader", -9, b"", b""), "it takes too much to read"),
        (FileNotFoundError(2, "No such file"), "the reader did not start: No such file"),
    ],
)
def test_a_reader_that_comes_to_nothing_leaves_what_was_known(
    james: Session, reader: Reader, tmp_path: Path, fate: Any, why: str
) -> None:
    path = tmp_path / "me.ics"
    path.write_bytes(NINE)
    add(james, path)
    before = intervals(james)
    path.write_bytes(TEN)
    reader.fate = fate
    read = busy_sources.refresh(james, ())
    assert intervals(james) == before
    assert (read.shapes[0]["problem"], read.shapes[0]["stale"]) == (why, True)
    assert read.error
    reader.fate = None
    read = busy_sources.refresh(james, ())
    assert (read.error, read.shapes[0]["problem"], read.shapes[0]["stale"]) == (None, None, False)


def test_a_feed_is_asked_with_its_tag_and_only_when_it_is_stale(
    james: Session, reader: Reader, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def fetch(url: str, tag: str | None) -> Answer:
        assert url == FEED
        asked.append(tag)
        return Answer(None if tag == '"1"' else NINE, '"1"')

    monkeypatch.setattr(busy_web, "fetch", fetch)
    (shape,) = busy_sources.add(james, Adding("webcal" + FEED.removeprefix("https"))).shapes
    assert (shape["name"], shape["where"]) == ("calendar.example", "https://calendar.example/…")
    clock.at += HOUR + MINUTE
    busy.look(james, web=False)
    assert busy.warnings(james, ()) == ["the calendar calendar.example was last read 1h ago"]
    busy.look(james, web=True)
    busy.look(james, web=True)
    assert busy.warnings(james, ()) == []
    assert (asked, reader.asked, len(intervals(james))) == ([None, '"1"'], 1, 1)
    busy_sources.add(james, Adding(FEED, tentative=False))
    assert asked[-1] is None  # what it was read into has changed, so the content itself is wanted


def test_a_feed_that_does_not_come_is_remembered_all_the_same(james: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(url: str, tag: str | None) -> Answer:
        raise busy_web.Failed("it answers 503")

    monkeypatch.setattr(busy_web, "fetch", fetch)
    read = busy_sources.add(james, Adding(FEED))
    assert read.error
    assert "secret" not in read.error.sentence()
    assert busy.warnings(james, ()) == [
        "the calendar calendar.example has never been read, and cannot be: it answers 503"
    ]


def test_the_reader_has_no_way_to_the_home(james: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def run(*argv: Any, **more: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(more)
        found = {"busy": [], "entries": 0, "skipped": []}
        return subprocess.CompletedProcess(argv, 0, json.dumps(found).encode(), b"")

    monkeypatch.setenv("CHAISE_HOME", "home")
    monkeypatch.setenv("CHAISE_KEY_FILE", "key")
    monkeypatch.setattr(subprocess, "run", run)
    (tmp_path / "me.ics").write_bytes(NINE)
    add(james, tmp_path / "me.ics")
    assert not [name for name in seen["env"] if name.startswith(("CHAISE", "XDG", "HOME"))]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_could_be_waited_for_in_vain_is_no_calendar(james: Session, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "me.ics")
    with pytest.raises(busy_sources.BadPlace, match="no ordinary file"):
        add(james, tmp_path / "me.ics")


def test_intervals_are_told_merged_and_in_order(james: Session) -> None:
    at = NOON_MS
    with james.admitting():
        for n, found in enumerate([[(at, at + 5), (at + 9, at + 12)], [(at + 4, at + 6)]]):
            no = store.add(james.db, store.Source(0, str(n), "file", str(n), True, None, HOUR))
            store.replace(james.db, no, [store.Interval(*one, "") for one in found])
    assert store.intervals(james.db, at + 1, at + 9) == [(at, at + 6)]
    assert store.intervals(james.db, at + 6, at + 10) == [(at + 9, at + 12)]


def test_a_calendar_removed_while_it_is_read_stays_removed(
    james: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process removes it; one that is added then may even have its number."""
    (tmp_path / "a.ics").write_bytes(NINE)
    (tmp_path / "b.ics").write_bytes(TEN)
    busy_sources.add(james, Adding(str(tmp_path / "a.ics")))
    (tmp_path / "a.ics").write_bytes(NINE.replace(b"T09", b"T08"))

    def run(*argv: Any, **more: Any) -> subprocess.CompletedProcess[bytes]:
        monkeypatch.setattr(subprocess, "run", RUN)
        busy_sources.remove(james, "a")
        busy_sources.add(james, Adding(str(tmp_path / "b.ics")))
        return RUN(*argv, **more)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(busy_sources.NoSuchCalendar):
        busy_sources.refresh(james, ["a"])
    assert [shape["name"] for shape in busy_sources.listed(james)] == ["b"]
    assert [start % DAY // HOUR for start, _ in intervals(james)] == [10]


def test_a_calendar_that_two_processes_add_at_once_is_one(
    james: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.ics").write_bytes(NINE)
    where = Adding(str(tmp_path / "a.ics"))
    place = busy_sources._place

    def late(given: str) -> tuple[str, str]:
        monkeypatch.setattr(busy_sources, "_place", place)
        busy_sources.add(james, where)
        return place(given)

    monkeypatch.setattr(busy_sources, "_place", late)
    assert busy_sources.add(james, where).shapes[0]["name"] == "a"
    assert len(busy_sources.listed(james)) == 1


@pytest.mark.parametrize("behind", ["/s3cret", "?key=s3cret", "#s3cret", "?a@b/s3cret"])
def test_no_more_of_an_address_is_shown_than_its_host(
    james: Session, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    monkeypatch.setattr(busy_web, "fetch", lambda *_given: Answer(NINE, None))
    (shape,) = busy_sources.add(james, Adding(f"https://calendar.example{behind}")).shapes
    assert (shape["name"], shape["where"]) == ("calendar.example", "https://calendar.example/…")
