"""Saying something to the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.talk import MessageSent
from chaise_cli.ids import public
from chaise_cli.session import acting, files, meeting, requests

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chaise_cli.session.acting import Done
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


def message(session: Session, asked: Request | None, what: Named, text: str, paths: Sequence[Path]) -> Done:
    """Say something to the other side, with files beside it."""
    if requests.replayed(session, asked):
        paths = ()  # the answer is what was sent then
    enter = meeting.reach(session, what)
    body = MessageSent(text, files.attach(session, paths))
    return acting.act(session, asked, enter, lambda _w: [body], lambda _w, written: public("msg", written[-1]))
