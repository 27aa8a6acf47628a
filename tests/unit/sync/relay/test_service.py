"""The rules of docs/spec/relay.md, one by one, on the store in memory."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

import pytest

from chaise_cli.ids import text
from chaise_cli.ledger import canonical, receipt, relay_invite, segment
from sync import ranges
from sync.relay import people
from sync.relay.contract import Position
from sync.relay.limits import Limits
from sync.relay.memory import Memory
from sync.relay.pulling import TRIED, compare, newest
from sync.relay.refusal import Refusal
from sync.relay.service import Relay
from sync.relay_messages import Piece, Row, Section, Summary
from tests.fakes import relays
from tests.fakes.homes import Hands
from tests.fakes.pen import Pen, signer
from tests.fakes.relays import Guest, door_key, scribble

BOX: Final = bytes(32)


def walk(section: Section) -> list[bytes]:
    """The ids of a section's events in the order of their numbers, each segment verified."""
    links = [segment.verify(one) for one in section.segments]
    places, found = [0] * len(links), list[bytes]()
    for at, count in section.order:
        found += [link.id for link in links[at][places[at] : places[at] + count]]
        places[at] += count
    return found


def refuses(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refusal) as met:
        act()
    assert met.value.code == code


@pytest.fixture
def relay() -> Relay:
    return relays.relay()


@pytest.fixture
def lisa(relay: Relay) -> Guest:
    return Guest(relay, "lisa").invited()


@pytest.fixture
def board(lisa: Guest) -> Pen:
    """A board of Lisa's that is here."""
    made = relays.board("lisa", 2)
    lisa.push(made.run(), door=door_key(made.space).public)
    return made


@pytest.fixture
def james(relay: Relay, board: Pen) -> Guest:
    """Somebody who came by the board's door."""
    guest = Guest(relay, "james")
    return guest.register(doors=[guest.proof(board.space)])


# Registration


def test_a_stranger_needs_an_invite_or_a_door(relay: Relay, board: Pen) -> None:
    ada = Guest(relay, "ada")
    refuses("relay.not_registered", lambda: ada.who)
    refuses("relay.not_admitted", ada.register)
    refuses("relay.not_admitted", lambda: ada.register(invite=relay_invite.write(bytes(20))))
    refuses("relay.not_admitted", lambda: ada.register(invite="E7RC-5D8B"))
    refuses("relay.not_admitted", lambda: ada.register(doors=[ada.proof(board.space, signer("another key"))]))
    refuses("relay.not_admitted", lambda: ada.register(doors=[Guest(relay, "eve").proof(board.space)]))
    refuses("relay.not_admitted", lambda: ada.register(doors=[ada.proof(sha256(b"elsewhere").digest())]))
    assert ada.register(doors=[ada.proof(board.space)]).sees() == {board.space}


def test_a_door_proof_is_for_one_relay(relay: Relay, board: Pen) -> None:
    ada = Guest(relay, "ada")
    message = people.door_message(signer("another relay").public, ada.device, board.space)
    forged = board.space, door_key(board.space).sign(b"chaise/1 proof\x00", message)
    refuses("relay.not_admitted", lambda: ada.register(doors=[forged]))


def test_an_invite_is_kept_as_a_hash_alone(relay: Relay) -> None:
    given = relay.new_invite()
    assert isinstance(relay.store, Memory)
    assert list(relay.store.invites()) == [sha256(relay_invite.read(given)).digest()]
    Guest(relay, "ada").register(invite=given)
    Guest(relay, "eve").register(invite=given.lower().replace("-", " "))


def test_another_device_of_a_person_needs_neither(relay: Relay, lisa: Guest) -> None:
    phone = Guest(relay, "phone", of="lisa", kind="device", by="lisa").register()
    assert not phone.who.admin
    assert lisa.who.admin
    assert phone.who.identity == lisa.identity


