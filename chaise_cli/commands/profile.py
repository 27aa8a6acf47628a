"""`chaise profile`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands import links, skills, texts
from chaise_cli.commands.arguments import ZoneOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import directory, money
from chaise_cli.domain import handle as handles
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import choosing, finding, portraits

app = typer.Typer(**PLAIN)
BIO_LIMIT: Final = 48 * 1024  # bytes; the event takes 32,000 characters
NAME_LIMIT: Final = 64
_PUBLISHING: Final = "chaise_cli.session.profiles"  # with ciphers, which a look at a profile does without
PER: Final = ("hour", "day", "project")
ROLES: Final = ("client", "talent")


class BadRate(Usage):
    """A rate is not written as AMOUNT/UNIT."""

    code = "usage.bad_rate"
    message = "{given!r} is not a rate"
    hint = "write 80EUR/hour, 600EUR/day or 5000EUR/project"
    given: str


class OthersProfile(Usage):
    """Somebody else's profile can be looked at, not changed."""

    code = "usage.others_profile"
    message = "only {who} can change that profile"
    hint = "chaise profile {who} shows it; without a name your own is changed"
    who: str


@verb(app, "profile", writes=True)
def profile(
    call: Call,
    who: Annotated[str | None, typer.Argument(help="Whose; else your own.", metavar="[@PERSON]")] = None,
    headline: Annotated[str | None, typer.Option(help="One line on what you do.", metavar="TEXT")] = None,
    bio: Annotated[str | None, typer.Option(help="More about you; - reads stdin.", metavar="TEXT")] = None,
    bio_file: Annotated[Path | None, typer.Option(help="Read it from here.", metavar="FILE")] = None,
    skill: Annotated[list[str] | None, typer.Option(help="All of yours; repeat it.", metavar="SKILL")] = None,
    rate: Annotated[list[str] | None, typer.Option(help="As 80EUR/hour; repeat it.", metavar="RATE")] = None,
    location: Annotated[str | None, typer.Option(help="Where you work.", metavar="TEXT")] = None,
    link: Annotated[list[str] | None, typer.Option(help="To your work; repeat it.", metavar="URL")] = None,
    tz: ZoneOption = None,
    name: Annotated[str | None, typer.Option(help="Your name.", metavar="NAME")] = None,
    handle: Annotated[str | None, typer.Option(help="What others type for you.", metavar="NAME")] = None,
    role: Annotated[str | None, typer.Option(help="client or talent.", metavar="ROLE")] = None,
    email: Annotated[str | None, typer.Option(help="Shown in deals, never on a board.", metavar="ADDRESS")] = None,
    currency: Annotated[str | None, typer.Option(parser=money.currency, help="For amounts without one.")] = None,
    board: Annotated[str | None, typer.Option(help="Publish on this board only.", metavar="BOARD")] = None,
) -> Result:
    """Show or publish who you are."""
    source = texts.TextSource(bio, bio_file, "--bio or --bio-file")
    given = {
        "headline": _line(headline, "the headline"),
        "bio": texts.text(source, BIO_LIMIT),
        "skills": skill and tuple(skills.skills(_all(skill))),
        "rates": rate and tuple(map(_rate, _all(rate))),
        "location": _line(location, "the location"),
        "links": link and tuple(map(links.web_link, _all(link))),
        "tz": tz,
        "name": name and texts.one_line(name, "the name", NAME_LIMIT),
        "handle": handle and handles.read(handle),
        "role": role and choosing.one_of(role, ROLES, "--role"),
        "email": email,
        "currency": currency,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if who is not None and changes:
        raise OthersProfile(who=who[:60])
    looks = not changes and board is None
    with call.session(reads=looks) as session:
        if who is not None:
            return call.result(portraits.of(session, finding.person(session, who)))
        if looks:
            return call.result(portraits.of(session, session.me.identity))
        profiles: Any = import_module(_PUBLISHING)
        done = profiles.publish(session, changes, board, call.request(board=board, **changes))
        return call.result(done.profile, events=done.events, replayed=done.replayed, next=unsent(session))


def _line(given: str | None, where: str) -> str | None:
    """One line; an empty one takes away what was there."""
    return given and texts.one_line(given, where)


def _all(given: list[str]) -> list[str]:
    """What was listed; a single empty one takes away what was there."""
    return [] if given == [""] else given


def _rate(given: str) -> directory.Rate:
    amount, slash, per = given.rpartition("/")
    if not slash or per not in PER:
        raise BadRate(given=given[:40])
    price = money.parse(amount)
    return directory.Rate(price.minor, price.currency, per)
