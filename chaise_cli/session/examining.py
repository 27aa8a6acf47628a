"""What `verify` looks at besides chains and folded tables: every other row that signed bytes can be held against.

Each function gives problems in words. What no signed byte can prove is listed in docs/spec/recovery.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chaise_cli.crypto import attachments, boxes, sealing, signing
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import public, raw, text
from chaise_cli.ledger import certificate, clear
from chaise_cli.session import epochs, plaintext
from chaise_cli.session.admission import Admission
from chaise_cli.session.replica import HomeReplica
from chaise_cli.store import check_rows, connection, content, events, own, selves

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Chain, Space, Stored

_SHUT = ("body.unopenable", "body.malformed")


def space_rows(session: Session, space: Space) -> Iterator[str]:
    """The row of a space against its genesis, its keys against their names, the named against the wraps."""
    found = check_rows.genesis(session.db, space)
    if found is None:
        if space.creator or space.creator_device:
            yield "who made it is not told by any event"
    else:
        yield from _made(space, found)
    held = check_rows.epochs(session.db, space)
    for epoch in held:
        if sealing.epoch_commit(raw(space.id), epoch.secret)[: epochs.NAME] != epoch.name:
            yield f"the key of epoch {epoch.name.hex()} is damaged"
    if space.epoch not in {epoch.no for epoch in held} and (space.epoch is not None or held):
        yield "the key that seals is not one of its own"
    if space.newer != check_rows.is_newer(session.db, space):
        yield "whether a newer Chaise has written there is noted wrongly"
    yield from _named(session, space)


def _made(space: Space, found: Stored) -> Iterator[str]:
    genesis = clear.read_genesis(found.body)
    if (genesis.space, genesis.creator, found.device, text(found.id)) != (
        space.kind, space.creator, space.creator_device, space.id,
    ):  # fmt: skip
        yield "who made it, or what it is, does not agree with its first event"


def _named(session: Session, space: Space) -> Iterator[str]:
    """Nobody is served the space whom no wrap names, and nobody is left out whom its maker's wraps name."""
    least: set[bytes] = set()
    most: set[bytes] = set()
    for device, _, body in check_rows.wraps(session.db, space):
        try:
            named = {raw(box.to[0]) for box in clear.read_wrap(body).boxes}
        except ChaiseError:
            continue
        most |= named
        least |= named if device == space.creator_device else set()
    void = {chain.device for chain in events.chains(session.db, space.no) if chain.void}
    least = set() if space.creator_device in void else least
    if not least <= check_rows.named(session.db, space) <= most:
        yield "whom it names is noted wrongly"


def chain_rows(session: Session, space: Space, chain: Chain) -> Iterator[str]:
    """The row of a chain and the verdicts of its events, judged again as when they came in."""
    admission = Admission(session, space.id)
    with connection.rehearsing(session.db):  # judging notes what a newer Chaise wrote
        first = check_rows.first_sealed(session.db, chain)
        nobodys = owned = chain._replace(identity=None, admin=False, void=None, grant=None)
        if first is not None:
            owned = admission.owner(chain, _said(first))
        waits = chain.seq < chain.first and chain == nobodys  # nothing of it was opened, so it tells nothing yet
        if not waits and owned != chain:
            yield f"whose {_device(chain.device)} is, is noted wrongly"
            return
        for stored in events.read_chain(session.db, chain.no, 0, chain.seq):
            if not _is_judged(admission, chain, stored):
                yield f"the verdict on event {stored.seq} of {_device(chain.device)} is wrong"
    writes = chain.device == raw(session.me.device) and not session.behind
    if not check_rows.cited(session.db, chain, writes=writes):
        yield f"what {_device(chain.device)} has cited is noted wrongly"


def _said(stored: Stored) -> plaintext.Plaintext | None:
    return None if stored.void in _SHUT else plaintext.stored(stored.body)


def _is_judged(admission: Admission, chain: Chain, stored: Stored) -> bool:
    """Whether the verdict is the one that admission comes to; what a fold refuses later is compared by folding."""
    said = _said(stored) if stored.suite else None
    if said is None:
        return stored.suite == 1 or (stored.void not in content.AT_ADMISSION and stored.epoch is None)
    if stored.suite != 1:
        return False
    wanted = chain.void or admission.verdict(chain, said)
    return wanted == (stored.void if stored.void in content.AT_ADMISSION else None)


