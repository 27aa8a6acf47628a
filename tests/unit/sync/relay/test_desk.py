"""From bytes to bytes: paths, signatures, statuses and rates of a relay."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final

import pytest

from chaise_cli.ids import text
from chaise_cli.ledger import canonical
from sync import ranges, relay_messages
from sync.relay import desk as desks
from sync.relay.desk import Answer, Desk, Request
from sync.relay.limits import Limits
from sync.relay.rates import KNOWN, Rates
from sync.relay.refusal import STATUS, Refusal
from sync.relay_messages import Piece, Pull, Push, Row
from tests.fakes import relays
from tests.fakes.homes import Hands
from tests.fakes.relays import AUTHORITY, Guest, door_key

BOX: Final = bytes(32)


def said(answer: Answer) -> Any:
    return json.loads(answer.body)


def code(answer: Answer) -> str:
    refused = said(answer)
    assert set(refused) == {"code", "text"}
    assert STATUS[refused["code"]] == answer.status or answer.status == 405
    return str(refused["code"])


@pytest.fixture
def lisa() -> Guest:
    return Guest(relays.relay(), "lisa")


@pytest.fixture
def desk(lisa: Guest) -> Desk:
    return Desk(lisa.at)


def test_a_visit_from_registration_to_an_attachment(lisa: Guest, desk: Desk) -> None:
    asks = lisa.asks(invite=lisa.at.new_invite())
    answer = lisa.asked(desk, "/v1/register", asks)
    assert said(answer) == {"boards": [], "relay": text(lisa.at.signer.public)}
    board = relays.board("lisa", 2)
    push = relay_messages.pack_push(Push(board.space, door_key(board.space).public, [board.run()]))
    done = relay_messages.read_pushed(lisa.asked(desk, "/v1/push", push).body, 1)
    assert list(done.taken) == [3]
    proof = [[text(part) for part in lisa.proof(board.space)]]
    certificates = [one.value() for one in lisa.chain]
    asks = canonical.encode({"certificates": certificates, "doors": proof, "invite": None})
    assert said(lisa.asked(desk, "/v1/register", asks))["boards"] == [text(board.space)]
    summary = lisa.asked(desk, "/v1/summary", relay_messages.pack_summary(lisa.summary({})))
    assert relay_messages.read_different(summary.body)
    assert summary.wait is None
    pull = relay_messages.pack_pull(Pull([ranges.part_of(board.space)], []))
    (section,), more = relay_messages.read_sections(lisa.asked(desk, "/v1/pull", pull).body)
    assert (section.receipt, more) == (done.receipt, False)
    known = {board.space: section.receipt.head[:8]}
    same = lisa.asked(desk, "/v1/summary", relay_messages.pack_summary(lisa.summary(known)))
    assert (same.body, same.wait) == (b"\0", None)
    piece = Piece(board.space, sha256(b"data").digest(), 4, 0, b"data")
    assert said(lisa.asked(desk, "/v1/object/put", relay_messages.pack_piece(piece))) == {"have": 4}
    asked = relay_messages.pack_piece(piece._replace(size=0, data=b""))
    assert relay_messages.read_piece(lisa.asked(desk, "/v1/object/get", asked).body) == piece
    phone = Guest(lisa.at, "phone", of="lisa").register()
    assert said(lisa.asked(desk, "/v1/revoke", canonical.encode({"device": text(phone.device)}))) == {}
    assert code(phone.asked(desk, "/v1/pull", pull)) == "relay.struck"


def test_a_summary_may_wait(lisa: Guest, desk: Desk) -> None:
    lisa.invited()
    answer = lisa.asked(desk, "/v1/summary", relay_messages.pack_summary(lisa.summary({}, 60)))
    assert answer.wait
    assert (answer.wait.seconds, answer.wait.of, answer.wait.again()) == (60, lisa.identity, None)
    board = relays.board("lisa", 0)
    lisa.push(board.run(), door=BOX)
    later = answer.wait.again()
    assert later
    assert relay_messages.read_different(later.body)


def test_mailboxes_take_no_signature(lisa: Guest, desk: Desk) -> None:
    lisa.invited()

    def ask(path: str, body: bytes) -> Answer:
        return desk.answer(Request("POST", "", path, [], body, b"1.2.3.4"))

    assert code(ask("/v1/mailbox/put", BOX + b"\1hello")) == "relay.not_found"
    assert code(ask("/v1/mailbox/open", BOX)) == "relay.unsigned"
    opened = lisa.asked(desk, "/v1/mailbox/open", BOX)
    assert said(opened) == {"until": lisa.at.clock() + 600_000}
    waits = ask("/v1/mailbox/get", BOX + b"\1\0\5")
    assert (waits.body, waits.wait and waits.wait.seconds) == (b"", 5)
    assert said(ask("/v1/mailbox/put", BOX + b"\1hello")) == {}
    assert code(ask("/v1/mailbox/put", BOX + b"\1other")) == "relay.mailbox_used"
    assert waits.wait
    assert waits.wait.again() == Answer(200, desks.BYTES, b"hello")
    assert ask("/v1/mailbox/get", BOX + b"\1\0\0").body == b"hello"
    assert ask("/v1/mailbox/get", BOX + b"\2\0\0").wait is None
    for body in (BOX, BOX + b"\3x", BOX + b"\0", BOX + b"\0" + bytes(16 * 1024 + 1)):
        assert code(ask("/v1/mailbox/put", body)) == "relay.malformed"
    for body in (BOX, BOX + b"\3\0\0", BOX + b"\0\0\x3d", BOX + b"\0\0\0\0"):
        assert code(ask("/v1/mailbox/get", body)) == "relay.malformed"
    assert code(lisa.asked(desk, "/v1/mailbox/open", b"short")) == "relay.malformed"


def test_anybody_may_know_what_it_is(lisa: Guest, desk: Desk) -> None:
    about = said(desk.answer(Request("GET", "", "/v1/relay", [], b"")))
    assert about["version"] == 1
    assert about["relay"] == text(lisa.at.signer.public)
    assert about["limits"]["events"] == 5_000
    assert set(about["limits"]) >= {"body", "bytes", "spaces", "requests", "polls"}


def test_only_what_is_signed_is_heard(lisa: Guest, desk: Desk) -> None:
    lisa.invited()
    asked = lisa.request("/v1/pull", relay_messages.pack_pull(Pull([], [])))
    assert desk.answer(asked).status == 200
    assert code(desk.answer(asked._replace(headers=[]))) == "relay.unsigned"
    assert code(desk.answer(asked._replace(authority="another.example"))) == "relay.unsigned"
    assert code(desk.answer(asked._replace(path="/v1/push"))) == "relay.unsigned"
    late = lisa.request("/v1/pull", b"", lisa.at.clock() // 1000 - 301)
    assert code(desk.answer(late)) == "relay.clock"
    assert code(Guest(lisa.at, "eve").asked(desk, "/v1/pull", b"")) == "relay.not_registered"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/summary", b""),
        ("/v1/pull", b"\0"),
        ("/v1/push", b"short"),
        ("/v1/object/put", b"short"),
        ("/v1/object/get", b"short"),
        ("/v1/revoke", b"{}"),
        ("/v1/revoke", b'{"device":"short"}'),
        ("/v1/revoke", b'{"device":7}'),
        ("/v1/register", b"not json"),
    ],
)
def test_what_is_no_message_is_malformed(lisa: Guest, desk: Desk, path: str, body: bytes) -> None:
    lisa.invited()
    assert code(lisa.asked(desk, path, body)) == "relay.malformed"


def test_other_paths_methods_and_sizes(lisa: Guest, desk: Desk) -> None:
    assert code(desk.answer(Request("POST", AUTHORITY, "/v2/push", [], b""))) == "relay.not_found"
    assert desk.answer(Request("GET", AUTHORITY, "/v1/push", [], b"")).status == 405
    assert desk.answer(Request("POST", AUTHORITY, "/v1/relay", [], b"")).status == 405
    big = Request("POST", AUTHORITY, "/v1/push", [], bytes(4 * 1024 * 1024 + 1))
    assert code(desk.answer(big)) == "relay.too_large"


def test_who_asks_too_often_waits() -> None:
    clock = Hands()
    lisa = Guest(relays.relay(clock=clock, limits=Limits(requests=3, sources=2)), "lisa").invited()
    desk, ask = Desk(lisa.at), relay_messages.pack_pull(Pull([], [Row(BOX, 0, bytes(8))]))
    assert [lisa.asked(desk, "/v1/pull", ask).status for _ in range(3)] == [200] * 3
    refused = lisa.asked(desk, "/v1/pull", ask)
    assert (code(refused), refused.retry_s) == ("relay.rate", 21)
    clock.at += 20_000
    assert lisa.asked(desk, "/v1/pull", ask).status == 200
    eve = Guest(lisa.at, "eve")
    codes = [code(eve.asked(desk, "/v1/pull", ask)) for _ in range(3)]
    assert codes == ["relay.not_registered", "relay.not_registered", "relay.rate"]
    mailbox = Request("POST", "", "/v1/mailbox/get", [], BOX + bytes(3), b"another address")
    assert code(desk.answer(mailbox)) == "relay.not_found"


def test_buckets_that_are_full_are_forgotten() -> None:
    rates = Rates(60)
    for number in range(KNOWN):
        rates.take(number.to_bytes(4, "big"), 0)
    rates.take(b"late", 120_000)
    assert len(rates._buckets) == 1
    for _ in range(60):
        rates.take(b"often", 120_000)
    with pytest.raises(Refusal):
        rates.take(b"often", 120_000)