def test_certificates_have_to_be_of_the_device_and_lead_to_the_root(relay: Relay, lisa: Guest) -> None:
    other = Guest(relay, "phone", of="lisa")
    refuses("relay.not_admitted", lambda: relay.register(lisa.device, people.read_registration(other.asks())))
    refuses("relay.not_admitted", lambda: Guest(relay, "ci", of="lisa", kind="grant").register())
    body = canonical.encode({"certificates": [{}], "doors": [], "invite": None})
    refuses("relay.not_admitted", lambda: people.read_registration(body))


def test_a_device_stays_with_its_identity(relay: Relay, lisa: Guest) -> None:
    again = Guest(relay, "lisa", of="eve")
    assert again.device == lisa.device
    refuses("relay.not_admitted", again.invited)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"certificates": []}',
        canonical.encode({"certificates": [], "doors": {}, "invite": None}),
        canonical.encode({"certificates": [], "doors": [["a"]], "invite": None}),
        canonical.encode({"certificates": [], "doors": [["a", "b"]], "invite": None}),
        canonical.encode({"certificates": [], "doors": [[text(BOX), text(BOX)]], "invite": None}),
        canonical.encode({"certificates": [], "doors": [], "invite": 7}),
    ],
)
def test_what_is_no_registration_is_malformed_or_not_admitted(body: bytes) -> None:
    with pytest.raises(Refusal) as met:
        people.read_registration(body)
    assert met.value.code in {"relay.malformed", "relay.not_admitted"}


def test_too_many_doors_are_malformed(relay: Relay) -> None:
    ada = Guest(relay, "ada")
    proof = ada.proof(BOX)
    refuses("relay.malformed", lambda: people.read_registration(ada.asks(doors=[proof] * 1_001)))


# Striking off


def test_a_struck_device_is_refused_everything_and_never_comes_back(relay: Relay, lisa: Guest) -> None:
    phone = Guest(relay, "phone", of="lisa").register()
    before = Guest(relay, "tablet", of="lisa", by="phone").register()
    after = Guest(relay, "watch", of="lisa", by="phone")
    relay.revoke(lisa.who, phone.device)
    relay.revoke(lisa.who, phone.device)
    refuses("relay.struck", lambda: phone.who)
    refuses("relay.struck", phone.register)
    refuses("relay.struck", phone.invited)
    refuses("relay.struck", after.invited)
    assert before.who.identity == lisa.identity
    assert lisa.who.admin


def test_a_device_can_be_struck_before_it_registers(relay: Relay, lisa: Guest) -> None:
    phone = Guest(relay, "phone", of="lisa")
    relay.revoke(lisa.who, phone.device)
    refuses("relay.struck", phone.invited)


def test_only_an_admin_strikes_and_only_another_of_its_own(relay: Relay, lisa: Guest, james: Guest) -> None:
    phone = Guest(relay, "phone", of="lisa", kind="device").register()
    refuses("relay.not_admitted", lambda: relay.revoke(phone.who, lisa.device))
    refuses("relay.malformed", lambda: relay.revoke(lisa.who, lisa.device))
    relay.revoke(lisa.who, james.device)
    assert james.who.identity == james.identity, "nobody strikes a device of somebody else"


# Founding


def test_a_self_space_comes_from_its_owner(relay: Relay, lisa: Guest, james: Guest) -> None:
    own = scribble(Pen("lisa").genesis("self").clear(relays.wrap("lisa")), 2)
    refuses("relay.not_admitted", lambda: james.push(own.run()))
    assert lisa.push(own.run()).taken == [4]
    assert own.space not in james.sees()
    phone = Guest(relay, "phone", of="lisa").register()
    assert own.space in phone.sees()


def test_a_board_comes_with_its_door_key(lisa: Guest) -> None:
    made = relays.board("lisa")
    refuses("relay.malformed", lambda: lisa.push(made.run()))


