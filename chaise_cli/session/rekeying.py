"""Which epoch seals a space, when a new one is opened, and learning what wraps bring. docs/spec/envelope.md.

Secrets are kept for whatever they sealed; which of them seals from now on follows from the wraps alone, so that every
device of a member comes to the same.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import grants, revocation
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, StillWaiting
from chaise_cli.ids import DeviceId, IdentityId, public, raw, text
from chaise_cli.ledger import clear
from chaise_cli.store import content, deal_states, epochs, events, own, profiles, revocations, selves

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from chaise_cli.session.session import Session
    from chaise_cli.session.writing import Writer
    from chaise_cli.store.epochs import WrapRow
    from chaise_cli.store.events import Space

NAME: Final = 8
BOXES_MOST: Final = clear.BOXES_MOST


class NoKeyYet(StillWaiting):
    """The space has a newer key than this device can open."""

    code = "space.no_key_yet"
    message = "{space} has a new key that this device cannot open yet"
    hint = "another device of yours brings what opens it; when none is left: chaise device renew --recovery-file FILE"
    retryable = True
    space: str


class NoRootBox(StillWaiting):
    """This home was made before the root's box key was kept, so self cannot be encrypted to the root anew."""

    code = "device.no_root_box"
    message = "this home does not know the root's box key yet"
    hint = "give the recovery code once: --recovery-file FILE"


class Epoch(NamedTuple):
    """One epoch that may seal: its name, the boxes of all its wraps, the epochs it carries, and its place."""

    name: bytes
    boxes: frozenset[tuple[str, str]]  # identity, box key id
    carries: frozenset[bytes]
    rank: tuple[Any, ...]


def members(session: Session, space: Space) -> dict[str, dict[str, bytes]]:
    """For each identity of a space the box keys it is encrypted to now, by id; those of its grants are among them."""
    if space.kind == "self":
        return {session.me.identity: _self_boxes(session)}
    found_deal = deal_states.load(session.db, space.no)
    stored = events.find_event(session.db, raw(found_deal.taken.deal.opening)) if found_deal else None
    body = content.row(stored).content if stored else None
    if body is None:
        return {}
    found = {body.client: _by_id([body.client_box.key]), body.talent: _by_id([body.talent_box.key])}
    agent = found_deal.now.deal.parties.agent if found_deal else body.client
    if agent not in found:  # a third party, who is known by the profile on the board that the deal came from
        profile = profiles.on_board_of(session.db, agent, body.board)
        found |= {agent: _by_id([profile.body["box_key"]["key"]])} if profile else {}
    told = revocations.said(session.db, space.no) if revocations.any_in(session.db, space.no) else []
    for identity in list(found):
        said = [one for one in told if one.row.identity == identity]
        standing = revocation.standing(one.claim for one in said)
        for one in said:
            limit = revocation.limit(one.claim.above, standing)
            heard = limit is None or one.claim.seq <= limit
            if heard and revocation.may_say(one.claim.above, one.row.content):
                found[identity] = _by_id([one.row.content.box.key])
    now = found_deal.now if found_deal else None
    for grant in grants.living(now.deal, now.revoked) if now and now.deal.grants else ():
        made = events.find_event(session.db, raw(grant.id))
        if made is not None and grant.by in found:
            found[grant.by] |= _by_id([content.row(made).content.box.key])
    return found


def _self_boxes(session: Session) -> dict[str, bytes]:
    """The box keys of the devices that are left, and the root's."""
    gone = selves.revoked(session.db)
    keys = [one.box for one in selves.devices(session.db) if one.box and one.device not in gone]
    root = root_box(session)
    return _by_id([*keys, *([text(root)] if root else [])])


def _by_id(keys: Sequence[str]) -> dict[str, bytes]:
    """Public box keys by the ids they really have; one that nothing can be wrapped to is left out."""
    boxes: Any = import_module("chaise_cli.crypto.boxes")
    found = {}
    for key in map(raw, keys):
        try:
            boxes.admit_box_key(key)
        except boxes.BadBoxKey:
            continue
        found[text(boxes.key_id(key))] = key
    return found


