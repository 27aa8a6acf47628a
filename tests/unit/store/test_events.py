from __future__ import annotations

import pytest
from sqlcipher3 import dbapi2 as driver

from chaise_cli.ids import raw
from chaise_cli.session.session import Session
from chaise_cli.store import content, events, own
from tests.fakes import homes
from tests.fakes.homes import Market


def test_an_event_reads_back_as_it_was_folded(lisa: Session, market: Market) -> None:
    post = homes.post(lisa, market.board)
    stored = events.find_event(lisa.db, raw(post))
    assert stored is not None
    row = content.row(stored)
    assert row.content == homes.POST
    assert (row.at, row.identity, row.device) == (homes.NOON_MS, lisa.me.identity, raw(lisa.me.device))


def test_two_events_of_one_place_can_be_held_but_not_the_same_twice(lisa: Session, market: Market) -> None:
    post = homes.post(lisa, market.board)
    stored = events.find_event(lisa.db, raw(post))
    assert stored is not None
    row = content.row(stored)
    with pytest.raises(driver.IntegrityError):
        events.append(lisa.db, [row])
    with lisa.writing():
        events.append(lisa.db, [row._replace(id=bytes(32))])


def test_nothing_is_known_of_what_is_not_held(lisa: Session) -> None:
    assert events.find_event(lisa.db, bytes(32)) is None
    assert events.lamport_of(lisa.db, 1, bytes(32), 0, bytes(32)) is None


def test_own_events_are_counted(lisa: Session, market: Market) -> None:
    before = own.written(lisa.db).total
    post = homes.post(lisa, market.board)
    assert own.written(lisa.db) == own.Written(before + 1, raw(post))


def test_the_order_of_a_space_is_by_lamport_device_seq_and_id(lisa: Session, market: Market) -> None:
    homes.post(lisa, market.board)
    found = list(events.read_space(lisa.db, homes.space_no(lisa, market.board)))
    keys = [(one.lamport, one.device, one.seq, one.id) for one in found]
    assert keys == sorted(keys)
    assert len(keys) > 4


def test_a_chain_is_made_once(lisa: Session, market: Market) -> None:
    no = homes.space_no(lisa, market.board)
    with lisa.writing():
        assert events.chain_of(lisa.db, no, bytes(32)) == events.chain_of(lisa.db, no, bytes(32))
