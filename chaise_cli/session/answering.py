"""Accepting, declining, withdrawing and cancelling: what each means for the kind of thing an id names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import cancellation
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import public
from chaise_cli.session import acting, calls, finding, hiring
from chaise_cli.session.choosing import NotForThis

if TYPE_CHECKING:
    from chaise_cli.domain.shape import Body
    from chaise_cli.session.acting import Done
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


class Answer(NamedTuple):
    """An answer and what goes with it; what does not belong to the kind of thing named stays None."""

    what: Named
    asked: Request | None = None
    reason: str | None = None
    terms_hash: str | None = None
    slot: int | None = None
    at: int | None = None
    allow_overlap: bool = False
    beyond_limits: bool = False
    strict_busy: bool = False
    on: tuple[int, ...] = ()


Act = Callable[["Session", Answer], "Done"]


def kind_of(what: Named) -> str:
    """deal, booking or milestone."""
    return "booking" if what.kind == "book" else "deal" if what.n is None else "milestone"


def name(session: Session, given: str, *, exact: bool) -> Named:
    """The deal, call or milestone that an id names. Raises what `finding.find` raises."""
    return finding.find(session, given, "deal", "book", exact=exact)


def answer(session: Session, verb: str, given: Answer) -> Done:
    """Carry out accept, decline, withdraw or cancel. Raises NotForThis, and what the rules refuse."""
    kind = kind_of(given.what)
    row = _TABLE.get((verb, kind))
    if row is None:
        raise NotForThis(verb=verb, given=_shown(given.what), why=_INSTEAD.get((verb, kind), "chaise help " + verb))
    act, options = row
    for field in _OPTIONS:
        if getattr(given, field) not in (None, False, ()) and field not in options:
            option = f"--{field.removesuffix('_hash').replace('_', '-')}"
            raise NotForThis(verb=f"{verb} {option}", given=_shown(given.what), why=f"leave {option} out")
    return act(session, given)


def _shown(what: Named) -> str:
    return public(what.kind, what.id) + (f"/{what.n}" if what.n is not None else "")


def _of_milestone(decide: Callable[..., list[Body]], *, with_reason: bool = False) -> Callable[[Session, Answer], Done]:
    def act(session: Session, given: Answer) -> Done:
        assert given.what.n is not None, "the table's kind is a milestone"
        n = given.what.n
        more: dict[str, Any] = {"reason": given.reason or ""} if with_reason else {}

        def bodies(w: DealWriter) -> list[Body]:
            return decide(w.state.deal, w.by, n, **more)

        enter = acting.in_deal(session, given.what.space)
        return acting.act(session, given.asked, enter, bodies, lambda w, _written: w.state.deal.ref(n))

    return act


def _accept_deal(session: Session, given: Answer) -> Done:
    return hiring.accept(session, given.asked, given.what.space, given.terms_hash)


def _accept_call(session: Session, given: Answer) -> Done:
    return calls.accept(
        session, given.asked, given.what.event, given.slot, given.at, overlap=given.allow_overlap,
        beyond_limits=given.beyond_limits, strict_busy=given.strict_busy,
    )  # fmt: skip


def _decline_deal(session: Session, given: Answer) -> Done:
    return hiring.decline(session, given.asked, given.what.space, given.reason or "")


def _decline_call(session: Session, given: Answer) -> Done:
    return calls.decline(session, given.asked, given.what.event, given.reason or "")


def _withdraw_deal(session: Session, given: Answer) -> Done:
    return hiring.withdraw(session, given.asked, given.what.space)


def _withdraw_call(session: Session, given: Answer) -> Done:
    return calls.withdraw(session, given.asked, given.what.event)


def _cancel_call(session: Session, given: Answer) -> Done:
    if given.on:
        return calls.skip(session, given.asked, given.what.event, given.on)
    return calls.cancel(session, given.asked, given.what.event, given.reason or "")


_OPTIONS: Final = ("reason", "terms_hash", "slot", "at", "allow_overlap", "beyond_limits", "strict_busy", "on")
_TABLE: Final[dict[tuple[str, str], tuple[Act, tuple[str, ...]]]] = {  # verb, kind → the act, its options
    ("accept", "deal"): (_accept_deal, ("terms_hash",)),
    ("accept", "booking"): (_accept_call, ("slot", "at", "allow_overlap", "beyond_limits", "strict_busy")),
    ("accept", "milestone"): (_of_milestone(cancellation.accept_cancel), ()),
    ("decline", "deal"): (_decline_deal, ("reason",)),
    ("decline", "booking"): (_decline_call, ("reason",)),
    ("decline", "milestone"): (_of_milestone(cancellation.decline_cancel), ()),
    ("withdraw", "deal"): (_withdraw_deal, ()),
    ("withdraw", "booking"): (_withdraw_call, ()),
    ("withdraw", "milestone"): (_of_milestone(cancellation.withdraw_cancel), ()),
    ("cancel", "booking"): (_cancel_call, ("reason", "on")),
    ("cancel", "milestone"): (_of_milestone(cancellation.cancel, with_reason=True), ("reason",)),
}
_INSTEAD: Final = {
    ("cancel", "deal"): "cancel a milestone, DEAL/1; before the hire: chaise decline DEAL, chaise withdraw DEAL"
}
