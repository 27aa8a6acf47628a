"""Looking through a place for one's own self space, with nothing but the root's keys. docs/spec/recovery.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.crypto import boxes, derivation, sealing
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import IdentityId, raw, text
from chaise_cli.ledger import certificate, clear, header
from chaise_cli.ledger import segment as segments
from chaise_cli.session import epochs, plaintext, wraps
from sync import replica

if TYPE_CHECKING:
    from chaise_cli.ledger.segment import Segment

SPACES_MOST: Final = 16  # that claim to be ours; anybody can write one that does
EVENTS_MOST: Final = 200_000


class Selfspace(NamedTuple):
    """A self space that is ours, as it was found: its events, and when the root certified the device that made it."""

    space: bytes
    runs: Sequence[Segment]
    heads: frozenset[tuple[bytes, int, bytes]]
    since: int


class _Found:
    """One space that claims to be our self space: what was taken of it."""

    def __init__(self, maker: bytes) -> None:
        self.maker = maker
        self.runs: list[Segment] = []
        self.ids: dict[tuple[bytes, int], bytes] = {}
        self.tops: dict[bytes, int] = {}


class Seeker:
    """A Replica that holds nothing, hands out nothing, and collects self spaces made in the name of one identity."""

    def __init__(self, identity: IdentityId) -> None:
        self._identity = identity
        self._found: dict[bytes, _Found] = {}

    def identity(self) -> bytes:
        """Whose spaces are looked for."""
        return raw(self._identity)

    def spaces(self) -> Sequence[replica.SpaceInfo]:
        """What was collected so far: a peer then goes on with it. It is given nothing."""
        return [replica.SpaceInfo(space, "self", frozenset({self.identity()})) for space in self._found]

    def heads(self, space: bytes) -> Sequence[replica.Head]:
        """What was collected so far."""
        found = self._found.get(space)
        tops = found.tops.items() if found else ()
        return [replica.Head(device, seq, found.ids[device, seq]) for device, seq in tops if found]

    def positions(self) -> dict[bytes, bytes]:
        """What stands for each space as far as it was collected."""
        return {space: replica.position(self.heads(space)) for space in self._found}

    def refuses(self, *_asked: object) -> bool:
        """Of nobody it is known here that he was revoked."""
        return False

    def relays(self) -> list[bytes]:
        """No relay is known here."""
        return []

    def signed(self, *_asked: object) -> dict[bytes, bytes]:
        """Nor has any signed anything."""
        return {}

    def receipts(self, *_asked: object) -> list[bytes]:
        """No relay has signed anything for it."""
        return []

    def witness(self, *_asked: object) -> list[ChaiseError]:
        """Nothing is known that a receipt could be compared with."""
        return []

    def common(self, space: bytes, one: replica.Head, other: replica.Head) -> int | None:
        """How far two histories are the same; of each chain only one is collected."""
        found = self._found.get(space)
        if found is None or any(found.ids.get((head.device, head.seq)) != head.id for head in (one, other)):
            return None
        return min(one.seq, other.seq)

    def read(self, *_asked: object) -> None:
        """Nothing is handed out."""

    def admit(self, space: bytes, segments: Sequence[Segment]) -> replica.Admission:
        """Collect segments of a self space of ours; each is verified and continues what was collected.

        All else is passed over without a word: a refusal would have a relay's events kept for another try.
        """
        if space not in self._found and not self._begin(space, segments):
            return replica.Admission(0, 0, [])
        accepted = [self._take(self._found[space], one) for one in segments]
        return replica.Admission(sum(accepted), 0, [])

    def _begin(self, space: bytes, given: Sequence[Segment]) -> bool:
        for one in given:
            if one.first_seq or not one.events or one.events[0].suite != header.CLEAR or one.space != space:
                continue
            try:
                segments.verify(one)
                genesis = clear.read_genesis(one.events[0].body)
            except ChaiseError:
                continue
            if genesis.space == "self" and genesis.creator == self._identity and len(self._found) < SPACES_MOST:
                self._found[space] = _Found(one.device)
                return True
        return False

    def _take(self, found: _Found, run: Segment) -> int:
        """How many events of a run are new; those that do not continue what is here are left alone."""
        held = found.tops.get(run.device, -1)
        if run.last_seq <= held or run.first_seq > held + 1 or len(found.ids) > EVENTS_MOST:
            return 0
        try:
            links = segments.verify(run)
        except ChaiseError:
            return 0
        ids = {(run.device, seq): link.id for seq, link in enumerate(links, run.first_seq)}
        before = found.ids.get((run.device, run.first_seq - 1), header.ZERO)
        if run.prev != before or any(found.ids.get(at, id_) != id_ for at, id_ in ids.items()):
            return 0
        found.ids |= ids
        found.tops[run.device] = run.last_seq
        found.runs.append(run)
        return run.last_seq - held

    def access_key(self, *_asked: object) -> None:
        """No board is held."""

    def objects_wanted(self) -> Sequence[bytes]:
        """No attachment is wanted."""
        return []

    def objects_of(self, *_asked: object) -> Sequence[bytes]:
        """No attachment is held."""
        return []

    def read_object(self, *_asked: object) -> None:
        """No attachment is held."""

    def keep_object(self, *_asked: object) -> bool:
        """No attachment is kept."""
        return False

    def ours(self, root: boxes.BoxKey) -> list[Selfspace]:
        """The spaces that the root's box key opens and a device made that the root certified; the oldest first.

        Ties go to the smaller id. Whoever does not know the root's box key cannot make another.
        """
        made = [
            Selfspace(space, found.runs, frozenset((d, seq, found.ids[d, seq]) for d, seq in found.tops.items()), since)
            for space, found in self._found.items()
            if (since := _since(self._identity, space, found, root)) is not None
        ]
        return sorted(made, key=lambda one: (one.since, one.space))


def _since(identity: IdentityId, space: bytes, found: _Found, root: boxes.BoxKey) -> int | None:
    """When the root certified the space's maker; None where it did not, or its key does not open the space."""
    events = list(_chain(found))
    secrets = _secrets(space, events, root)
    prev = header.ZERO
    for seq, event in enumerate(events):
        if event.suite == header.SEALED:
            return _certified(identity, space, found.maker, seq, prev, event, secrets)
        prev = found.ids[found.maker, seq]
    return None


