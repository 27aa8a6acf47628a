"""Keys of grants at a relay: one deal, for a time, and nothing else of their person."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

import pytest

from sync.relay import people
from sync.relay.refusal import Refusal
from sync.relay.service import Relay
from sync.relay_messages import Piece
from tests.fakes import relays
from tests.fakes.pen import Pen, signer
from tests.fakes.relays import Guest, door_key

BOX: Final = bytes(32)


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
def james(relay: Relay, lisa: Guest) -> Guest:
    """Somebody who came by the door of Lisa's board."""
    board = relays.board("lisa", 2)
    lisa.push(board.run(), door=door_key(board.space).public)
    guest = Guest(relay, "james")
    return guest.register(doors=[guest.proof(board.space)])


def shared(lisa: Guest) -> tuple[Pen, Pen]:
    """Two deals of Lisa's with James that are here."""
    found = relays.deal("lisa", "james"), relays.deal("lisa", "james", "lisa")
    for deal in found:
        lisa.push(deal.run())
    return found


def bot(lisa: Guest, space: bytes, until: int = 2**50, name: str = "ci") -> Guest:
    return Guest(lisa.at, name, of="lisa", kind="grant", by="lisa", grant=(space, until))


def test_the_key_of_a_grant_sees_its_deal_and_nothing_else_of_its_person(lisa: Guest, james: Guest) -> None:
    deal, other = shared(lisa)
    ci = bot(lisa, deal.space).register()
    assert ci.sees() == {deal.space}
    assert lisa.sees() >= {deal.space, other.space}
    assert (
        lisa.at.summary(ci.who, ci.summary({deal.space: people.positions(lisa.at.store, ci.who)[deal.space].head[:8]}))
        is None
    )
    run = relays.join(deal, "run", 1, "lisa's root")
    assert ci.push(run.run()).taken == [1]
    refuses("relay.not_found", lambda: ci.push(relays.join(other, "run", 1, "lisa's root").run()))
    refuses("relay.not_found", lambda: ci.push(relays.board("lisa").run(), door=door_key(bytes(32)).public))
    piece = Piece(deal.space, sha256(b"file").digest(), 4, 0, b"file")
    assert lisa.at.put_object(ci.who, piece) == 4
    assert lisa.at.get_object(ci.who, piece._replace(data=b"")).data == b"file"
    elsewhere = piece._replace(space=other.space)
    refuses("relay.not_found", lambda: lisa.at.put_object(ci.who, elsewhere))
    lisa.at.put_object(lisa.who, elsewhere)
    refuses("relay.not_found", lambda: lisa.at.get_object(ci.who, elsewhere._replace(data=b"")))
    refuses("relay.not_admitted", lambda: lisa.at.open_mailbox(ci.who, BOX))
    refuses("relay.not_admitted", lambda: lisa.at.revoke(ci.who, lisa.device))


def test_a_grant_is_let_in_by_its_deal_alone_and_by_its_own_key(lisa: Guest, james: Guest) -> None:
    deal, _ = shared(lisa)
    theirs = relays.deal("james")
    james.push(theirs.run())
    refuses("relay.not_admitted", lambda: bot(lisa, theirs.space).register(invite=lisa.at.new_invite()))
    refuses("relay.not_admitted", lambda: bot(lisa, bytes(32)).register())
    ci = bot(lisa, deal.space)
    ci.chain.insert(0, relays.certify("lisa", "run", "run", "ci"))
    ci.key = signer("run")
    ci.device = ci.key.public
    refuses("relay.not_admitted", ci.register)


def test_a_grant_ends_at_its_time_and_is_struck_off_like_a_device(lisa: Guest, james: Guest) -> None:
    deal, _ = shared(lisa)
    now = lisa.at.clock()
    ci = bot(lisa, deal.space, now + 1).register()
    assert ci.sees()
    over = bot(lisa, deal.space, now, "over").register()
    refuses("relay.struck", lambda: over.who)
    lisa.at.revoke(lisa.who, ci.device)
    refuses("relay.struck", lambda: ci.who)
    refuses("relay.struck", ci.register)


def test_a_grant_opens_the_door_for_no_other_device(lisa: Guest, james: Guest) -> None:
    deal, _ = shared(lisa)
    bot(lisa, deal.space).register()
    tablet = Guest(lisa.at, "tablet", of="lisa", by="lisa").register()
    lisa.at.revoke(tablet.who, lisa.device)
    tablet.at.revoke(Guest(lisa.at, "phone", of="lisa").register().who, tablet.device)
    lisa.at.revoke(Guest(lisa.at, "phone", of="lisa").who, Guest(lisa.at, "phone2", of="lisa").device)
    assert lisa.at.store.run(lambda writing: writing.devices(lisa.identity)) == 1
