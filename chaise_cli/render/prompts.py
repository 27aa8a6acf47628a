"""Questions to the person at the terminal: on stderr, answered on stdin, never asked of a script.

A question is put only when stdin and stderr are terminals and `--no-input` was not given; otherwise the
error names the flag that answers it. Every question has such a flag.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaise_cli.errors import Usage
from chaise_cli.render.terminal import put, safe

if TYPE_CHECKING:
    from chaise_cli.render.emit import OutputOptions


class NeedsInput(Usage):
    """Something has to be said that nobody is here to be asked for."""

    code = "usage.needs_input"
    message = "{what} is missing, and there is no terminal to ask at"
    hint = "give {flag}"
    what: str
    flag: str


class NotConfirmed(Usage):
    """The person said no, or nothing."""

    code = "usage.not_confirmed"
    message = "nothing was done"


def may_ask(options: OutputOptions) -> bool:
    """Whether a question would reach a person."""
    return not options.no_input and sys.stdin.isatty() and sys.stderr.isatty()


def ask(what: str, flag: str, options: OutputOptions, *, default: str = "") -> str:
    """The answer to "what?"; an empty one is the default. Raises NeedsInput, and NotConfirmed at end of input."""
    _require(what, flag, options)
    shown = f" [{safe(default)}]" if default else ""
    return _answer(f"{safe(what)}{shown}: ") or default


def choose(what: str, choices: Sequence[str], flag: str, options: OutputOptions) -> int:
    """The place, from 0, of the choice a person picked by its number. Raises NeedsInput, NotConfirmed."""
    _require(what, flag, options)
    for number, choice in enumerate(choices, 1):
        put(sys.stderr, f"  {number}  {safe(choice)}\n")
    while True:
        answer = _answer(f"{safe(what)} (1 to {len(choices)}): ")
        if answer in {str(number) for number in range(1, len(choices) + 1)}:
            return int(answer) - 1
        if not answer:
            raise NotConfirmed


def confirm(question: str, flag: str, options: OutputOptions) -> None:
    """Return when the person says yes; only `y` and `yes` are a yes. Raises NotConfirmed, NeedsInput."""
    _require("a confirmation", flag, options)
    if _answer(f"{safe(question)} [y/N] ").lower() not in ("y", "yes"):
        raise NotConfirmed


def secret(what: str, flag: str, options: OutputOptions) -> str:
    """A passphrase or code, typed unseen. Raises NeedsInput, and NotConfirmed at end of input."""
    _require(what, flag, options)
    try:
        getpass: Any = import_module("getpass")  # an unlocked home asks for nothing
        said: str = getpass.getpass(f"{safe(what)}: ", stream=sys.stderr)
    except EOFError as error:
        raise NotConfirmed from error
    return said


def _require(what: str, flag: str, options: OutputOptions) -> None:
    if not may_ask(options):
        raise NeedsInput(what=what, flag=flag)


def _answer(prompt: str) -> str:
    put(sys.stderr, prompt)  # not input(), which would prompt on stdout
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        put(sys.stderr, "\n")
        raise NotConfirmed
    return line.strip()
