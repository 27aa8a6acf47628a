"""Sync with a home that `chaise peer serve` offers over HTTP: the conversation of `ssh`, in requests.

Each request carries what this side says next and brings back what the other says until it waits again.
docs/spec/sync.md.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from struct import Struct
from typing import Final

from chaise_cli.errors import ChaiseError, Unreachable

from .. import pairing, wire
from ..conversation import PeerSilent, converse
from ..engine import Tally
from ..replica import Replica, Signer
from ..web import Address, Answer, Link, NoAnswer, address

PART: Final = 1024 * 1024  # bytes of a conversation in one request or answer
NEW: Final = bytes(16)
PATIENCE_S: Final = 30.0  # a server answers no later, if only that it is still at work
REQUEST_S: Final = 90.0  # longer than a server lets one request wait for its conversation
IDLE_S: Final = 120.0
_ASK: Final = Struct(">16sI")
_HEAD: Final = Struct(">16sB")
_WAIT: Final = Struct(">16sH")
_SPARE_S: Final = 15.0  # a long poll's answer may come so late

LISTENS: Final = 0  # what follows the session in an answer: the other side waits for more,
SPEAKS: Final = 1  # has more to say, or is still at work,
ENDED: Final = 2  # or has ended


class NotAPeer(Unreachable):
    """Something answers at the address, and it is not a Chaise peer."""

    code = "peer.not_a_peer"
    message = "{host} is no Chaise peer: it answered {status}"
    hint = "check the address; chaise peer serve prints the one it serves at"
    host: str
    status: int


class PeerBusy(Unreachable):
    """The peer has as many conversations as it can keep."""

    code = "peer.busy"
    message = "{host} is busy with others"
    hint = "what was written here is kept; sync again in a while"
    host: str


class WebPeer:
    """A transport to the peer at an address."""

    def __init__(self, where: str, context: ssl.SSLContext | None = None, idle_s: float = IDLE_S) -> None:
        """context: for tests that bring an authority of their own. Raises BadAddress, Insecure."""
        self._to = address(where)
        self._context = context
        self._idle_s = idle_s
        self._ticket = NEW

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`. Raises NoAnswer, Untrusted, NotAPeer, PeerBusy, and what `converse` raises."""
        stream = _Requests(self._to, self._context, self._idle_s)
        try:
            converse(wire.Channel(stream), replica, signer, tally, leads=True)
        finally:
            with suppress(ChaiseError):  # the last word is nobody's answer
                stream.close()
        self._ticket = stream.session

    def pair(self, mailbox: bytes, message: bytes) -> bytes:
        """What the peer answers to a device that wants to join. Raises as `exchange` does, and PeerFailed."""
        stream = _Requests(self._to, self._context, self._idle_s)
        try:
            return pairing.lead(wire.Channel(stream), mailbox, message)
        finally:
            with suppress(ChaiseError):  # the last word is nobody's answer
                stream.close()

    def wait(self, _replica: Replica, _signer: Signer, timeout_s: float) -> bool:
        """As `engine.Waits`: the peer answers when what this side may see of its home has changed."""
        if self._ticket == NEW:
            return True
        link = Link(self._to, self._context)
        body = _WAIT.pack(self._ticket, max(0, min(int(timeout_s), 60)))
        try:
            answer = link.request("POST", "/v1/wait", body, limit=PART, deadline_s=timeout_s + _SPARE_S)
        finally:
            link.close()
        if answer.status == 404 and answer.body:  # the peer was started anew, or has forgotten; an exchange renews it
            self._ticket = NEW
            return True
        return _told(self._to, answer, 1) == b"\1"


class _Requests:
    """A `wire.Stream` made of requests: writing is kept until this side listens."""

    def __init__(self, to: Address, context: ssl.SSLContext | None, idle_s: float) -> None:
        self._to = to
        self._link = Link(to, context)
        self._idle_s = idle_s
        self._out = bytearray()
        self._in = bytearray()
        self._state = LISTENS
        self._number = 0
        self.session = NEW

    def read(self, size: int) -> bytes:
        """As `wire.Stream`. Raises PeerSilent."""
        waited = 0.0
        while not self._in:
            if self._state == ENDED or (self._state == LISTENS and not self._out):
                return b""
            if waited > self._idle_s:
                raise PeerSilent(seconds=round(self._idle_s))
            waited += self._turn()
        data = bytes(self._in[:size])
        del self._in[:size]
        return data

    def write(self, data: bytes) -> None:
        """As `wire.Stream`. Nothing more is said to a peer that has ended: why it did can still be read."""
        self._out += data
        while len(self._out) >= PART and self._state != ENDED:
            self._turn()

    def close(self) -> None:
        """Say what is still unsaid: a goodbye, or why this side stops."""
        try:
            while self._out and self._state != ENDED and self.session != NEW:
                self._turn()
        finally:
            self._link.close()

    def _asked(self, body: bytes) -> Answer:
        return self._link.request(
            "POST", "/v1/turn", body, limit=_HEAD.size + PART, deadline_s=min(REQUEST_S, self._idle_s)
        )

    def _turn(self) -> float:
        """One request. The seconds that it may have been waited for in vain."""
        said = bytes(self._out[:PART])
        body = _ASK.pack(self.session, self._number) + said
        try:
            answer = self._asked(body)
        except NoAnswer:  # the request or its answer may be lost; a peer answers a repeat as it did before
            if self.session == NEW:
                raise
            answer = self._asked(body)
        del self._out[: len(said)]
        self._number += 1
        if answer.status == 404 and self.session != NEW and answer.body:
            raise wire.PeerClosed
        body = _told(self._to, answer, _HEAD.size)
        self.session, self._state = _HEAD.unpack_from(body)
        if self._state not in {LISTENS, SPEAKS, ENDED}:
            raise wire.PeerProtocol(why="an answer in an unknown state")
        heard = body[_HEAD.size :]
        self._in += heard
        return 0.0 if heard or said else PATIENCE_S


def _told(to: Address, answer: Answer, least: int) -> bytes:
    if answer.status == 503:
        raise PeerBusy(host=to.host)
    if answer.status != 200 or len(answer.body) < least:
        raise NotAPeer(host=to.host, status=answer.status)
    return answer.body


__all__ = ["NoAnswer", "NotAPeer", "PeerBusy", "WebPeer"]
