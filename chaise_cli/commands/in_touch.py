"""Keeping in touch with the places while a verb waits. Not for verbs that do not wait: it starts threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaise_cli.session import sending

if TYPE_CHECKING:
    from chaise_cli.commands.context import Call
    from chaise_cli.session.session import Session


@contextmanager
def kept_in_touch(call: Call, session: Session, *, stays: bool) -> Iterator[Callable[[], None]]:
    """Ask the places now and, to stay, keep in touch: their news comes at once, and what is written here goes."""
    call.pull(session)
    if not (stays and sending.has_places(session)):
        yield nothing
        return
    watching: Any = import_module("chaise_cli.session.watching")
    with watching.watch(session) as watched:
        yield watched.tick


def nothing() -> None:
    """What is to be done between looks when nobody is asked."""
