from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import copies
from chaise_cli.domain.copies import Known, Read, Span, Step, Wanted
from chaise_cli.ids import EventId, public, text

CALLS = [EventId(text(bytes([n]) * 32)) for n in range(3)]
UIDS = [f"{n}" * 32 for n in range(3)]
NOW = 1_795_000_000_000
HALF = 1_800_000


@st.composite
def entries(draw: st.DrawFn) -> list[Wanted]:
    """Entries of some of three calls, each at one of a few times."""
    return [_wanted(draw, n) for n in draw(st.sets(st.integers(0, 2)))]


def _wanted(draw: st.DrawFn, n: int) -> Wanted:
    start = NOW + draw(st.integers(0, 3)) * HALF
    data = draw(st.sampled_from([b"one", b"two"]))
    modified = NOW - draw(st.sampled_from([0, copies.KEPT, copies.KEPT + 1]))
    over = draw(st.booleans())
    return Wanted(UIDS[n], CALLS[n], data, sha256(data).digest(), start, start + HALF, over, modified)


@st.composite
def held(draw: st.DrawFn) -> list[Known]:
    """What may be known of these calls at a server, after any history of pushes and edits."""
    found = []
    for n in draw(st.sets(st.integers(0, 2))):
        known = copies.written(_wanted(draw, n), draw(st.sampled_from(['"1"', '"2"'])))
        span = Span(NOW + draw(st.integers(0, 5)) * HALF, NOW + 9 * HALF, "Europe/Berlin")
        read = draw(st.sampled_from([None, Read(span, cancelled=False), Read(None, cancelled=False)]))
        found.append(draw(st.sampled_from([known, copies.seen(known, '"3"', read)])))
    return found


@given(entries(), held(), st.booleans())
def test_after_a_push_there_is_nothing_to_do_but_what_was_left(
    wanted: list[Wanted], known: list[Known], restore: bool
) -> None:
    after = {one.uid: one for one in known}
    steps = copies.plan(wanted, known, NOW, restore=restore)
    for step in steps:
        if step.act == "deleted":
            del after[step.uid]
        elif step.wanted is not None and step.act != "left":
            after[step.uid] = copies.written(step.wanted, '"9"')
    again = copies.plan(wanted, after.values(), NOW, restore=restore)
    assert [(step.act, step.uid) for step in again] == [("left", step.uid) for step in steps if step.act == "left"]
    if restore:
        assert {one.uid for one in after.values()} == {one.uid for one in wanted if one.uid in after}
        assert all(one.state == "written" or one.over or _over(one, wanted) for one in after.values())


def _over(known: Known, wanted: list[Wanted]) -> bool:
    return any(one.over for one in wanted if one.uid == known.uid)


@given(entries(), held(), st.booleans())
def test_a_step_names_what_it_needs(wanted: list[Wanted], known: list[Known], restore: bool) -> None:
    for step in copies.plan(wanted, known, NOW, restore=restore):
        there = step.known is not None and step.known.state != "hidden"
        expected = {"created": (True, False), "updated": (True, True), "left": (True, True)}
        if step.act in expected:
            assert (step.wanted is not None, there) == expected[step.act]
        else:
            assert step.known is not None


@given(entries(), held())
def test_what_was_changed_there_is_written_over_only_after_a_new_agreement(
    wanted: list[Wanted], known: list[Known]
) -> None:
    for step in copies.plan(wanted, known, NOW, restore=False):
        if step.act == "updated" and step.known and step.wanted and step.known.state != "written":
            there = step.known.there
            told = there and any(
                (one.booking, one.start, one.end) == (step.known.booking, there.start, there.end) for one in wanted
            )
            before = (step.known.start, step.known.end, step.known.over)
            assert told or (step.wanted.start, step.wanted.end, step.wanted.over) != before


def _known(**changed: object) -> Known:
    wanted = Wanted(UIDS[0], CALLS[0], b"", b"digest", NOW, NOW + HALF, False, NOW)
    return copies.written(wanted, '"1"')._replace(**changed)  # type: ignore[arg-type]


def test_a_call_that_was_never_there_is_not_written_to_be_called_off() -> None:
    over = Wanted(UIDS[0], CALLS[0], b"", b"", NOW, NOW + HALF, True, NOW)
    assert copies.plan([over], [], NOW, restore=True) == []
    changed = copies.plan([over._replace(digest=b"other")], [_known()], NOW, restore=False)
    assert [step.act for step in changed] == ["updated"]
    assert [step.act for step in copies.plan([over], [_known(state="changed")], NOW, restore=False)] == ["updated"]
    assert copies.plan([over], [_known(state="hidden")], NOW, restore=True) == []


