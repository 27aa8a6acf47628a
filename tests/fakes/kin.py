"""Several devices of one person, opened in this process: let in by a pairing, and what carries events among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chaise_cli.crypto import recovery
from chaise_cli.ids import DeviceId, EventId, SpaceId, raw, text
from chaise_cli.session import founding, joining, pairing, upkeep
from chaise_cli.session import home as home_files
from chaise_cli.session.session import Session
from chaise_cli.store import events, revocations
from tests.fakes import homes
from tests.fakes.homes import Hands


def join(session: Session, folder: Path, name: str, *, limited: bool = False, clock: Hands | None = None) -> Session:
    """A further device of somebody, which has met this one."""
    waiting = pairing.begin(session, name, limited=limited)
    asked = pairing.ask(waiting.code, name, homes.seeded(name))
    got = pairing.granted(asked, pairing.answer(session, waiting.mailbox, asked.message))
    plan = joining.Plan(home_files.Home(folder / name), founding.Secrets(None, folder / f"{name}.key"), name)
    made = joining.settle(plan, asked, got, None, clock or Hands(), homes.seeded(f"{name} acts"))
    meet(session, made)
    return made


def carry(giver: Session, taker: Session, only: SpaceId | None = None) -> bool:
    """What `taker` may have and lacks, self among one's own devices too. Whether it was any."""
    gave, here, there = False, homes.known(giver), homes.known(taker)
    for info in sorted(here.spaces, key=lambda info: ("self", "board", "deal").index(info.kind)):
        space = SpaceId(text(info.id))
        theirs = there.heads.get(info.id)
        named = raw(taker.me.identity) in info.names
        if (info.kind != "deal" and theirs is None) or (info.kind == "deal" and not named) or only not in (None, space):
            continue
        if set(here.heads[info.id]) <= set(theirs or ()):
            continue
        reached = {head.device: head.seq for head in theirs or ()}
        runs = homes.runs(giver, space, held=frozenset(theirs or ()))
        news = [run for run in runs if run.last_seq > reached.get(run.device, -1)]
        if news:
            homes.deliver(taker, space, news)
            gave, there = True, homes.known(taker)
    return gave


def meet(*sessions: Session, tend: bool = False) -> None:
    """Everybody learns everything they may from everybody; tend: and does what falls due, as after a sync."""
    for _ in range(3):
        gave = [carry(giver, taker) for giver in sessions for taker in sessions if giver is not taker]
        if tend:
            for session in sessions:
                upkeep.run(session)
        elif not any(gave):
            return


def recovery_code(name: str) -> str:
    """The recovery code of somebody whose home `homes.found` made: it follows from the same seed."""
    random = homes.seeded(name)
    random(4)  # the name of the draft
    return recovery.write(recovery.generate(random))


def head(session: Session, space: SpaceId) -> EventId:
    """The newest event of a home's own chain."""
    chain = events.branches_of(session.db, homes.space_no(session, space), raw(session.me.device))[-1]
    return EventId(text(chain.id))


def revocations_in(session: Session, space: SpaceId) -> list[Any]:
    """The revocations that a space holds, as bodies."""
    return [one.row.content for one in revocations.said(session.db, homes.space_no(session, space))]


def self_space(session: Session) -> events.Space:
    """The self space of a home."""
    return events.spaces(session.db, "self")[0]


def device(session: Session) -> DeviceId:
    """The device key in use."""
    return session.me.device
