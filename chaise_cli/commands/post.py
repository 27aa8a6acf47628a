"""`chaise post`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chaise_cli.commands import arguments, skills, texts
from chaise_cli.commands.arguments import BudgetOption, ZoneOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import directory, when
from chaise_cli.render.emit import note
from chaise_cli.result import Next, Result
from chaise_cli.session import finding, posting

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
TITLE_LIMIT: Final = 120
KIND_LIMIT: Final = 40
BRIEF_LIMIT: Final = 48 * 1024  # bytes; the event takes 32,000 characters


@verb(app, "post", writes=True)
def post(
    call: Call,
    title: Annotated[str | None, typer.Argument(help="What the project is called.", metavar="TITLE")] = None,
    edit: Annotated[str | None, typer.Option(help="Revise this post; what is not given stays.", metavar="POST")] = None,
    kind: Annotated[str | None, typer.Option(help="Of the work, as marketing.", metavar="WORD")] = None,
    skill: Annotated[list[str] | None, typer.Option(help="Wanted; repeat it for more.", metavar="SKILL")] = None,
    budget: BudgetOption = None,
    deadline: Annotated[str | None, typer.Option(help="A date runs to its end in --tz.", metavar="TIME")] = None,
    tz: ZoneOption = None,
    location: Annotated[str | None, typer.Option(help="A place, or remote.", metavar="TEXT")] = None,
    brief: Annotated[str | None, typer.Option(help="What is wanted; - reads stdin.", metavar="TEXT")] = None,
    brief_file: Annotated[Path | None, typer.Option(help="Read the brief from here.", metavar="FILE")] = None,
    board: Annotated[str | None, typer.Option(help="Where, by name or id.", metavar="BOARD")] = None,
) -> Result:
    """Post a project, or revise one with --edit."""
    may_ask = call.asks and edit is None
    source = texts.TextSource(brief, brief_file, "--brief or --brief-file", may_ask=may_ask)
    if title is None and edit is None:
        raise texts.Missing(flags="a title: chaise post TITLE")
    given: dict[str, Any] = {
        "title": title and texts.one_line(title, "the title", TITLE_LIMIT),
        "category": kind and texts.one_line(kind, "the kind", KIND_LIMIT),
        "skills": skill and tuple(skills.skills(skill)),
        "budget": posting.budget(budget),
        "location": location and texts.one_line(location, "the location"),
        "brief": texts.text(source, BRIEF_LIMIT),
        "tz": tz,
    }
    with call.session() as session:
        given["deadline"] = arguments.deadline(deadline, call.here(session, tz)) if deadline else None
        changes = {name: value for name, value in given.items() if value is not None}
        request = call.request(edit=edit, board=board, **changes)
        _echo(call, session, changes)
        if edit is not None:
            named = finding.find(session, edit, "post", exact=not call.asks)
            done = posting.revise(session, named, changes, request)
        else:
            done = posting.publish(session, _content(session, changes), board, request)
        steps = [Next("you", f"chaise deals {done.object['id']}"), *unsent(session)]
        return call.result(done.object, events=done.events, replayed=done.replayed, next=steps)


def _content(session: Session, given: dict[str, Any]) -> directory.PostPublished:
    empty = {"category": "", "skills": (), "budget": None, "deadline": None, "location": "", "brief": ""}
    return directory.PostPublished(**{**empty, "tz": session.me.settings.tz, **given})


def _echo(call: Call, session: Session, given: dict[str, Any]) -> None:
    """Say which instant a deadline is before it is signed."""
    if given.get("deadline") is not None:
        note(
            f"deadline: {when.deadline_text(given['deadline'], given.get('tz') or session.me.settings.tz)}",
            call.options,
        )
