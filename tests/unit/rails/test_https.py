"""Deadlines of requests: one thread waits for all of them."""

from __future__ import annotations

import http.client
import socket

from chaise_cli.rails.https import Deadline


def test_a_short_deadline_that_begins_during_a_long_one_is_kept_and_ends_no_other() -> None:
    """The thread that waits for the long one looks again when the short one comes."""
    (long, long_there), (short, short_there) = socket.socketpair(), socket.socketpair()
    with long, long_there, short, short_there:
        first = Deadline(_connection(long), 3_600.0)
        second = Deadline(_connection(short), 0.05)
        assert short_there.recv(1) == b""  # hung up by the deadline alone: nothing was said here
        assert second.passed
        assert not first.passed
        first.cancel()
        second.cancel()


def test_a_request_that_is_over_is_not_broken_off() -> None:
    """Its connection is kept for the next one."""
    (over, over_there), (other, other_there) = socket.socketpair(), socket.socketpair()
    with over, over_there, other, other_there:
        done = Deadline(_connection(over), 0.05)
        done.cancel()
        later = Deadline(_connection(other), 0.1)
        assert other_there.recv(1) == b""
        assert later.passed
        assert not done.passed
        over.sendall(b"x")
        assert over_there.recv(1) == b"x"


def _connection(sock: socket.socket) -> http.client.HTTPConnection:
    made = http.client.HTTPConnection("127.0.0.1")
    made.sock = sock
    return made