def test_a_deal_comes_from_somebody_it_is_between(lisa: Guest, james: Guest, relay: Relay, board: Pen) -> None:
    ada = Guest(relay, "ada")
    ada.register(doors=[ada.proof(board.space)])
    deal = relays.deal("lisa", "james")
    refuses("relay.not_admitted", lambda: ada.push(deal.run()))
    assert james.push(deal.run()).taken == [3]
    assert deal.space in lisa.sees()
    assert deal.space not in ada.sees()


def test_only_wraps_of_the_maker_make_somebody_one_it_is_between(lisa: Guest, james: Guest) -> None:
    deal = relays.deal("lisa")
    theirs = Pen("james", space=deal.id)
    scribble(theirs, 1).clear(relays.wrap("james"))
    refuses("relay.not_admitted", lambda: james.push(deal.run(), theirs.run()))


def test_a_deal_is_between_people_who_share_something_here(lisa: Guest, james: Guest, relay: Relay) -> None:
    assert lisa.push(relays.deal("lisa", "james").run()).receipt
    Guest(relay, "eve").invited()
    refuses("relay.stranger", lambda: lisa.push(relays.deal("lisa", "eve").run()))
    refuses("relay.stranger", lambda: lisa.push(relays.deal("lisa", "james", "eve").run()))
    refuses("relay.stranger", lambda: Guest(relay, "eve").push(relays.deal("eve", "lisa").run()))


def test_one_who_shares_with_each_is_enough(lisa: Guest, james: Guest, relay: Relay) -> None:
    """Lisa knows James by one board and Ada by another."""
    other = scribble(Pen("lisa").genesis("board", body=relays.genesis("lisa", "board", "second")), 1)
    lisa.push(other.run(), door=door_key(other.space).public)
    ada = Guest(relay, "ada")
    ada.register(doors=[ada.proof(other.space)])
    refuses("relay.stranger", lambda: james.push(relays.deal("james", "ada").run()))
    three = relays.deal("lisa", "james", "ada")
    lisa.push(three.run())
    assert three.space in ada.sees() & james.sees()
    assert james.push(relays.deal("james", "ada").run()).receipt, "a deal is something to share as well"


def test_a_space_begins_with_its_genesis(lisa: Guest, board: Pen) -> None:
    deal = relays.deal("lisa")
    refuses("relay.not_found", lambda: lisa.push(deal.run(1)))
    refuses("relay.not_found", lambda: lisa.push(space=deal.space))
    refuses("relay.not_found", lambda: lisa.push(scribble(Pen("lisa", space=deal.id), 2).run()))
    broken = deal.run()._replace(signature=bytes(64))
    done = lisa.push(broken, deal.run())
    assert (done.first, done.receipt, done.taken) == (1, None, [0, 0])
    assert done.refused == [(0, "envelope.bad_segment"), (1, "sync.gap")]
    strange = Pen("lisa").genesis(body=b'{"creator":1}')
    assert lisa.push(strange.run()).refused == [(0, "envelope.bad_clear_body")]


# Pushing


def test_repeating_a_push_changes_nothing(lisa: Guest, board: Pen, relay: Relay) -> None:
    run = scribble(board, 3).run(3)
    first = lisa.push(run)
    again = lisa.push(run)
    assert (first.first, first.taken, again.first, again.taken) == (4, [3], 7, [0])
    assert first.receipt
    assert again.receipt == first.receipt
    assert again.before == first.receipt.head
    assert receipt.advance(first.before, board.ids[4:]) == first.receipt.head
    assert relay.kept == 6


def test_what_overlaps_is_kept_from_where_it_is_new(lisa: Guest, board: Pen) -> None:
    scribble(board, 4)
    assert lisa.push(board.run(3, 5), board.run(1, 6), board.run(2)).taken == [2, 1, 1]
    (section,) = lisa.pull()
    assert walk(section) == board.ids[1:]


