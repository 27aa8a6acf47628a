"""The box of a sealed review, and that box's key for the third party that holds the money. docs/spec/reviews.md.

The box is AES-256-GCM-SIV under a random key used once, with a nonce of zeros and the deal's space as associated data.
What others sealed may be anything: it either is a review that the commitment names, or it does not open.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import sealing
from chaise_cli.domain import review_acts, shape
from chaise_cli.domain.review import Content, ReviewSealed
from chaise_cli.errors import Corrupt
from chaise_cli.ids import IdentityId, public, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.session import rekeying
from chaise_cli.store import own

if TYPE_CHECKING:
    from chaise_cli.domain.review import Facts, Review
    from chaise_cli.ids import SpaceId
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

_NONCE: Final = bytes(sealing.NONCE_SIZE)
_HPKE: Final = "chaise_cli.session.wraps"  # loaded only where a third party holds the money


class LostKey(Corrupt):
    """The key of my sealed review is not in this home, or does not open it."""

    code = "review.key_lost"
    message = "the key that opens your review {review} is not here"
    hint = "another device of yours may hold it: chaise sync"
    review: str


class BrokenBox(Corrupt):
    """A sealed review does not open with the key that its author gave to the agent, or holds another one."""

    code = "review.broken_box"
    message = "the sealed review {review} does not open with the key that its author gave to the agent"
    hint = "its author can still open it; until then everybody sees it as sealed, then as withheld"
    review: str


def seal(session: Session, space: Space, facts: Facts, said: Content) -> tuple[str, ReviewSealed]:
    """A new key, and the review sealed under it; the key is encrypted to a third party whose box key is known here."""
    key = session.random(sealing.KEY_SIZE)
    box = sealing.seal(key, _NONCE, said.canonical(), raw(space.id))
    commitment = said.commitment(text(key))
    return text(key), ReviewSealed(commitment, text(box), _for_agent(session, space, facts, commitment, key))


def _for_agent(session: Session, space: Space, facts: Facts, commitment: str, key: bytes) -> str | None:
    agents = rekeying.members(session, space).get(facts.parties.agent) if facts.secured else None
    if not agents:
        return None
    hpke: Any = import_module(_HPKE)
    box: bytes = hpke.wrap_review_key(raw(space.id), raw(commitment), key, next(iter(agents.values())))
    return text(box)


def key_of(session: Session, space: SpaceId, one: Review) -> str:
    """The key to a sealed review: mine from self, another's from the box for the agent. Raises LostKey, BrokenBox."""
    if one.by == session.me.identity:
        kept = own.get(session.db, f"review {one.id}")
        if kept is None:
            raise LostKey(review=public("rev", one.id))
        return kept.decode()
    hpke: Any = import_module(_HPKE)
    box = raw(one.agent_box) if one.agent_box else b""
    key: bytes | None = hpke.unwrap_review_key(raw(space), raw(one.commitment), box, rekeying.box_keys(session))
    if key is None:
        raise BrokenBox(review=public("rev", one.id))
    return text(key)


def words(session: Session, space: SpaceId, one: Review) -> tuple[str, Content]:
    """The key to a sealed review and what it says, as the commitment names it. Raises LostKey, BrokenBox."""
    key = key_of(session, space, one)
    try:
        return key, _read(space, one, key)
    except (sealing.BadSeal, canonical.NotCanonical, shape.BadField, ValueError) as error:
        name = public("rev", one.id)
        raise (LostKey if one.by == session.me.identity else BrokenBox)(review=name) from error


def mine(session: Session, space: SpaceId, one: Review) -> Content | None:
    """What I sealed, by the key in this home; None when the key is elsewhere, or the review is not mine.

    Raises LostKey where the key is here and does not open it.
    """
    if one.by != session.me.identity or own.get(session.db, f"review {one.id}") is None:
        return None
    return words(session, space, one)[1]


def _read(space: SpaceId, one: Review, key: str) -> Content:
    said = canonical.decode(sealing.open_sealed(raw(key), _NONCE, raw(one.box), raw(space)))
    if not isinstance(said, dict) or set(said) != set(Content._fields):
        raise ValueError("no review")
    content = Content(**said)
    shape.check(review_acts.opening(one, key, content))
    if (content.by, content.about) != (one.by, one.about) or content.commitment(key) != one.commitment:
        raise ValueError("another review than the one committed to")
    return content


def unheard(facts: Facts, one: Review) -> IdentityId | None:
    """The agent that a sealed review has no key for; None where there is none, or no third party."""
    return facts.parties.agent if facts.secured and one.content is None and one.agent_box is None else None
