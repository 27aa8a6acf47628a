from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.ledger import canonical
from sync import relay_link, relay_messages, relay_pulling
from sync.relay.desk import Desk
from sync.relay.limits import Limits
from sync.web import Answer
from tests.fakes.relay_client import ADA, JAMES, LISA, Client, Town, Village, clean, codes, runs, village
from tests.fakes.relays import relay
from tests.fakes.replica import MemoryReplica, Space, scribble

if TYPE_CHECKING:
    import pytest

# What is asked


def test_nothing_new_is_one_small_round_trip_however_much_there_is() -> None:
    town = Town()
    lisa, _ = town.people
    for _ in range(200):
        space = lisa.replica.open("deal", [LISA.identity, JAMES.identity])
        scribble(lisa.replica, space, 3, random.Random(space))
    town.all_sync()
    for one in town.people:
        clean(one.sync())
        assert [path for path, _, _ in one.link.asked] == ["/v1/summary"]
        assert sum(there + back for _, there, back in one.link.asked) <= 1024


def test_one_new_event_among_many_spaces_costs_little() -> None:
    town = Town()
    lisa, james = town.people
    for _ in range(200):
        scribble(lisa.replica, lisa.replica.open("deal", [LISA.identity, JAMES.identity]), 3, random.Random(2))
    town.all_sync()
    lisa.replica.write(town.deal, bytes(120))
    for one, way in ((lisa, ["/v1/summary", "/v1/push"]), (james, ["/v1/summary"])):
        clean(one.sync())
        assert [path for path, _, _ in one.link.asked] == way
        assert sum(there + back for _, there, back in one.link.asked) <= 2048


def test_news_of_several_spaces_or_entries_take_a_pull() -> None:
    town = Town()
    lisa, james = town.people
    other = lisa.replica.open("deal", [LISA.identity, JAMES.identity])
    town.all_sync()
    for spaces in ([town.deal, other], [town.deal, town.deal]):
        for space in spaces:
            lisa.replica.write(space, b"word")
            clean(lisa.sync())
        clean(james.sync())
        assert [path for path, _, _ in james.link.asked] == ["/v1/summary", "/v1/pull"]
        assert james.replica.heads(town.deal) == lisa.replica.heads(town.deal)
        assert james.replica.heads(other) == lisa.replica.heads(other)


def test_news_that_do_not_go_on_from_here_are_passed_over() -> None:
    """What comes unasked is a guess of the relay's: a wrong one is no lie, and what is missing is asked for."""
    town = Town()
    lisa, james = town.people
    town.all_sync()
    lisa.replica.write(town.deal, b"old")
    clean(lisa.sync())
    guesses: list[relay_messages.Section] = []

    def keep(path: str, _body: bytes, answer: Answer) -> Answer:
        found = relay_messages.read_different(answer.body) if path == "/v1/summary" else None
        guesses.extend(found.news if found else ())
        return answer

    def repeat(path: str, _body: bytes, answer: Answer) -> Answer:
        found = relay_messages.read_different(answer.body) if path == "/v1/summary" else None
        if found is None:
            return answer
        return answer._replace(body=relay_messages.pack_different(found._replace(news=guesses)))

    james.link.change = keep
    clean(james.sync())
    assert [one.space for one in guesses] == [town.deal]
    lisa.replica.write(town.deal, b"new")
    clean(lisa.sync())
    james.link.change = repeat
    clean(james.sync())
    assert [path for path, _, _ in james.link.asked] == ["/v1/summary", "/v1/pull"]
    assert james.replica.heads(town.deal) == lisa.replica.heads(town.deal)


def test_a_device_that_comes_anew_fetches_self_before_anything_else() -> None:
    """So that it knows which boards are its person's before their events come, however long they are."""
    desk = village()
    first = Client(MemoryReplica(LISA), desk, invite=desk.relay.new_invite())
    mine = first.replica.open("self", [LISA.identity])
    for space in [mine, *(first.replica.open("deal", [LISA.identity]) for _ in range(20))]:
        scribble(first.replica, space, 2, random.Random(1))
    clean(first.sync())
    second = Client(MemoryReplica(LISA), desk)
    second.replica.held[mine] = Space("self")  # as it was told when it was let in
    pulls: list[relay_messages.Pull] = []

    def note(path: str, body: bytes, answer: Answer) -> Answer:
        pulls.extend([relay_messages.read_pull(body)] if path == "/v1/pull" else [])
        return answer

    second.link.change = note
    clean(second.sync())
    assert [(list(one.parts), [row.space for row in one.rows]) for one in pulls[:1]] == [([], [mine])]
    assert second.replica.contents() == first.replica.contents()
    pulls.clear()
    for _ in range(2):
        first.replica.write(mine, bytes(9))
        clean(first.sync())
    clean(second.sync())
    assert len(pulls) == 1


def test_own_events_that_others_wrote_between_are_not_lost_and_all_converges() -> None:
    town = Town(LISA, JAMES, ADA)
    lisa, james, _ = town.people

    def meanwhile(path: str, _body: bytes, answer: Answer) -> Answer:
        if path == "/v1/summary":
            lisa.link.change = None
            town.write(1, 3)
            clean(james.sync())
        return answer

    lisa.link.change = meanwhile
    town.write(0, 2)
    clean(lisa.sync())
    assert lisa.replica.contents() == james.replica.contents() or clean(james.sync())
    town.all_sync()
    assert town.alike()


