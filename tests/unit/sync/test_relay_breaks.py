from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.errors import ChaiseError
from chaise_cli.ledger.segment import Segment
from sync import engine, relay_messages
from sync.replica import Admission, Problem
from sync.transports.relay import Relay
from sync.web import Answer
from tests.fakes.relay_client import (
    ADA,
    JAMES,
    LISA,
    WHERE,
    RelayMemory,
    Town,
    clean,
    codes,
    copied,
    put_back,
    runs,
)
from tests.fakes.replica import Device, MemoryReplica, scribble


class Full(MemoryReplica):
    """A replica with which too much waits, so that it takes nothing more for now."""

    full = False

    def admit(self, space: bytes, segments: Sequence[Segment]) -> Admission:
        if self.full:
            count = sum(len(one.events) for one in segments)
            return Admission(0, count, [Problem("sync.waiting_full", "too many events wait")])
        return super().admit(space, segments)


def test_what_cannot_be_taken_yet_is_fetched_again_though_more_was_pushed_meanwhile() -> None:
    town = Town()
    lisa, james = town.people
    full = Full(JAMES)
    for run in runs(james.replica, town.deal):
        full.admit(town.deal, [run])
    james.replica = james.memory.replica = full
    town.write(0, 3)
    clean(lisa.sync())
    full.full = True
    town.write(1, 2)
    for _ in range(2):
        done = james.sync()
        assert (codes(done), done.alarm) == ({"sync.waiting_full"}, None)
        assert done.rejected >= 3
    full.full = False
    clean(james.sync())
    clean(lisa.sync())
    assert town.alike()
    assert not james.codes


def test_an_answer_that_cannot_be_taken_whole_moves_no_cursor() -> None:
    """Of two spaces in one answer the second has an event of a later version: what came of the first comes again."""
    town = Town()
    lisa, james = town.people
    other = lisa.replica.open("deal", [LISA.identity, JAMES.identity], nonce=b"other")
    town.all_sync()
    for space in (town.deal, other):
        scribble(lisa.replica, space, 3, random.Random(1))
    clean(lisa.sync())
    last = max(town.deal, other)

    def later(path: str, _body: bytes, answer: Answer) -> Answer:
        if path != "/v1/pull":
            return answer
        found, more = relay_messages.read_sections(answer.body)
        for at, one in enumerate(found):
            if one.space == last:
                run = one.segments[0]
                events = [event._replace(suite=9) for event in run.events]
                found[at] = one._replace(segments=[run._replace(events=events), *one.segments[1:]])
        return answer._replace(body=relay_messages.pack_sections(found, more=more))

    before = {space: reached.number for space, reached in james.memory.reached().items()}
    kept = copied(james.replica.held[min(town.deal, other)])
    james.link.change = later
    done = james.sync()
    assert done.failure is not None
    assert done.failure.exit == 14
    assert {space: reached.number for space, reached in james.memory.reached().items()} == before
    put_back(james.replica.held[min(town.deal, other)], kept)  # as a store undoes what was not committed
    james.link.change = None
    clean(james.sync())
    assert town.alike()


def test_a_log_that_begins_anew_without_end_ends_the_exchange() -> None:
    town = Town()
    lisa, james = town.people
    town.write(0, 3)
    clean(lisa.sync())

    def again(path: str, body: bytes, answer: Answer) -> Answer:
        if path == "/v1/summary" and (different := relay_messages.read_different(answer.body)):
            return answer._replace(body=relay_messages.pack_different(different._replace(news=())))
        if path != "/v1/pull":
            return answer
        asked = relay_messages.read_pull(body)
        rows = [row._replace(after=0, head=bytes(8)) for row in asked.rows]
        request = relay_messages.pack_pull(asked._replace(rows=rows))
        who = town.desk.relay.caller(JAMES.device)
        found, _ = relay_messages.read_sections(town.desk.relay.pull(who, relay_messages.read_pull(request)))
        return answer._replace(body=relay_messages.pack_sections(found, more=True))

    james.link.change = again
    done = james.sync()
    assert codes(done) == {"relay.false_head"}
    assert len(james.link.asked) < 20
    james.link.change = None
    clean(james.sync())
    assert town.alike()


def test_a_large_attachment_goes_on_where_it_was_cut_off_both_ways() -> None:
    town = Town()
    lisa, james = town.people
    content = random.Random(5).randbytes(3_500_000)
    address = lisa.replica.attach(town.deal, content)
    ways = ((lisa, 2, "/v1/object/put", 2, 4), (james, 1, "/v1/object/get", 1, 3))
    for one, first, path, ends, rest in ways:
        one.link.cut_at = first + ends  # a summary and, for who gives it, the event come first
        assert one.sync().failure is not None
        before = [way for way, _, _ in one.link.asked].count(path)
        one.link.cut_at = None
        clean(one.sync())
        after = [way for way, _, _ in one.link.asked].count(path)
        assert (before, after) == (ends, rest)
    assert james.replica.objects[address] == content
    assert james.memory.parts == {}


def test_an_attachment_that_is_not_what_its_address_says_is_not_kept() -> None:
    town = Town()
    lisa, james = town.people
    content = random.Random(5).randbytes(1_500_000)
    address = lisa.replica.attach(town.deal, content)
    clean(lisa.sync())

    def spoil(path: str, _body: bytes, answer: Answer) -> Answer:
        return answer._replace(body=answer.body[:-1] + b"x") if path == "/v1/object/get" else answer

    james.link.change = spoil
    assert codes(james.sync()) == {"object.damaged"}
    assert james.memory.parts == {}
    james.link.change = None
    clean(james.sync())
    assert james.replica.objects[address] == content


