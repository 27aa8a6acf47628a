"""HTTP peers among clients and servers that drip, flood, babble, redirect and lie."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.errors import ChaiseError
from sync import engine, web, wire
from sync.conversation import PeerSilent
from sync.engine import Exchange
from sync.transports import http_serve
from sync.transports.http_peer import NotAPeer, PeerBusy, WebPeer
from sync.transports.http_serve import PART, CannotListen, Limits, Server
from sync.web import BadAddress, Insecure, NoAnswer, Untrusted
from tests.fakes.authority import certificate, serving
from tests.fakes.links import IDLE_S, Served
from tests.fakes.replica import Device, MemoryReplica, scribble

LISA, JAMES, ADA = Device("lisa"), Device("james"), Device("ada")
QUICK = Limits(connections=6, talks=4, receive_s=0.2, unproven_s=0.2, idle_s=0.4, tick_s=0.02, patience_s=0.2)
NEW = bytes(16) + bytes(4)


def two_sides(events: int = 5) -> tuple[MemoryReplica, MemoryReplica, bytes]:
    lisa, james = MemoryReplica(LISA), MemoryReplica(JAMES)
    deal = lisa.open("deal", [LISA.identity, JAMES.identity])
    scribble(lisa, deal, events, random.Random(events))
    return lisa, james, deal


def sync(replica: MemoryReplica, url: str, idle_s: float = IDLE_S, context: ssl.SSLContext | None = None) -> Exchange:
    return engine.exchange(replica, replica.device, WebPeer(url, context, idle_s))


def is_served(served: Served, replica: MemoryReplica) -> None:
    """Somebody honest still gets everything."""
    done = sync(replica, served.url)
    assert done.failure is None


def test_a_server_that_stops_lets_go_of_nobody_whose_answer_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last answer of a conversation, which is over by then and no longer known."""
    replica, _, _ = two_sides()
    begun, may_go, order = Event(), Event(), list[str]()
    answer, tell, drop = http_serve._Handler._answer, http_serve.News.tell, http_serve._Http.drop_all

    def late(self: Any, *said: Any) -> None:
        begun.set()
        assert may_go.wait(IDLE_S)
        answer(self, *said)
        order.append("answered")

    def told(self: http_serve.News) -> None:  # by whoever stops the server, before it lets go of anybody
        tell(self)
        may_go.set()

    def dropped(self: Any) -> None:
        order.append("dropped")
        drop(self)

    monkeypatch.setattr(http_serve._Handler, "_answer", late)
    monkeypatch.setattr(http_serve.News, "tell", told)
    monkeypatch.setattr(http_serve._Http, "drop_all", dropped)
    with Served(replica) as served, call(served, post("/v1/turn", bytes(20))) as caller:
        assert begun.wait(IDLE_S)
        served.server.stop()
        assert order[0] == "answered"
        assert all_of(caller).startswith(b"HTTP/1.1 200")


@contextmanager
def call(served: Served, said: bytes = b"") -> Iterator[socket.socket]:
    """A connection on which this was said."""
    with closing(socket.create_connection(("127.0.0.1", served.port), timeout=IDLE_S)) as caller:
        if said:
            caller.sendall(said)
        yield caller


