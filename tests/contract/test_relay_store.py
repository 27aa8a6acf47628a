"""The relay's store contract, on every backend: what docstrings in sync/relay/contract.py promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any, Final

import pytest

from chaise_cli.ledger import receipt
from sync.relay.contract import (
    Chain,
    Entry,
    Position,
    Reach,
    Registered,
    Space,
    Spent,
    Store,
    Transaction,
    Unavailable,
    Upload,
)
from sync.relay.memory import Memory
from sync.relay.sqlite import Sqlite
from tests.fakes import postgres

BACKENDS: Final = ("memory", "sqlite", "postgres")
WAIT_S: Final = 20
Open = Callable[[], Store]


def name(words: str) -> bytes:
    """32 bytes for a space, device or identity."""
    return sha256(words.encode()).digest()


SPACE, OTHER, LISA, JAMES, DEVICE = map(name, ("space", "other", "lisa", "james", "device"))


@pytest.fixture(params=BACKENDS)
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same database each time, as another process would; memory has but one."""
    opened: list[Store] = []
    address = postgres.emptied() if request.param == "postgres" else ""

    def again() -> Store:
        if request.param == "memory":
            opened[:] = opened or [Memory()]
            return opened[0]
        if request.param == "sqlite":
            opened.append(Sqlite(tmp_path / "relay" / "relay.db"))
        else:
            backend: Any = import_module("sync.relay.postgres")
            opened.append(backend.Postgres(address, 4))
        return opened[-1]

    yield again
    for one in opened:
        one.close()


@pytest.fixture
def store(opens: Open) -> Store:
    return opens()


def found(store: Store, space: bytes = SPACE, kind: str = "deal") -> bytes:
    """A space that is served to Lisa."""

    def work(writing: Transaction) -> None:
        writing.add_space(space, Space(kind, LISA, DEVICE))
        writing.serve(space, [LISA])

    store.run(work)
    return space


def entry(before: Space, length: int = 1, device: bytes = DEVICE, first_seq: int = 0, size: int = 10) -> Entry:
    """The next entry of a space."""
    last = name(f"event {before.number + length}")
    head = receipt.advance(before.head, [last] * length)
    return Entry(before.number + 1, length, device, first_seq, bytes(32), last, head, bytes(size), bytes(64))


def write(writing: Transaction, length: int = 1, space: bytes = SPACE, size: int = 10) -> int:
    """Append one entry; its number."""
    held = writing.space(space)
    assert held
    made = entry(held, length, first_seq=held.number, size=size)
    writing.append(space, [made], {DEVICE: Chain(held.number + length - 1, made.last, held.number + length - 1)})
    return made.first


def test_a_key_is_made_once(opens: Open) -> None:
    assert opens().key(b"a" * 32) == b"a" * 32
    assert opens().key(b"b" * 32) == b"a" * 32


def test_what_was_kept_is_read_by_everybody_afterwards(opens: Open) -> None:
    store = opens()
    found(store)
    store.run(lambda writing: write(writing, 3))
    assert store.before([SPACE]) == store.before([]) == {}
    store.run(lambda writing: write(writing, 2))
    other = opens()
    log = other.entries(SPACE, 0, 1000)
    assert [(one.first, one.length, one.to) for one in log] == [(1, 3, 3), (4, 2, 5)]
    assert other.positions(LISA) == {SPACE: Position(5, log[-1].head)}
    assert other.positions(JAMES) == {}
    assert other.run(lambda writing: writing.space(SPACE)) == Space(
        "deal", LISA, DEVICE, None, 5, log[-1].head, log[-1].last
    )
    assert other.run(lambda writing: writing.chain(SPACE, DEVICE)) == Chain(4, log[-1].last, 4)
    assert other.run(lambda writing: writing.chain(SPACE, LISA)) is None
    assert other.run(lambda writing: writing.space(OTHER)) is None


