"""Stored events as the fold sees them: the body as its dataclass, or why it counts for nothing from the start."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import kinds, shape
from chaise_cli.ids import DeviceId, IdentityId, text
from chaise_cli.ledger import canonical
from chaise_cli.store.events import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from chaise_cli.store.events import Stored

# Verdicts of admission, which no fold changes; every other reason of a void event is worked out by the fold.
AT_ADMISSION: Final = frozenset(
    {"body.unopenable", "body.malformed", "body.invalid", "kind.unknown", "kind.misplaced", "certificate.bad",
     "chain.void", "terms.bad_signature", "review.bad_voucher",
     "device.bad_revocation", "grant.bad_certificate", "grant.kind"}
)  # fmt: skip
_AT_ONCE: Final = 128  # bodies


def row(stored: Stored) -> Row:
    """A stored event as it was admitted."""
    return _row(stored, canonical.trusted(_clear(stored)), text)


def rows(found: Iterable[Stored]) -> Iterator[Row]:
    """Many of them, in less time: bodies are read some at once, and writers named once each."""
    left, named = iter(found), cache(text)
    while some := list(islice(left, _AT_ONCE)):
        bodies: Any = canonical.trusted(b"[%b]" % b",".join(map(_clear, some)))
        for stored, read in zip(some, bodies, strict=True):
            yield _row(stored, read, named)


def _clear(stored: Stored) -> bytes:
    """The JSON of its body; null where nobody can read that."""
    unread = not stored.kind or not stored.suite or stored.void in {"body.unopenable", "body.malformed"}
    return b"null" if unread else stored.body


def _row(stored: Stored, read: Any, named: Callable[[bytes], str]) -> Row:
    chain, seq, id_, suite, epoch, kind, lamport, _, verdict, signature, body, device, writer, key = stored
    void = verdict if verdict in AT_ADMISSION else None
    at = 0
    seen: Sequence[tuple[str, int, str]] = ()
    content = None
    if read is not None:
        assert kind is not None, "a body that is read has a kind"
        at, seen = read["at"], read["seen"]
        if void is None:
            content = shape.from_data(kinds.body_class(kind), read["data"])
    identity = IdentityId(named(writer)) if writer else None
    return Row(
        chain, seq, id_, suite, epoch, kind, lamport, void, signature, body, device, identity, at, seen, content,
        DeviceId(named(key)) if key else None,
    )  # fmt: skip


def said(body: bytes) -> dict[str, Any]:
    """The fields of a body of a known kind, as JSON values, from an opened event that admission let pass."""
    read: Any = canonical.trusted(body)
    data: dict[str, Any] = read["data"]
    return data
