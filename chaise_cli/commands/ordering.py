"""How an order that moves money is carried out, alike for every verb that does: checked, confirmed, done, told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.commands import in_touch
from chaise_cli.commands.context import unsent
from chaise_cli.errors import Denied, RailDeclined, StillWaiting
from chaise_cli.render import prompts
from chaise_cli.session import escrow, finding, showing, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.commands.context import Call
    from chaise_cli.result import Result
    from chaise_cli.session.acting import Done
    from chaise_cli.session.escrow import Order
    from chaise_cli.session.session import Session


class OpDeclined(RailDeclined):
    """What was authorised ended without any money moving."""

    code = "op.declined"
    message = "{op} was declined, and no money moved"
    hint = "see why: chaise show {of}; then ask anew, or choose another way"
    op: str
    of: str


def carry_out(call: Call, session: Session, order: Order, given: str, question: str, wait: int | None = None) -> Result:
    """The result of an order. At a terminal, what it would move is confirmed first unless `--confirm` says so.

    given: the deal or milestone as typed; question: its first word, as in `Release 400.00 EUR to @james?`. wait: ms
    to stay until the money has moved. Raises what the order raises, and OpDeclined.
    """
    order = escrow.ordered(session, order, given, script=not call.asks)
    asks = call.asks and not call.dry_run and session.me.grant is None
    if order.confirm is None and asks and (text := escrow.preview(session, order)):
        prompts.confirm(f"{question} {text}?", "--confirm", call.options)
        order = order._replace(confirm=text)
    try:
        done = escrow.act(session, order)
    except (Denied, StillWaiting) as error:  # which bring what it was about as it stands
        return call.result(escrow.standing(session, order), error=error)
    late = None
    if wait is not None and not call.dry_run:
        late = _wait(call, session, done, wait / 1000)
        done = escrow.look(session, order, done)
    return call.result(**done.answer(unsent(session)), error=late)


def _wait(call: Call, session: Session, done: Done, seconds: float) -> waiting.NotYet | None:
    """Stay in touch with the places until every operation has moved; what is missing when the time is up."""
    data: Any = done.data
    items = data if isinstance(data, list) else [data]
    patience = waiting.Patience(seconds)
    with in_touch.kept_in_touch(call, session, stays=True) as tick:
        for item in items:
            if "op" in item and (late := _moved(session, item, patience, tick)):
                return late
    return None


def _moved(
    session: Session, item: Any, patience: waiting.Patience, tick: Callable[[], object]
) -> waiting.NotYet | None:
    named = finding.find(session, item["op"]["id"], "op")

    def look() -> tuple[str, dict[str, Any]]:
        with session.reading():
            shape, data = showing.named(session, named)
        if data["state"] == "declined":
            raise OpDeclined(op=item["op"]["id"], of=item["id"])
        return shape, data

    return waiting.wait(look, "moved", patience, tick)[2]
