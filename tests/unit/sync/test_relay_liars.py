from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from chaise_cli.ledger import receipt as receipts
from chaise_cli.ledger.receipt import Receipt
from sync import relay_messages
from sync.relay.service import Relay as Service
from sync.web import Answer
from tests.fakes.pen import signer
from tests.fakes.relay_client import JAMES, LISA, Town, Village, clean, codes, copied
from tests.fakes.replica import scribble

# What it is caught at


def test_a_relay_that_fell_back_is_named_and_filled_up_again() -> None:
    town = Town()
    old = town.state()
    town.write(0, 3)
    town.write(1, 2)
    town.all_sync()
    town.put_back(old)
    lisa, james = town.people
    done = lisa.sync()
    assert codes(done) == {"relay.rolled_back"}
    assert done.alarm is not None
    assert (done.alarm.exit, done.failure) == (11, None)
    assert "http://localhost:8787" in done.alarm.sentence()
    assert town.holds_all()
    clean(lisa.sync())
    assert codes(james.sync()) <= {"relay.rolled_back", "relay.split"}
    clean(james.sync())
    assert lisa.codes == ["relay.rolled_back"]
    assert len(james.codes) == 1
    town.write(0)
    town.all_sync()


def test_the_proof_of_a_fall_is_what_the_relay_signed() -> None:
    town = Town()
    old = town.state()
    town.write(0, 3)
    town.all_sync()
    town.put_back(old)
    town.people[0].sync()
    _, _, proof = town.people[0].memory.incidents[0]
    found = [receipts.unpack(proof[at : at + receipts.SIZE]) for at in range(0, len(proof), receipts.SIZE)]
    assert len(found) == 2
    assert all(receipts.holds(one) and one.relay == town.desk.relay.signer.public for one in found)
    assert found[0].number > found[1].number


def test_two_orders_of_the_same_events_are_a_split() -> None:
    town = Town()
    old = town.state()
    lisa, james = town.people
    town.write(0, 2, seed="one")
    clean(lisa.sync())
    town.put_back(old)
    town.write(1, 4, seed="two")
    clean(james.sync())
    done = lisa.sync()
    assert codes(done) == {"relay.split"}
    assert done.alarm is not None
    clean(lisa.sync())
    clean(james.sync())
    assert town.alike()
    assert town.holds_all()
    assert (lisa.codes, james.codes) == (["relay.split"], [])


def test_a_lost_space_is_a_warning_and_filled_up_again() -> None:
    town = Town()
    lisa, _ = town.people
    other = lisa.replica.open("deal", [LISA.identity, JAMES.identity])
    scribble(lisa.replica, other, 3, random.Random(2))
    town.all_sync()
    forget(town.desk.relay, town.deal)
    done = lisa.sync()
    assert (codes(done), done.alarm, done.failure) == ({"relay.wiped"}, None, None)
    assert lisa.codes == ["relay.wiped"]
    assert town.holds_all()
    clean(lisa.sync())


def forget(of: Service, space: bytes) -> None:
    store: Any = of.store
    del store.spaces[space], store.log[space], store.names[space]
    store.chains = {key: chain for key, chain in store.chains.items() if key[0] != space}
    store.reach = {one: held - {space} for one, held in store.reach.items()}


def test_a_relay_that_lost_everything_is_told_once_and_filled_up_again() -> None:
    town = Town()
    lisa, james = town.people
    for _ in range(3):
        scribble(lisa.replica, lisa.replica.open("deal", [LISA.identity, JAMES.identity]), 2, random.Random(4))
    town.all_sync()
    town.put_back(copied(Village()))
    for one in town.people:
        one.memory.given = town.desk.relay.new_invite()
    done = lisa.sync()
    assert ([problem.code for problem in done.problems], done.alarm, done.failure) == (["relay.wiped"], None, None)
    done = james.sync()
    assert codes(done) <= {"relay.wiped", "relay.rolled_back", "relay.split"}
    assert town.holds_all()
    town.all_sync()
    assert lisa.codes == ["relay.wiped"]


