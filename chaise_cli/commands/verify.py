"""`chaise verify`."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Corrupt, Usage
from chaise_cli.render.progress import progress
from chaise_cli.result import Result
from chaise_cli.session import checking

if TYPE_CHECKING:
    from chaise_cli.session.checking import Checked, Part

app = typer.Typer(**PLAIN)


class NotVerified(Corrupt):
    """Something in this home does not hold."""

    code = "verify.failed"
    message = "{count} of the things checked do not hold; the first: {first}"
    hint = "keep a copy of the home; chaise verify --repair --from PLACE mends what a place of yours holds intact"
    count: int
    first: str


class NoSuchShare(Usage):
    """What stands behind --subset is no share."""

    code = "verify.no_such_share"
    message = "{given!r} is no share"
    hint = "a share is n/t, as 2/7 for the second of seven; t is at most 1000"
    given: str


class RepairOnly(Usage):
    """--from without a repair, or a repair of a share."""

    code = "verify.repair_only"
    message = "--from goes with --repair, and a repair looks at everything"
    hint = "chaise verify --repair --from PLACE"


@verb(app, "verify")
def verify(
    call: Call,
    subset: Annotated[str | None, typer.Option("--subset", help="Look at share n of t only.", metavar="n/t")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is damaged.")] = False,
    from_: Annotated[
        str | None, typer.Option("--from", help="With --repair: a place that holds intact events.", metavar="PLACE")
    ] = None,
) -> Result:
    """Check every hash, signature and balance."""
    if (from_ is not None and not repair) or (subset is not None and repair):
        raise RepairOnly
    part = _part(subset) if subset is not None else checking.WHOLE
    with progress("verify", call.options) as bar:
        if not repair:
            with call.session() as session:
                return _result(call, checking.verify(session, bar.step, part), subset)
        repairing: Any = import_module("chaise_cli.session.repairing")  # it loads what syncs
        with call.session() as session:
            done = repairing.repair(session, from_, bar.step)
    return _result(call, done.checked, None, done.notes)


def _part(given: str) -> Part:
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", given)
    part = checking.Part(int(found[1]), int(found[2])) if found else checking.Part(0, 0)
    if not 1 <= part.n <= part.of <= checking.PARTS_MOST:
        raise NoSuchShare(given=given[:40])
    return part


def _result(call: Call, found: Checked, subset: str | None, notes: list[str] | None = None) -> Result:
    data = {**found._asdict(), "subset": subset}
    failure = NotVerified(count=len(found.problems), first=found.problems[0]) if found.problems else None
    return call.result(data, error=failure, warnings=notes or ())
