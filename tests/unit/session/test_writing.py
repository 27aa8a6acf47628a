from __future__ import annotations

import pytest

from chaise_cli.domain import talk
from chaise_cli.domain.shape import BadField
from chaise_cli.errors import Corrupt
from chaise_cli.ids import raw, text
from chaise_cli.ledger import certificate
from chaise_cli.ledger import segment as segments
from chaise_cli.session import plaintext, requests
from chaise_cli.session.replica import DamagedEvent, HomeReplica
from chaise_cli.session.session import Session
from chaise_cli.store import events, own
from sync.replica import Head
from tests.fakes import homes
from tests.fakes.homes import Market

HELLO = talk.MessageSent("Hello", ())


def said(session: Session, event: str) -> plaintext.Plaintext:
    stored = events.find_event(session.db, raw(event))
    assert stored is not None
    return plaintext.stored(stored.body)


def test_the_first_sealed_event_of_a_chain_carries_the_certificates_and_no_other(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.carry(lisa, james)
    first, second = homes.write(james, deal, HELLO)[-1], homes.write(james, deal, HELLO)[-1]
    chain = [said(james, text(row[2])) for row in homes.state(james, deal)["event"] if row[0] == raw(james.me.device)]
    assert certificate.check(chain[0].cert)[0].device == james.me.device
    assert [one.cert for one in chain[1:]] == [None] * (len(chain) - 1)
    assert first != second


def test_heads_are_cited_when_they_are_new(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.carry(lisa, james)
    homes.write(james, deal, HELLO)
    after, again = homes.write(james, deal, HELLO)[-1], homes.write(james, deal, HELLO)[-1]
    assert [said(james, one).seen for one in (after, again)] == [[], []]
    tip = homes.write(lisa, deal, HELLO)[-1]
    homes.carry(lisa, james)
    cited = said(james, homes.write(james, deal, HELLO)[-1]).seen
    assert [(device, id_) for device, _, id_ in cited] == [(lisa.me.device, tip)]


def test_on_a_board_nobody_cites_the_others(james: Session, market: Market) -> None:
    assert said(james, homes.post(james, market.board)).seen == []


def test_what_is_outside_its_limits_is_not_signed(lisa: Session, market: Market) -> None:
    before = own.written(lisa.db)
    with pytest.raises(BadField):
        homes.post(lisa, market.board, homes.replace(homes.POST, title=""))
    with pytest.raises(Corrupt, match="64 KiB"):
        homes.post(lisa, market.board, _huge())
    assert own.written(lisa.db) == before


def _huge() -> talk.MessageSent:
    """Within the limit of every field, and too large for one event."""
    file = talk.Attachment("n" * 200, 1, *(text(bytes(32)) for _ in range(3)))
    return talk.MessageSent("\\" * 31_990, (file,) * 20)


def test_a_request_stands_in_the_newest_of_its_events(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    asked = requests.Request("r-1", text(bytes(32)))
    with homes.deal_writer(lisa, deal) as writer:
        made = writer.write([HELLO, HELLO], asked)
    assert [said(lisa, one).request for one in made] == [None, tuple(asked)]


def test_what_is_written_verifies_and_is_rebuilt_to_the_byte(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.write(lisa, deal, HELLO, HELLO)
    (run,) = homes.runs(lisa, deal)
    links = segments.verify(run)
    assert [link.id for link in links] == [row[2] for row in homes.state(lisa, deal)["event"]]
    for size in (1, 2, 3):
        pieces = homes.runs(lisa, deal, size)
        assert [event for piece in pieces for event in piece.events] == run.events


def test_an_event_that_was_changed_in_the_store_is_not_handed_out(lisa: Session, market: Market) -> None:
    post = homes.post(lisa, market.board)
    stored = events.find_event(lisa.db, raw(post))
    assert stored is not None
    lisa.db.execute(
        "UPDATE event SET body = ? WHERE id = ?", (stored.body.replace(b"Campaign", b"campaign"), raw(post))
    )
    with pytest.raises(DamagedEvent):
        HomeReplica(lisa).read(raw(market.board), Head(stored.device, stored.seq, stored.id), stored.seq, 1)


def test_nothing_is_read_beyond_what_is_held(lisa: Session, market: Market) -> None:
    replica, board = HomeReplica(lisa), raw(market.board)
    head = next(head for head in replica.heads(board) if text(head.device) == lisa.me.device)
    assert replica.read(board, head, head.seq + 1, 10) is None
    assert replica.read(board, head._replace(id=bytes(32)), 0, 10) is None
    assert replica.read(board, head._replace(device=bytes(32)), 0, 10) is None
    assert replica.read(bytes(32), head, 0, 10) is None
    assert replica.heads(bytes(32)) == []


def test_a_segment_ends_on_a_kept_signature(lisa: Session, james: Session, market: Market) -> None:
    """Of what came from others only the newest signature of each run is kept."""
    for _ in range(5):
        homes.post(lisa, market.board)
    before = len(homes.runs(james, market.board)[0].events)
    homes.carry(lisa, james)
    head = next(head for head in HomeReplica(james).heads(raw(market.board)) if text(head.device) == lisa.me.device)
    run = HomeReplica(james).read(raw(market.board), head, before, 2)
    assert run is not None
    assert len(run.events) == 5
    segments.verify(run)


def test_a_home_serves_a_board_to_holders_of_its_key_and_a_deal_by_name(
    lisa: Session, james: Session, market: Market
) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    replica = HomeReplica(lisa)
    infos = {info.id: info for info in replica.spaces()}
    assert infos[raw(deal)].names == {raw(lisa.me.identity), raw(james.me.identity)}
    assert infos[raw(market.board)].names == frozenset()
    assert replica.access_key(raw(market.board)) == HomeReplica(james).access_key(raw(market.board))
    assert replica.access_key(raw(deal)) is None
    assert replica.access_key(bytes(32)) is None


def test_an_exchange_about_some_spaces_speaks_of_no_other(lisa: Session, market: Market) -> None:
    assert [info.kind for info in HomeReplica(lisa, frozenset({market.board})).spaces()] == ["board"]


def test_an_attachment_is_kept_when_its_hash_is_right(lisa: Session) -> None:
    from hashlib import sha256

    replica, content = HomeReplica(lisa), b"sealed" * 1000
    address = sha256(content).digest()
    assert not replica.keep_object(address, [b"other"])
    assert replica.read_object(address) is None
    assert replica.keep_object(address, [content[:10], content[10:]])
    assert b"".join(replica.read_object(address) or []) == content
    assert [path.name for path in lisa.home.objects.iterdir()] == [address.hex()]
    assert (lisa.home.objects / address.hex()).stat().st_mode & 0o077 == 0