def root_box(session: Session) -> bytes | None:
    """The root's public box key: the one told of that the first wrap of the space names; None when it is not known."""
    told = selves.root_box(session.db)
    space = events.spaces(session.db, "self")[0]
    first = next((one for one in epochs.wraps(session.db, space.no) if one.device == space.creator_device), None)
    wrap = _read(first) if first else None
    if told is None or wrap is None:
        return None
    boxes: Any = import_module("chaise_cli.crypto.boxes")
    return raw(told) if text(boxes.key_id(raw(told))) in {box.to[1] for box in wrap.boxes} else None


def _read(row: WrapRow) -> clear.Wrap | None:
    return _parsed(row.body)


@lru_cache(maxsize=256)  # the same few are asked for at every sync
def _parsed(body: bytes) -> clear.Wrap | None:
    try:
        return clear.read_wrap(body)
    except ChaiseError:
        return None


def counting(session: Session, space: Space, who: Collection[str] | None = None) -> dict[bytes, Epoch]:
    """The epochs of a space that may seal, by name. who: its members, if they are known already.

    A new one counts from the maker of the space before the first word sealed there, or from a member's device that
    was not revoked and carries an older one. Further wraps of it may come from anybody.
    """
    rows = epochs.wraps(session.db, space.no)
    who = members(session, space) if who is None else who
    limits = _limits(session, space) if revocations.any_in(session.db, space.no) else {}
    found: dict[bytes, Epoch] = {}
    for row in rows:
        wrap = _read(row)
        if wrap is None:
            continue
        name = raw(wrap.commit)[:NAME]
        boxes = frozenset(box.to for box in wrap.boxes)
        if name in found:
            found[name] = found[name]._replace(boxes=found[name].boxes | boxes)
            continue
        carries = frozenset(raw(one) for one, _ in wrap.previous)
        if _may_open(row, space, who, limits, carries):
            found[name] = Epoch(name, boxes, carries, (row.lamport, row.device, row.seq, row.id))
    return found


def _may_open(
    row: WrapRow, space: Space, who: Collection[str], limits: dict[bytes, int | None], carries: frozenset[bytes]
) -> bool:
    if row.device == space.creator_device and not row.sealed_before:
        return True
    limit = limits.get(row.device)
    inside = limit is None or row.seq <= limit
    return bool(row.identity and text(row.identity) in who and row.void is None and carries and inside)


def _limits(session: Session, space: Space) -> dict[bytes, int | None]:
    """How far the chains of those who revoked a device count when it comes to keys, whatever was taken up when."""
    chains = events.chains(session.db, space.no)
    found: dict[bytes, int | None] = {}
    said = revocations.said(session.db, space.no)
    for identity in {one.row.identity for one in said}:
        standing = revocation.standing(one.claim for one in said if identity and one.row.identity == identity)
        for chain in chains:
            if chain.identity == identity:
                above = revocations.above(session.db, chain.no) or (DeviceId(text(chain.device)),)
                found[chain.device] = revocation.limit(above, standing)
    return found


def heads(session: Session, space: Space) -> list[Epoch]:
    """The newest epochs: those that no other carries, and that are encrypted to us; the strongest first."""
    return _heads(session, space, members(session, space))


def _heads(session: Session, space: Space, who: dict[str, dict[str, bytes]]) -> list[Epoch]:
    found = counting(session, space, who)
    carried = {name for one in found.values() for name in one.carries}
    mine = who.get(session.me.identity, {})
    known = set(mine) | set(own.box_seeds(session.db))
    newest = [one for one in found.values() if one.name not in carried and _is_for(session, one, known, space)]
    return sorted(newest, key=lambda one: one.rank, reverse=True)


def _is_for(session: Session, one: Epoch, known: set[str], space: Space) -> bool:
    """Whether an epoch is held, or encrypted to a box key of ours that was announced: then it is worth waiting for."""
    if session.epochs.number(space.no, one.name) is not None:
        return True
    return any(identity == session.me.identity and id_ in known for identity, id_ in one.boxes)