def post(path: str, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + body


def all_of(caller: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    heard = b""
    try:
        while piece := caller.recv(65536):
            heard += piece
    except ConnectionResetError:
        pass
    return heard


def answer(served: Served, path: str, body: bytes) -> tuple[int, bytes]:
    link = web.Link(web.address(served.url))
    try:
        found = link.request("POST", path, body, limit=2 * PART, deadline_s=IDLE_S)
    finally:
        link.close()
    return found.status, found.body


# Clients


@pytest.mark.parametrize("said", [b"", b"POST /v1/turn HT", b"GET / HTTP/1.1\r\nX: ", post("/v1/turn", b"half", 900)])
def test_a_client_that_never_finishes_its_request_loses_its_connection(said: bytes) -> None:
    lisa, james, _ = two_sides()
    with Served(lisa, QUICK) as served, call(served, said) as slow:
        is_served(served, james)
        assert all_of(slow) == b""


def test_a_client_that_drips_is_cut_off_however_often_it_does() -> None:
    lisa, _, _ = two_sides()
    with Served(lisa, QUICK) as served, call(served) as slow:
        try:
            while True:
                slow.sendall(b"x")
                slow.settimeout(0.01)
                try:
                    if not slow.recv(1):
                        break
                except TimeoutError:
                    continue
        except (BrokenPipeError, ConnectionResetError):
            pass


def test_more_connections_than_there_is_room_for_shut_out_nobody() -> None:
    lisa, james, _ = two_sides()
    limits = QUICK._replace(receive_s=IDLE_S)
    with Served(lisa, limits) as served:
        idlers = [socket.create_connection(("127.0.0.1", served.port), timeout=IDLE_S) for _ in range(30)]
        is_served(served, james)
        for idler in idlers[:20]:
            assert all_of(idler) == b""
        for idler in idlers:
            idler.close()


def test_conversations_that_only_begin_shut_out_nobody() -> None:
    lisa, james, _ = two_sides()
    with Served(lisa, QUICK._replace(unproven_s=IDLE_S, idle_s=IDLE_S)) as served:
        for _ in range(3 * QUICK.talks):
            assert answer(served, "/v1/turn", NEW)[0] == 200
        is_served(served, james)


def test_a_conversation_nobody_goes_on_with_ends() -> None:
    lisa, _, _ = two_sides()
    with Served(lisa, QUICK) as served:
        assert answer(served, "/v1/turn", NEW)[0] == 200
        (ended,) = served.over(1)
        assert isinstance(ended.failure, wire.PeerClosed)


def test_what_is_too_large_is_not_read() -> None:
    lisa, james, _ = two_sides()
    with Served(lisa, QUICK) as served:
        with call(served, post("/v1/turn", b"", 10**9)) as caller:
            assert all_of(caller).startswith(b"HTTP/1.1 413")
        with call(served, post("/v1/turn", b"", 10**30)) as caller:
            assert all_of(caller).startswith(b"HTTP/1.1 411")
        is_served(served, james)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"\x16\x03\x01garbage\r\n\r\n", b"400"),
        (b"POST /v1/turn HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /v1/turn HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /v1/turn HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n12345", b"400"),
        (b"POST /v1/turn HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"BREW /v1/turn HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /v1/peer HTTP/1.1\r\nConnection: close\r\n\r\n", b"200"),
        (post("/v1/turn", b"short"), b"400"),
        (post("/v1/wait", b"short"), b"400"),
        (post("/v1/wait", bytes(18)), b"404"),
        (post("/v1/turn", b"x" * 16 + bytes(4)), b"404"),
        (post("/v1/turn", bytes(16) + b"\0\0\0\1"), b"503"),
        (post("/v1/other", bytes(20)), b"404"),
    ],
)
def test_what_is_no_request_of_ours_is_answered_as_such(said: bytes, status: bytes) -> None:
    lisa, james, _ = two_sides()
    with Served(lisa, QUICK) as served:
        with call(served, said) as caller:
            assert status in all_of(caller).split(b"\r\n", 1)[0]
        is_served(served, james)


def test_a_peer_says_which_version_it_speaks_and_nothing_more() -> None:
    lisa, _, _ = two_sides()
    with Served(lisa) as served, call(served, b"GET /v1/peer HTTP/1.0\r\n\r\n") as caller:
        assert all_of(caller).endswith(b'\r\n\r\n{"version":1}')


@given(said=st.binary(max_size=200))
def test_words_that_are_no_conversation_end_it_with_an_error_and_change_nothing(said: bytes) -> None:
    lisa, _, _ = two_sides()
    before = lisa.contents()
    with Served(lisa, QUICK) as served:
        status, body = answer(served, "/v1/turn", NEW + said)
        assert status == 200
        assert body[16] in {0, 2}
        assert body[17:18] in {b"", bytes([wire.ERROR])}
    assert lisa.contents() == before


def test_a_request_that_comes_again_is_answered_as_before_and_one_out_of_turn_is_not() -> None:
    lisa, _, _ = two_sides()
    with Served(lisa, QUICK._replace(unproven_s=IDLE_S, idle_s=IDLE_S)) as served:
        _, first = answer(served, "/v1/turn", NEW)
        key = first[:16]
        said = key + b"\0\0\0\1" + bytes([wire.END, 0, 0, 0, 0])
        status, second = answer(served, "/v1/turn", said)
        assert (status, second[16:17]) == (200, b"\2")
        assert answer(served, "/v1/turn", NEW[:16] + bytes(4))[1][:16] != key
        _, other = answer(served, "/v1/turn", NEW)
        assert answer(served, "/v1/turn", other[:16] + b"\0\0\0\5")[0] == 409
        assert answer(served, "/v1/turn", other[:16] + bytes(4)) == (200, other)


def test_stopping_ends_conversations_and_long_polls() -> None:
    lisa, james, _ = two_sides()
    with Served(lisa) as served:
        peer = WebPeer(served.url)
        assert engine.exchange(james, JAMES, peer).failure is None
        heard: list[bool | ChaiseError] = []

        def wait() -> None:
            try:
                heard.append(peer.wait(james, JAMES, 30))
            except ChaiseError as error:
                heard.append(error)

        thread = Thread(target=wait)
        thread.start()
    thread.join(IDLE_S)
    assert not thread.is_alive()
    assert sync(james, served.url).failure is not None


