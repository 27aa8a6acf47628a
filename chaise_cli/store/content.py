"""Stored events as the fold sees them: the body as its dataclass, or why it counts for nothing from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import kinds, shape
from chaise_cli.ids import DeviceId, IdentityId, text
from chaise_cli.ledger import canonical
from chaise_cli.store.events import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.store.events import Stored

# Verdicts of admission, which no fold changes; every other reason of a void event is worked out by the fold.
AT_ADMISSION: Final = frozenset(
    {"body.unopenable", "body.malformed", "body.invalid", "kind.unknown", "kind.misplaced", "certificate.bad",
     "chain.void", "terms.bad_signature", "review.bad_voucher",
     "device.bad_revocation", "grant.bad_certificate", "grant.kind"}
)  # fmt: skip


def row(stored: Stored) -> Row:
    """A stored event as it was admitted."""
    identity = IdentityId(text(stored.identity)) if stored.identity else None
    at = 0
    seen: Sequence[tuple[str, int, str]] = ()
    content = None
    void = stored.void if stored.void in AT_ADMISSION else None
    if stored.kind and stored.suite and void not in ("body.unopenable", "body.malformed"):
        read: Any = canonical.trusted(stored.body)
        at, seen = read["at"], read["seen"]
        if void is None:
            content = shape.from_data(kinds.body_class(stored.kind), read["data"])
    return Row(
        stored.chain, stored.seq, stored.id, stored.suite, stored.epoch, stored.kind, stored.lamport, void,
        stored.signature, stored.body, stored.device, identity, at, seen, content,
        DeviceId(text(stored.grant)) if stored.grant else None,
    )  # fmt: skip


def said(body: bytes) -> dict[str, Any]:
    """The fields of a body of a known kind, as JSON values, from an opened event that admission let pass."""
    read: Any = canonical.trusted(body)
    data: dict[str, Any] = read["data"]
    return data
