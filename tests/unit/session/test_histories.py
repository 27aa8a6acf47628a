"""Several histories of one chain in a store: kept, handed on, and the same whichever came first."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaise_cli.domain import talk
from chaise_cli.ids import raw, text
from chaise_cli.session import checking, plaintext
from chaise_cli.session.admission import FORKS_MOST
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.session import Session
from chaise_cli.store import events
from tests.fakes import homes
from tests.fakes.homes import Market
from tests.fakes.pen import Pen
from tests.unit.session.test_admission import HELLO, SECRET, codes, opened, stranger


@pytest.mark.parametrize("whole", [True, False])
def test_a_second_history_is_kept_beside_the_first_and_told_once(lisa: Session, whole: bool) -> None:
    pen = stranger(lisa).say(HELLO).say(HELLO)
    other = pen.fork(3).say(talk.MessageSent("other", ()))
    homes.deliver(lisa, pen.id, [pen.run()])
    done = homes.deliver(lisa, pen.id, [other.run() if whole else other.run(3)])
    assert codes(done) == {"chain.forked"}
    assert (done.accepted, done.rejected) == (1, 0)
    assert len(homes.state(lisa, pen.id)["message"]) == 3
    again = homes.deliver(lisa, pen.id, [other.run(), pen.run()])
    assert (again.accepted, again.rejected, again.problems) == (0, 0, [])
    replica = HomeReplica(lisa)
    assert set(replica.heads(raw(pen.id))) == {pen.tip(), other.tip()}
    assert replica.read(raw(pen.id), pen.tip(), 0, 100) == pen.run()
    assert replica.read(raw(pen.id), other.tip(), 0, 100) == other.run()
    assert replica.common(raw(pen.id), pen.tip(), other.tip()) == 2


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_which_history_came_first_makes_no_difference(market: Market, tmp_path: Path, at: int) -> None:
    """Histories upon histories, before and behind the opening: any order gives the same rows."""
    with market.visit(tmp_path / "a", "lisa") as (one,), market.visit(tmp_path / "b", "lisa") as (two,):
        pen = stranger(one).say(homes.OFFER).say(HELLO).say(HELLO)
        others = [pen.fork(at), pen.fork(min(at + 1, 5)), pen.fork(at)]
        for text_, other in zip(("one", "two", "three"), others, strict=True):
            if at <= 2:
                other.say(opened(pen, one))
            other.say(talk.MessageSent(text_, ())).say(HELLO)
        others.append(others[0].fork(at + 1).say(talk.MessageSent("four", ())))
        runs = [pen.run(), *(other.run() for other in others)]
        for session, order_ in ((one, runs), (two, [runs[0], *runs[:0:-1]])):
            for run in order_:
                homes.deliver(session, pen.id, [run])
            assert homes.unsound(session, pen.id) == []
            assert checking.verify(session, lambda _, __: None).problems == []
        assert homes.state(one, pen.id) == homes.state(two, pen.id)
        rows = "SELECT device, root, first, seq, id, lamport, identity, void FROM chain WHERE device = ? ORDER BY root"
        assert one.db.execute(rows, (pen.device,)).fetchall() == two.db.execute(rows, (pen.device,)).fetchall()
        assert sorted(HomeReplica(one).heads(raw(pen.id))) == sorted(HomeReplica(two).heads(raw(pen.id)))


def test_what_parts_before_the_certificates_brings_its_own(lisa: Session) -> None:
    """A fork before a chain's first sealed event leaves its beginning without an owner."""
    pen = stranger(lisa)
    other = pen.fork(2).say(HELLO, cert=None).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])
    homes.deliver(lisa, pen.id, [other.run()])
    assert [homes.verdicts(lisa, pen.id)[id_] for id_ in other.ids[3:]] == ["certificate.bad", "certificate.bad"]
    assert homes.verdicts(lisa, pen.id)[pen.ids[3]] is None
    assert homes.unsound(lisa, pen.id) == []


