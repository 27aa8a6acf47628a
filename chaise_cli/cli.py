"""The command line: a table of verbs, loaded when used, and the one place where failures become exit statuses."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

gc.disable()  # while modules are loaded: the collector would walk them all, a twentieth of a command's start

from chaise_cli.postponed import postponed

with postponed(["subprocess"]):  # which Typer has for `launch` alone
    import typer
    import typer.core
    import typer.main

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Usage
from chaise_cli.render.emit import OutputOptions, emit_error

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG: Final = "chaise help PANEL · chaise help VERB · chaise help exit-codes"
INTERRUPTED: Final = 130
COLLECTED: Final = 20_000  # new objects between two rounds of the collector: hardly any go round in circles
USUAL: Final = "inbox"  # the verb when none is named
_VALUED: Final = ("--home", "--key-file")  # the common options whose value is the next word; a test compares


class Verb(NamedTuple):
    """One row of the command table; the module is chaise_cli.commands.NAME with `-` and spaces as `_`."""

    panel: str
    line: str
    group: bool = False
    parts: tuple[str, ...] = ()  # modules that bring verbs of a group which are large enough to stand alone


VERBS: Final[dict[str, Verb]] = {
    "init": Verb("Start", "Make a home: your identity, keys and encrypted store."),
    "whoami": Verb("Start", "Show whose home this is."),
    "unlock": Verb("Start", "Open the home for some hours."),
    "lock": Verb("Start", "Forget the unlocked key."),
    "doctor": Verb("Start", "Check this installation and say what to mend."),
    "help": Verb("Start", "Explain a panel, a verb, an exit status or an error code."),
    "board": Verb("Board", "Create a board, join one, or invite to it.", group=True),
    "boards": Verb("Board", "List the boards you are on."),
    "profile": Verb("Board", "Show or publish who you are."),
    "service": Verb("Board", "Publish, revise or close a service."),
    "services": Verb("Board", "List services on your boards."),
    "talents": Verb("Board", "List talents on your boards."),
    "post": Verb("Board", "Post a project, or revise one with --edit."),
    "posts": Verb("Board", "List projects on your boards."),
    "close": Verb("Board", "Close a post of yours."),
    "invite": Verb("Hire", "Ask a talent for a proposal on your post."),
    "propose": Verb("Hire", "Propose for a post, or revise your proposal."),
    "deals": Verb("Hire", "List deals, or compare the proposals for a post."),
    "shortlist": Verb("Hire", "Mark a proposal as one of the best."),
    "decline": Verb("Hire", "Say no to a proposal, terms, a call or a cancel request."),
    "withdraw": Verb("Hire", "Take back your own proposal, terms, offer or request."),
    "message": Verb("Hire", "Write to the other side."),
    "messages": Verb("Hire", "Read a conversation."),
    "availability": Verb("Hire", "Say when you take calls, and tell others your free times."),
    "book": Verb("Hire", "Offer times for a call, or another time."),
    "bookings": Verb("Hire", "List calls, or write them as a calendar file."),
    "calendar": Verb(
        "Hire",
        "Read your busy time from other calendars, and copy your calls to one.",
        group=True,
        parts=("calendar_busy", "calendar_push"),
    ),
    "calendars": Verb("Hire", "List the calendars your busy time is read from, or calls are pushed to."),
    "hire": Verb("Hire", "Send the terms of a deal."),
    "accept": Verb("Hire", "Accept terms, a time for a call, or a cancel request."),
    "cancel": Verb("Hire", "Cancel a confirmed call or an undelivered milestone."),
    "update": Verb("Deliver", "Tell the client how the work goes."),
    "deliver": Verb("Deliver", "Deliver a milestone: files, a note, or both."),
    "changes": Verb("Deliver", "Ask for changes to a delivery."),
    "files": Verb("Deliver", "List the files of a deal, and fetch them."),
    "fund": Verb("Money", "Put the money of a milestone into escrow."),
    "release": Verb("Money", "Release held money to the talent."),
    "refund": Verb("Money", "Give held money back to the client."),
    "balance": Verb("Money", "Sum up what is held, released and refunded."),
    "journal": Verb("Money", "Print the book: every movement of money."),
    "rail": Verb(
        "Money",
        "List what a person must still pay, say it was paid, compare with statements.",
        group=True,
        parts=("rail_sim",),
    ),
    "policy": Verb("Money", "Check, try out and explain release policies.", group=True),
    "grant": Verb("Money", "Hand out a key for automation, approve its runs, or revoke it.", group=True),
    "grants": Verb("Money", "List the keys handed out for automation."),
    "review": Verb("Review", "Review the other side once money has moved."),
    "reviews": Verb("Review", "List reviews of a person or a deal."),
    "inbox": Verb("Look", "Show what waits for you."),
    "show": Verb("Look", "Show anything by its id."),
    "log": Verb("Look", "List the signed events of a deal or board."),
    "agenda": Verb("Look", "List deadlines and calls by date."),
    "wait": Verb("Look", "Wait until something reaches a state."),
    "sync": Verb("Sync", "Exchange events with your places."),
    "peers": Verb("Sync", "List the places you sync with."),
    "peer": Verb(
        "Sync", "Add a place to sync with, forget one, or serve your home.", group=True, parts=("peer_serve",)
    ),
    "relay": Verb("Sync", "Run a relay, or invite to one.", group=True),
    "devices": Verb("Sync", "List your devices."),
    "device": Verb("Sync", "Let a device in, rename, renew or revoke one.", group=True),
    "agent": Verb("Sync", "Hold money for others; choose which device or history puts deals in order.", group=True),
    "verify": Verb("Care", "Check every hash, signature and balance."),
    "backup": Verb("Care", "Write everything into one encrypted file, or check one."),
    "restore": Verb("Care", "Make a home from a backup."),
    "batch": Verb("Care", "Run many commands from standard input."),
    "schema": Verb("Care", "Print the JSON Schema of a result."),
    "completion": Verb("Care", "Print a completion script for your shell."),
}


def app_of(name: str) -> typer.Typer:
    """A verb's Typer application, loaded; of a group with all its verbs."""
    module: Any = import_module(f"chaise_cli.commands.{name}")
    app: typer.Typer = module.app
    for part in VERBS[name].parts:
        brought: Any = import_module(f"chaise_cli.commands.{part}")
        held = app.registered_commands
        held += [command for command in brought.app.registered_commands if command not in held]
    return app