def owner(session: Session) -> Iterator[str]:
    """What the store knows of its owner: keys against their names, settings against self, the count of own events."""
    db, me = session.db, session.me
    if own.rules(db) != connection.RULES:
        yield "it was folded by the rules of another Chaise, and is too damaged to be folded anew"
    if own.who(db) != (me.identity, me.device):
        yield "whose home this is, is noted wrongly"
    for device, values in own.devices(db):
        yield from _device_key(session, device, values)
    if json.dumps(own.certificates(db)) != json.dumps(dict(own.devices(db)).get(me.device)):
        yield "the certificates in use are not those of the device in use"
    yield from _boxes(session)
    for review, key in check_rows.reviews_told(db).items():
        if own.get(db, f"review {review}") != key.encode():
            yield "the key of a sealed review is not the one that self tells"
    settings = selves.settings(db)
    if settings is not None and settings != own.settings(db)._asdict():
        yield "the settings are not those that self tells"
    written = own.written(db)
    total = check_rows.written_by(db)
    if (
        written.total > total + own.skipped(db)
        or (total and not written.total and not session.behind)  # put back to before its first word, it has none
        or (written.total and not check_rows.is_own(db, written.id))
    ):
        yield "the count of events written here is wrong"


def _device_key(session: Session, device: str, values: list[Any]) -> Iterator[str]:
    try:
        chain = certificate.check(values)
        seed = own.get(session.db, f"seed {device}") or b""
        good = (
            chain[0].device == device
            and chain[0].identity == session.me.identity
            and len(seed) == len(raw(device))
            and text(signing.Ed25519Signer(seed).public) == device
        )
    except ChaiseError:
        good = False
    if not good:
        yield f"the key or the certificates of {_device(raw(device))}, a device key of this home, are damaged"


def _boxes(session: Session) -> Iterator[str]:
    db = session.db
    for id_, seed in own.box_seeds(db).items():
        if len(seed) != boxes.SEED_SIZE or text(boxes.BoxKey(seed).key_id) != id_:
            yield "a box key of this identity is damaged"
    if not selves.box_keys(db) <= own.box_seeds(db).keys():
        yield "a box key of this identity is missing"
    if own.need(db, "box").decode() != selves.newest_box(db):
        yield "the box key in use is not the newest that self tells"
    seed = own.need(db, "device_box")
    mine = text(boxes.BoxKey(seed).key_id) if len(seed) == boxes.SEED_SIZE else ""
    space = events.spaces(db, "self")[0]
    wraps = [clear.read_wrap(body) for _, _, body in check_rows.wraps(db, space)]
    if not any(box.to[1] == mine for wrap in wraps for box in wrap.boxes):
        yield "this device's own box key is damaged"


def requests(session: Session) -> Iterator[str]:
    """Requests noted against the signed events that carry them."""
    noted = check_rows.used(session.db)
    # One request may have signed in several spaces, and of another device's the first event that came is noted.
    told: dict[str, set[tuple[Any, Any]]] = {}
    for asked in check_rows.asked(session.db):
        told.setdefault(asked.id, set()).add((asked.fingerprint, asked.event))
    for id_, said in told.items():
        known = noted.get(id_)
        if known is None or said.isdisjoint({(known.fingerprint, event) for event in known.events}):
            yield f"the request {id_} is noted wrongly"
    held = check_rows.all_ids(session.db) if noted else set[str]()
    for row in noted.values():
        # What a device made that was revoked since is listed nowhere any more, whoever changed it; its event stays.
        is_here = row.subject.partition("-")[2] in held or check_rows.is_known(session.db, row.subject)
        if not held.issuperset(row.events) or not is_here:
            yield f"what the request {row.id} did is noted wrongly"


def people(session: Session) -> Iterator[str]:
    """Everybody's name against what they said of themselves; skills against a fold."""
    claims = check_rows.claims(session.db)
    known = {row.identity: row.claim for row in check_rows.people(session.db)}
    for identity in claims.keys() - known.keys():
        yield f"the name of {public('id', text(identity))} is missing"
    for identity, claim in known.items():
        said = claims.get(identity, [])
        mails = {one.email for one in said} | {None}
        times = {one.at for one in said}
        if (
            not any(one[:3] == claim[:3] and one.dealt == claim.dealt for one in said)
            or claim.email not in mails
            or claim.at not in times
            or claim.dealt != any(one.dealt for one in said)
        ):
            yield f"the name of {public('id', text(identity))} is not one they gave"
    if check_rows.skills_differ(session.db):
        yield "the table skill does not agree with the events"


def files(session: Session) -> list[bytes]:
    """The addresses of the attachments that events name and that are here."""
    replica = HomeReplica(session)
    return sorted({one for info in replica.spaces() for one in replica.objects_of(info.id)})


def is_sound(session: Session, address: bytes) -> bool:
    """Whether an attachment's content is what it is named by."""
    return attachments.address(HomeReplica(session).read_object(address) or ()) == address


def _device(key: bytes) -> str:
    return public("dev", text(key))