def _chain(found: _Found) -> Iterator[segments.Sealed]:
    at = 0
    for run in found.runs:
        if run.device == found.maker:
            yield from run.events[at - run.first_seq :]
            at = run.last_seq + 1


def _secrets(space: bytes, events: Iterable[segments.Sealed], root: boxes.BoxKey) -> dict[bytes, bytes]:
    found = {}
    for event in events:
        if event.suite != header.CLEAR:
            continue
        try:
            wrap = clear.read_wrap(event.body)
        except ChaiseError:
            continue
        secret = wraps.unwrap(space, wrap, {text(root.key_id): root})
        if secret is not None:
            found[raw(wrap.commit)[: epochs.NAME]] = secret
    return found


def _certified(
    identity: IdentityId,
    space: bytes,
    maker: bytes,
    seq: int,
    prev: bytes,
    event: segments.Sealed,
    secrets: dict[bytes, bytes],
) -> int | None:
    secret = secrets.get(event.epoch)
    if secret is None:
        return None
    cipher = sealing.BodyCipher(derivation.derive(secret, "body"))
    try:
        padded = epochs.open_body(cipher, space, maker, seq, prev, event.epoch, event.body)
        chain = certificate.check(plaintext.read(plaintext.unpad(padded)).cert)
    except ChaiseError:
        return None
    first = chain[0]
    return first.at if len(chain) == 1 and first.identity == identity and raw(first.device) == maker else None