@cache
def command_of(name: str) -> Any:
    """A verb's Typer command, built once: it keeps nothing of a run, and a batch runs the same verb many times."""
    loaded = app_of(name)
    collect()
    return typer.main.get_command(loaded)


def collect() -> None:
    """Let the garbage collector work from here on, seldom, and never on what is loaded by now, which stays."""
    gc.freeze()
    gc.set_threshold(COLLECTED)
    gc.enable()


class NoSuchCommand(Usage):
    """A mistyped verb."""

    code = "usage.unknown_command"
    message = "there is no command {given!r}"
    hint = "chaise --help lists them"
    given: str


class BadCall(Usage):
    """The command line does not fit the command."""

    code = "usage.bad_call"
    message = "{why}"
    hint = "{help}"
    why: str
    help: str


class Bug(ChaiseError):
    """Something that must not happen."""

    code = "bug.unexpected"
    message = "a bug in Chaise: {what}"
    hint = "please report it with the command you typed; nothing was half done"
    what: str


class Verbs(typer.core.TyperGroup):
    """The table as a group: a module is imported when its verb is called, none while help is printed."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """Names in table order."""
        return list(VERBS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """The verb's Typer command."""
        return command_of(cmd_name) if cmd_name in VERBS else None

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """The panels, names only."""
        panels: dict[str, list[str]] = {}
        for name, row in VERBS.items():
            panels.setdefault(row.panel, []).append(name)
        with formatter.section("Commands"):
            formatter.write_dl([(panel, " ".join(names)) for panel, names in panels.items()])