def test_what_does_not_begin_here_is_a_gap_and_the_rest_is_kept(lisa: Guest, james: Guest, board: Pen) -> None:
    scribble(board, 4)
    theirs = relays.join(board, "james", 3)
    done = lisa.push(board.run(4), theirs.run(1), theirs.run(0, 2), board.run(3, 4))
    assert done.taken == [0, 0, 2, 1]
    assert done.refused == [(0, "sync.gap"), (1, "sync.gap")]


def test_nothing_that_does_not_verify_is_kept(lisa: Guest, board: Pen) -> None:
    run = scribble(board, 2).run(3)
    forged = run._replace(signature=board.run(3, 4).signature)
    other = run._replace(events=[run.events[0], run.events[1]._replace(body=b"changed")])
    huge = run._replace(events=[run.events[0]._replace(body=bytes(65_537))])
    done = lisa.push(forged, other, huge)
    assert done.taken == [0, 0, 0]
    assert [code for _, code in done.refused] == ["envelope.bad_segment", "envelope.bad_segment", "envelope.bad_header"]


def test_a_segment_that_would_not_fit_an_answer_is_refused(lisa: Guest, board: Pen) -> None:
    for _ in range(64):
        board.put(bytes(65_536), relays.EPOCH)
    assert lisa.push(board.run(3)).refused == [(0, "sync.too_large")]
    assert lisa.push(board.run(3, 60), board.run(60)).refused == []
    assert len(lisa.pull()) > 1


def test_who_is_not_served_a_space_cannot_tell_that_it_is_here(lisa: Guest, james: Guest, relay: Relay) -> None:
    deal = relays.deal("lisa")
    lisa.push(deal.run())
    refuses("relay.not_found", lambda: james.push(scribble(deal, 1).run(3)))
    refuses("relay.not_found", lambda: james.push(scribble(Pen("james", space=deal.id), 1).run()))
    assert deal.space not in james.sees()
    head = Row(deal.space, 3, bytes(8))
    assert james.pull(head, everything=False) == []


def test_a_wrap_serves_the_space_to_those_it_names(lisa: Guest, james: Guest) -> None:
    deal = relays.deal("lisa")
    lisa.push(deal.run())
    touched: list[bytes] = []
    lisa.at.on_touched = touched.append
    deal.clear(relays.wrap("james"))
    lisa.push(deal.run(3))
    assert deal.space in james.sees()
    assert touched == [deal.space]
    james.push(scribble(Pen("james", space=deal.id), 1).run())
    assert touched == [deal.space] * 2


def test_wraps_on_a_board_and_malformed_ones_serve_nobody(lisa: Guest, relay: Relay, board: Pen) -> None:
    eve = Guest(relay, "eve").invited()
    lisa.push(board.clear(relays.wrap("eve")).run(3))
    deal = relays.deal("lisa")
    lisa.push(deal.run())
    assert lisa.push(deal.clear(b'{"boxes":[]}').run(3)).taken == [1]
    assert eve.sees() == set()


# Doors


def test_the_creator_sets_another_door_and_others_come_again(lisa: Guest, james: Guest, board: Pen) -> None:
    other = signer("other door")
    james.push(scribble(Pen("james", space=board.id), 1).run(), door=other.public)
    assert james.sees() == {board.space}, "only the creator's word counts"
    lisa.push(space=board.space, door=other.public)
    assert james.sees() == set()
    assert lisa.sees() == {board.space}
    james.register(doors=[james.proof(board.space)])
    assert james.sees() == set()
    james.register(doors=[james.proof(board.space, other)])
    assert james.sees() == {board.space}


def test_a_board_that_somebody_else_brought_is_its_creators_too(relay: Relay, lisa: Guest) -> None:
    eve = Guest(relay, "eve").invited()
    made = relays.board("lisa")
    eve.push(made.run(), door=signer("false").public)
    assert lisa.sees() == eve.sees() == {made.space}
    lisa.push(space=made.space, door=door_key(made.space).public)
    assert eve.sees() == set()


# Forks