def test_entries_are_found_by_number_by_seq_and_up_to_a_size(store: Store) -> None:
    found(store)
    for length in (3, 1, 4):
        store.run(lambda writing, length=length: write(writing, length, size=100))  # type: ignore[misc]
    log = store.entries(SPACE, 0, 10_000)
    assert store.entries(SPACE, 3, 10_000) == log[1:]
    assert store.entries(SPACE, 2, 10_000) == log
    assert store.entries(SPACE, 0, 1) == log[:1]
    assert store.entries(SPACE, 0, 101) == log[:2]
    assert store.entries(SPACE, 8, 10_000) == []
    assert store.head_at(SPACE, 1) == (receipt.START, log[0])
    assert store.head_at(SPACE, 4) == (log[0].head, log[1])
    assert store.head_at(SPACE, 7) == (log[1].head, log[2])
    assert store.head_at(SPACE, 9)[1] is None
    assert store.before([SPACE, OTHER]) == {SPACE: Position(4, log[1].head)}

    def look(writing: Transaction, first: int, last: int) -> list[Entry]:
        return list(writing.overlapping(SPACE, DEVICE, first, last))

    assert store.run(lambda writing: look(writing, 0, 2)) == log[:1]
    assert store.run(lambda writing: look(writing, 2, 3)) == log[:2]
    assert store.run(lambda writing: look(writing, 5, 900)) == log[2:]
    assert store.run(lambda writing: look(writing, 8, 900)) == []


def test_what_raises_leaves_nothing_and_no_gap(store: Store) -> None:
    found(store)

    def fails(writing: Transaction) -> None:
        write(writing, 2)
        writing.serve(SPACE, [JAMES])
        writing.spend(LISA, 10, 1)
        writing.register(DEVICE, LISA, admin=True)
        writing.add_piece(SPACE, OTHER, LISA, b"x", 1, 0)
        writing.open_mailbox(OTHER, LISA, 9)
        raise ValueError("given up")

    with pytest.raises(ValueError, match="given up"):
        store.run(fails)
    assert store.positions(LISA)[SPACE].number == 0
    assert not store.served(SPACE, JAMES)
    assert store.device(DEVICE) is None
    assert store.piece(SPACE, OTHER, LISA, 0) is None
    assert store.slot(OTHER, 0, 0) is None
    assert store.run(write) == 1
    assert store.run(lambda writing: writing.spend(LISA, 1, 0)) == Spent(1, 0)


def test_a_space_is_written_by_one_at_a_time_in_the_order_of_commits(opens: Open) -> None:
    """The first holds the space; whoever asks for it meanwhile gets numbers after it, or its own if it gives up."""
    store, other = opens(), opens()
    found(store)
    for gives_up in (False, True):
        before = store.positions(LISA)[SPACE].number
        has, go = Event(), Event()

        def first(writing: Transaction, has: Event = has, go: Event = go, *, gives_up: bool = gives_up) -> int:
            number = write(writing, 2)
            has.set()
            if store is not other:  # in memory nobody could even ask meanwhile
                assert go.wait(WAIT_S)
            if gives_up:
                raise ValueError("given up")
            return number

        with ThreadPoolExecutor(2) as threads:
            one = threads.submit(store.run, first)
            assert has.wait(WAIT_S)
            two = threads.submit(other.run, write)
            if store is not other:
                assert store.positions(LISA)[SPACE].number == before, "a reader sees what is not committed"
                assert not two.done()
            go.set()
            if gives_up:
                assert isinstance(one.exception(WAIT_S), ValueError)
            else:
                assert one.result(WAIT_S) == before + 1
            assert two.result(WAIT_S) == before + (1 if gives_up else 3)


