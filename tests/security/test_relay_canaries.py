"""A relay is blind: no word of what homes keep is in its database, its write-ahead log, or what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chaise_cli.domain import talk
from chaise_cli.domain.directory import PostPublished
from chaise_cli.ids import raw, text
from chaise_cli.session import boards
from sync.relay.people import Caller
from sync.relay.service import Relay
from sync.relay.sqlite import Sqlite
from sync.relay_messages import Push
from tests.fakes import homes
from tests.fakes.pen import signer
from tests.fakes.relay_process import RelayProcess, Visitor
from tests.fakes.relays import door_key
from tests.security.test_canaries import CANARY, forms, found_in

WORDS: Final = tuple(f"{CANARY}-{what}" for what in ("title", "brief", "message", "board"))


def test_no_plaintext_reaches_a_relay(tmp_path: Path) -> None:
    """A real home's board, deal and self space go in; the relay is killed, so that its write-ahead log stays."""
    (tmp_path / "homes").mkdir()
    market = homes.market(tmp_path / "homes")
    place = tmp_path / "relay"
    relay = RelayProcess(place, f"sqlite:{place / 'relay.db'}")
    with market.visit(tmp_path / "visit", "lisa", "james") as (lisa, james), relay:
        homes.post(lisa, market.board, PostPublished(WORDS[0], "x", (), None, None, "UTC", "", WORDS[1]))
        boards.create(lisa, WORDS[3], None, None)
        deal = homes.open_deal(lisa, james.me.identity, client=True)
        homes.write(lisa, deal, talk.MessageSent(WORDS[2], ()))
        visitor = Visitor(relay.url, "visitor").register(relay.data["invite"])
        visitor.push(*homes.runs(lisa, market.board), door=door_key(raw(market.board)).public)
        store = Sqlite(place / "relay.db")
        beside = Relay(store, signer("relay"), lambda: 1, bytes)
        person = Caller(raw(lisa.me.device), raw(lisa.me.identity), admin=True)
        store.run(lambda writing: writing.serve(raw(market.board), [person.identity, raw(james.me.identity)]))
        for space in homes.events.spaces(lisa.db):
            segments = homes.runs(lisa, space.id)
            done = beside.push(person, Push(raw(space.id), door_key(raw(space.id)).public, segments))
            assert not [code for _, code in done.refused if code != "relay.forked"]
        assert len(visitor.pull()) == 1
        relay.kill()
        names = ("device", "identity")
        known = [text(raw(getattr(lisa.me, name))) for name in names] + [text(raw(market.board))]
        logged = relay.log.read_text()
        assert '"path":"/v1/push"' in logged
        assert not [one for one in (*known, raw(market.board).hex()) if one in logged]
    assert (place / "relay.db-wal").exists()
    needles = [form for word in WORDS for form in forms(word)]
    assert not found_in(place, needles)
    assert found_in(place, [raw(market.board)]), "the spaces are there"
    store.close()