@given(entries(), held(), st.booleans(), st.integers(0, 9))
def test_a_push_that_is_cut_off_anywhere_is_taken_up_where_it_stopped(
    wanted: list[Wanted], known: list[Known], restore: bool, cut: int
) -> None:
    """Of the steps that nobody heard of each is planned again, and no other; a call that is off by then is deleted."""
    after = {one.uid: one for one in known}
    steps = copies.plan(wanted, known, NOW, restore=restore)
    after |= {one.uid: one for one in copies.begun(steps)}
    for step in steps[:cut]:
        if step.act == "deleted":
            del after[step.uid]
        elif step.wanted is not None and step.act != "left":
            after[step.uid] = copies.written(step.wanted, '"9"')
    left = [step.uid for step in steps if step.act == "left"]
    again = copies.plan(wanted, after.values(), NOW, restore=False)
    open_ = [step.uid for step in steps[cut:]]
    assert {step.uid for step in again} == {*open_, *left}
    over = [one._replace(over=True, digest=b"over") for one in wanted]
    gone = copies.plan(over, after.values(), NOW, restore=False)
    created = {step.uid for step in steps[cut:] if step.act == "created"}
    assert created <= {step.uid for step in gone if step.act == "deleted"}


def test_a_draft_keeps_the_length_unless_that_changed() -> None:
    call = public("book", CALLS[0])
    moved = copies.seen(_known(), '"2"', Read(Span(NOW + HALF, NOW + 2 * HALF, "Nowhere/At_All"), cancelled=False))
    assert copies.draft(moved, "confirmed") == f"chaise book {call} --at 2026-11-18T11:36+00:00 --tz UTC"
    longer = moved._replace(there=Span(NOW, NOW + 2 * HALF + 999, "America/New_York"))
    assert copies.draft(longer, "proposed") == (
        f"chaise book {call} --at 2026-11-18T06:06-05:00 --tz America/New_York --for 1h"
    )
    assert copies.draft(moved, "declined") is None


@pytest.mark.parametrize("length", [30_000, 25 * 3_600_000])
def test_a_length_that_no_call_has_is_no_draft(length: int) -> None:
    known = Known(UIDS[0], CALLS[0], "", b"", NOW, NOW + HALF, False, "moved", Span(NOW, NOW + length, "Europe/Berlin"))
    assert copies.draft(known, "confirmed") is None


def test_only_a_confirmed_call_is_cancelled_by_a_draft() -> None:
    gone = copies.seen(_known(), '"2"', Read(None, cancelled=True))
    assert gone.state == "cancelled"
    assert copies.draft(gone, "confirmed") == f"chaise cancel {public('book', CALLS[0])}"
    assert copies.draft(gone, "proposed") is None
    assert copies.draft(gone._replace(uid=f"{UIDS[0]}-1"), "confirmed") is None


def test_what_is_known_to_be_cancelled_is_no_news() -> None:
    over = _known(over=True)
    same = Read(Span(over.start, over.end, "UTC"), cancelled=True)
    assert copies.seen(over, '"2"', same) == over._replace(etag='"2"')


def test_steps_come_by_time() -> None:
    first, second = (
        Wanted(uid, CALLS[0], b"", b"", start, start + HALF, False, NOW)
        for uid, start in ((UIDS[1], NOW), (UIDS[0], NOW + 1))
    )
    steps = copies.plan([second, first], [], NOW, restore=False)
    assert steps == [Step("created", one.uid, one, None) for one in (first, second)]


def test_one_or_two_that_vanish_are_tidied_up() -> None:
    known = [_known(uid=f"{n}") for n in range(copies.EMPTIED)]
    gone = {one.uid for one in known}
    assert copies.emptied(known, gone)
    assert not copies.emptied(known[1:], gone)
    assert not copies.emptied(known, gone - {"0"})
    assert not copies.emptied([one._replace(state="hidden") for one in known], gone)


def test_a_checkin_is_known_again_by_all_its_times_and_a_time_less_is_written() -> None:
    """Somebody's alarm, or a push that was cut off, is no change; one time alone never becomes a draft."""
    known, span = _known(again="weekly"), Span(NOW, NOW + HALF, "UTC")
    assert copies.seen(known, '"2"', Read(span, cancelled=False, again="weekly")) == known._replace(etag='"2"')
    for there in (Read(span, cancelled=False), Read(span._replace(start=NOW - 1), cancelled=False, again="weekly")):
        changed = copies.seen(known, '"2"', there)
        assert (changed.state, copies.draft(changed, "confirmed")) == ("changed", None)
    single = copies.seen(_known(), '"2"', Read(span, cancelled=False, again="weekly"))
    assert (single.state, copies.draft(single, "confirmed")) == ("changed", None)
    less = Wanted(UIDS[0], CALLS[0], b"", b"less", NOW, NOW + HALF, False, NOW, "weekly but one")
    assert [step.act for step in copies.plan([less], [changed], NOW, restore=False)] == ["updated"]
    assert [step.act for step in copies.plan([less._replace(again="weekly")], [changed], NOW, restore=False)] == [
        "left"
    ]