def test_an_address_that_is_taken_is_said() -> None:
    lisa, _, _ = two_sides()
    with Served(lisa) as served, pytest.raises(CannotListen) as caught:
        Server(("127.0.0.1", served.port), lambda: None, lambda *_: None)  # type: ignore[arg-type,return-value]
    assert caught.value.exit == 13


# News


def test_a_long_poll_is_answered_when_what_the_peer_may_see_has_changed() -> None:
    lisa, james, deal = two_sides()
    with Served(lisa) as served:
        peer = WebPeer(served.url)
        assert peer.wait(james, JAMES, 0), "before the first exchange everything is news"
        assert engine.exchange(james, JAMES, peer).failure is None
        served.over(1)
        assert not peer.wait(james, JAMES, 0)
        private = lisa.open("deal", [LISA.identity])
        lisa.write(private, b"not for James")
        served.server.news.tell()
        assert not peer.wait(james, JAMES, 0)
        found: list[bool] = []
        thread = Thread(target=lambda: found.append(peer.wait(james, JAMES, 60)))
        thread.start()
        lisa.write(deal, b"for James")
        served.server.news.tell()
        thread.join(IDLE_S)
        assert found == [True]
        lisa.write(deal, b"more while nobody waits")
        assert peer.wait(james, JAMES, 60)


def test_a_peer_that_was_started_anew_is_asked_again() -> None:
    lisa, james, _ = two_sides()
    with Served(lisa) as served:
        peer = WebPeer(served.url)
        engine.exchange(james, JAMES, peer)
    other = Served(lisa)
    peer._to = peer._to._replace(port=other.port)
    with other:
        assert peer.wait(james, JAMES, 60)
        assert engine.exchange(james, JAMES, peer).failure is None
        assert not peer.wait(james, JAMES, 0)


def test_a_revoked_device_is_not_kept_waiting() -> None:
    lisa, james, _ = two_sides()
    with Served(lisa) as served:
        peer = WebPeer(served.url)
        engine.exchange(james, JAMES, peer)
        lisa.revoked.add(JAMES.device)
        assert peer.wait(james, JAMES, 60)
        failure = engine.exchange(james, JAMES, peer).failure
        assert isinstance(failure, wire.PeerFailed)
        assert failure.peer_code == "peer.refused"


# Servers


class Liar:
    """A server that answers each connection with what it was given, and hangs up."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._behave = behave
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller:
                try:
                    caller.settimeout(IDLE_S)
                    self._behave(caller)
                except OSError:
                    pass

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(IDLE_S)


def says(*parts: bytes) -> Callable[[socket.socket], None]:
    def behave(caller: socket.socket) -> None:
        caller.recv(65536)
        for part in parts:
            caller.sendall(part)

    return behave


def drips(caller: socket.socket) -> None:
    """A header that never ends, a byte at a time."""
    caller.recv(65536)
    caller.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    caller.settimeout(0.01)
    while True:
        caller.sendall(b"x")
        try:
            if not caller.recv(65536):
                return
        except TimeoutError:
            continue


def drips_a_body(caller: socket.socket) -> None:
    caller.recv(65536)
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    drips(caller)


def goes_on(caller: socket.socket) -> None:
    """Says nothing, and that it is still at work, for ever."""
    while caller.recv(65536):
        caller.sendall(ok(b"s" * 16 + b"\1"))


def ok(body: bytes, head: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + head + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (says(), NoAnswer),
        (says(b"SSH-2.0-OpenSSH\r\n"), NoAnswer),
        (says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), NotAPeer),
        (says(ok(b"<html>", b"404 Not Found")), NotAPeer),
        (says(ok(b"")), NotAPeer),
        (says(ok(b"", b"503 Busy")), PeerBusy),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n\r\n" + bytes(2 * PART)), NoAnswer),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + bytes(20)), NoAnswer),
        (says(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(20)), NoAnswer),
        (says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), NoAnswer),
        (says(ok(b"s" * 16 + b"\7")), wire.PeerProtocol),
        (says(ok(b"s" * 16 + b"\0")), wire.PeerClosed),
        (says(ok(b"s" * 16 + b"\0" + b"Welcome!")), wire.PeerProtocol),
        (goes_on, PeerSilent),
        (drips, NoAnswer),
        (drips_a_body, NoAnswer),
    ],
)
def test_a_server_that_is_no_peer_costs_no_more_than_its_time(
    behave: Callable[[socket.socket], None], kind: type[ChaiseError]
) -> None:
    _, james, _ = two_sides()
    with Liar(behave) as liar:
        done = sync(james, liar.url, idle_s=0.3)
    assert isinstance(done.failure, kind)
    assert done.failure.exit == 13


def test_nobody_there_is_said() -> None:
    _, james, _ = two_sides()
    with closing(socket.create_server(("127.0.0.1", 0))) as held:
        port = held.getsockname()[1]
    assert isinstance(sync(james, f"http://127.0.0.1:{port}").failure, NoAnswer)
    assert isinstance(sync(james, "https://name.invalid").failure, NoAnswer)


class Cutting:
    """Carries bytes to a server and back, and cuts every connection but the first few after so many answers' bytes."""

    def __init__(self, served: Served, after: int) -> None:
        self.cuts = 0
        self._after = after
        self._liar = Liar(self._carry)
        self._to = ("127.0.0.1", served.port)
        self.url = self._liar.url

    def _carry(self, caller: socket.socket) -> None:
        with closing(socket.create_connection(self._to, timeout=IDLE_S)) as far:
            told = 0

            def back() -> None:
                nonlocal told
                try:
                    while piece := far.recv(65536):
                        told += len(piece)
                        if told > self._after:
                            self.cuts += 1
                            break
                        caller.sendall(piece)
                    caller.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

            thread = Thread(target=back)
            thread.start()
            while piece := caller.recv(65536):
                far.sendall(piece)
            far.shutdown(socket.SHUT_RDWR)
            thread.join(IDLE_S)

    def __enter__(self) -> Self:
        self._liar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._liar.__exit__()


