"""Registering verbs: common options, one printed answer, one exit status. A verb's file adds only the verb.

`verb` turns a function `(call, …) -> Result` into a Typer command with the options of its family and prints
what it returns. The session is opened by the verb, with `call.session()`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands.context import SYNC, Call
from chaise_cli.errors import ChaiseError
from chaise_cli.render.emit import emit
from chaise_cli.result import Result, items

PLAIN: Final[dict[str, Any]] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "no_args_is_help": False,
}

_COMMON: Final = {
    "json_": Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")],
    "ids_": Annotated[bool, typer.Option("--ids", help="Print full ids only.")],
    "home": Annotated[Path | None, typer.Option("--home", help="Use this home.", metavar="DIR")],
    "key_file": Annotated[Path | None, typer.Option("--key-file", help="Open the home with this key.", metavar="PATH")],
    "no_input": Annotated[bool, typer.Option("--no-input", help="Never ask; fail instead.")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="No progress, notes or next steps.")],
    "color": Annotated[bool | None, typer.Option("--color/--no-color", help="Force colour on or off.")],
}
_LIST: Final = {
    "jsonl": Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")],
    "csv": Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")],
}
_WRITE: Final = {
    "sync_": Annotated[bool | None, typer.Option("--sync/--no-sync", help="Sync before and after, or not this once.")],
    "dry_run": Annotated[bool, typer.Option("--dry-run", help="Check and show everything, sign nothing.")],
    "request_id": Annotated[str | None, typer.Option("--request-id", help="Make a repeat harmless.", metavar="TEXT")],
}


def verb(app: typer.Typer, name: str, *, writes: bool = False, lists: bool = False) -> Callable[..., Any]:
    """Register a function `(call, …) -> Result` as the command `name` of `app`, with its family's options.

    name: as results call it, `board create` with its space; the command is its last word.
    """
    extra = _COMMON | (_LIST if lists else {}) | (_WRITE if writes else {})

    def register(function: Callable[..., Result | None]) -> Callable[..., Result | None]:
        def run(**given: Any) -> None:
            common = {key: given.pop(key) for key in extra}
            call = Call(name, common)
            try:
                result = function(call, **given)
            except ChaiseError as error:
                error.reader_tz = call.options.tz
                raise
            if result is not None:
                finish(call, result)

        run.__doc__ = function.__doc__
        run.__signature__ = _signature(function, extra)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in run.__signature__.parameters.values()}  # type: ignore[attr-defined]
        app.command(name.rpartition(" ")[2])(run)
        return function

    return register


def _signature(function: Callable[..., Any], extra: dict[str, Any]) -> inspect.Signature:
    """The function's own parameters but the call, then the common ones, all by keyword."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    defaults = {"color": None, "home": None, "key_file": None, "sync_": None, "request_id": None}
    common = [
        inspect.Parameter(key, keyword, annotation=hint, default=defaults.get(key, False))
        for key, hint in extra.items()
    ]
    return inspect.Signature([p.replace(kind=keyword) for p in own] + common)


def finish(call: Call, result: Result) -> None:
    """Print the result and leave with its exit status."""
    steps = [step for step in result.next if not (call.sent and step.command == SYNC)]
    warnings, error = (*call.warnings, *result.warnings), call.failure or result.error
    result = result._replace(warnings=warnings, next=steps, error=error)
    if call.dry_run and not any("would" in item for item in items(result)):
        # Money verbs say it in their objects. What would come next has not come, so nobody is told to do it.
        kinds = ", ".join(call.signed) or "nothing"
        result = result._replace(warnings=(*result.warnings, f"nothing was signed; it would be: {kinds}"), next=())
    status = emit(result, call.options)
    if status:
        raise typer.Exit(status)