def test_spaces_do_not_wait_for_one_another_where_many_write(opens: Open) -> None:
    store, other = opens(), opens()
    found(store)
    found(store, OTHER)
    if not store.shared:
        return  # one writer at a time, by design
    has, go = Event(), Event()

    def slow(writing: Transaction) -> int:
        number = write(writing)
        has.set()
        assert go.wait(WAIT_S)
        return number

    with ThreadPoolExecutor(1) as threads:
        one = threads.submit(store.run, slow)
        assert has.wait(WAIT_S)
        assert other.run(lambda writing: write(writing, 1, OTHER)) == 1
        go.set()
        assert one.result(WAIT_S) == 1


def test_many_writers_leave_no_gap(opens: Open) -> None:
    stores = [opens(), opens()]
    found(stores[0])
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda at: stores[at % 2].run(write), range(60)))
    assert sorted(numbers) == list(range(1, 61))
    log = stores[1].entries(SPACE, 0, 100_000)
    assert [one.first for one in log] == list(range(1, 61))
    assert stores[0].positions(LISA)[SPACE] == Position(60, log[-1].head)


def test_two_that_make_one_space_both_find_it(opens: Open) -> None:
    stores = [opens(), opens()]
    begun = [Event(), Event()]

    def make(at: int) -> bool:
        def work(writing: Transaction) -> bool:
            missing = writing.space(SPACE) is None
            begun[at].set()
            if stores[0].shared:
                assert begun[1 - at].wait(WAIT_S)
            if missing:
                writing.add_space(SPACE, Space("deal", LISA, DEVICE))
                writing.serve(SPACE, [LISA])
            write(writing)
            return missing

        return stores[at].run(work)

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(make, range(2))) == [False, True]
    assert stores[0].positions(LISA)[SPACE].number == 2


def test_transactions_that_wait_for_one_another_are_run_again(opens: Open) -> None:
    """Each has one space and asks for the other's: the database gives one up, and nobody hears of it."""
    stores = [opens(), opens()]
    if not stores[0].shared:
        return  # one writer at a time, by design
    spaces = [found(stores[0]), found(stores[0], OTHER)]
    begun = [Event(), Event()]
    tries = [0, 0]

    def both(at: int) -> None:
        def work(writing: Transaction) -> None:
            tries[at] += 1
            write(writing, 1, spaces[at])
            begun[at].set()
            assert begun[1 - at].wait(WAIT_S)
            write(writing, 1, spaces[1 - at])

        stores[at].run(work)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(both, range(2)))
    assert sum(tries) > 2, "they did not meet"
    assert {one.number for one in stores[0].positions(LISA).values()} == {2}


def test_doors_say_who_is_served_a_board(store: Store) -> None:
    store.run(lambda writing: writing.add_space(SPACE, Space("board", LISA, DEVICE, b"d" * 32)))
    found(store, OTHER)
    store.run(lambda writing: writing.serve(SPACE, [LISA, JAMES, JAMES]))
    assert store.doors([SPACE, OTHER, LISA]) == {SPACE: b"d" * 32}
    assert store.doors([]) == {}
    empty = Position(0, receipt.START)
    both = {LISA: {SPACE: empty, OTHER: empty}, JAMES: {SPACE: empty}}
    assert store.audience([SPACE, OTHER], [LISA, JAMES, DEVICE]) == both
    assert store.audience([OTHER], [JAMES]) == store.audience([], [JAMES]) == {}
    assert store.run(lambda writing: writing.meet(LISA, JAMES))
    store.run(lambda writing: writing.set_door(SPACE, b"e" * 32))
    assert store.doors([SPACE]) == {SPACE: b"e" * 32}
    assert store.served(SPACE, LISA)
    assert not store.served(SPACE, JAMES)
    assert not store.run(lambda writing: writing.meet(LISA, JAMES))


def test_a_self_space_is_no_meeting(store: Store) -> None:
    found(store, SPACE, "self")
    store.run(lambda writing: writing.serve(SPACE, [JAMES]))
    assert not store.run(lambda writing: writing.meet(LISA, JAMES))