def test_more_spaces_than_go_into_one_request_are_asked_for_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_pulling, "_ROWS", 7)
    town = Town()
    lisa, james = town.people
    spaces = [lisa.replica.open("deal", [LISA.identity, JAMES.identity], nonce=bytes([at])) for at in range(40)]
    town.all_sync()
    for space in spaces:
        scribble(lisa.replica, space, 1, random.Random(space))
    clean(lisa.sync())
    clean(james.sync())
    assert town.alike()
    pulls = [back for path, _, back in james.link.asked if path == "/v1/pull"]
    assert len(pulls) > 4
    assert sum(pulls) < 40 * 700  # each space from where it was known


def test_a_device_that_nobody_invited_is_told_so() -> None:
    done = Client(MemoryReplica(LISA), village()).sync()
    assert done.failure is not None
    assert (done.failure.code, done.failure.exit) == ("relay.not_admitted", 5)
    assert "chaise peer add" in done.failure.advice()


def test_the_door_of_a_board_lets_its_members_in() -> None:
    desk = village()
    lisa = Client(MemoryReplica(LISA), desk, invite=desk.relay.new_invite())
    board = lisa.replica.open("board")
    clean(lisa.sync())
    james = Client(MemoryReplica(JAMES), desk)
    james.replica.join(board, lisa.replica.keys[board])
    clean(james.sync())
    scribble(james.replica, board, 2, random.Random(3))
    clean(james.sync())
    clean(lisa.sync())
    assert lisa.replica.contents() == james.replica.contents()
    clean(james.sync())
    assert [path for path, _, _ in james.link.asked] == ["/v1/summary"]


def test_a_second_board_opens_with_a_proof_of_its_own() -> None:
    desk = village()
    lisa, james = (Client(MemoryReplica(one), desk, invite=desk.relay.new_invite()) for one in (LISA, JAMES))
    boards = [lisa.replica.open("board", nonce=bytes([at])) for at in range(2)]
    clean(lisa.sync())
    for board in boards:
        james.replica.join(board, lisa.replica.keys[board])
        clean(james.sync())
        assert james.replica.contents()[board] == lisa.replica.contents()[board]


def test_a_clock_that_is_off_is_named_with_how_much() -> None:
    desk = village()
    lisa = Client(MemoryReplica(LISA), desk, invite="x", now=lambda: desk.relay.clock() + 11 * 60_000)
    done = lisa.sync()
    assert done.failure is not None
    assert done.failure.code == "relay.clock"
    assert "11 min ahead" in done.failure.sentence()


def test_a_relay_that_takes_no_more_is_a_reason_to_come_again() -> None:
    desk = Desk(relay(Village(), Limits(requests=3)))
    lisa = Client(MemoryReplica(LISA), desk, invite=desk.relay.new_invite())
    for _ in range(10):
        lisa.replica.open("deal", [LISA.identity])
    done = lisa.sync()
    assert done.failure is not None
    assert (done.failure.code, done.failure.exit) == ("relay.busy", 13)
    assert lisa.codes == []
    assert lisa.slept == [21], "asked once more when it said, and not for longer than a request may take"


@given(st.lists(st.one_of(st.none(), st.integers(0, 100)), max_size=8), st.sampled_from(["relay.busy", "relay.rate"]))
def test_a_busy_relay_is_waited_for_as_it_says_and_no_longer_than_a_request(told: list[int | None], busy: str) -> None:
    desk = village()
    lisa = Client(MemoryReplica(LISA), desk, invite=desk.relay.new_invite())
    lisa.replica.open("deal", [LISA.identity])
    status = 503 if busy == "relay.busy" else 429
    answers = iter(told)

    def hold_off(path: str, _body: bytes, answer: Answer) -> Answer:
        if path != "/v1/summary" or (seconds := next(answers, -1)) == -1:
            return answer
        headers = {} if seconds is None else {"retry-after": str(seconds)}
        return Answer(status, headers, canonical.encode({"code": busy, "text": "no more just now"}))

    lisa.link.change = hold_off
    done = lisa.sync()
    waits = [60 if seconds is None else max(1, seconds) for seconds in told]
    patient = sum(waits) <= relay_link.TIMEOUT_S
    assert (done.failure is None) == patient
    assert sum(lisa.slept) <= relay_link.TIMEOUT_S
    assert lisa.slept == waits[: len(lisa.slept)]
    if done.failure is not None:
        assert (done.failure.code, done.failure.exit) == ("relay.busy", 13)
        assert sum(lisa.slept) + waits[len(lisa.slept)] > relay_link.TIMEOUT_S


def test_a_stranger_may_wait_and_the_rest_goes_on() -> None:
    desk = Desk(relay())
    lisa, james = (Client(MemoryReplica(one), desk, invite=desk.relay.new_invite()) for one in (LISA, JAMES))
    lisa.replica.open("deal", [LISA.identity, JAMES.identity])
    board = lisa.replica.open("board", nonce=b"b")
    clean(james.sync())
    done = lisa.sync()
    assert (codes(done), done.failure, done.sent) == ({"relay.stranger"}, None, 1)
    james.replica.join(board, lisa.replica.keys[board])
    clean(james.sync())
    clean(lisa.sync())
    clean(james.sync())
    assert lisa.replica.contents() == james.replica.contents()


def test_a_second_history_is_taken_from_anybody_but_its_own_device() -> None:
    town = Town()
    lisa, james = town.people
    other = MemoryReplica(LISA)
    other.admit(town.deal, runs(lisa.replica, town.deal))
    town.write(0)
    clean(lisa.sync())
    scribble(other, town.deal, 2, random.Random(9))
    copy = Client(other, town.desk)
    assert codes(copy.sync()) == {"relay.forked"}
    assert copy.sync().alarm is None
    james.replica.admit(town.deal, runs(other, town.deal))
    clean(james.sync())
    clean(lisa.sync())
    assert lisa.replica.contents() == james.replica.contents() == other.contents()
    assert town.people[0].codes == town.people[1].codes == copy.codes == []