def test_histories_that_wait_part_as_others_do(lisa: Session) -> None:
    pen = stranger(lisa)
    homes.deliver(lisa, pen.id, [pen.run()])
    late = Pen("late", root="stranger's root", space=pen.id, secret=SECRET).say(HELLO)
    third = Pen("third", root="stranger's root", space=pen.id, secret=SECRET)
    third.say(HELLO, seen=[late.head()]).say(HELLO).say(HELLO)
    other = third.fork(2).say(talk.MessageSent("other", ()))
    for run in (third.run(), other.run()):
        homes.deliver(lisa, pen.id, [run])
    assert homes.waiting(lisa) == 4
    replica = HomeReplica(lisa)
    for tip, run in ((third.tip(), third.run()), (other.tip(), other.run())):
        assert replica.read(raw(pen.id), tip, 0, 100) == run
    homes.deliver(lisa, pen.id, [late.run()])
    assert homes.waiting(lisa) == 0
    assert len(homes.state(lisa, pen.id)["message"]) == 5


def test_an_event_may_cite_any_history_of_a_device(lisa: Session) -> None:
    pen = stranger(lisa).say(HELLO).say(HELLO)
    other = pen.fork(3).say(talk.MessageSent("other", ()))
    third = Pen("third", root="stranger's root", space=pen.id, secret=SECRET)
    third.say(HELLO, seen=sorted([pen.head(), other.head()]))
    homes.deliver(lisa, pen.id, [pen.run(), third.run()])
    assert homes.waiting(lisa) == 1
    homes.deliver(lisa, pen.id, [other.run()])
    assert homes.waiting(lisa) == 0
    mine = homes.write(lisa, pen.id, HELLO)[0]
    stored = events.find_event(lisa.db, raw(mine))
    assert stored is not None
    cited = {id_ for _, _, id_ in plaintext.read(stored.body).seen}
    assert cited == {text(each.ids[-1]) for each in (pen, other, third)}


def test_what_a_chain_has_cited_is_noted_rightly_when_what_it_cited_parts(lisa: Session) -> None:
    """Simulator, family 103: our own chain came along in the piece that brought the fork."""
    pen = stranger(lisa).say(HELLO).say(HELLO)
    other = pen.fork(3).say(talk.MessageSent("other", ()))
    homes.deliver(lisa, pen.id, [pen.run()])
    homes.write(lisa, pen.id, HELLO)
    mine = [run for run in homes.runs(lisa, pen.id) if run.device == raw(lisa.me.device)]
    homes.deliver(lisa, pen.id, [*mine, other.run()])
    assert checking.verify(lisa, lambda _, __: None).problems == []


def test_reading_and_comparing_costs_the_same_however_many_histories_there_are(lisa: Session) -> None:
    pen = stranger(lisa).say(HELLO).say(HELLO)
    homes.deliver(lisa, pen.id, [pen.run()])

    def work() -> int:
        """Tens of steps of SQLite's machine for a read and a comparison."""
        replica, steps = HomeReplica(lisa), 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        lisa.db.set_progress_handler(step, 10)
        assert replica.read(raw(pen.id), pen.tip(), 0, 100) is not None
        assert replica.common(raw(pen.id), pen.tip(), other.tip()) == 2
        lisa.db.set_progress_handler(None, 0)
        return steps

    found = []
    for count in (2, 60):
        for number in range(count):
            other = pen.fork(3).say(talk.MessageSent(f"{count} {number}", ()))
            homes.deliver(lisa, pen.id, [other.run(3)])
        found.append(work())
    assert 0 < found[1] <= found[0] * 1.2


def test_a_device_that_forks_without_end_is_taken_by_and_by(lisa: Session) -> None:
    pen = stranger(lisa).say(HELLO).say(HELLO)
    others = [pen.fork(3).say(talk.MessageSent(f"{number}", ())) for number in range(FORKS_MOST + 10)]
    homes.deliver(lisa, pen.id, [pen.run()])
    source = HomeReplica(lisa)
    done = [source.admit(raw(pen.id), [other.run(3)]) for other in others]
    assert sum(one.accepted for one in done) == FORKS_MOST
    assert codes(done[-1]) == {"chain.too_forked"}
    later = [homes.deliver(lisa, pen.id, [other.run(3)]) for other in others]
    assert sum(one.accepted for one in later) == 10
    assert len(HomeReplica(lisa).heads(raw(pen.id))) == FORKS_MOST + 11