def test_devices_are_registered_and_struck(store: Store) -> None:
    store.run(lambda writing: writing.register(DEVICE, LISA, admin=False))
    store.run(lambda writing: writing.register(OTHER, LISA, admin=False))
    store.run(lambda writing: writing.register(DEVICE, LISA, admin=True))
    assert store.device(DEVICE) == Registered(LISA, admin=True, struck=False)
    assert store.run(lambda writing: writing.devices(LISA)) == 2
    store.run(lambda writing: writing.strike(JAMES, DEVICE))
    assert store.device(DEVICE) == Registered(LISA, admin=True, struck=False)
    store.run(lambda writing: writing.strike(LISA, DEVICE))
    store.run(lambda writing: writing.strike(LISA, DEVICE))
    assert store.device(DEVICE) == Registered(LISA, admin=True, struck=True)
    assert store.run(lambda writing: writing.device(OTHER)) == Registered(LISA, admin=False, struck=False)
    assert store.run(lambda writing: writing.devices(LISA)) == 1
    assert store.run(lambda writing: writing.struck(LISA, [OTHER, DEVICE]))
    assert not store.run(lambda writing: writing.struck(LISA, [OTHER]))
    assert store.device(SPACE) is None


def test_keys_of_grants_are_registered_with_what_they_reach_and_are_no_devices(store: Store) -> None:
    reach = Reach(SPACE, 2**52)
    store.run(lambda writing: writing.register(DEVICE, LISA, admin=False, reach=reach))
    assert store.device(DEVICE) == Registered(LISA, admin=False, struck=False, reach=reach)
    assert store.run(lambda writing: writing.devices(LISA)) == 0
    store.run(lambda writing: writing.strike(LISA, DEVICE))
    assert store.device(DEVICE) == Registered(LISA, admin=False, struck=True, reach=reach)
    store.run(lambda writing: writing.register(DEVICE, LISA, admin=True))
    assert store.device(DEVICE) == Registered(LISA, admin=True, struck=True)


def test_invites_are_known_by_their_hash(store: Store) -> None:
    store.run(lambda writing: writing.add_invite(OTHER))
    store.run(lambda writing: writing.add_invite(OTHER))
    assert store.run(lambda writing: writing.invited(OTHER))
    assert not store.run(lambda writing: writing.invited(SPACE))
    store.run(lambda writing: writing.add_invite(SPACE))
    assert sorted(store.invites()) == sorted([OTHER, SPACE])
    store.run(lambda writing: writing.drop_invite(OTHER))
    store.run(lambda writing: writing.drop_invite(OTHER))
    assert not store.run(lambda writing: writing.invited(OTHER))
    assert list(store.invites()) == [SPACE]


def test_an_attachment_is_served_when_it_is_whole(store: Store) -> None:
    found(store)

    def put(owner: bytes, data: bytes, size: int, at: int = 5) -> None:
        def work(writing: Transaction) -> None:
            writing.spend(owner, len(data), 0)
            writing.add_piece(SPACE, OTHER, owner, data, size, at)

        store.run(work)

    put(LISA, b"abc", 5)
    put(JAMES, b"zz", 5)
    assert store.run(lambda writing: writing.upload(SPACE, OTHER, LISA)) == Upload(5, 3)
    assert store.piece(SPACE, OTHER, None, 0) is None
    put(LISA, b"de", 5)
    store.run(lambda writing: writing.complete(SPACE, OTHER, LISA))
    assert store.piece(SPACE, OTHER, None, 0) == (5, b"abc")
    assert store.piece(SPACE, OTHER, None, 1) == (5, b"bc")
    assert store.piece(SPACE, OTHER, None, 3) == (5, b"de")
    assert store.piece(SPACE, OTHER, None, 5) == (5, b"")
    assert store.run(lambda writing: writing.upload(SPACE, OTHER, JAMES)) == Upload(5, 5)
    assert store.piece(SPACE, OTHER, JAMES, 0) is None, "what others had put of it is dropped"
    assert store.run(lambda writing: writing.spend(JAMES, 0, 0)) == Spent(0, 0)
    assert store.run(lambda writing: writing.spend(LISA, 0, 0)) == Spent(5, 0)
    assert store.piece(OTHER, OTHER, None, 0) is None


