"""Homes at a relay in this process: what the store keeps of its log, and what it finds out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from chaise_cli.domain import talk
from chaise_cli.domain.body import replace
from chaise_cli.ids import DeviceId, IdentityId, SpaceId, raw, text
from chaise_cli.ledger import receipt as receipts
from chaise_cli.session import access, newcomers
from chaise_cli.session.relaying import RelayMemory
from chaise_cli.session.replica import HomeReplica, HomeSigner
from chaise_cli.session.session import Session
from chaise_cli.store import events, own, places, relays, selves
from sync import engine
from sync.engine import Exchange
from sync.relay.desk import Desk
from sync.transports.folder import Folder
from sync.transports.relay import Relay
from sync.transports.stdio import Pipes, serve
from tests.fakes import homes
from tests.fakes.homes import Market
from tests.fakes.links import Conversation
from tests.fakes.pen import signer
from tests.fakes.relay_client import WHERE, DeskLink, Village, copied, put_back, village
from tests.fakes.replica import Forgetful


class Guest:
    """A home whose board goes to the relay."""

    def __init__(self, session: Session, desk: Desk) -> None:
        self.session = session
        with session.admitting():
            self.place = places.remember(session.db, WHERE, auto=False)
            places.set_kind(session.db, self.place, "relay")
            for board in events.spaces(session.db, "board"):
                places.carry(session.db, self.place, board.no)
            relays.set_invite(session.db, self.place, desk.relay.new_invite())
        self.link = DeskLink(desk)
        self.memory = RelayMemory(session, self.place)

    def sync(self) -> Exchange:
        self.link.asked.clear()
        way = Relay(WHERE, self.memory, self.session.clock.now, link=self.link)
        only = frozenset(places.carried(self.session.db, self.place).values())
        return engine.exchange(HomeReplica(self.session, only), HomeSigner(self.session), way)

    def unsent(self) -> int:
        carried = places.carried(self.session.db, self.place)
        return places.missing(self.session.db, self.place, carried.keys())

    def state(self, space: SpaceId) -> Any:
        return homes.state(self.session, space)


@pytest.fixture
def three(market: Market, tmp_path: Path) -> Iterator[tuple[Guest, Guest, SpaceId]]:
    """Lisa and James at a relay, with a deal that both hold."""
    desk = village()
    with market.visit(tmp_path, "lisa", "james") as (lisa, james):
        guests = Guest(lisa, desk), Guest(james, desk)
        deal = homes.open_deal(lisa, IdentityId(james.me.identity), homes.post(lisa, market.board), client=True)
        homes.write(lisa, deal, homes.deals_invite())
        for one in (*guests, *guests):
            clean(one.sync())
        yield *guests, deal


def clean(done: Exchange) -> Exchange:
    assert (done.failure, done.alarm, done.rejected, tuple(done.problems)) == (None, None, 0, ())
    return done


def say(one: Guest, deal: SpaceId, *words: str) -> None:
    for word in words:
        homes.write(one.session, deal, talk.MessageSent(word, ()))


def test_two_homes_come_to_the_same_and_all_of_it_is_delivered(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, james, deal = three
    for at in range(5):
        say(lisa, deal, f"one {at}", f"two {at}")
        say(james, deal, f"three {at}")
        clean(lisa.sync())
        clean(james.sync())
    clean(lisa.sync())
    assert lisa.state(deal) == james.state(deal)
    assert (lisa.unsent(), james.unsent()) == (0, 0)
    clean(lisa.sync())
    assert [path for path, _, _ in lisa.link.asked] == ["/v1/summary"]


def test_every_head_of_the_log_can_be_told_again(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, james, deal = three
    for at in range(4):
        say(lisa, deal, f"one {at}", f"two {at}")
        say(james, deal, f"three {at}")
        clean(james.sync())
        clean(lisa.sync())
    clean(james.sync())
    held = {guest: guest.memory.reached()[raw(deal)] for guest in (lisa, james)}
    assert held[lisa][:2] == held[james][:2]
    heads = [[one.memory.head_at(raw(deal), at) for at in range(held[lisa].number + 1)] for one in (lisa, james)]
    assert heads[0] == heads[1]
    assert None not in heads[0]
    assert heads[0][-1] == held[lisa].head
    assert lisa.memory.head_at(raw(deal), held[lisa].number + 1) is None


def test_a_store_that_fell_behind_its_relay_is_filled_without_a_finding(
    three: tuple[Guest, Guest, SpaceId],
) -> None:
    lisa, james, deal = three
    before = lisa.memory.reached()[raw(deal)]
    say(james, deal, "one", "two")
    clean(james.sync())
    clean(lisa.sync())
    with lisa.session.admitting():  # as after a crash before the cursor moved
        relays.restart(lisa.session.db, lisa.place, raw(deal))
    assert lisa.unsent() > 0
    clean(lisa.sync())
    assert lisa.memory.reached()[raw(deal)].number > before.number
    assert lisa.unsent() == 0


def test_another_process_that_syncs_meanwhile_does_no_harm(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, james, deal = three
    say(james, deal, "one", "two")
    clean(james.sync())
    stale = RelayMemory(lisa.session, lisa.place)
    reached = stale.reached()[raw(deal)]
    clean(lisa.sync())
    now = lisa.memory.reached()[raw(deal)]
    with lisa.session.admitting():
        stale.extend(raw(deal), reached.number, [], reached)
    assert lisa.memory.reached()[raw(deal)] == now


@pytest.mark.parametrize("again", [False, True])
def test_a_relay_that_fell_back_is_found_out_and_filled(three: tuple[Guest, Guest, SpaceId], *, again: bool) -> None:
    lisa, james, deal = three
    store = lisa.link.desk.relay.store
    old = copied(store)
    say(lisa, deal, "one", "two")
    clean(lisa.sync())
    clean(james.sync())
    put_back(store, old)
    if again:
        say(james, deal, "three", "four", "five")
        assert {problem.code for problem in james.sync().problems} == {"relay.rolled_back"}
    done = lisa.sync()
    assert {problem.code for problem in done.problems} <= {"relay.rolled_back", "relay.split"}
    assert again or done.alarm is not None  # James may have filled it up to the very log that it had before
    clean(lisa.sync())
    james.sync()
    clean(james.sync())
    clean(lisa.sync())
    assert (lisa.unsent(), james.unsent()) == (0, 0)
    assert lisa.state(deal) == james.state(deal)
    assert len(relays.incidents(lisa.session.db, lisa.place)) == len(done.problems) <= 1


def test_what_lies_at_a_wiped_relay_is_not_said_to_be_there(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, _, deal = three
    with lisa.session.admitting():
        relays.begin(lisa.session.db, lisa.place, bytes(32))
    assert lisa.unsent() > 0
    assert lisa.memory.reached() == {}
    assert lisa.memory.head_at(raw(deal), 1) is None


def test_peers_compare_what_the_relay_told_them(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, james, deal = three
    (shown,) = HomeReplica(james.session).receipts(raw(deal))
    replica = HomeReplica(lisa.session)
    assert replica.witness([shown]) == []
    true = receipts.unpack(shown)
    relay = lisa.link.desk.relay.signer
    false = receipts.issue(relay, true.space, true.number, true.event, true.at + 1, bytes(32)).pack()
    (error,) = replica.witness([false])
    assert (error.code, error.exit) == ("relay.split", 11)
    assert WHERE in error.sentence()
    assert replica.witness([false]) == []
    (incident,) = relays.incidents(lisa.session.db, lisa.place)
    assert incident.proof == false + (relays.receipts(lisa.session.db, [raw(deal)]))[0]


def test_a_false_receipt_for_an_early_entry_is_found_out_too(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, _, deal = three
    relay = lisa.link.desk.relay.signer
    early = receipts.issue(relay, raw(deal), 1, bytes(32), homes.NOON_MS, bytes(32))
    assert [error.code for error in HomeReplica(lisa.session).witness([early.pack()])] == ["relay.split"]


def test_a_receipt_ahead_of_the_log_is_kept_until_it_can_be_compared(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, james, deal = three
    say(james, deal, "one")
    clean(james.sync())
    (shown,) = HomeReplica(james.session).receipts(raw(deal))
    assert HomeReplica(lisa.session).witness([shown]) == []
    assert set(lisa.memory.claims()) == {raw(deal)}
    clean(lisa.sync())
    assert lisa.memory.claims() == {}


def test_a_receipt_ahead_that_never_comes_true_is_withheld(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, james, deal = three
    old = copied(james.link.desk.relay.store)
    say(james, deal, "one")
    clean(james.sync())
    (shown,) = HomeReplica(james.session).receipts(raw(deal))
    put_back(james.link.desk.relay.store, old)
    HomeReplica(lisa.session).witness([shown])
    done = lisa.sync()
    assert {problem.code for problem in done.problems} == {"relay.withheld"}
    assert done.alarm is not None
    assert HomeReplica(lisa.session).witness([shown]) == []
    clean(lisa.sync())


def test_two_receipts_that_others_showed_for_one_number_are_a_split(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, _, deal = three
    relay = lisa.link.desk.relay.signer
    one, other = (
        receipts.issue(relay, raw(deal), 99, bytes(32), homes.NOON_MS, head).pack() for head in (bytes(32), b"h" * 32)
    )
    replica = HomeReplica(lisa.session)
    assert replica.witness([one]) == replica.witness([one]) == []
    assert [error.code for error in replica.witness([other])] == ["relay.split"]
    assert one in replica.receipts(raw(deal)), "it is shown to others as well"


def test_one_contact_of_two_that_hold_the_same_names_a_relay_that_gave_them_two_orders(
    three: tuple[Guest, Guest, SpaceId], tmp_path: Path
) -> None:
    lisa, james, deal = three
    first, second = lisa.link.desk, village()
    put_back(second.relay.store, copied(first.relay.store))
    james.link.desk = second
    for one in (lisa, james):
        say(one, deal, "meanwhile")
        clean(one.sync())
    for one in (lisa, james, lisa):  # by another way both come to hold the two events,
        clean(exchange(one, Folder(str(tmp_path), Forgetful())))
    for one in (lisa, james):
        clean(one.sync())  # which the two sides of the relay have in two orders
    assert lisa.state(deal) == james.state(deal)
    (led, followed) = talk_with(lisa, james)
    assert (led.received, followed.received) == (0, 0)
    for done in (led, followed):
        assert {problem.code for problem in done.problems} == {"relay.split"}
        assert done.alarm is not None
    for one in (lisa, james):
        assert {found.code for found in relays.incidents(one.session.db, one.place)} == {"relay.split"}


def exchange(one: Guest, way: engine.Transport) -> Exchange:
    return engine.exchange(HomeReplica(one.session), HomeSigner(one.session), way)


def talk_with(lead: Guest, follow: Guest) -> tuple[Exchange, Exchange]:
    """A conversation of two homes, as over ssh; what came of it at each."""
    near, far = socket.socketpair()
    answered: list[Exchange] = []

    def answer() -> None:
        own = access.again(follow.session)
        with os.fdopen(os.dup(far.fileno()), "rb", 0) as source, os.fdopen(os.dup(far.fileno()), "wb", 0) as sink:
            answered.append(serve(HomeReplica(own), HomeSigner(own), source, sink, idle_s=20))
        own.close()

    with near, far:
        thread = Thread(target=answer)
        thread.start()
        led = exchange(lead, Conversation(Pipes(near.fileno(), near.fileno(), 20)))
        thread.join()
    return led, answered[0]


def test_what_no_relay_of_ours_signed_says_nothing(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, _, deal = three
    (shown,) = HomeReplica(lisa.session).receipts(raw(deal))
    forged = receipts.unpack(shown)._replace(head=bytes(32)).pack()
    other = receipts.issue(signer("nobody's relay"), raw(deal), 1, bytes(32), homes.NOON_MS, bytes(32)).pack()
    assert HomeReplica(lisa.session).witness([forged, other, b"x"]) == []
    assert relays.incidents(lisa.session.db, lisa.place) == []


def test_a_deal_that_opens_for_nobody_is_not_fetched_each_time(three: tuple[Guest, Guest, SpaceId]) -> None:
    """It is asked for again once there is another key that it might open with."""
    _, james, _ = three
    memory = james.memory
    space = b"s" * 32
    with james.session.admitting():
        relays.extend(james.session.db, james.place, relays.Log(space, 3, b"h" * 32, None, door=False), 0, [], [])
        memory.refuse(space)
    assert space in memory.reached()
    with james.session.admitting():
        own.put(james.session.db, "box another", b"AAAA")
    assert space not in memory.reached()
    with james.session.admitting():
        assert relays.extend(
            james.session.db, james.place, relays.Log(space, 2, b"i" * 32, None, door=False), 0, [], []
        )
    assert memory.reached()[space].number == 2


def test_what_is_left_out_for_want_of_answers_is_fetched_once_there_is_one(
    three: tuple[Guest, Guest, SpaceId], monkeypatch: pytest.MonkeyPatch
) -> None:
    lisa, james, first = three
    monkeypatch.setattr(newcomers, "MOST", 1)
    board = events.spaces(lisa.session.db, "board")[0].id
    about = homes.post(lisa.session, board)
    second = homes.open_deal(lisa.session, IdentityId(james.session.me.identity), about, client=True)
    homes.write(lisa.session, second, homes.deals_invite())
    clean(lisa.sync())
    assert {problem.code for problem in james.sync().problems} == {"space.crowded"}
    clean(james.sync())
    assert [path for path, _, _ in james.link.asked] == ["/v1/summary"], "it is not fetched again and again"
    assert events.find_space(james.session.db, second) is None
    say(james, first, "here I am")
    clean(james.sync())
    assert lisa.state(second)["message"] == james.state(second)["message"]


def test_attachments_go_through_and_are_not_asked_for_again(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, james, deal = three
    content = b"sealed" * 200_000
    address = sha256(content).digest()
    lisa.session.home.objects.mkdir(exist_ok=True)
    assert HomeReplica(lisa.session).keep_object(address, [content])
    attached = talk.Attachment("site.tar", len(content), text(bytes(32)), text(address), text(bytes(32)))
    homes.write(lisa.session, deal, replace(talk.MessageSent("here", ()), files=(attached,)))
    clean(lisa.sync())
    clean(james.sync())
    pieces = HomeReplica(james.session).read_object(address)
    assert pieces is not None
    assert b"".join(pieces) == content
    for one in (lisa, james):
        clean(one.sync())
        assert [path for path, _, _ in one.link.asked] == ["/v1/summary"]


def test_a_second_loss_is_another_incident_though_the_same_receipt_proves_it(
    three: tuple[Guest, Guest, SpaceId],
) -> None:
    """The clock stands still here, so that even the receipts of a relay that was filled up again are the same."""
    lisa, _, _ = three
    for times in (1, 2):
        put_back(lisa.link.desk.relay.store, copied(Village()))
        with lisa.session.admitting():
            relays.set_invite(lisa.session.db, lisa.place, lisa.link.desk.relay.new_invite())
        assert [problem.code for problem in lisa.sync().problems][:1] == ["relay.wiped"]
        found = [one for one in relays.incidents(lisa.session.db, lisa.place) if not one.space]
        assert [one.code for one in found] == ["relay.wiped"] * times
        clean(lisa.sync())


def test_what_was_found_once_is_kept_once_unless_it_happened_anew(three: tuple[Guest, Guest, SpaceId]) -> None:
    memory = three[0].memory
    told = [memory.found(None, "relay.split", b"proof", anew=anew) for anew in (False, False, True, False)]
    assert told == [True, False, True, False]
    assert len(relays.incidents(three[0].session.db, three[0].place)) == 2


def test_a_door_that_a_relay_forgot_is_closed_alone(three: tuple[Guest, Guest, SpaceId]) -> None:
    lisa, _, deal = three
    boards = [raw(board.id) for board in events.spaces(lisa.session.db, "board")]
    lisa.memory.note_registered(raw(lisa.session.me.device), [*boards, raw(deal)])
    lisa.memory.close_doors(boards)
    assert lisa.memory.doors() == {raw(deal)}


def test_whom_a_relay_was_told_to_strike_off_is_known_of_this_relay_alone(
    three: tuple[Guest, Guest, SpaceId], monkeypatch: pytest.MonkeyPatch
) -> None:
    lisa, _, _ = three
    me, lost = lisa.session.me.device, DeviceId(text(bytes(32)))
    monkeypatch.setattr(selves, "revoked", lambda _: {me, lost})
    assert lisa.memory.to_strike() == [bytes(32)]
    lisa.memory.note_struck(bytes(32))
    assert lisa.memory.to_strike() == []
    with lisa.session.admitting():
        other = places.remember(lisa.session.db, "http://localhost:1", auto=False)
    assert RelayMemory(lisa.session, other).to_strike() == [bytes(32)]
    lisa.memory.forget_struck()
    assert lisa.memory.to_strike() == [bytes(32)]
    lisa.memory.note_struck(bytes(32))
    with lisa.session.admitting():
        relays.begin(lisa.session.db, lisa.place, bytes(32))
    assert lisa.memory.to_strike() == [bytes(32)]
