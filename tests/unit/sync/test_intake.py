from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.errors import Corrupt
from chaise_cli.ledger.segment import Segment
from sync import engine
from sync.engine import Exchange, Tally
from sync.intake import Intake
from sync.pack import Entry
from tests.fakes.links import StdioLink
from tests.fakes.replica import Device, MemoryReplica, cite, scribble

LISA, JAMES, ADA = Device("lisa"), Device("james"), Device("ada")


class Shelf:
    """Packs in memory: each a list of segments."""

    def __init__(self) -> None:
        self.packs: dict[str, list[Segment | None]] = {}

    def put(self, name: str, *parts: Segment | None) -> None:
        self.packs[name] = list(parts)

    def take(self, replica: MemoryReplica, space: bytes) -> tuple[set[str], Exchange]:
        """Let a replica take what is there: good packs, and the count."""
        tally = Tally()
        index = {
            name: [
                Entry(LISA.device, 0, 1, at, 1)
                if part is None
                else Entry(part.device, part.first_seq, part.last_seq, at, 1)
                for at, part in enumerate(parts)
            ]
            for name, parts in self.packs.items()
        }
        good = Intake(replica, space, index, self._load, tally).take()
        return good, tally.exchange()

    def _load(self, name: str, entry: Entry) -> Segment:
        part = self.packs[name][entry.at]
        if part is None:
            raise Corrupt
        return part


def two_chains(count: int) -> tuple[MemoryReplica, bytes]:
    lisa, ada = MemoryReplica(LISA), MemoryReplica(ADA)
    space = lisa.open("deal", [LISA.identity, JAMES.identity, ADA.identity])
    StdioLink().sync(lisa, ada)
    scribble(lisa, space, count - 4, random.Random(1))
    scribble(ada, space, count, random.Random(2))
    StdioLink().sync(lisa, ada)
    return lisa, space


def part(replica: MemoryReplica, space: bytes, device: bytes, first: int, last: int) -> Segment:
    """Exactly these events, as their author would send them."""
    chain = replica.held[space].chains[device]
    whole = replica.read(space, replica.tip(space, device), first, last - first + 1)
    assert whole is not None
    assert whole.last_seq == last, chain
    return whole


@given(st.data())
def test_packs_in_any_order_and_overlapping_give_the_whole_space(data: st.DataObject) -> None:
    count = 12
    lisa, space = two_chains(count)
    shelf = Shelf()
    signed = {device: lisa.held[space].chains[device].signed for device in (LISA.device, ADA.device)}
    cuts = data.draw(
        st.lists(st.tuples(st.booleans(), st.integers(0, count - 1), st.sampled_from("abcd")), max_size=12)
    )
    for ada, start, name in cuts:
        device = ADA.device if ada else LISA.device
        end = next(seq for seq in signed[device] if seq >= start)
        shelf.packs.setdefault(name, []).append(part(lisa, space, device, start, end))
    shelf.put("whole", *(part(lisa, space, device, 0, signed[device][-1]) for device in signed))
    james = MemoryReplica(JAMES)
    good, exchange = shelf.take(james, space)
    assert good == set(shelf.packs)
    assert (exchange.rejected, exchange.problems) == (0, ())
    assert james.contents() == {space: lisa.contents()[space]}


def test_what_cites_much_that_comes_later_is_tried_again() -> None:
    lisa, space = two_chains(600)
    for seq in range(0, 600, 3):
        lisa.write(space, cite(ADA.device, 599 - seq % 7))
    shelf = Shelf()
    for name, device in (("lisa", LISA.device), ("ada", ADA.device)):
        first = 0
        while (more := lisa.read(space, lisa.tip(space, device), first, 100)) is not None:
            shelf.packs.setdefault(name, []).append(more)
            first = more.last_seq + 1
    james = MemoryReplica(JAMES, waiting_limit=50)
    good, exchange = shelf.take(james, space)
    assert good == {"lisa", "ada"}
    assert (exchange.rejected, exchange.problems) == (0, ())


def test_a_gap_is_named_and_what_lies_before_it_is_taken() -> None:
    lisa, space = two_chains(20)
    shelf = Shelf()
    shelf.put("first", part(lisa, space, LISA.device, 0, 4))
    shelf.put("third", part(lisa, space, LISA.device, 10, 14))
    james = MemoryReplica(JAMES)
    good, exchange = shelf.take(james, space)
    assert good == {"first"}
    assert [problem.code for problem in exchange.problems] == ["pack.incomplete"]
    assert exchange.received == 5


def test_what_is_refused_from_its_beginning_on_is_no_gap() -> None:
    """Simulator, family 21: a deal under a box key that a device has not been told of lies there whole."""
    lisa, space = two_chains(20)
    shelf = Shelf()
    for first in (0, 5, 10):
        shelf.put(f"from {first}", part(lisa, space, LISA.device, first, first + 4))
    eve = MemoryReplica(Device("eve"))
    good, exchange = shelf.take(eve, space)
    assert (good, exchange.received) == (set(), 0)
    assert [problem.code for problem in exchange.problems] == ["space.foreign"]


def test_a_false_copy_is_not_good_though_a_true_one_of_the_same_events_is() -> None:
    lisa, space = two_chains(20)
    true = part(lisa, space, LISA.device, 0, 9)
    shelf = Shelf()
    shelf.put("a false", true._replace(signature=bytes(64)))
    shelf.put("b true", true)
    james = MemoryReplica(JAMES)
    good, exchange = shelf.take(james, space)
    assert good == {"b true"}
    assert exchange.received == 10
    assert [problem.code for problem in exchange.problems] == ["envelope.bad_segment"]


def test_a_false_copy_of_events_in_the_middle_is_not_good_either() -> None:
    lisa, space = two_chains(20)
    shelf = Shelf()
    shelf.put("a true", part(lisa, space, LISA.device, 0, 9))
    shelf.put("b false", part(lisa, space, LISA.device, 5, 12)._replace(signature=bytes(64)))
    shelf.put("c true", part(lisa, space, LISA.device, 10, 15))
    james = MemoryReplica(JAMES)
    good, exchange = shelf.take(james, space)
    assert good == {"a true", "c true"}
    assert exchange.received == 16


def test_a_part_that_cannot_be_read_is_a_problem_of_its_pack_alone() -> None:
    lisa, space = two_chains(20)
    shelf = Shelf()
    shelf.put("broken", None)
    shelf.put("true", part(lisa, space, LISA.device, 0, 9))
    james = MemoryReplica(JAMES)
    good, exchange = shelf.take(james, space)
    assert good == {"true"}
    assert exchange.received == 10


def test_large_takes_are_split_into_admissions() -> None:
    lisa, space = two_chains(3_000)
    shelf = Shelf()
    for device in (LISA.device, ADA.device):
        first = 0
        while (more := lisa.read(space, lisa.tip(space, device), first, 500)) is not None:
            shelf.packs.setdefault("all", []).append(more)
            first = more.last_seq + 1
    james = MemoryReplica(JAMES)
    shelf.take(james, space)
    assert james.contents() == lisa.contents()
    assert james.admissions == 2
    assert engine.BATCH_EVENTS == 5_000
