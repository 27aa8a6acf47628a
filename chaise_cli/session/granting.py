"""`grant create`, `grant revoke`, `grant approve`, `grants`: keys for automation, handed out and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import boxes, signing
from chaise_cli.domain import grants
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.escrow import OtherCurrency
from chaise_cli.domain.grant import GrantCreated
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.transitions import WrongState
from chaise_cli.errors import Refused
from chaise_cli.ids import DeviceId, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import acting, finding, grantfile, rekeying, showing, showing_grants
from chaise_cli.session import home as homes
from chaise_cli.session.acting import Done
from chaise_cli.store import own, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.grant import Scope
    from chaise_cli.domain.money import Money
    from chaise_cli.ids import EventId, SpaceId
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session

READS: Final = "whoever has {path} reads all of {deal}, also what was said before"
PROVES_NOTHING: Final = (
    "this grant asks for no approval, delivery or policy: whoever has {path} moves {max} by it, unasked"
)
NOWHERE: Final = "no place carries {deal} yet, so a run would find nothing: chaise sync WHERE, then make the grant anew"


class NotAdmin(Refused):
    """A device without an admin certificate certifies nothing."""

    code = "grant.not_admin"
    message = "this device may not hand out grants"
    hint = "make it on a device that may certify: chaise devices"


class Plan(NamedTuple):
    """A grant as asked for. Amounts stand in the scope already, in the deal's currency."""

    deal: SpaceId
    name: str
    scope: Scope
    path: Path


def check_currency(session: Session, space: SpaceId, amounts: Sequence[Money]) -> None:
    """Return only if these amounts are in the deal's currency. Raises OtherCurrency, WrongState before the terms."""
    deal = showing.state_of(session, space).deal
    if deal.terms is None:
        raise WrongState(act="grant create", of=deal.public, state=deal.state)
    for amount in amounts:
        if amount.currency != deal.agreed.currency:
            raise OtherCurrency(milestone=deal.public, currency=deal.agreed.currency)


def create(session: Session, plan: Plan, asked: Request | None) -> Done:
    """Hand out a key, encrypt the deal to it, and write its file.

    Raises NotAdmin, FileExists, NoFolder, and what `grants.create` raises; then there is no file.
    """
    if not session.dry_run:
        grantfile.reserve(plan.path)
    try:
        with session.writing():
            done = _create(session, plan, asked)
    except BaseException:
        if not session.dry_run:
            grantfile.drop(plan.path)
        raise
    if done.replayed and not session.dry_run:
        grantfile.drop(plan.path)
    return done


def _create(session: Session, plan: Plan, asked: Request | None) -> Done:
    made: list[EventId] = []

    def hand_out(deal: DealWriter) -> None:
        made.append(_hand_out(session, deal, plan, asked))

    deal, events, _ = acting.once(session, asked, plan.deal, hand_out)
    state, path = deal.state, str(plan.path)
    if not made:  # it was done before; whose file that was, nobody can say again
        found = [one for one in state.deal.grants.values() if one.by == session.me.identity and one.name == plan.name]
        return Done(showing_grants.grant(session, plan.deal, found[-1].id), "grant", events, replayed=True)
    shape = showing_grants.grant(session, plan.deal, made[0]) | {"file": path}
    warnings = [READS.format(path=path, deal=state.deal.public)]
    if plan.scope.proves_nothing:
        warnings.append(PROVES_NOTHING.format(path=path, max=shape["max"]["text"]))
    if not places.carrying(session.db, state.deal.board):
        warnings.append(NOWHERE.format(deal=state.deal.public))
    return Done(shape, "grant", events, next=acting.steps(session, state), warnings=warnings)


def _hand_out(session: Session, deal: DealWriter, plan: Plan, asked: Request | None) -> EventId:
    """Write the grant, wrap the deal to it, and its file; all is undone together."""
    above = own.certificates(session.db)
    first: Any = above[0]
    if first["kind"] != "admin":
        raise NotAdmin
    seed, box = signing.generate_seed(session.random), boxes.BoxKey(session.random(boxes.SEED_SIZE))
    key, me = DeviceId(text(signing.Ed25519Signer(seed).public)), session.me
    signer = signing.Ed25519Signer(own.device_seed(session.db, me.device))
    certified = certificate.issue(
        signer, "grant", me.identity, key, plan.name, session.clock.now(), plan.deal, plan.scope.until
    )
    body = GrantCreated(
        key, BoxKey(text(box.key_id), text(box.public)), plan.name, plan.scope,
        canonical.encode(certified.value()).decode(),
    )  # fmt: skip
    (*_, id_) = deal.write(grants.create(deal.state.deal, deal.by, body), asked)
    rekeying.introduce(session, deal.writer, deal.space, me.identity)
    if not session.dry_run:
        chain = certificate.check([certified.value(), *above])
        found = places.carrying(session.db, deal.state.deal.board)
        made = grantfile.GrantFile(id_, plan.deal, seed, box.seed, chain, found)
        homes.write_private(plan.path, grantfile.pack(made))
    return id_


def revoke(session: Session, id_: EventId, asked: Request | None) -> Done:
    """End a grant of one's own. Raises NoSuchGrant, NotYours, WrongState."""

    def do(deal: DealWriter) -> None:
        deal.write(grants.revoke(deal.state.deal, deal.by, id_), asked)

    return _about(session, id_, asked, do)


def approve(session: Session, id_: EventId, n: int | None, total: Money, asked: Request | None) -> Done:
    """Approve that the runs of a grant reach a total in a milestone, its own if it has one.

    Raises NoSuchGrant, NotYours, NoSuchMilestone, Unfit.
    """

    def do(deal: DealWriter) -> None:
        now = deal.state.deal
        number = n or grants.find(now, id_).scope.milestone
        if number is None:
            raise grants.Unfit(why="it is for every milestone; name one with --milestone")
        if total.currency != now.agreed.currency:
            raise grants.Unfit(why=f"the deal is in {now.agreed.currency}")
        deal.write(grants.approve(now, deal.by, id_, number, total.minor), asked)

    return _about(session, id_, asked, do)


def _about(session: Session, id_: EventId, asked: Request | None, do: Any) -> Done:
    space = finding.deal_of(session, finding.Named("grant", id_))
    with session.writing():
        deal, events, _ = acting.once(session, asked, space, do)
        return Done(
            showing_grants.grant(session, space, id_), "grant", events, replayed=not deal.writer.written,
            next=acting.steps(session, deal.state),
        )  # fmt: skip