def test_a_relay_that_drips_holds_nobody_past_the_time() -> None:
    """One byte every few milliseconds would never trip a socket's own timeout."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()

        def drip() -> None:
            met, _ = server.accept()
            with met, suppress(OSError):
                met.recv(65536)
                met.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not stopped.wait(0.01):
                    met.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        replica = MemoryReplica(LISA)
        way = Relay(f"http://127.0.0.1:{server.getsockname()[1]}", RelayMemory(replica), lambda: 0, timeout_s=0.3)
        began = time.monotonic()
        done = engine.exchange(replica, LISA, way)
        assert time.monotonic() - began < 10
        stopped.set()
        thread.join()
    assert done.failure is not None
    assert (done.failure.exit, "too long" in done.failure.sentence()) == (13, True)


def test_waiting_for_news_looks_at_nothing_but_the_last_exchange() -> None:
    town = Town()
    lisa, james = town.people
    way = Relay(WHERE, james.memory, town.desk.relay.clock, link=james.link)
    assert way.wait(james.replica, JAMES, 5) is True
    clean(engine.exchange(james.replica, JAMES, way))
    assert way.wait(james.replica, JAMES, 5) is False
    town.write(0)
    clean(lisa.sync())
    assert way.wait(james.replica, JAMES, 5) is True
    clean(engine.exchange(james.replica, JAMES, way))
    assert way.wait(james.replica, JAMES, 5) is False


@pytest.mark.parametrize("after", [False, True])
def test_cut_at_any_request_it_goes_on_next_time_without_a_finding(*, after: bool) -> None:
    for at in range(12):
        town = Town()
        lisa, james = town.people
        for who in (0, 1):
            town.write(who, 3, seed=at)
        lisa.replica.attach(town.deal, b"x" * 30_000)
        new = lisa.replica.open("deal", [LISA.identity, JAMES.identity])
        scribble(lisa.replica, new, 2, random.Random(at))
        for one in town.people:
            one.link.cut_at, one.link.cut_after = at, after
            one.sync()
            one.link.cut_at = None
        town.all_sync()
        town.all_sync()
        assert town.alike()
        assert not lisa.codes
        assert not james.codes


def test_a_batch_whose_answer_was_lost_is_all_that_goes_over_twice() -> None:
    town = Town()
    lisa, james = town.people
    for at in range(12_000):
        lisa.replica.write(town.deal, b"", signed=at % 500 == 499)
    pushes: list[int] = []

    def count(path: str, body: bytes, answer: Answer) -> Answer:
        if path == "/v1/push":
            pushes.append(sum(len(one.events) for one in relay_messages.read_push(body).segments))
        return answer

    lisa.link.change = count
    lisa.link.cut_at, lisa.link.cut_after = 2, True
    assert lisa.sync().failure is not None
    lisa.link.cut_at = None
    clean(lisa.sync())
    clean(james.sync())
    assert town.alike()
    assert sum(pushes) <= 12_000 + 5_000


@given(seed=st.integers(0, 2**32), flips=st.integers(1, 4))
def test_no_bytes_of_a_relay_do_harm(seed: int, flips: int) -> None:
    """Whatever is flipped, cut or added in its answers: an error with a name, and nothing wrong is kept."""
    chance = random.Random(seed)

    def spoil(_path: str, _body: bytes, answer: Answer) -> Answer:
        data = bytearray(answer.body)
        for _ in range(flips):
            match chance.randrange(4):
                case 0 if data:
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                case 1 if data:
                    del data[chance.randrange(len(data)) :]
                case 2:
                    data += chance.randbytes(chance.randrange(1, 40))
                case _:
                    pass
        return answer._replace(body=bytes(data))

    town = Town()
    lisa, james = town.people
    town.write(0, 3)
    town.write(1, 3)
    truth = {**lisa.replica.contents()[town.deal], **james.replica.contents()[town.deal]}
    for one in town.people:
        one.link.change = spoil
        for _ in range(3):
            done = one.sync()
            assert done.failure is None or isinstance(done.failure, ChaiseError)
        one.link.change = None
    for one in [*town.people, *town.people]:
        one.sync()
    town.all_sync()
    assert town.alike()
    held = lisa.replica.contents()[town.deal]
    assert all(list(held[device])[: len(ids)] == list(ids) for device, ids in truth.items())


Step = tuple[str, int, int]


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["write", "sync", "cut", "lost", "open", "restore"]), st.integers(0, 3), st.integers(0, 5)
        ),
        max_size=40,
    )
)
def test_an_honest_relay_is_never_accused(steps: Sequence[Step]) -> None:
    """Several people and devices, cut connections, lost answers, memories put back: no finding, and all meet."""
    town = Town(LISA, JAMES, ADA, Device("lisa's phone", b"root" * 8))
    chance = random.Random(len(steps))
    kept: dict[int, Any] = {}
    for kind, who, count in steps:
        one = town.people[who]
        match kind:
            case "write":
                if town.deal in one.replica.held:
                    scribble(one.replica, town.deal, count, chance)
            case "open":
                names = [other.replica.identity() for other in town.people]
                one.replica.open("deal", names, chance.randbytes(8))
            case "restore":  # of what is known of the relay alone
                if who in kept and count > 2:
                    one.memory.logs = kept[who]
                kept[who] = copied(one.memory)["logs"]
            case _:
                one.link.cut_at = None if kind == "sync" else count
                one.link.cut_after = kind == "lost"
                done = one.sync()
                assert done.alarm is None
                one.link.cut_at = None
    town.all_sync()
    town.all_sync()
    assert town.alike()
    assert not any(one.codes for one in town.people)
