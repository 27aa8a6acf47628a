"""A deal as this Chaise folds it, from segments and its epoch secret, told as the vectors tell it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain import kinds
from chaise_cli.domain.deal import Deal
from chaise_cli.domain.escrow import reserved
from chaise_cli.ids import SpaceId, text
from chaise_cli.ledger import clear
from chaise_cli.ledger.segment import Segment
from chaise_cli.session.admission import Admission
from chaise_cli.session.session import Session
from chaise_cli.store import deal_states, events
from tests.fakes import homes


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@cache
def _home() -> tuple[homes.homes.Home, Path]:
    """One home that watches deals of others; it is not of them, and its own key is in none."""
    folder = Path(_folder().name)
    folder.chmod(0o700)
    session = homes.found(folder, "watcher", "client")
    session.close()
    return session.home, folder / "watcher.key"


@contextmanager
def _watching() -> Iterator[Session]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", _folder().name)  # where an opened home's key is kept
        home, key = _home()
        session = homes.reopen(home, key)
        try:
            yield session
        finally:
            session.close()


def folded(space: bytes, runs: Sequence[Segment], secret: bytes) -> dict[str, Any]:
    """What the deal comes to: the agent's line, place and verdict of each sealed event, states and money."""
    with _watching() as session:
        session.dry_run = True  # leaves the watcher's home as it was
        with session.writing():
            hold(session, space, runs, secret)
            Admission(session, SpaceId(text(space))).run(runs)
            return told(session, SpaceId(text(space)))


def hold(session: Session, space: bytes, runs: Sequence[Segment], secret: bytes) -> None:
    """Hold the space as though a wrap had opened: vectors carry the secret in clear."""
    first = next(run for run in runs if run.first_seq == 0 and run.events[0].suite == 0)
    creator = clear.read_genesis(first.events[0].body).creator
    held = events.add_space(session.db, SpaceId(text(space)), "deal", creator, first.device)
    session.epochs.add(held, secret)


def told(session: Session, space: SpaceId) -> dict[str, Any]:
    """What a home makes of a deal, as the vectors tell it."""
    no = homes.space_no(session, space)
    found = deal_states.load(session.db, no)
    if found is None:
        return {"opened": False}
    query = (
        "SELECT c.device, e.seq, e.id, e.kind, e.uptake, e.void FROM event e JOIN chain c ON c.no = e.chain"
        " WHERE c.space = ? AND e.suite = 1 ORDER BY c.device, e.seq, e.id"
    )
    rows = session.db.execute(query, (no,)).fetchall()
    verdicts = [[text(id_), uptake if _guarded(kind) else None, void or "ok"] for _, _, id_, kind, uptake, void in rows]
    deal = found.now.deal
    money = [_milestone(deal, n) for n in range(len(deal.milestones))]
    return {
        "opened": True,
        "agent": text(found.agent),
        "line": found.line,
        "contested": deal.contested,
        "events": verdicts,
        "state": deal.state,
        "milestones": money,
    }


def _guarded(kind: str | None) -> bool:
    return kind in kinds.KINDS and kinds.KINDS[kind].order == "guarded"


def _milestone(deal: Deal, index: int) -> dict[str, Any]:
    ms = deal.milestones[index]
    amounts = {"funded": ms.funded, "released": ms.released, "refunded": ms.refunded, "held": ms.held}
    waits = reserved(deal, ms, "release") + reserved(deal, ms, "refund")
    return {
        "state": ms.state,
        **amounts,
        "reserved": waits,
        "paid": ms.paid_out,
        "reversed": ms.reversed,
        "owed": ms.payable,
    }
