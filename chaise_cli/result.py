"""What a command answers: one versioned object for scripts, from which every other output is made.

`VERBS` says for each command which object it answers with, and whether one or a list. The objects
themselves stand in `shapes`; the forms are promised in docs/spec/results.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from chaise_cli.errors import ChaiseError

VERSION: Final = 1  # of every result; a change that breaks a reader raises it
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Next(NamedTuple):
    """What somebody is expected to type; `until` is an instant, or None when there is no hurry."""

    who: str
    command: str
    until: str | None = None


class Answer(NamedTuple):
    """What a verb answers with: any of `shapes`, as one object, as a list, or either by what was named."""

    shapes: tuple[str, ...]
    many: bool | None  # None: one object, or a list when the call named several


class Result(NamedTuple):
    """The outcome of one command.

    verb: as typed, `board create` with its space. data: objects of the verb's shape, made of what JSON knows.
    error: only beside data that still counts (exits 7, 8, 11, 13); every other failure is raised instead.
    shape: needed where the verb has several; empty takes the verb's only one.
    """

    verb: str
    data: Mapping[str, object] | Sequence[Mapping[str, object]] = NOTHING
    events: Sequence[str] = ()
    replayed: bool = False
    next: Sequence[Next] = ()
    warnings: Sequence[str] = ()
    error: ChaiseError | None = None
    shape: str = ""


def _one(*shapes: str) -> Answer:
    return Answer(shapes, many=False)


def _list(*shapes: str) -> Answer:
    return Answer(shapes, many=True)


def _either(*shapes: str) -> Answer:
    return Answer(shapes, many=None)


_SHOWN: Final = (
    *("board", "profile", "service", "post", "deal", "milestone", "booking"),
    *("message", "review", "op", "grant", "run", "log_entry"),
)
VERBS: Final[Mapping[str, Answer]] = MappingProxyType(
    {
        "init": _one("identity"),
        "whoami": _one("identity"),
        "unlock": _one("identity"),
        "lock": _one("identity"),
        "device renew": _one("identity"),
        "device add": _one("pairing"),
        "device join": _one("identity"),
        "device rename": _one("device"),
        "device revoke": _one("device"),
        "agent run": _one("round"),
        "agent move": _either("deal"),
        "devices": _list("device"),
        "doctor": _one("doctor"),
        "agent settle": _one("contest"),
        "board create": _one("board"),
        "board join": _one("board"),
        "board invite": _one("board"),
        "boards": _list("board"),
        "profile": _one("profile"),
        "talents": _list("profile"),
        "service": _one("service"),
        "services": _list("service"),
        "post": _one("post"),
        "posts": _list("post"),
        "close": _one("post"),
        "invite": _one("deal"),
        "propose": _one("deal"),
        "deals": _list("deal"),
        "shortlist": _one("deal"),
        "hire": _one("deal"),
        "accept": _one("deal", "booking", "milestone"),
        "decline": _one("deal", "booking", "milestone"),
        "withdraw": _one("deal", "booking", "milestone"),
        "cancel": _one("booking", "milestone"),
        "message": _one("message"),
        "messages": _list("message"),
        "availability": _one("availability", "deal"),
        "book": _either("booking", "free_slot"),
        "bookings": _list("booking"),
        "calendar add": _one("calendar"),
        "calendar refresh": _list("calendar"),
        "calendar remove": _one("calendar"),
        "calendars": _list("calendar", "pushed_calendar"),
        "update": _either("milestone"),
        "deliver": _either("milestone"),
        "changes": _either("milestone"),
        "files": _list("file"),
        "fund": _either("milestone"),
        "release": _either("milestone"),
        "refund": _either("milestone"),
        "balance": _list("balance", "balance_by"),
        "journal": _list("journal_entry"),
        "grant create": _one("grant"),
        "grant revoke": _one("grant"),
        "grant approve": _one("grant"),
        "grants": _list("grant"),
        "rail due": _list("op"),
        "rail attest": _either("milestone", "statement"),
        "rail reconcile": _one("reconciliation"),
        "rail sim": _one("sim"),
        "policy check": _one("policy"),
        "policy test": _list("policy_case"),
        "policy explain": _one("run"),
        "policy key": _one("deal"),
        "review": _one("review"),
        "reviews": _list("review"),
        "inbox": _list("inbox_item"),
        "show": _one(*_SHOWN),
        "log": _list("log_entry"),
        "agenda": _list("agenda_item"),
        "wait": _one("deal", "milestone", "booking", "post", "op"),
        "sync": _one("sync", "sync_status"),
        "peer serve": _one("serving"),
        "peers": _list("place"),
        "peer add": _one("place"),
        "peer remove": _one("place"),
        "relay serve": _one("relay"),
        "relay invite": _one("relay"),
        "relay invites": _list("relay_entry"),
        "calendar push": _list("calendar_copy"),
        "calendar pull": _list("calendar_copy"),
        "calendar forget": _list("calendar_copy"),
        "verify": _one("verify"),
        "backup": _one("backup"),
        "restore": _one("identity"),
    }
)
"""Every command of today that answers with objects. `help`, `schema` and `completion` answer with a text,
`batch` with one result of another verb per line."""

ID_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "agenda_item": "of",
        "calendar": "name",
        "calendar_copy": "uid",
        "file": "digest",
        "place": "peer",
        "policy": "digest",
        "policy_case": "name",
        "pushed_calendar": "url",
    }
)
"""What `--ids` prints of a shape, where it is not `id`."""
WITHOUT_ID: Final = frozenset(
    {
        "pairing",
        "availability",
        "free_slot",
        "balance",
        "balance_by",
        "statement",
        "reconciliation",
        "journal_entry",
        "sync",
        "sync_status",
        "serving",
        "verify",
        "backup",
        "doctor",
        "relay",
        "sim",
        "round",
    }
)


def shape_of(result: Result) -> str:
    """The name of the shape of `data`."""
    return result.shape or VERBS[result.verb].shapes[0]


def items(result: Result) -> list[Mapping[str, object]]:
    """The objects of `data`, one or many."""
    if isinstance(result.data, Mapping):
        return [result.data]
    return list(result.data)


def exit_of(result: Result) -> int:
    """The exit status that goes with a result."""
    return 0 if result.error is None else result.error.exit


def to_json(result: Result) -> str:
    """The result as one line of ASCII JSON; see docs/spec/results.md for its keys."""
    answer: dict[str, object] = {
        "schema": f"chaise.{result.verb.replace(' ', '_')}/{VERSION}",
        "ok": result.error is None,
        "data": result.data,
        "events": list(result.events),
        "replayed": result.replayed,
        "next": [step._asdict() for step in result.next],
        "warnings": list(result.warnings),
    }
    if result.error is not None:
        answer["error"] = _error_object(result.error)
    return line(answer)


def error_json(error: ChaiseError) -> str:
    """A failure as one line of ASCII JSON."""
    return line({"schema": f"chaise.error/{VERSION}", "ok": False, "error": _error_object(error)})


def line(value: object) -> str:
    """`value` as one line of JSON. Only ASCII: the escapes keep every control character from a terminal."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_plain)


def _error_object(error: ChaiseError) -> dict[str, object]:
    return {
        "code": error.code,
        "message": error.sentence(),
        "hint": error.advice(),
        "retryable": error.retryable,
        "details": error.details(),
        "exit": error.exit,
    }


def _plain(value: object) -> object:
    """What JSON has no word for: amounts by their shape, mappings and sets as such, anything else as its text."""
    shape = getattr(value, "shape", None)
    if callable(shape):
        return shape()
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
