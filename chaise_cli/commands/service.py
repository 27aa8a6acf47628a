"""`chaise service`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chaise_cli.commands import skills, texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import directory, money
from chaise_cli.domain.money import Money
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import finding, posting

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
TITLE_LIMIT: Final = 120
KIND_LIMIT: Final = 40
DESCRIPTION_LIMIT: Final = 48 * 1024  # bytes; the event takes 32,000 characters
DAYS_MOST: Final = 3650
_EMPTY: Final[dict[str, Any]] = {"category": "", "description": "", "price": None, "days": None, "skills": ()}


class EditOrClose(Usage):
    """A service is revised or closed, not both, and a closed one takes no new content."""

    code = "usage.edit_or_close"
    message = "--close stands alone"
    hint = "chaise service --close SVC, or chaise service --edit SVC with what changes"


@verb(app, "service", writes=True)
def service(
    call: Call,
    title: Annotated[str | None, typer.Argument(help="What you offer.", metavar="TITLE")] = None,
    edit: Annotated[
        str | None, typer.Option(help="Revise this service; what is not given stays.", metavar="SVC")
    ] = None,
    close: Annotated[str | None, typer.Option(help="Stop offering this service.", metavar="SVC")] = None,
    kind: Annotated[str | None, typer.Option(help="Of the work, as design.", metavar="WORD")] = None,
    price: Annotated[Money | None, typer.Option(parser=money.parse, help="As 400EUR.", metavar="AMOUNT")] = None,
    days: Annotated[int | None, typer.Option(help="How long it takes.", min=1, max=DAYS_MOST, metavar="N")] = None,
    skill: Annotated[list[str] | None, typer.Option(help="Repeat it for more.", metavar="SKILL")] = None,
    description: Annotated[str | None, typer.Option(help="What one gets; - reads stdin.", metavar="TEXT")] = None,
    description_file: Annotated[Path | None, typer.Option(help="Read it from here.", metavar="FILE")] = None,
    board: Annotated[str | None, typer.Option(help="Where, by name or id.", metavar="BOARD")] = None,
) -> Result:
    """Publish, revise or close a service."""
    source = texts.TextSource(description, description_file, "--description or --description-file")
    given = {
        "title": title and texts.one_line(title, "the title", TITLE_LIMIT),
        "category": kind and texts.one_line(kind, "the kind", KIND_LIMIT),
        "description": texts.text(source, DESCRIPTION_LIMIT),
        "price": posting.price(price),
        "days": days,
        "skills": skill and tuple(skills.skills(skill)),
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if close is not None and (edit is not None or changes):
        raise EditOrClose
    with call.session() as session:
        done = _act(call, session, edit, close, changes, board)
        return call.result(done.object, events=done.events, replayed=done.replayed, next=unsent(session))


def _act(
    call: Call, session: Session, edit: str | None, close: str | None, changes: dict[str, Any], board: str | None
) -> posting.Done:
    request = call.request(edit=edit, close=close, board=board, **changes)
    if close is not None:
        return posting.close(session, finding.find(session, close, "svc", exact=not call.asks), request)
    if edit is not None:
        return posting.revise(session, finding.find(session, edit, "svc", exact=not call.asks), changes, request)
    if "title" not in changes:
        raise texts.Missing(flags="a title: chaise service TITLE")
    return posting.publish(session, directory.ServicePublished(**{**_EMPTY, **changes}), board, request)
