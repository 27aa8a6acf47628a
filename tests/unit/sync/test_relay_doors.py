"""What a relay forgets of whom it let in and struck off is brought again; each loss is told."""

from __future__ import annotations

import random

import pytest

from chaise_cli.ledger import canonical
from sync.web import Answer
from tests.fakes.relay_client import JAMES, Town, Village, clean, codes, copied, runs
from tests.fakes.replica import scribble


@pytest.mark.parametrize("held", [False, True])
def test_a_proof_that_a_relay_has_taken_and_forgotten_is_brought_again(*, held: bool) -> None:
    """It was put back to before the proof and still knows the device; nothing of the board was followed yet."""
    town = Town()
    lisa, james = town.people
    board = lisa.replica.open("board")
    clean(lisa.sync())
    old = town.state()
    james.replica.join(board, lisa.replica.keys[board])
    if held:  # by another way
        james.replica.admit(board, runs(lisa.replica, board))
        scribble(james.replica, board, 2, random.Random(1))
    james.link.cut_at = 1  # after the registration
    assert james.sync().failure is not None
    assert james.memory.doors() == {board}
    james.link.cut_at = None
    town.put_back(old)
    clean(james.sync())
    assert james.memory.doors() == {board}
    clean(lisa.sync())
    assert james.replica.contents()[board] == lisa.replica.contents()[board]
    clean(james.sync())
    assert [path for path, _, _ in james.link.asked] == ["/v1/summary"]


def test_a_proof_that_is_forgotten_while_a_board_is_pushed_is_brought_the_next_time() -> None:
    town = Town()
    lisa, james = town.people
    board = lisa.replica.open("board")
    clean(lisa.sync())
    old = town.state()
    james.replica.join(board, lisa.replica.keys[board])
    clean(james.sync())
    scribble(james.replica, board, 2, random.Random(1))

    def forgets(path: str, _body: bytes, answer: Answer) -> Answer:
        if path == "/v1/summary":
            town.put_back(old)
        return answer

    james.link.change = forgets
    assert codes(james.sync()) == {"relay.not_found"}
    james.link.change = None
    assert codes(james.sync()) <= {"relay.wiped"}
    clean(james.sync())
    clean(lisa.sync())
    assert james.replica.contents()[board] == lisa.replica.contents()[board]


def test_a_relay_that_lost_everything_again_is_told_again() -> None:
    """Even before it gave another receipt: both losses are proved by the same one."""
    town = Town()
    lisa, _ = town.people
    for times in (1, 2):
        town.put_back(copied(Village()))
        lisa.memory.given = town.desk.relay.new_invite()
        lisa.link.cut_at = 4  # when it has registered, and nothing is filled up again
        done = lisa.sync()
        assert (codes(done), done.failure is None) == ({"relay.wiped"}, False)
        assert lisa.codes == ["relay.wiped"] * times
        assert not town.desk.relay.store.positions(lisa.replica.identity())
    assert len(set(lisa.memory.incidents)) == 1
    lisa.link.cut_at = None
    lisa.sync()
    clean(lisa.sync())
    assert lisa.codes.count("relay.wiped") <= 3  # and the deal itself, of which there was a receipt


def test_a_revoked_device_is_struck_off_once_and_again_where_that_was_lost() -> None:
    town = Town()
    lisa, _ = town.people
    lost = bytes(range(32))
    lisa.memory.revoked = [lost]
    clean(lisa.sync())
    assert struck(town, lisa.replica.identity(), lost)
    assert [path for path, _, _ in lisa.link.asked].count("/v1/revoke") == 1
    clean(lisa.sync())
    assert [path for path, _, _ in lisa.link.asked] == ["/v1/summary"]
    town.put_back(copied(Village()))
    lisa.memory.given = town.desk.relay.new_invite()
    assert codes(lisa.sync()) == {"relay.wiped"}
    assert struck(town, lisa.replica.identity(), lost)
    assert not struck(town, JAMES.identity, lost)


def struck(town: Town, identity: bytes, device: bytes) -> bool:
    found: bool = town.desk.relay.store.run(lambda writing: writing.struck(identity, [device]))
    return found


def test_striking_off_that_fails_is_a_warning_and_tried_again() -> None:
    town = Town()
    lisa, _ = town.people
    lisa.memory.revoked = [bytes(range(32))]

    def busy(path: str, _body: bytes, answer: Answer) -> Answer:
        said = canonical.encode({"code": "relay.busy", "text": "no more just now"})
        return Answer(503, {}, said) if path == "/v1/revoke" else answer

    lisa.link.change = busy
    for _ in range(2):
        done = lisa.sync()
        assert (codes(done), done.failure, done.alarm) == ({"relay.busy"}, None, None)
        assert "not struck off yet" in done.problems[0].text
    lisa.link.change = None
    clean(lisa.sync())
    assert lisa.memory.struck == {bytes(range(32))}
