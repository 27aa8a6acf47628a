from __future__ import annotations

import pytest

from chaise_cli.domain import talk
from chaise_cli.ids import SpaceId
from chaise_cli.session import checking
from chaise_cli.session.session import Session
from tests.fakes import acts, homes
from tests.fakes.homes import Market
from tests.fakes.stages import Stages

HELLO = talk.MessageSent("Hello", ())


def problems(session: Session) -> list[str]:
    return checking.verify(session, lambda _, __: None).problems


@pytest.fixture
def deal(stages: Stages, lisa: Session, james: Session, market: Market) -> SpaceId:
    """A deal under way, with money held."""
    return stages.at(lisa, james, play=lambda: _under_way(lisa, james, market))


def _under_way(lisa: Session, james: Session, market: Market) -> SpaceId:
    post = homes.post(lisa, market.board)
    homes.carry(lisa, james)
    made = homes.open_deal(james, lisa.me.identity, post, client=False)
    homes.carry(james, lisa)
    for who, what in (
        (james, "propose"),
        (lisa, "hire"),
        (james, "accept"),
        (james, "message"),
        (lisa, "fund"),
        (lisa, "attest"),
    ):
        homes.meet(lisa, james)
        assert acts.do(who, made, what), what
    homes.meet(lisa, james)
    return made


def test_a_sound_home_has_no_problems(lisa: Session, james: Session, deal: SpaceId) -> None:
    seen: list[tuple[int, int]] = []
    done = checking.verify(lisa, lambda count, total: seen.append((count, total)))
    assert done.problems == problems(james) == []
    assert (done.events, done.spaces) == (lisa.db.execute("SELECT count(*) FROM event").fetchone()[0], 3)
    assert seen[-1] == (done.events, done.events)


SPOILT = {
    "a word in a message": (
        "UPDATE event SET body = CAST(replace(body, 'words', 'sword') AS BLOB) WHERE kind = 'message.sent'"
    ),
    "an id": "UPDATE event SET id = zeroblob(32) WHERE kind = 'terms.offered'",
    "a signature": "UPDATE event SET signature = zeroblob(64) WHERE kind = 'terms.offered'",
    "the last signatures": "UPDATE event SET signature = NULL",
    "an event taken out": "DELETE FROM event WHERE kind = 'terms.offered'",
    "a verdict": "UPDATE event SET void = 'deal.not_yours' WHERE kind = 'terms.accepted'",
    "an uptake": "UPDATE event SET uptake = uptake + 1 WHERE kind = 'terms.accepted'",
    "a place in the order": "UPDATE event SET lamport = lamport + 1 WHERE kind = 'terms.accepted'",
    "a kind": "UPDATE event SET kind = 'work.update' WHERE kind = 'message.sent'",
    "a kind that nobody knows": "UPDATE event SET kind = 'deal.sang' WHERE kind = 'terms.accepted'",
    "the head of a chain": "UPDATE chain SET id = zeroblob(32)",
    "the height of a chain": "UPDATE chain SET lamport = lamport + 1",
    "an epoch": "UPDATE event SET epoch = 999 WHERE kind = 'terms.accepted'",
    "a currency": "UPDATE milestone SET currency = 'ABC'",
    "an entry that is no list": "UPDATE entry SET postings = '[['",
    "held money": "UPDATE milestone SET held = held + 1 WHERE n = 1",
    "money and its sum": "UPDATE milestone SET held = held + 1, funded = funded + 1 WHERE n = 1",
    "the state of a deal": "UPDATE deal SET state = 'closed'",
    "the folded state": "UPDATE deal SET taken = replace(taken, 'hired', 'closed')",
    "a posting": "UPDATE entry SET postings = replace(postings, '60000', '60001')",
    "an entry taken out": "DELETE FROM entry WHERE n = 0",
    "a listing": "UPDATE listing SET ended = 'closed'",
    "a profile taken out": "DELETE FROM profile",
    "a message taken out": "DELETE FROM message",
    "the name of a board": "UPDATE board_name SET name = 'other'",
    "a branch that nothing leads to": "UPDATE chain SET parent = NULL, first = 1, root = zeroblob(32) WHERE seq > 1",
}


@pytest.mark.parametrize("what", SPOILT)
def test_whatever_was_spoilt_is_told(lisa: Session, deal: SpaceId, what: str) -> None:
    changed = lisa.db.execute(SPOILT[what]).rowcount
    assert changed > 0, "nothing was spoilt at all"
    assert problems(lisa)


def test_a_check_changes_nothing(lisa: Session, deal: SpaceId) -> None:
    lisa.db.execute(SPOILT["held money"])
    before = homes.state(lisa, deal)
    assert problems(lisa) == problems(lisa) != []
    assert homes.state(lisa, deal) == before


def test_a_problem_names_the_space(lisa: Session, deal: SpaceId) -> None:
    lisa.db.execute(SPOILT["a listing"])
    assert all(problem.startswith(("board-", "deal-")) for problem in problems(lisa))


def test_the_order_of_what_was_heard_is_no_problem(lisa: Session, james: Session, deal: SpaceId) -> None:
    """The frontier is a set; two ways to the same one are both right."""
    homes.write(james, deal, HELLO)
    homes.write(lisa, deal, HELLO)
    homes.meet(lisa, james)
    assert problems(lisa) == problems(james) == []