def test_a_line_that_breaks_now_and_then_costs_repeats_and_nothing_else() -> None:
    lisa, james, deal = two_sides(400)
    with Served(lisa) as served, Cutting(served, after=2_500) as line:
        scribble(lisa, deal, 5, random.Random(1))
        done = sync(james, line.url)
        assert done.failure is not None or line.cuts == 0
    with Served(lisa) as served, Cutting(served, after=80_000) as line:
        done = sync(james, line.url)
        assert done.failure is None
        for _ in range(60):
            sync(james, line.url)
    assert james.contents() == lisa.contents()


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


def test_over_tls_both_sides_come_to_hold_the_same(authority: Path) -> None:
    lisa, james, _ = two_sides(50)
    trusting = ssl.create_default_context(cafile=str(authority))
    with Served(lisa, None, serving(authority)) as served:
        assert served.url.startswith("https://")
        assert sync(james, served.url, context=trusting).failure is None
    assert james.contents() == lisa.contents()


def test_a_certificate_that_this_machine_does_not_trust_is_refused_before_anything_is_said(authority: Path) -> None:
    lisa, james, _ = two_sides()
    with Served(lisa, None, serving(authority)) as served:
        failure = sync(james, served.url).failure
        assert isinstance(failure, Untrusted)
        assert failure.exit == 11
        trusting = ssl.create_default_context(cafile=str(authority))
        other = served.url.replace("127.0.0.1", "localhost")
        assert isinstance(sync(james, other, context=trusting).failure, Untrusted | NoAnswer)
    assert served.exchanges == []


def test_half_open_tls_holds_up_nobody(authority: Path) -> None:
    lisa, james, _ = two_sides()
    trusting = ssl.create_default_context(cafile=str(authority))
    with Served(lisa, QUICK, serving(authority)) as served, call(served) as silent, call(served, b"\x16\x03\1") as half:
        assert sync(james, served.url, context=trusting).failure is None
        assert all_of(silent) == all_of(half) == b""


# Addresses


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://relay.example", ("relay.example", 443, "")),
        ("https://relay.example:8443/a/b/", ("relay.example", 8443, "/a/b")),
        ("http://127.0.0.1:80", ("127.0.0.1", 80, "")),
        ("http://127.9.9.9", ("127.9.9.9", 80, "")),
        ("http://[::1]:8080/", ("::1", 8080, "")),
        ("http://LOCALHOST:1", ("localhost", 1, "")),
    ],
)
def test_an_address_is_read(given: str, expected: tuple[str, int, str]) -> None:
    assert web.address(given)[1:] == expected


@pytest.mark.parametrize(
    "given",
    [
        "http://relay.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0",
    ],
)
def test_plain_http_goes_to_this_machine_alone(given: str) -> None:
    with pytest.raises(Insecure) as caught:
        web.address(given)
    assert caught.value.exit == 2


@pytest.mark.parametrize(
    "given",
    [
        "https://", "https://a:b@host", "https://host:0", "https://host:99999", "https://host:x", "https://ho st",
        "https://host?x", "https://host#x", "https://höst", "ftp://host", "https://host\n.example", "https://[::1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(BadAddress):
        web.address(given)
