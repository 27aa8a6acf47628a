"""The relay behind HTTP, in this process: bodies, polls that wait, what it tells, and how it stops."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import pytest

from sync import relay_messages, request_signing
from sync.relay import server as servers
from sync.relay.contract import Unavailable
from sync.relay.limits import Limits
from sync.relay.memory import Memory
from sync.relay.server import Server
from sync.relay.service import Relay
from sync.relay.sqlite import Sqlite
from tests.fakes import relays
from tests.fakes.relay_process import Visitor
from tests.fakes.relays import door_key, scribble
from tests.fakes.served import served

BOX: Final = bytes(32)
HEALTH: Final = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def now() -> int:
    return time.time_ns() // 1_000_000


class Place:
    """A relay that serves, and what it logged."""

    def __init__(self, relay: Relay, url: str, server: Server, lines: list[str]) -> None:
        self.relay, self.url, self.server, self._lines = relay, url, server, lines

    def visitor(self, name: str) -> Visitor:
        """Somebody who registered."""
        return Visitor(self.url, name).register(self.relay.new_invite())

    def anybody(self) -> Visitor:
        return Visitor(self.url, "anybody")

    def waits(self, count: int) -> None:
        """Go on when so many polls wait."""
        anybody, line = self.anybody(), f"chaise_relay_polls_waiting {count}.0".encode()
        for _ in range(5_000):
            if line in anybody.send("GET", "/metrics", b"", {})[1]:
                return
        pytest.fail(f"never were {count} polls waiting")

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._lines]


def place(relay: Relay) -> Iterator[Place]:
    lines: list[str] = []
    with served(relay, lines) as (url, server):
        yield Place(relay, url, server, lines)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    relay = relays.relay(Sqlite(tmp_path / "relay.db"), Limits(polls=3, waiting=4))
    relay.clock = now
    yield from place(relay)
    relay.store.close()


def raw(url: str, data: bytes) -> bytes:
    """What is answered to bytes, until the relay hangs up or waits for more."""
    host, _, port = urlsplit(url).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as link:
        link.sendall(data)
        return link.recv(100_000)


def test_what_everybody_may_ask(here: Place) -> None:
    anybody = here.anybody()
    assert anybody.send("GET", "/health", b"", {}) == (200, b'{"ok":true}')
    assert anybody.send("GET", "/v1/relay", b"", {}) == (200, here.relay.about())
    status, document = anybody.send("GET", "/openapi.json", b"", {})
    assert (status, json.loads(document)["openapi"]) == (200, "3.1.0")
    status, figures = anybody.send("GET", "/metrics", b"", {})
    assert b'chaise_relay_requests_total{path="/v1/relay",status="200"} 1.0' in figures
    assert anybody.send("POST", "/health", b"", {})[0] == 405
    assert anybody.send("DELETE", "/v1/push", b"", {})[0] == 405
    assert anybody.send("GET", "/secret/path", b"", {})[0] == 404
    assert anybody.send("POST", "/v1/push?x=1", b"", {})[0] == 404
    paths = [line.get("path") for line in here.said() if line["event"] == "request"]
    assert paths[:4] == ["/health", "/v1/relay", "/openapi.json", "/metrics"]
    assert "other" in paths
    assert "secret" not in str(here.said())


@pytest.mark.parametrize(
    ("said", "piece"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"x"),
        (HEALTH, b"\r\n"),
        (HEALTH + b"GET /he", b"a"),
    ],
)
def test_a_head_that_does_not_come_in_time_ends_the_connection(
    here: Place, monkeypatch: pytest.MonkeyPatch, said: bytes, piece: bytes
) -> None:
    """However steadily it drips."""
    monkeypatch.setattr(servers, "HEAD_S", 0.3)
    host, _, port = urlsplit(here.url).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=0.02) as link:
        link.sendall(said)
        heard = drip(link, piece)
    assert heard.count(b"HTTP/1.1") == heard.count(b"200 OK") == said.count(HEALTH)


def test_a_body_and_a_wait_may_take_longer_than_a_head(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "HEAD_S", 0.05)
    host, _, port = urlsplit(here.url).netloc.partition(":")
    head = b"POST /v1/mailbox/put HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=0.02) as link:
        link.sendall(head)
        for _ in range(10):
            with pytest.raises(TimeoutError):
                link.recv(1)  # nothing is answered, and nothing ends, while the body comes
            link.sendall(b"1234")
        link.settimeout(20)
        assert link.recv(1000).startswith(b"HTTP/1.1 400")


def drip(link: socket.socket, piece: bytes) -> bytes:
    """What comes until the other side hangs up, to whom a piece is sent whenever it is quiet."""
    heard = b""
    while True:
        try:
            came = link.recv(1000)
        except TimeoutError:
            with suppress(OSError):
                link.sendall(piece)
            continue
        except ConnectionError:
            return heard
        if not came:
            return heard
        heard += came


def test_events_go_in_and_come_out(here: Place) -> None:
    lisa, board = here.visitor("lisa"), relays.board("lisa", 3)
    done = lisa.push(board.run(), door=door_key(board.space).public)
    (section,) = lisa.pull()
    assert section.receipt.head == (done.receipt and done.receipt.head)
    assert b"chaise_relay_events_kept 4.0" in here.anybody().send("GET", "/metrics", b"", {})[1]


def test_a_poll_is_woken_by_whatever_concerns_it(here: Place) -> None:
    lisa, board = here.visitor("lisa"), relays.board("lisa", 0)
    done = lisa.push(board.run(), door=door_key(board.space).public)
    assert done.receipt
    known = {board.space: done.receipt.head[:8]}
    waiting = Visitor(here.url, "lisa")
    with ThreadPoolExecutor(1) as threads:
        poll = threads.submit(waiting.wait, known, 60)
        here.waits(1)
        begun = time.monotonic()
        lisa.push(scribble(board, 1).run(1))
        assert poll.result(20)
        assert time.monotonic() - begun < 10


def test_a_poll_ends_when_its_time_is_over(here: Place) -> None:
    assert here.visitor("lisa").wait({}, 1) is None


def test_a_new_board_wakes_whoever_is_let_in(here: Place) -> None:
    lisa, board = here.visitor("lisa"), relays.board("lisa", 0)
    lisa.push(board.run(), door=door_key(board.space).public)
    james = here.visitor("james")
    with ThreadPoolExecutor(1) as threads:
        poll = threads.submit(james.wait, {}, 60)
        here.waits(1)
        Visitor(here.url, "james").register(doors=[board.space], relay=here.relay.signer.public)
        found = poll.result(20)
    assert found
    assert found.ranges


def test_a_mailbox_may_be_waited_for(here: Place) -> None:
    lisa = here.visitor("lisa")
    lisa.asks("/v1/mailbox/open", BOX)
    with ThreadPoolExecutor(1) as threads:
        poll = threads.submit(here.anybody().send, "POST", "/v1/mailbox/get", BOX + b"\0\0\x3c", {})
        here.waits(1)
        assert here.anybody().send("POST", "/v1/mailbox/put", BOX + b"\0hello", {}) == (200, b"{}")
        assert poll.result(20) == (200, b"hello")
    assert here.anybody().send("POST", "/v1/mailbox/get", BOX + b"\1\0\1", {}) == (200, b"")


def test_waiting_has_its_limits(here: Place) -> None:
    people = [here.visitor("lisa")] + [Visitor(here.url, "lisa") for _ in range(2)] + [here.visitor("james")]
    with ThreadPoolExecutor(4) as threads:
        polls = [threads.submit(one.wait, {}, 30) for one in people]
        here.waits(4)
        body = relay_messages.pack_summary(relay_messages.Summary(BOX, bytes(128), 0))
        assert Visitor(here.url, "lisa").post("/v1/summary", body)[0] == 200, "what does not wait is answered"
        said = relay_messages.pack_summary(relays.Guest(here.relay, "lisa").summary({}, 30))
        assert Visitor(here.url, "james").post("/v1/summary", said)[0] == 503
        people[0].close()
        here.server.stop()
        assert [poll.result(20) for poll in polls[1:]] == [None] * 3, "a stop answers whoever waits"
        polls[0].cancel()


def test_one_person_may_not_take_all_places(here: Place) -> None:
    people = [here.visitor("lisa")] + [Visitor(here.url, "lisa") for _ in range(2)]
    with ThreadPoolExecutor(3) as threads:
        polls = [threads.submit(one.wait, {}, 30) for one in people]
        here.waits(3)
        said = relay_messages.pack_summary(relays.Guest(here.relay, "lisa").summary({}, 30))
        assert Visitor(here.url, "lisa").post("/v1/summary", said)[0] == 429
        here.server.stop()
        assert [poll.result(20) for poll in polls] == [None] * 3


def test_who_hangs_up_waits_no_longer(here: Place) -> None:
    lisa = here.visitor("lisa")
    body = relay_messages.pack_summary(relays.Guest(here.relay, "lisa").summary({}, 60))
    headers = request_signing.sign("POST", lisa.authority, "/v1/summary", body, lisa.key, now() // 1000)
    link = http.client.HTTPConnection(lisa.authority)
    link.request("POST", "/v1/summary", body, headers)
    here.waits(1)
    link.close()
    here.waits(0)


def test_bodies_and_header_fields_have_their_limit(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    host = urlsplit(here.url).netloc.encode()
    head = b"POST /v1/push HTTP/1.1\r\nHost: " + host + b"\r\n"
    assert b" 413 " in raw(here.url, head + b"Content-Length: 4194305\r\n\r\n")
    assert b" 400 " in raw(here.url, head + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n")
    assert b" 400 " in raw(here.url, head + b"X: " + b"a" * 20_000 + b"\r\n\r\n")
    assert b" 400 " in raw(here.url, b"nonsense\r\n\r\n")
    assert b" 401 " in raw(here.url, head + b"Host: other\r\nContent-Length: 0\r\n\r\n")
    assert b" 401 " in raw(here.url, head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    monkeypatch.setattr(servers, "BODY_LIMIT", 2)
    assert b" 413 " in raw(here.url, head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    monkeypatch.setattr(servers, "BODY_LIMIT", 10)
    monkeypatch.setattr(servers, "IN_FLIGHT", 2)
    assert b" 503 " in raw(here.url, head + b"Content-Length: 3\r\n\r\nabc")
    monkeypatch.setattr(servers, "BODY_S", 0.01)
    assert b" 400 " in raw(here.url, head + b"Content-Length: 3\r\n\r\na")
    assert any(line["event"] == "http" for line in here.said())


def test_who_leaves_in_the_middle_of_a_body_is_forgotten(here: Place) -> None:
    host, _, port = urlsplit(here.url).netloc.partition(":")
    with socket.create_connection((host, int(port))) as link:
        link.sendall(b"POST /v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert here.anybody().send("GET", "/health", b"", {})[0] == 200


class Broken(Memory):
    """A database that is away, or a relay with a bug."""

    error: Exception = Unavailable("away")

    def ready(self) -> bool:
        return False

    def device(self, _device: bytes) -> NoReturn:
        raise self.error


def test_a_database_that_is_away_and_a_bug_are_told_apart() -> None:
    store = Broken()
    relay = relays.relay(store)
    relay.clock = now
    for there in place(relay):
        lisa = Visitor(there.url, "lisa")
        status, body = lisa.post("/v1/pull", b"")
        assert (status, json.loads(body)["code"]) == (503, "relay.busy")
        assert lisa.send("GET", "/health", b"", {})[0] == 503
        store.error = KeyError("secret content")
        status, body = lisa.post("/v1/pull", b"")
        assert (status, json.loads(body)["code"]) == (500, "relay.failed")
        bugs = [line for line in there.said() if line["event"] == "bug"]
        assert [bug["kind"] for bug in bugs] == ["KeyError"]
        assert "secret" not in str(there.said())


def test_the_watch_over_a_shared_database_sees_what_others_write() -> None:
    """The store in memory plays one that another process writes to: nobody tells this one."""
    store = Memory()
    store.shared = True
    marks: list[tuple[bytes, int]] = []
    store.touched = lambda: list(marks)  # type: ignore[method-assign]
    relay, elsewhere = relays.relay(store), relays.relay(store)
    relay.clock = elsewhere.clock = now
    for there in place(relay):
        lisa, board = there.visitor("lisa"), relays.board("lisa", 0)
        done = lisa.push(board.run(), door=door_key(board.space).public)
        assert done.receipt
        with ThreadPoolExecutor(1) as threads:
            poll = threads.submit(lisa.wait, {board.space: done.receipt.head[:8]}, 60)
            there.waits(1)
            relays.Guest(elsewhere, "lisa").push(scribble(board, 1).run(1))
            marks.append((board.space, 1))
            assert poll.result(20)
