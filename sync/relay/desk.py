"""From the bytes of a request to the bytes of its answer, for whatever carries them. docs/spec/relay.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Final, NamedTuple

from chaise_cli.ledger import canonical

from .. import relay_messages, request_signing
from ..relay_messages import BODY_LIMIT, Malformed
from . import mailboxes, people, pulling
from .contract import Position
from .people import Caller
from .rates import Rates
from .refusal import Refusal
from .service import Relay

JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
REGISTER: Final = "/v1/register"
ABOUT: Final = "/v1/relay"
News = Mapping[bytes, Position]  # positions by space


class Request(NamedTuple):
    """What was asked. authority: the Host field; path: without a query; source: who sent it, as an address."""

    method: str
    authority: str
    path: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source: bytes = b""


class Wait(NamedTuple):
    """An answer that may change within some time: what changes it, and how to look again.

    of: an identity whose spaces are meant, or a mailbox. again: another answer, or None while it is the same.
    told: the same for whoever knows what has changed, which spares asking for all of it.
    """

    seconds: int
    of: bytes
    again: Callable[[], Answer | None]
    told: Callable[[News], Answer | None]


class Answer(NamedTuple):
    """What is answered. wait: the asker would rather wait for another one."""

    status: int
    kind: str
    body: bytes
    retry_s: int | None = None
    wait: Wait | None = None


class Desk:
    """The paths of a relay. From any thread."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self._identities = Rates(relay.limits.requests)
        self._sources = Rates(relay.limits.sources)
        self._lock = Lock()

    def answer(self, request: Request) -> Answer:
        """The answer to a request; never raises what a request can bring about."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refused(refusal)
        except Malformed as error:
            return refused(people.malformed(error.why))

    def _answer(self, request: Request) -> Answer:
        wanted = method(request.path)
        if wanted is None:
            raise Refusal("relay.not_found", "a relay has no such path")
        if request.method != wanted:
            raise Refusal("relay.malformed", f"this path is asked by {wanted}", status=405)
        if len(request.body) > BODY_LIMIT:
            raise Refusal("relay.too_large", "a request has at most 4 MiB")
        if request.path == ABOUT:
            return Answer(200, JSON, self.relay.about())
        if request.path in _OPEN:
            self._take(self._sources, request.source)
            return _OPEN[request.path](self.relay, request.body)
        device = self._signer(request)
        if request.path == REGISTER:
            self._take(self._sources, request.source)
            return Answer(200, JSON, self.relay.register(device, people.read_registration(request.body)))
        who = self._caller(device, request.source)
        self._take(self._identities, who.identity)
        return _SIGNED[request.path](self.relay, who, request.body)

    def _signer(self, request: Request) -> bytes:
        try:
            return request_signing.verify(*request[:5], self.relay.clock() // 1000)
        except request_signing.WrongTime as error:
            raise Refusal("relay.clock", error.why) from error
        except request_signing.Unsigned as error:
            raise Refusal("relay.unsigned", error.why) from error

    def _caller(self, device: bytes, source: bytes) -> Caller:
        try:
            return self.relay.caller(device)
        except Refusal:
            self._take(self._sources, source)
            raise

    def _take(self, rates: Rates, name: bytes) -> None:
        with self._lock:
            rates.take(name, self.relay.clock())


def method(path: str) -> str | None:
    """GET or POST; None for a path that a relay does not have."""
    if path == ABOUT:
        return "GET"
    return "POST" if path in _SIGNED or path in _OPEN or path == REGISTER else None


def refused(refusal: Refusal) -> Answer:
    """A refusal as an answer."""
    body = canonical.encode({"code": refusal.code, "text": refusal.text})
    return Answer(refusal.status, JSON, body, refusal.retry_s)


def _json(value: Mapping[str, object]) -> Answer:
    return Answer(200, JSON, canonical.encode(dict(value)))


def _summary(relay: Relay, who: Caller, body: bytes) -> Answer:
    said = relay_messages.read_summary(body)
    held: dict[bytes, Position] = {}

    def look() -> Answer | None:
        held.clear()
        held.update(people.positions(relay.store, who))
        return compare()

    def told(news: News) -> Answer | None:
        news = {space: at for space, at in news.items() if who.sees(space)}
        held.update({space: at for space, at in news.items() if space not in held or at.number > held[space].number})
        return compare()

    def compare() -> Answer | None:
        found = pulling.compare(held, said)
        if found is None:
            return None
        news = b"" if said.wait_s else relay.news(held, said, found)  # who waits asks again before it takes anything
        return Answer(200, BYTES, relay_messages.pack_different(found) + news)

    same = Answer(200, BYTES, relay_messages.pack_different(None))
    if said.wait_s:
        same = same._replace(wait=Wait(said.wait_s, who.identity, look, told))
    return look() or same


def _pull(relay: Relay, who: Caller, body: bytes) -> Answer:
    return Answer(200, BYTES, relay.pull(who, relay_messages.read_pull(body)))


def _push(relay: Relay, who: Caller, body: bytes) -> Answer:
    return Answer(200, BYTES, relay_messages.pack_pushed(relay.push(who, relay_messages.read_push(body))))


def _put(relay: Relay, who: Caller, body: bytes) -> Answer:
    return _json({"have": relay.put_object(who, relay_messages.read_piece(body))})


def _get(relay: Relay, who: Caller, body: bytes) -> Answer:
    return Answer(200, BYTES, relay_messages.pack_piece(relay.get_object(who, relay_messages.read_question(body))))


def _open_mailbox(relay: Relay, who: Caller, body: bytes) -> Answer:
    return _json({"until": relay.open_mailbox(who, mailboxes.read_open(body))})


def _revoke(relay: Relay, who: Caller, body: bytes) -> Answer:
    relay.revoke(who, people.read_revocation(body))
    return _json({})


def _put_mailbox(relay: Relay, body: bytes) -> Answer:
    relay.put_mailbox(*mailboxes.read_put(body))
    return _json({})


def _get_mailbox(relay: Relay, body: bytes) -> Answer:
    mailbox, slot, wait_s = mailboxes.read_get(body)

    def look() -> Answer | None:
        found = relay.get_mailbox(mailbox, slot)
        return Answer(200, BYTES, found) if found else None

    empty = Answer(200, BYTES, b"", wait=Wait(wait_s, mailbox, look, lambda _: look()) if wait_s else None)
    return look() or empty


_SIGNED: Final[Mapping[str, Callable[[Relay, Caller, bytes], Answer]]] = {
    "/v1/summary": _summary,
    "/v1/pull": _pull,
    "/v1/push": _push,
    "/v1/object/put": _put,
    "/v1/object/get": _get,
    "/v1/mailbox/open": _open_mailbox,
    "/v1/revoke": _revoke,
}
_OPEN: Final[Mapping[str, Callable[[Relay, bytes], Answer]]] = {
    "/v1/mailbox/put": _put_mailbox,
    "/v1/mailbox/get": _get_mailbox,
}
