"""Pushes that end in the middle: every call is there once, and nothing that somebody made of it is written over."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.running import running
from tests.fakes.calendar_servers import PASSWORD, USER, Fake
from tests.interop.caldav.conftest import Desk, World
from tests.interop.caldav.test_trouble import more_calls


def cut_off(fake: Fake, desk: Desk, after: int) -> None:
    """A push that ends with a write that is done and never answered."""
    fake.cut = after
    assert desk.lisa.fails("calendar", "push").code == "calendar.no_answer"
    fake.cut = None


@pytest.mark.parametrize(("after", "late"), [(0, False), (2, True), (4, False)])
def test_a_push_that_was_killed_goes_on_and_writes_each_call_once(
    fake: Fake, faked: Desk, world: World, *, after: int, late: bool
) -> None:
    """SIGKILL while the server is at the nth of two updates, two new entries and a deletion: done, or not yet."""
    faked.first()
    offered = faked.lisa.does("book", faked.deal, "--at", "2026-12-01 09:00", "--at", "2026-12-03 09:00")["uid"]
    faked.push()
    faked.moved_by_both()
    faked.lisa.does("withdraw", faked.lisa.does("bookings", "--state", "proposed")[0]["id"])
    more_calls(faked, 2)
    faked.lisa.key_file = world.folder / "lisa.key"
    fake.stall, fake.late = after, late
    with running(faked.lisa, "calendar", "push", "--json") as process:
        assert fake.stalled.wait(60)
        assert process.told(signal.SIGKILL) == -signal.SIGKILL
    fake.stall = None
    before = dict(fake.calendars["/lisa/calls"])
    done = faked.push()
    assert len(done) == 5 - after
    written = {name for name, held in fake.calendars["/lisa/calls"].items() if held != before.get(name)}
    assert written <= {f"{uid}.ics" for uid, _ in done}, "what was answered is not written again"
    assert (faked.push(), faked.lisa.does("calendar", "pull")) == ([], [])
    entries = faked.there.entries()
    assert len(entries) == 4
    assert f"{offered}-1.ics" not in entries
    assert "STATUS:CANCELLED" in entries[f"{offered}.ics"]
    assert "20261126T100000" in entries[f"{faked.uid}.ics"]


def test_what_was_made_of_a_write_that_was_cut_off_is_left(fake: Fake, faked: Desk) -> None:
    """The move is there, we do not know it, and somebody moves it on: that is an edit of what we wrote last."""
    faked.first()
    faked.moved_by_both()
    cut_off(fake, faked, 0)
    faked.there.edit(faked.uid, r"20261126T10(00|30)00", r"20261126T11\g<1>00")
    assert faked.push() == [(faked.uid, "moved")]
    assert "20261126T110000" in faked.there.entry(faked.uid)
    (found,) = faked.lisa.does("calendar", "pull")
    assert (found["did"], found["start"]) == ("moved", "2026-11-26T10:00:00Z")


def test_an_older_edit_gives_way_to_a_move_whose_write_was_cut_off(fake: Fake, faked: Desk) -> None:
    faked.first()
    faked.moved_by_both()
    fake.says = (503, {}, "")
    assert faked.lisa.fails("calendar", "push").code == "calendar.bad_answer"
    fake.says = None
    faked.there.edit(faked.uid, r"20261125T15(00|30)00", r"20261125T16\g<1>00")
    assert faked.push() == [(faked.uid, "updated")]
    assert "20261126T100000" in faked.there.entry(faked.uid)


def test_a_pull_after_a_write_that_was_cut_off_takes_it_for_nobodys_edit(fake: Fake, faked: Desk) -> None:
    faked.first()
    faked.moved_by_both()
    cut_off(fake, faked, 0)
    assert faked.lisa.does("calendar", "pull") == []
    assert faked.push() in ([], [(faked.uid, "updated")])


def test_what_was_deleted_while_a_move_was_cut_off_comes_back_with_it(fake: Fake, faked: Desk) -> None:
    """It may have been deleted before the move, which puts it back, or after: a call too many is no call missed."""
    faked.first()
    faked.moved_by_both()
    cut_off(fake, faked, 0)
    faked.there.delete(faked.uid)
    assert faked.push() == [(faked.uid, "created")]
    faked.there.delete(faked.uid)
    assert [item["did"] for item in faked.lisa.does("calendar", "pull")] == ["hidden"]
    assert faked.push() == []


@pytest.mark.parametrize("late", [False, True])
def test_an_offer_withdrawn_after_its_write_was_cut_off_does_not_stay(fake: Fake, faked: Desk, *, late: bool) -> None:
    faked.first()
    offered = faked.lisa.does("book", faked.deal, "--at", "2026-12-01 09:00", "--at", "2026-12-02 09:00")
    if late:
        fake.says = (503, {}, "")
        assert faked.lisa.fails("calendar", "push").code == "calendar.bad_answer"
        fake.says = None
    else:
        cut_off(fake, faked, 1)
    faked.lisa.does("withdraw", offered["id"])
    faked.push()
    standing = [name for name, text in faked.there.entries().items() if "STATUS:CANCELLED" not in text]
    assert standing == [f"{faked.uid}.ics"]
    assert (faked.push(), faked.lisa.does("calendar", "pull")) == ([], [])


def test_a_call_cancelled_after_its_write_was_cut_off_does_not_stay(fake: Fake, faked: Desk) -> None:
    password = faked.lisa.folder / "password"
    password.write_text(PASSWORD)
    fake.cut = 0
    cut = faked.lisa.fails("calendar", "push", faked.url, "--user", USER, "--password-file", str(password))
    assert cut.code == "calendar.no_answer"
    fake.cut = None
    assert list(faked.there.entries()) == [f"{faked.uid}.ics"]
    faked.lisa.does("cancel", faked.call)
    assert faked.push() == [(faked.uid, "deleted")]
    assert faked.there.entries() == {}
