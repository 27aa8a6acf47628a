from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from tests.fakes.proxy import Fault, Passed, Proxy


@contextmanager
def shouting(heard: list[bytes]) -> Iterator[tuple[str, int]]:
    """A server that answers all it was told, when that ends, in capitals."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            with one:
                said = b""
                try:
                    while data := one.recv(4096):
                        said += data
                    heard.append(said)
                    one.sendall(said.upper())
                except OSError:
                    heard.append(said)

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def ask(proxy: Proxy, words: bytes, timeout_s: float = 10.0) -> bytes:
    """What comes back."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=timeout_s) as one:
        one.sendall(words)
        one.shutdown(socket.SHUT_WR)
        answer = b""
        while data := one.recv(4096):
            answer += data
        return answer


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def proxy(heard: list[bytes]) -> Iterator[Proxy]:
    with shouting(heard) as at, Proxy(at) as made:
        yield made


def test_without_a_fault_all_passes_and_is_counted(heard: list[bytes]) -> None:
    with shouting(heard) as at:
        with Proxy(at) as proxy:
            assert ask(proxy, b"hello") == b"HELLO"
        assert (heard, proxy.passed) == ([b"hello"], [Passed(5, 5)])


@pytest.mark.parametrize("kind", ["cut", "truncate"])
def test_an_answer_ends_early(proxy: Proxy, kind: str) -> None:
    proxy.down = Fault(**{kind: 3})  # type: ignore[arg-type]
    assert ask(proxy, b"hello") == b"HEL"


def test_a_request_ends_early(proxy: Proxy, heard: list[bytes]) -> None:
    proxy.up = Fault(truncate=2)
    assert ask(proxy, b"hello") == b"HE"
    assert heard == [b"he"]


def test_a_held_connection_says_nothing_until_it_is_healed(proxy: Proxy) -> None:
    proxy.down = Fault(hold=1)
    with pytest.raises(TimeoutError):
        ask(proxy, b"hello", timeout_s=0.05)
    proxy.heal()
    assert ask(proxy, b"hello") == b"HELLO"


def test_one_bit_is_flipped(proxy: Proxy, heard: list[bytes]) -> None:
    proxy.up, proxy.down = Fault(flip=0), Fault(flip=4)
    assert ask(proxy, b"hello") == b"IELLN"
    assert heard == [b"iello"]


def test_a_drip_comes_whole_in_the_end(proxy: Proxy) -> None:
    proxy.down = Fault(drip_s=0.001, delay_s=0.001)
    assert ask(proxy, b"hello") == b"HELLO"


def test_a_doubled_request_reaches_the_server_twice_and_is_answered_once(proxy: Proxy, heard: list[bytes]) -> None:
    proxy.up = Fault(double=True)
    assert ask(proxy, b"hello") == b"HELLO"
    assert heard == [b"hello", b"hello"]


def test_a_doubled_answer(proxy: Proxy) -> None:
    proxy.down = Fault(double=True)
    assert ask(proxy, b"hello") == b"HELLOHELLO"


def test_only_so_many_connections_suffer(proxy: Proxy) -> None:
    proxy.down, proxy.times = Fault(cut=0), 2
    assert [ask(proxy, b"hello") for _ in range(3)] == [b"", b"", b"HELLO"]