def is_plain(session: Session, space: Space) -> bool:
    """Whether a space has had one key all its life, as most have; then there is nothing to choose.

    It may have been wrapped again since, for a third party; but not for a grant, which has a box of its own with its
    maker and comes to an end.
    """
    if revocations.any_in(session.db, space.no):
        return False
    rows = epochs.wraps(session.db, space.no)
    wraps = [told for row in rows if (told := _told(row.body))] if len(rows) > 1 else []
    boxes = {to for _, tos in wraps for to in tos}
    return len({commit for commit, _ in wraps}) < 2 and len(boxes) == len({identity for identity, _ in boxes})


@lru_cache(maxsize=64)
def _told(body: bytes) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """What a wrap commits to, and whose keys its boxes are for: asked of the same few at each word in a deal."""
    wrap = _parsed(body)
    return wrap and (wrap.commit, tuple(box.to for box in wrap.boxes))


def choose(session: Session, space: Space) -> Space:
    """Let the newest epoch that is held seal from now on. Boards have one for life."""
    if space.kind == "board" or is_plain(session, space):
        return space
    return _sealed_by_newest(session, space, heads(session, space))


def _sealed_by_newest(session: Session, space: Space, newest: Sequence[Epoch]) -> Space:
    for one in newest:
        number = session.epochs.number(space.no, one.name)
        if number is not None:
            epochs.seal_with(session.db, space.no, number)
            break
    return events.space_numbered(session.db, space.no)


def learn(session: Session, space: Space) -> bool:
    """Open whatever the wraps that are held let open with the box keys of today; whether anything was news."""
    module: Any = import_module("chaise_cli.session.wraps")
    keys, news, moved = box_keys(session), False, True
    rows = [(row, wrap) for row in epochs.wraps(session.db, space.no) if (wrap := _read(row))]
    counted = first_commits(session, space)
    while moved:
        moved = False
        for row, wrap in rows:
            trusted = bool(row.identity and row.void is None) or wrap.commit in counted
            moved |= _learn(session, space, wrap, module, keys, trusted=trusted)
        news |= moved
    return news


def first_commits(session: Session, space: Space) -> set[str]:
    """The keys that the maker of a space gave it to begin with: wrapping one of them again is anybody's to do."""
    rows = epochs.wraps(session.db, space.no)
    makers = [_read(row) for row in rows if row.device == space.creator_device and not row.sealed_before]
    return {wrap.commit for wrap in makers if wrap}


def _learn(session: Session, space: Space, wrap: clear.Wrap, module: Any, keys: Any, *, trusted: bool) -> bool:
    number = session.epochs.number(space.no, raw(wrap.commit)[:NAME])
    if number is None and trusted:
        secret = module.unwrap(raw(space.id), wrap, keys)
        return secret is not None and session.epochs.keep(space, secret)
    return number is not None and history(session, space, wrap, number, module)


def history(session: Session, space: Space, wrap: clear.Wrap, number: int, module: Any) -> bool:
    """Keep the older secrets that a wrap of an epoch that is held carries; whether any was news."""
    if all(session.epochs.number(space.no, raw(name)) is not None for name, _ in wrap.previous):
        return False
    older = module.carried(raw(space.id), wrap, session.epochs.secret_of(number))
    return sum(session.epochs.keep(space, secret) for secret in older) > 0


def box_keys(session: Session) -> dict[str, Any]:
    """Every private box key this home holds, by id: the identity's, its own, and in a recovery the root's."""
    boxes: Any = import_module("chaise_cli.crypto.boxes")
    found = {id_: boxes.BoxKey(seed) for id_, seed in own.box_seeds(session.db).items()}
    device = boxes.BoxKey(own.need(session.db, "device_box"))
    return found | {text(one.key_id): one for one in (device, *session.lent)}