def test_what_was_left_unfinished_and_what_is_over_is_dropped(store: Store) -> None:
    found(store)
    store.run(lambda writing: writing.add_piece(SPACE, OTHER, LISA, b"a", 2, 5))
    store.run(lambda writing: writing.add_piece(SPACE, JAMES, LISA, b"a", 2, 6))
    store.run(lambda writing: writing.add_piece(SPACE, DEVICE, LISA, b"a", 1, 1))
    store.run(lambda writing: writing.complete(SPACE, DEVICE, LISA))
    store.run(lambda writing: writing.open_mailbox(OTHER, LISA, 50))
    store.run(lambda writing: writing.open_mailbox(JAMES, LISA, 51))
    store.run(lambda writing: writing.fill(OTHER, 1, b"hello"))
    store.run(lambda writing: writing.fill(JAMES, 1, b"hello"))
    assert store.run(lambda writing: writing.mailboxes(LISA, 10)) == 2
    store.run(lambda writing: writing.purge(50, 6))
    assert store.piece(SPACE, OTHER, LISA, 0) is None
    assert store.piece(SPACE, JAMES, LISA, 0) == (2, b"a")
    assert store.piece(SPACE, DEVICE, None, 0) == (1, b"a")
    assert store.run(lambda writing: writing.mailbox(OTHER)) is None
    assert store.run(lambda writing: writing.mailbox(JAMES)) == 51
    assert store.slot(JAMES, 1, 50) == b"hello"
    assert store.slot(JAMES, 0, 50) == b""
    assert store.slot(JAMES, 1, 51) is None
    assert store.run(lambda writing: writing.slot(JAMES, 1)) == b"hello"
    assert store.run(lambda writing: writing.slot(JAMES, 2)) is None
    store.run(lambda writing: writing.open_mailbox(JAMES, LISA, 99))
    assert store.slot(JAMES, 1, 60) == b"", "opened anew it is empty"


def test_what_another_process_writes_is_noticed(opens: Open) -> None:
    store, other = opens(), opens()
    assert store.ready()
    if not store.shared:
        assert store.touched() == ()
        return
    found(store)
    found(store, OTHER)
    store.touched()
    marks = dict(store.touched())
    other.run(write)
    later = dict(store.touched())
    assert later[SPACE] != marks.get(SPACE)
    other.run(lambda writing: writing.serve(OTHER, [JAMES]))
    assert dict(store.touched())[OTHER] != later.get(OTHER)


def test_a_transaction_that_commits_late_is_noticed(opens: Open) -> None:
    """It took its mark before others that were seen already."""
    store, other = opens(), opens()
    if not store.shared:
        return
    found(store)
    found(store, OTHER)
    has, go = Event(), Event()

    def slow(writing: Transaction) -> None:
        write(writing)
        has.set()
        assert go.wait(WAIT_S)

    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(other.run, slow)
        assert has.wait(WAIT_S)
        store.run(lambda writing: write(writing, 1, OTHER))
        before = dict(store.touched())
        go.set()
        late.result(WAIT_S)
    assert dict(store.touched())[SPACE] != before.get(SPACE)


def test_a_closed_store_says_so(opens: Open) -> None:
    store = opens()
    store.close()
    if isinstance(store, Memory):
        return
    with pytest.raises(Unavailable):
        store.run(write)
    assert not store.ready()


def test_a_file_that_is_no_relays_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database at all, but a text that somebody keeps")
    with pytest.raises(Unavailable):
        Sqlite(tmp_path / "x.db")
    with pytest.raises(Unavailable):
        Sqlite(tmp_path)
    with pytest.raises(Unavailable):
        import_module("sync.relay.postgres").Postgres("postgresql://nobody@127.0.0.1:1/none", 1)
