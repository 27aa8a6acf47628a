"""What every transport does, run on stdio, over HTTP and on a folder."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import signing
from chaise_cli.ledger import header
from sync.engine import Exchange
from tests.fakes.links import FolderLink, HttpLink, Link, StdioLink
from tests.fakes.relay_client import RelayLink
from tests.fakes.replica import Device, MemoryReplica, cite, scribble, wrap

Step = tuple[int, int, int]
LISA, JAMES, ADA, MALLORY = Device("lisa"), Device("james"), Device("ada"), Device("mallory")


NAMES = ["stdio", "http", "folder", "relay"]


@pytest.fixture(params=NAMES)
def link(request: pytest.FixtureRequest, tmp_path: Path) -> Link:
    return link_named(request.param, tmp_path)


@pytest.fixture(params=["stdio", "http", "folder"])
def direct(request: pytest.FixtureRequest, tmp_path: Path) -> Link:
    """A relay takes a second history of a device from anybody but itself: tests/unit/sync/test_relay_client.py."""
    return link_named(request.param, tmp_path)


def link_named(name: str, folder: Path) -> Link:
    if name == "folder":
        return FolderLink(folder)
    made: Link = {"stdio": StdioLink, "http": HttpLink, "relay": RelayLink}[name]()
    return made


def replicas(*devices: Device) -> list[MemoryReplica]:
    return [MemoryReplica(device) for device in devices]


def a_deal(lisa: MemoryReplica, *others: Device, events: int = 5) -> bytes:
    space = lisa.open("deal", [lisa.identity(), *(device.identity for device in others)])
    scribble(lisa, space, events, random.Random(events))
    return space


def clean(*exchanges: Exchange) -> None:
    for exchange in exchanges:
        assert (exchange.failure, exchange.rejected, tuple(exchange.problems)) == (None, 0, ())


def test_both_sides_come_to_hold_the_same_events(link: Link) -> None:
    lisa, james = replicas(LISA, JAMES)
    deal = a_deal(lisa, JAMES)
    clean(*link.sync(lisa, james))
    scribble(james, deal, 3, random.Random(1))
    scribble(lisa, deal, 4, random.Random(2))
    near, far = link.sync(lisa, james)
    clean(near, far)
    assert (near.sent, near.received, far.received) == (4, 3, 4)
    assert lisa.contents() == james.contents()


def test_a_second_sync_moves_nothing(link: Link) -> None:
    lisa, james = replicas(LISA, JAMES)
    a_deal(lisa, JAMES)
    link.sync(lisa, james)
    before = james.admissions
    near, far = link.sync(lisa, james)
    assert near[:5] == far[:5] == (0, 0, 0, (), None)
    assert james.admissions == before


def test_a_deal_reaches_the_identity_its_wraps_name_and_nobody_else(link: Link) -> None:
    lisa, james, mallory = replicas(LISA, JAMES, MALLORY)
    deal = a_deal(lisa, JAMES)
    clean(*link.sync(lisa, mallory), *link.sync(mallory, lisa))
    assert mallory.contents() == {}
    clean(*link.sync(james, lisa))
    assert james.contents() == {deal: lisa.contents()[deal]}


def test_a_deal_that_names_a_third_later_reaches_it_whole(link: Link) -> None:
    lisa, james, ada = replicas(LISA, JAMES, ADA)
    deal = a_deal(lisa, JAMES)
    clean(*link.sync(lisa, james))
    scribble(james, deal, 3, random.Random(3))
    lisa.write(deal, wrap(ADA.identity), suite=header.CLEAR)
    link.sync(lisa, james)
    clean(*link.sync(james, ada))
    assert ada.contents() == james.contents()


def test_a_board_is_exchanged_among_those_who_hold_its_key(link: Link) -> None:
    lisa, james, mallory = replicas(LISA, JAMES, MALLORY)
    board = lisa.open("board")
    scribble(lisa, board, 4, random.Random(4))
    james.join(board, lisa.keys[board])
    clean(*link.sync(lisa, mallory), *link.sync(james, lisa))
    scribble(james, board, 4, random.Random(5))
    clean(*link.sync(lisa, james))
    assert james.contents() == lisa.contents()
    assert mallory.contents() == {}


def test_an_attachment_follows_the_event_that_names_it(link: Link) -> None:
    lisa, james = replicas(LISA, JAMES)
    deal = a_deal(lisa, JAMES)
    contents = [b"a small file", b"", random.Random(6).randbytes(300_000)]
    addresses = [lisa.attach(deal, content) for content in contents]
    clean(*link.sync(lisa, james), *link.sync(lisa, james))
    assert [james.objects[address] for address in addresses] == contents
    second = james.attach(deal, b"and back")
    clean(*link.sync(lisa, james), *link.sync(lisa, james))
    assert lisa.objects[second] == b"and back"


@cache
def _of_many_events() -> MemoryReplica:
    """Lisa's, written once for all links."""
    lisa = MemoryReplica(LISA)
    deal = lisa.open("deal", [LISA.identity, JAMES.identity])
    for at in range(12_000):
        lisa.write(deal, b"", signed=at % 100 == 99)
    return lisa


def test_many_events_go_over_in_few_admissions(link: Link) -> None:
    lisa, james = copy.deepcopy(_of_many_events()), MemoryReplica(JAMES)
    clean(*link.sync(lisa, james))
    assert james.contents() == lisa.contents()
    assert james.admissions <= 3