def test_a_second_history_is_refused_from_its_author_and_kept_from_others(
    lisa: Guest, james: Guest, board: Pen
) -> None:
    twin = scribble(board.fork(2).put(b"another", relays.EPOCH), 2)
    done = lisa.push(twin.run(2))
    assert (done.taken, done.refused) == ([0], [(0, "relay.forked")])
    assert james.push(twin.run(2)).taken == [3]
    scribble(board, 2)
    scribble(twin, 1)
    assert lisa.push(twin.run(5)).refused == [(0, "relay.forked")]
    assert lisa.push(twin.run(2, 5)).refused == [], "what is here already is no news"
    assert lisa.push(board.run(3)).taken == [2], "the first history goes on"
    assert james.push(twin.run(5)).taken == [1]
    (section,) = james.pull()
    assert set(walk(section)) == {*board.ids[1:], *twin.ids[1:]}
    assert walk(section) == [*board.ids[1:4], *twin.ids[3:6], *board.ids[4:], twin.ids[6]]


def test_two_histories_from_the_first_event_on(lisa: Guest, james: Guest, board: Pen) -> None:
    one = relays.join(board, "james", 2)
    two = Pen("james", space=board.id).put(b"another", relays.EPOCH)
    james.push(one.run())
    assert james.push(two.run()).refused == [(0, "relay.forked")]
    assert lisa.push(two.run()).taken == [1]
    assert lisa.push(scribble(two, 3).run(1)).taken == [3]
    assert james.push(scribble(one, 1).run(2)).taken == [1], "its second history is longer, the first one counts"


# Telling and pulling