def is_box_safe(session: Session) -> bool:
    """Whether no device that was revoked could read the identity's box key in use when it was told."""
    space = events.spaces(session.db, "self")[0]
    row = epochs.of_newest_box(session.db, space.no, own.box_seed(session.db)[0])
    who = members(session, space)
    one = counting(session, space, who).get(row) if row is not None else None
    return one is None or _boxes_of(one, session.me.identity) <= set(who[session.me.identity])


def freshen(session: Session, writer: Writer, space: Space) -> Space:
    """The space, with a new epoch where a newest one lacks a box key or has one too many: before anything is sealed.

    Several newest ones that are encrypted to exactly whom they should be are as good as one: `choose` says which
    of them seals. Joining them would make two again whenever two devices do so at once. Raises NoKeyYet.
    """
    if space.kind == "board" or is_plain(session, space):
        return space
    wanted = members(session, space)
    newest = _heads(session, space, wanted)
    space = _sealed_by_newest(session, space, newest)
    unheld = [one for one in newest if session.epochs.number(space.no, one.name) is None]
    if unheld:
        raise NoKeyYet(space="self" if space.kind == "self" else public(space.kind, space.id))
    fits = newest and all(_boxes_of(one, who) == set(keys) for one in newest for who, keys in wanted.items())
    if fits and not _tops(session, space) - {one.name for one in newest}:
        return space
    mine = events.branches_of(session.db, space.no, raw(session.me.device))
    if not any(row.identity for row in mine):  # a wrap counts from a device that has proved itself there
        return space
    return rekey(session, writer, space)


def _tops(session: Session, space: Space) -> set[bytes]:
    """The epochs held that no other one held carries: whoever has these reads all that we read.

    One that counts for nothing, as a revoked device may have opened, is among them: it sealed words that others await.
    """
    held = epochs.names(session.db, space.no)
    read = [(raw(wrap.commit)[:NAME], wrap) for row in epochs.wraps(session.db, space.no) if (wrap := _read(row))]
    return held - {
        raw(older) for name, wrap in read if name in held for older, _ in wrap.previous if raw(older) != name
    }


def _boxes_of(one: Epoch, identity: str) -> set[str]:
    return {id_ for who, id_ in one.boxes if who == identity}


def introduce(session: Session, writer: Writer, space: Space, identity: str) -> bool:
    """Hand the keys of a space to a member who has none of them yet, the first one and the newest ones.

    With the first it opens what proves whose chains these are, and so the others. Whether that is so now: not while the
    member's box key is unknown here.
    """
    keys = members(session, space).get(IdentityId(identity), {})
    if not keys:
        return False
    module: Any = import_module("chaise_cli.session.wraps")
    wrapped: dict[bytes, set[tuple[str, str]]] = {}
    for row in epochs.wraps(session.db, space.no):
        if wrap := _read(row):
            wrapped.setdefault(raw(wrap.commit)[:NAME], set()).update(box.to for box in wrap.boxes)
    first = {raw(commit)[:NAME] for commit in first_commits(session, space)}
    for name in sorted(first | _tops(session, space)):
        number = session.epochs.number(space.no, name)
        lacking = [(identity, key) for id_, key in keys.items() if (identity, id_) not in wrapped.get(name, set())]
        if number is not None and lacking:
            writer.wrap(space, module.wrap_for(raw(space.id), session.epochs.secret_of(number), lacking))
    return True


def rekey(session: Session, writer: Writer, space: Space) -> Space:
    """Open a new epoch that carries all that is held, encrypted to every member's newest box keys."""
    module: Any = import_module("chaise_cli.session.wraps")
    to = [(who, key) for who, keys in members(session, space).items() for key in keys.values()]
    numbers = [session.epochs.number(space.no, name) for name in sorted(_tops(session, space))]
    secrets = [session.epochs.secret_of(number) for number in numbers if number is not None]
    secret = session.random(32)
    for first in range(0, len(to), BOXES_MOST):
        carried = secrets if first == 0 else []
        writer.wrap(space, module.wrap_for(raw(space.id), secret, to[first : first + BOXES_MOST], carried))
    session.epochs.add(space, secret)
    return events.space_numbered(session.db, space.no)
