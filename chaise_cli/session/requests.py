"""Request ids: what a call asks for is done once, and told again whenever its id comes back with the same wish."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import RequestReused, Usage
from chaise_cli.ids import base32, raw, text
from chaise_cli.store import requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ids import EventId
    from chaise_cli.session.session import Session
    from chaise_cli.store.requests import Used


LONGEST: Final = 128  # characters, as every reader of an event expects


class BadRequestId(Usage):
    """The request id is empty, too long, or nothing that can be printed."""

    code = "usage.bad_request_id"
    message = "a request id has 1 to {most} printable characters"
    hint = "choose a short one, such as the number of an order"
    most: int


class Request(NamedTuple):
    """A request id and the fingerprint of what it asks; it travels in the newest event that it brought."""

    id: str
    fingerprint: str


class Reused(RequestReused):
    """The request id was used before, for something else."""

    code = "request.reused_elsewhere"
    message = "the request id {request_id} was used before with other parameters"
    hint = "use a new request id for a new request"
    request_id: str


def request(id_: str, verb: str, asked: dict[str, object]) -> Request:
    """A request id as given, with the fingerprint of what is asked. Raises BadRequestId."""
    if not 0 < len(id_) <= LONGEST or not id_.isprintable() or not id_.strip():
        raise BadRequestId(most=LONGEST)
    return Request(id_, fingerprint(verb, asked))


def fingerprint(verb: str, asked: dict[str, object]) -> str:
    """A hash of what a call asks for, alike for alike calls on every machine."""
    said = json.dumps([verb, asked], sort_keys=True, default=str, separators=(",", ":"))
    return text(sha256(b"chaise/1 request\0" + said.encode()).digest())


def replayed(session: Session, request: Request | None) -> Used | None:
    """What the request did before; None for a new one, and without one. Raises Reused."""
    before = requests.find(session.db, request.id) if request else None
    if request and before and before.fingerprint != request.fingerprint:
        raise Reused(request_id=request.id)
    return before


def remember(session: Session, request: Request | None, subject: str, written: Sequence[EventId]) -> list[str]:
    """Keep a new request for ever with what it did; the ids of the events written, as results list them.

    subject: the public id of what it was about.
    """
    events = [base32(raw(event)) for event in written]
    if request is not None:
        requests.keep(session.db, request.id, requests.Used(request.fingerprint, subject, events))
    return events