def test_a_summary_says_where_to_look(lisa: Guest, board: Pen, relay: Relay) -> None:
    (section,) = lisa.pull()
    known = {board.space: section.receipt.head[:8]}
    assert relay.summary(lisa.who, lisa.summary(known)) is None
    assert relay.summary(lisa.who, lisa.summary(known, 60)) is None
    different = relay.summary(lisa.who, lisa.summary({}))
    assert different
    assert different.digest == ranges.whole(known)
    part = ranges.part_of(board.space)
    assert different.ranges == [(part // 32, ranges.parts(known, part // 32))]


def test_a_range_with_many_spaces_is_not_guessed_at(relay: Relay) -> None:
    wide = {bytes([1]) + number.to_bytes(31, "big"): Position(1, bytes(32)) for number in range(TRIED + 1)}
    said = Summary(ranges.whole({}), ranges.ranges({}), 0)
    different = compare(wide, said)
    assert different
    assert len(different.ranges) == 1
    assert newest(relay.store, wide, said, different) is None


def test_only_what_is_new_or_asked_for_is_handed_out(lisa: Guest, board: Pen) -> None:
    (section,) = lisa.pull()
    newest = Row(board.space, 3, section.receipt.head[:8])
    assert lisa.pull(newest) == []
    assert lisa.pull(everything=False) == []
    lisa.push(scribble(board, 1).run(3))
    (rest,) = lisa.pull(newest, everything=False)
    assert (rest.after, rest.receipt.number) == (3, 4)
    assert receipt.advance(section.receipt.head, walk(rest)) == rest.receipt.head


@pytest.mark.parametrize("row", [(3, b"false..."), (4, b"head...."), (9, bytes(8)), (2**62, bytes(8))])
def test_a_row_that_is_not_on_the_log_is_answered_from_the_start(
    lisa: Guest, board: Pen, row: tuple[int, bytes]
) -> None:
    lisa.push(scribble(board, 2).run(3))
    (section,) = lisa.pull(Row(board.space, *row), everything=False)
    assert section.after == 0
    assert walk(section) == board.ids[1:]


def test_a_row_inside_of_a_push_is_served_from_there(lisa: Guest, board: Pen) -> None:
    lisa.push(scribble(board, 5).run(3))
    for after in range(1, 8):
        head = receipt.advance(receipt.START, board.ids[1 : after + 1])
        (section,) = lisa.pull(Row(board.space, after, head[:8]), everything=False)
        assert section.after == after
        assert receipt.advance(head, walk(section)) == section.receipt.head
        assert len(section.segments) == 1


def test_segments_are_joined_up_to_a_thousand_events(lisa: Guest, james: Guest, board: Pen) -> None:
    theirs = Pen("james", space=board.id)
    for _ in range(60):
        start = board.seq
        lisa.push(scribble(board, 20).run(start))
        james.push(scribble(theirs, 1).run(theirs.seq - 1))
    (section,) = lisa.pull()
    assert [len(one.events) for one in section.segments] == [983, 60, 220]
    assert len(walk(section)) == 3 + 60 * 21
    assert receipt.advance(receipt.START, walk(section)) == section.receipt.head


def test_a_long_answer_ends_and_is_asked_on(lisa: Guest, board: Pen) -> None:
    for _ in range(40):
        board.put(bytes(60_000), relays.EPOCH)
        lisa.push(board.run(board.seq - 1))
    found = lisa.pull()
    assert len(found) > 2
    assert all(receipt.holds(one.receipt) for one in found)
    assert [one for section in found for one in walk(section)] == board.ids[1:]
    assert [one.after for one in found[1:]] == [one.receipt.number for one in found[:-1]]


def test_many_spaces_are_handed_out_one_after_the_other(lisa: Guest, james: Guest) -> None:
    deals = []
    for number in range(30):
        body = relays.genesis("lisa", "deal", str(number))
        deal = Pen("lisa").genesis("deal", body=body).clear(relays.wrap("lisa", "james"))
        deal.put(bytes(64_000), relays.EPOCH)
        lisa.push(deal.run())
        deals.append(deal.space)
    assert james.sees() >= set(deals)


# Attachments


def put(guest: Guest, space: bytes, data: bytes, *, offset: int = 0, end: int | None = None) -> int:
    piece = Piece(space, sha256(data).digest(), len(data), offset, data[offset:end])
    return guest.at.put_object(guest.who, piece)


def fetched(guest: Guest, space: bytes, address: bytes) -> bytes:
    found = b""
    while True:
        piece = guest.at.get_object(guest.who, Piece(space, address, 0, len(found), b""))
        found += piece.data
        if not piece.data or len(found) == piece.size:
            return found


def test_an_attachment_comes_in_pieces_and_goes_out_to_all(lisa: Guest, james: Guest, board: Pen) -> None:
    data = b"attachment" * 1000
    address = sha256(data).digest()
    assert put(lisa, board.space, data, end=0) == 0
    assert put(lisa, board.space, data, end=4000) == 4000
    refuses("relay.not_found", lambda: fetched(james, board.space, address))
    assert put(lisa, board.space, data, offset=6000) == 4000, "a piece out of turn is not taken"
    assert put(lisa, board.space, data, end=4000) == 4000
    assert put(james, board.space, data, end=100) == 100, "each has a beginning of their own"
    assert put(lisa, board.space, data, offset=4000) == len(data)
    assert fetched(james, board.space, address) == data
    assert put(james, board.space, data, offset=100) == len(data)
    assert put(lisa, board.space, data, end=0) == len(data)


def test_what_is_not_what_its_address_says_is_dropped(lisa: Guest, board: Pen) -> None:
    wrong = Piece(board.space, sha256(b"other").digest(), 4, 0, b"data")
    refuses("relay.malformed", lambda: lisa.at.put_object(lisa.who, wrong))
    assert lisa.at.put_object(lisa.who, wrong._replace(data=b"")) == 0
    lisa.at.put_object(lisa.who, wrong._replace(data=b"da"))
    refuses("relay.malformed", lambda: lisa.at.put_object(lisa.who, wrong._replace(size=9, data=b"")))
    refuses("relay.malformed", lambda: lisa.at.get_object(lisa.who, wrong))


def test_attachments_belong_to_a_space(lisa: Guest, james: Guest, board: Pen) -> None:
    deal = relays.deal("lisa")
    lisa.push(deal.run())
    put(lisa, deal.space, b"secret")
    address = sha256(b"secret").digest()
    for space in (deal.space, board.space, BOX):
        refuses("relay.not_found", lambda space=space: fetched(james, space, address))  # type: ignore[misc]
    refuses("relay.not_found", lambda: put(james, deal.space, b"secret"))
    refuses("relay.not_found", lambda: put(james, BOX, b"secret"))


def test_an_attachment_left_unfinished_is_forgotten_after_a_day() -> None:
    clock = Hands()
    relay = relays.relay(clock=clock, limits=Limits(size=5_000))
    lisa = Guest(relay, "lisa").invited()
    board = relays.board("lisa", 0)
    lisa.push(board.run(), door=door_key(board.space).public)
    assert put(lisa, board.space, bytes(4_000), end=3_000) == 3_000
    refuses("relay.quota", lambda: put(lisa, board.space, bytes(4_500), end=10))
    clock.at += 25 * 3600 * 1000
    relay.purge()
    assert put(lisa, board.space, bytes(4_500)) == 4_500


# Mailboxes


def test_a_mailbox_has_three_slots_each_written_once(lisa: Guest, relay: Relay) -> None:
    refuses("relay.not_found", lambda: relay.put_mailbox(BOX, 0, b"hello"))
    refuses("relay.not_found", lambda: relay.get_mailbox(BOX, 0))
    filled: list[bytes] = []
    relay.on_filled = filled.append
    until = relay.open_mailbox(lisa.who, BOX)
    assert until == relay.clock() + 600_000
    assert relay.get_mailbox(BOX, 0) == b""
    relay.put_mailbox(BOX, 0, b"hello")
    relay.put_mailbox(BOX, 0, b"hello")
    assert filled[0] == BOX
    refuses("relay.mailbox_used", lambda: relay.put_mailbox(BOX, 0, b"other"))
    assert relay.open_mailbox(lisa.who, BOX) == until
    assert relay.get_mailbox(BOX, 0) == b"hello"
    assert relay.get_mailbox(BOX, 2) == b""


def test_a_mailbox_is_open_for_ten_minutes() -> None:
    clock = Hands()
    relay = relays.relay(clock=clock, limits=Limits(mailboxes=1))
    lisa = Guest(relay, "lisa").invited()
    relay.open_mailbox(lisa.who, BOX)
    relay.put_mailbox(BOX, 1, b"hello")
    refuses("relay.quota", lambda: relay.open_mailbox(lisa.who, sha256(b"second").digest()))
    clock.at += 600_000
    refuses("relay.not_found", lambda: relay.get_mailbox(BOX, 1))
    refuses("relay.not_found", lambda: relay.put_mailbox(BOX, 2, b"late"))
    relay.open_mailbox(lisa.who, BOX)
    assert relay.get_mailbox(BOX, 1) == b""


# Limits


def test_a_push_over_the_quota_is_not_kept_at_all() -> None:
    relay = relays.relay(limits=Limits(size=1_500, spaces=2))
    lisa = Guest(relay, "lisa").invited()
    board = relays.board("lisa", 0)
    lisa.push(board.run(), door=door_key(board.space).public)
    scribble(board, 20)
    refuses("relay.quota", lambda: lisa.push(board.run(1)))
    assert lisa.push(board.run(1, 4)).first == 2
    lisa.push(relays.deal("lisa").run())
    third = Pen("lisa").genesis("board", body=relays.genesis("lisa", "board", "third"))
    refuses("relay.quota", lambda: lisa.push(third.run(), door=BOX))
    assert third.space not in lisa.sees()
    james = Guest(relay, "james")
    james.register(doors=[james.proof(board.space)])
    assert james.push(board.run(4, 8)).taken == [4], "it counts for whoever brings it"