def test_another_relay_at_the_address_is_a_warning_and_filled_up() -> None:
    town = Town()
    lisa = town.people[0]
    other = Service(Village(), signer("another relay"), town.desk.relay.clock, random.Random(1).randbytes)
    town.desk.relay = other
    lisa.memory.given = other.new_invite()
    done = lisa.sync()
    assert ([problem.code for problem in done.problems], done.alarm, done.failure) == (["relay.replaced"], None, None)
    assert lisa.memory.key == other.signer.public
    clean(lisa.sync())
    town.people[1].memory.given = other.new_invite()
    assert codes(town.people[1].sync()) == {"relay.replaced"}
    assert town.alike()


def test_another_relay_is_noticed_by_a_device_that_registers_too() -> None:
    """After `device renew` the first thing said there is a registration, with proofs made for one relay alone."""
    town = Town()
    lisa = town.people[0]
    lisa.memory.device = None
    town.desk.relay = Service(Village(), signer("another relay"), town.desk.relay.clock, random.Random(1).randbytes)
    lisa.memory.given = town.desk.relay.new_invite()
    done = lisa.sync()
    assert ([problem.code for problem in done.problems], done.alarm, done.failure) == (["relay.replaced"], None, None)
    assert lisa.memory.key == town.desk.relay.signer.public
    clean(lisa.sync())


def test_what_the_relay_signed_for_another_and_does_not_show_is_withheld() -> None:
    town = Town()
    lisa, james = town.people
    old = town.state()
    town.write(0, 2)
    clean(lisa.sync())
    shown = lisa.memory.logs[town.deal].receipt
    assert shown is not None
    town.put_back(old)
    james.memory.shown[town.deal] = shown
    done = james.sync()
    assert codes(done) == {"relay.withheld"}
    assert done.alarm is not None
    assert len(james.codes) == 1


def test_a_receipt_that_another_showed_and_that_comes_true_is_no_finding() -> None:
    town = Town()
    lisa, james = town.people
    town.write(0, 2)
    clean(lisa.sync())
    james.memory.shown[town.deal] = lisa.memory.logs[town.deal].receipt  # type: ignore[assignment]
    clean(james.sync())
    james.memory.shown[town.deal] = lisa.memory.logs[town.deal].receipt  # type: ignore[assignment]
    clean(james.sync())
    assert james.memory.shown == {}


def test_a_receipt_for_another_entry_that_another_showed_is_a_split() -> None:
    town = Town()
    _, james = town.people
    mine = james.memory.logs[town.deal].receipt
    assert mine is not None
    other = receipts.issue(town.desk.relay.signer, town.deal, mine.number, bytes(32), mine.at, bytes(32))
    james.memory.shown[town.deal] = other
    assert codes(james.sync()) == {"relay.split"}


def section(change: Callable[[relay_messages.Section], relay_messages.Section]) -> Callable[..., Answer]:
    """A relay that changes each section it sends."""

    def changed(path: str, _body: bytes, answer: Answer) -> Answer:
        if path == "/v1/summary" and (different := relay_messages.read_different(answer.body)):
            news = [change(one) for one in different.news]
            return answer._replace(body=relay_messages.pack_different(different._replace(news=news)))
        if path != "/v1/pull":
            return answer
        found, more = relay_messages.read_sections(answer.body)
        return answer._replace(body=relay_messages.pack_sections([change(one) for one in found], more=more))

    return changed


def reordered(one: relay_messages.Section) -> relay_messages.Section:
    return one._replace(order=one.order[::-1]) if len(one.order) > 1 else one._replace(receipt=forged(one.receipt))


def forged(one: Receipt) -> Receipt:
    return one._replace(head=bytes(32))