def test_events_whose_bodies_are_large_go_over_in_parts(link: Link) -> None:
    lisa, james = replicas(LISA, JAMES)
    deal = lisa.open("deal", [LISA.identity, JAMES.identity])
    for _ in range(100):
        lisa.write(deal, bytes(header.BODY_LIMIT))
    clean(*link.sync(lisa, james))
    assert james.contents() == lisa.contents()


def test_what_had_to_wait_too_long_is_offered_again(link: Link) -> None:
    """A receiver that may keep few waiting events still gets all, though one chain runs far ahead of another."""
    lisa, ada = replicas(LISA, ADA)
    deal = a_deal(lisa, ADA, JAMES)
    link.sync(lisa, ada)
    for _ in range(3_000):
        ada.write(deal, b"")
    link.sync(lisa, ada)
    for seq in range(0, 3_000, 2):
        lisa.write(deal, cite(ADA.device, seq))
        lisa.write(deal, cite(ADA.device, 2_999))
    james = MemoryReplica(JAMES, waiting_limit=700)
    near, far = link.sync(james, lisa)
    clean(near, far)
    assert james.contents() == lisa.contents()


def test_a_chain_that_does_not_verify_is_refused_and_the_rest_goes_on(link: Link) -> None:
    lisa, james = replicas(LISA, JAMES)
    good, bad = a_deal(lisa, JAMES), a_deal(lisa, JAMES, events=7)
    james_heads = lisa.contents()[good]
    chain = lisa.held[bad].chains[LISA.device]
    for seq in chain.signed:
        chain.signatures[seq] = MALLORY.signer.sign(signing.TAGS.event, b"something else")
    near, far = link.sync(james, lisa)
    if isinstance(link, RelayLink):  # which takes nothing that does not hold, and tells whoever brought it
        assert {problem.code for problem in far.problems} == {"envelope.bad_segment"}
        assert near.problems == ()
    else:
        assert near.rejected == 10
        assert [problem.code for problem in near.problems] == ["events.refused"]
    assert near.failure is far.failure is None
    assert james.contents() == {good: james_heads}


def test_two_histories_of_one_chain_both_arrive_and_the_rest_goes_on(direct: Link) -> None:
    lisa, james = replicas(LISA, JAMES)
    deal = a_deal(lisa, JAMES)
    direct.sync(lisa, james)
    restored = copy.deepcopy(lisa)
    lisa.write(deal, b"one thing")
    direct.sync(lisa, james)
    restored.write(deal, b"another")
    a_deal(restored, JAMES, events=9)
    clean(*direct.sync(restored, james))
    assert len(james.heads(deal)) == 2
    assert james.contents() == restored.contents()
    clean(*direct.sync(lisa, james))
    assert lisa.contents() == james.contents()


@cache
def _of_a_long_deal() -> MemoryReplica:
    """Lisa's, written once for all links."""
    lisa = MemoryReplica(LISA)
    a_deal(lisa, JAMES, events=600)
    return lisa


@pytest.mark.parametrize("lead", [0, 1])
@pytest.mark.parametrize("more", [1, 20, 700])
def test_histories_of_any_length_reach_both_sides_whoever_leads(direct: Link, more: int, lead: int) -> None:
    """The copy and the original were never seen together; each meets James, then one another."""
    lisa, james = copy.deepcopy(_of_a_long_deal()), MemoryReplica(JAMES)
    (deal,) = lisa.held
    direct.sync(lisa, james)
    restored = copy.deepcopy(lisa)
    lisa.write(deal, b"one thing")
    direct.sync(lisa, james)
    scribble(restored, deal, more, random.Random(7))
    pair = [restored, james]
    clean(*direct.sync(pair[lead], pair[1 - lead]), *direct.sync(pair[lead], pair[1 - lead]))
    assert james.contents() == restored.contents()
    clean(*direct.sync(lisa, restored))
    assert lisa.contents() == restored.contents()
    before = james.admissions
    direct.sync(lisa, james)
    assert james.admissions == before


@given(
    names=st.sampled_from(["stdio", "folder"]),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=14),
)
def test_copies_of_one_home_and_others_converge_in_whatever_order_they_meet(names: str, steps: Sequence[Step]) -> None:
    """Three homes write with one key, which makes histories upon histories; James has heard of none."""
    with TemporaryDirectory() as folder:
        link: Link = StdioLink() if names == "stdio" else FolderLink(Path(folder))
        lisa, james = replicas(LISA, JAMES)
        deal = a_deal(lisa, JAMES)
        four = [lisa, copy.deepcopy(lisa), copy.deepcopy(lisa), james]
        for at, (writer, reader, count) in enumerate(steps):
            if deal in four[writer].held:
                scribble(four[writer], deal, count, random.Random(at))
            if writer != reader:
                clean(*link.sync(four[writer], four[reader]))
        for one, other in ((0, 1), (1, 2), (2, 3)) * 3:
            clean(*link.sync(four[one], four[other]))
        assert all(replica.contents() == james.contents() for replica in four)


@given(
    names=st.sampled_from(NAMES),
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), max_size=12),
)
def test_three_replicas_converge_in_whatever_order_they_meet(names: str, steps: Sequence[Step]) -> None:
    with TemporaryDirectory() as folder:
        link = link_named(names, Path(folder))
        three = replicas(LISA, JAMES, ADA)
        deal = a_deal(three[0], JAMES, ADA)
        chance = random.Random(0)
        for writer, reader, count in steps:
            if deal in three[writer].held:
                scribble(three[writer], deal, count, chance)
            if writer != reader:
                clean(*link.sync(three[writer], three[reader]))
        for one, other in ((0, 1), (1, 2), (0, 1), (1, 2)):
            clean(*link.sync(three[one], three[other]))
        assert three[0].contents() == three[1].contents() == three[2].contents()
