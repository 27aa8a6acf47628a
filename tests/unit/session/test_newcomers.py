"""Deals that others open without end: so many are taken, nothing that is held is lost, and an answer makes room."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaise_cli import config
from chaise_cli.domain import talk
from chaise_cli.ids import public, raw
from chaise_cli.ledger import segment
from chaise_cli.session import access, doctoring, newcomers
from chaise_cli.session.session import Session
from chaise_cli.shapes import Check
from chaise_cli.store import events
from sync.replica import Admission
from tests.fakes import homes
from tests.fakes.pen import Pen
from tests.unit.session.test_admission import HELLO, SECRET, codes, me, opened

MOST = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomers, "MOST", MOST)


def deal_of(session: Session, number: int, name: str = "stranger", *, said: bool = True) -> Pen:
    """A deal that somebody opened, from a device of its own; without its first word it proves nobody."""
    pen = Pen(f"{name} {number}", root=name, secret=SECRET).genesis()
    pen.wrap([me(session)])
    return pen.say(opened(pen, session)).say(HELLO) if said else pen


def taken(session: Session, pen: Pen) -> Admission:
    return homes.deliver(session, pen.id, [pen.run()])


def test_more_unanswered_deals_of_one_person_than_the_limit_stay_out(lisa: Session) -> None:
    pens = [deal_of(lisa, number) for number in range(MOST + 2)]
    done = [taken(lisa, pen) for pen in pens]
    assert [one.accepted for one in done] == [4] * MOST + [0, 0]
    assert [one.rejected for one in done[MOST:]] == [4, 4]
    assert codes(done[-1]) == {"space.crowded"}
    assert [events.find_space(lisa.db, pen.id) is not None for pen in pens] == [True] * MOST + [False] * 2
    later = pens[0].say(HELLO)
    assert homes.deliver(lisa, later.id, [later.run(4)]).accepted == 1, "what is held goes on"
    assert taken(lisa, deal_of(lisa, 0, "another")).accepted == 4, "others have a room of their own"
    assert events.crowding(lisa.db, lisa.me.identity, MOST) == [raw(pens[0].identity)]


def test_an_answer_makes_room(lisa: Session) -> None:
    pens = [deal_of(lisa, number) for number in range(MOST + 2)]
    for pen in pens:
        taken(lisa, pen)
    homes.write(lisa, pens[1].id, talk.MessageSent("Hello to you", ()))
    assert [taken(lisa, pen).accepted for pen in pens[MOST:]] == [4, 0]


def test_who_proves_nothing_takes_no_room_from_those_who_do(lisa: Session) -> None:
    """A genesis may name anybody, and its chain be silent."""
    silent = [deal_of(lisa, number, said=False) for number in range(MOST + 1)]
    assert [taken(lisa, pen).accepted for pen in silent] == [2] * MOST + [0]
    assert [taken(lisa, deal_of(lisa, 10 + number)).accepted for number in range(MOST)] == [4] * MOST
    assert events.crowding(lisa.db, lisa.me.identity, MOST) != []
    assert [taken(lisa, pen.say(opened(pen, lisa))).accepted for pen in silent] == [1] * MOST + [0]


def test_a_chain_without_certificates_proves_nobody(lisa: Session) -> None:
    pen = deal_of(lisa, 0, said=False).say(opened(deal_of(lisa, 0), lisa), cert=None)
    run = pen.run()
    assert newcomers.maker(run, segment.links(run), [SECRET]) is None
    assert newcomers.maker(run, segment.links(run), [bytes(32)]) is None, "nor what does not open"
    whole = deal_of(lisa, 0)
    assert newcomers.maker(whole.run(), segment.links(whole.run()), [bytes(32), SECRET]) == whole.identity


def test_doctor_tells_who_is_not_answered(lisa: Session) -> None:
    pens = [deal_of(lisa, number) for number in range(MOST)]
    for pen in pens[:-1]:
        taken(lisa, pen)
    assert told(lisa) == []
    taken(lisa, pens[-1])
    (check,) = told(lisa)
    assert check["ok"] is False
    assert public("id", pens[0].identity) in check["value"]
    assert "answer or decline" in check["hint"]


def told(session: Session) -> list[Check]:
    keys = access.Keys(key_file=Path(str(homes.homes.read_keys(session.home)["key_file"])))
    patient = doctoring.Patient(session.home, config.read(session.home.path), keys, session.clock)
    return [one for one in doctoring.examine(patient) if one["name"] == "unanswered"]