def resigned(one: relay_messages.Section) -> relay_messages.Section:
    """With a receipt that the relay did sign, for other entries."""
    made = receipts.issue(signer("relay"), one.space, one.receipt.number, one.receipt.event, 0, bytes(32))
    return one._replace(receipt=made)


def disowned(one: relay_messages.Section) -> relay_messages.Section:
    """With a receipt that says what is true, and that the relay could deny."""
    return one._replace(receipt=one.receipt._replace(signature=bytes(64)))


def unsigned(one: relay_messages.Section) -> relay_messages.Section:
    return one._replace(segments=[run._replace(signature=bytes(64)) for run in one.segments])


def shifted(one: relay_messages.Section) -> relay_messages.Section:
    made = receipts.issue(signer("relay"), one.space, one.receipt.number + 1, one.receipt.event, 0, one.receipt.head)
    return one._replace(after=one.after + 1, receipt=made)


def dropped(one: relay_messages.Section) -> relay_messages.Section:
    """Without the last event of what the relay holds."""
    at, count = one.order[-1]
    last = one.segments[at]
    if len(last.events) < 2:
        return resigned(one)
    order = [*one.order[:-1], *([(at, count - 1)] if count > 1 else [])]
    segments = [*one.segments]
    segments[at] = last._replace(events=last.events[:-1])
    made = receipts.issue(signer("relay"), one.space, one.receipt.number - 1, one.receipt.event, 0, one.receipt.head)
    return one._replace(order=order, segments=segments, receipt=made)


@pytest.mark.parametrize("lie", [reordered, resigned, disowned, unsigned, shifted, dropped])
def test_a_section_that_does_not_follow_is_a_false_head_and_changes_nothing(
    lie: Callable[[relay_messages.Section], relay_messages.Section],
) -> None:
    town = Town()
    lisa, james = town.people
    town.write(0, 2)
    town.write(0, 1)
    clean(lisa.sync())
    before = james.replica.contents()
    james.link.change = section(lie)
    done = james.sync()
    assert codes(done) == {"relay.false_head"}
    assert done.alarm is not None
    assert done.alarm.exit == 11
    assert james.replica.contents() == before
    assert codes(james.sync()) == {"relay.false_head"}
    james.link.change = None
    clean(james.sync())
    assert town.alike()
    assert set(james.codes) == {"relay.false_head"}


def pushed(change: Callable[[relay_messages.Pushed], relay_messages.Pushed]) -> Callable[..., Answer]:
    """A relay that changes what it says of a push."""

    def changed(path: str, body: bytes, answer: Answer) -> Answer:
        if path != "/v1/push":
            return answer
        given = relay_messages.read_push(body)
        done = relay_messages.read_pushed(answer.body, len(given.segments))
        return answer._replace(body=relay_messages.pack_pushed(change(done)))

    return changed


@pytest.mark.parametrize(
    "lie",
    [
        lambda done: done._replace(receipt=forged(done.receipt)),
        lambda done: done._replace(taken=[count + 1 for count in done.taken]),
        lambda done: done._replace(taken=[0 for _ in done.taken]),
        lambda done: done._replace(first=done.first + 1),
        lambda done: done._replace(before=bytes(32)),
        lambda done: done._replace(receipt=None),
        lambda done: done._replace(receipt=done.receipt._replace(signature=bytes(64))),
    ],
)  # fmt: skip
def test_an_answer_to_a_push_that_does_not_follow_is_never_taken_for_delivery(
    lie: Callable[[relay_messages.Pushed], relay_messages.Pushed],
) -> None:
    town = Town()
    lisa, james = town.people
    lisa.link.change = pushed(lie)
    town.write(0, 2)
    done = lisa.sync()
    reached = lisa.memory.reached()[town.deal].number
    assert codes(done) <= {"relay.false_head"}
    assert done.alarm is not None or reached == lisa.memory.logs[town.deal].receipt.number  # type: ignore[union-attr]
    lisa.link.change = None
    assert lisa.sync().alarm is None
    clean(james.sync())
    assert town.alike()
