"""How an order that moves money is carried out, alike for every verb that does: checked, confirmed, done, told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.commands.context import unsent
from chaise_cli.render import prompts
from chaise_cli.session import escrow

if TYPE_CHECKING:
    from chaise_cli.commands.context import Call
    from chaise_cli.result import Result
    from chaise_cli.session.escrow import Order
    from chaise_cli.session.session import Session


def carry_out(call: Call, session: Session, order: Order, given: str, question: str) -> Result:
    """The result of an order. At a terminal, what it would move is confirmed first unless `--confirm` says so.

    given: the deal or milestone as typed; question: its first word, as in `Release 400.00 EUR to @james?`.
    """
    order = escrow.ordered(session, order, given, script=not call.asks)
    if order.confirm is None and call.asks and not call.dry_run and (text := escrow.preview(session, order)):
        prompts.confirm(f"{question} {text}?", "--confirm", call.options)
        order = order._replace(confirm=text)
    done = escrow.act(session, order)
    return call.result(**done.answer(unsent(session)))