app = typer.Typer(
    cls=Verbs,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    invoke_without_command=True,
    epilog=EPILOG,
    help="Chaise: hire and be hired from the shell, with a signed ledger on both sides.",
)


@app.callback()
def _root(ctx: typer.Context) -> None:
    """Chaise: hire and be hired from the shell, with a signed ledger on both sides."""


def main(argv: Sequence[str] | None = None) -> None:
    """The console script: run one command and exit with its status."""
    os.umask(0o077)
    _open_closed()
    try:
        status = run(list(sys.argv[1:] if argv is None else argv))
    except BrokenPipeError:  # whoever read our output has seen enough; what was to be done is done
        status = 0
    with suppress(OSError):  # told already where it matters
        sys.stdout.flush()
    os._exit(status)  # all is closed and written; to take three hundred modules apart is a thirtieth of a start


def _open_closed() -> None:
    """Standard streams that the caller closed lead to nowhere, lest a file of ours, the store even, takes their place.

    From the lowest on, as the system hands out the lowest number that is free.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
            if nowhere != number:
                os.dup2(nowhere, number)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))


def run(argv: list[str]) -> int:
    """Run one command and return its exit status; whatever fails is printed as text or as the error object."""
    try:
        return dispatch(with_verb(argv))
    except ChaiseError as error:
        return emit_error(error, _options(argv))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("CHAISE_DEBUG"):
            raise
        return emit_error(Bug(what=f"{type(error).__name__}"), _options(argv))


def with_verb(argv: list[str]) -> list[str]:
    """The command line with the usual verb in front where it names none: it is empty, or all of it are options.

    Never in front of a word, which may be a mistyped verb. Options before the verb go behind it.
    """
    pairs = zip(["", *argv], argv, strict=False)
    first = next((at for at, (before, word) in enumerate(pairs) if _is_word(before, word)), None)
    if first is None:
        return argv if any(word in ("--help", "--version", "-V") for word in argv) else [USUAL, *argv]
    row = VERBS.get(argv[first])
    if row is None or "--help" in argv[:first] or "--" in argv[:first]:
        return argv
    rest = first + 1 + (row.group and first + 1 < len(argv))  # a group's own verb comes along
    return [*argv[first:rest], *argv[:first], *argv[rest:]]


def _words(argv: Sequence[str]) -> list[str]:
    """What is neither an option nor the value of a common one; the first of them is meant to be the verb."""
    pairs = zip(["", *argv], argv, strict=False)
    return [word for before, word in pairs if _is_word(before, word)]


def _is_word(before: str, word: str) -> bool:
    return not word.startswith("-") and before not in _VALUED


def dispatch(argv: list[str]) -> int:
    """Run one command; raises our own errors. `batch` runs its lines through this."""
    if argv[0] in ("--version", "-V"):
        sys.stdout.write(f"chaise {_version()}\n")
        return 0
    try:
        outcome = _program()(argv, standalone_mode=False, prog_name="chaise")
    except ChaiseError:
        raise
    except SystemExit as error:  # what typer makes of a broken pipe, and of nothing else when not standing alone
        raise BrokenPipeError from error
    except Exception as error:
        status, explain = getattr(error, "exit_code", None), getattr(error, "format_message", None)
        if status is None:
            raise
        if explain is None:
            return int(status)
        raise _usage(argv, explain()) from error
    return outcome if isinstance(outcome, int) else 0


@cache
def _program() -> Any:
    """The table as a command. Called itself: the application builds it anew each time, and changes `sys.excepthook`."""
    return typer.main.get_command(app)


def _usage(argv: list[str], why: str) -> Usage:
    name = next(iter(_words(argv)), "")
    if name and name not in VERBS:
        return NoSuchCommand(given=name[:40])
    return BadCall(why=why, help=f"chaise help {name}" if name else "chaise --help")


def _options(argv: list[str]) -> OutputOptions:
    return OutputOptions("json" if "--json" in argv or "--jsonl" in argv else "human")


def _version() -> str:
    module: Any = import_module("chaise_cli")
    return str(module.__version__)
