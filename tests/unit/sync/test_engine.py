from __future__ import annotations

from pathlib import Path

import pytest

from chaise_cli.errors import Unreachable
from chaise_cli.ledger import segment
from chaise_cli.ledger.segment import Segment
from sync import engine
from sync.engine import Exchange, Offer, Tally
from sync.replica import Head, Problem, Replica, Signer, SpaceInfo
from sync.transports.folder import Folder
from tests.fakes.links import StdioLink
from tests.fakes.replica import Device, Forgetful, MemoryReplica

LISA, JAMES, ADA = Device("lisa"), Device("james"), Device("ada")


def deal_of(count: int, *, signed_every: int = 1, body: bytes = b"") -> tuple[MemoryReplica, bytes]:
    lisa = MemoryReplica(LISA)
    deal = lisa.open("deal", [LISA.identity, JAMES.identity])
    for at in range(count - 3):
        lisa.write(deal, body, signed=at % signed_every == 0 or at == count - 4)
    return lisa, deal


def offer(replica: MemoryReplica, theirs: dict[bytes, engine.Tips], tally: Tally | None = None) -> Offer:
    spaces = [(info.id, engine.tips(replica, info.id)) for info in engine.in_order(replica.spaces())]
    return Offer(replica, spaces, theirs, tally or Tally())


def spans(batch: list[Segment]) -> list[tuple[bytes, int, int]]:
    return [(one.device, one.first_seq, one.last_seq) for one in batch]


def test_a_batch_holds_at_most_five_thousand_events_in_parts_of_five_hundred() -> None:
    lisa, _ = deal_of(6_000)
    plan = offer(lisa, {})
    assert plan.total == 6_000
    assert spans(plan.batch()) == [(LISA.device, at, at + 499) for at in range(0, 5_000, 500)]
    assert spans(plan.batch()) == [(LISA.device, 5_000, 5_499), (LISA.device, 5_500, 5_999)]
    assert plan.batch() == []


def test_chains_of_a_space_take_turns() -> None:
    lisa, deal = deal_of(1_200)
    ada = MemoryReplica(ADA)
    ada.held = lisa.held
    for _ in range(700):
        ada.write(deal, b"")
    both = sorted([(LISA.device, 1_200), (ADA.device, 700)])
    turns = [(device, at, min(at + 499, count - 1)) for at in (0, 500, 1_000) for device, count in both if at < count]
    assert spans(offer(lisa, {}).batch()) == turns


def test_spaces_go_in_the_order_self_boards_deals() -> None:
    infos = [SpaceInfo(bytes([at]), kind, frozenset()) for at, kind in enumerate(["deal", "board", "self", "deal"])]
    assert [info.kind for info in engine.in_order(infos)] == ["self", "board", "deal", "deal"]
    assert [info.id for info in engine.in_order(infos)][2:] == [b"\0", b"\3"]


def test_only_what_the_other_lacks_is_offered() -> None:
    lisa, deal = deal_of(20)
    ids = lisa.held[deal].chains[LISA.device].ids
    plan = offer(lisa, {deal: {LISA.device: [Head(LISA.device, 14, ids[14])]}})
    assert plan.total == 5
    assert spans(plan.batch()) == [(LISA.device, 15, 19)]


@pytest.mark.parametrize("seq", [19, 14])
def test_to_a_side_with_an_unknown_history_ours_is_offered_whole(seq: int) -> None:
    lisa, deal = deal_of(20)
    tally = Tally()
    plan = offer(lisa, {deal: {LISA.device: [Head(LISA.device, seq, bytes(32))]}}, tally)
    assert spans(plan.batch()) == [(LISA.device, 0, 19)]
    assert tally.exchange().problems == ()


def test_to_a_side_that_may_be_further_on_nothing_is_offered() -> None:
    lisa, deal = deal_of(20)
    assert offer(lisa, {deal: {LISA.device: [Head(LISA.device, 20, bytes(32))]}}).batch() == []


def test_of_several_histories_what_they_share_goes_over_once() -> None:
    lisa, deal = deal_of(20)
    chain = lisa.held[deal].chains[LISA.device]
    lisa.held[deal].others[LISA.device] = [chain.fork(12), chain.fork(15)]
    for other in lisa.held[deal].others[LISA.device]:
        lisa.held[deal].chains[LISA.device] = other
        lisa.write(deal, b"another")
    lisa.held[deal].chains[LISA.device] = chain
    plan = offer(lisa, {})
    assert plan.total == 22
    assert spans(plan.batch()) == [(LISA.device, 0, 12), (LISA.device, 12, 15), (LISA.device, 15, 19)]
    known = lisa.heads(deal)[1:2]
    assert spans(offer(lisa, {deal: {LISA.device: list(known)}}).batch()) == [
        (LISA.device, 12, 15),
        (LISA.device, 15, 19),
    ]


def test_a_refused_chain_is_not_offered_again() -> None:
    lisa, deal = deal_of(6_000)
    plan = offer(lisa, {})
    assert plan.batch()
    plan.refuse(deal, LISA.device)
    assert plan.batch() == []


def test_large_bodies_make_short_parts() -> None:
    lisa, _ = deal_of(100, body=bytes(60_000))
    parts = [one for _ in range(10) for one in offer(lisa, {}).batch()[:1]]
    assert all(engine.size_of(part) <= engine.PART_BYTES for part in parts)
    first, *_ = offer(lisa, {}).batch()
    assert engine.size_of(first) == len(segment.pack(first))


def test_a_part_may_be_long_when_signatures_lie_far_apart() -> None:
    lisa, _ = deal_of(40, signed_every=39, body=bytes(60_000))
    (_, long) = offer(lisa, {}).batch()
    assert engine.size_of(long) > engine.PART_BYTES


def test_a_part_that_fits_into_no_message_is_a_problem() -> None:
    lisa, _ = deal_of(100, signed_every=97, body=bytes(60_000))
    tally = Tally()
    assert spans(offer(lisa, {}, tally).batch()) == [(LISA.device, 0, 3)]
    assert [problem.code for problem in tally.exchange().problems] == ["sync.too_large"]


def test_a_failure_ends_up_in_the_result_with_what_was_done_before() -> None:
    lisa, _ = deal_of(5)

    class Breaks:
        def exchange(self, _replica: Replica, _signer: Signer, tally: Tally) -> None:
            tally.sent = 3
            raise Unreachable

    done = engine.exchange(lisa, LISA, Breaks())
    assert (done.sent, type(done.failure)) == (3, Unreachable)


def test_refusals_are_forgotten_when_they_are_offered_again_and_problems_are_not() -> None:
    tally = Tally()
    tally.refuse(2, [Problem("a", "kept")])
    mark = tally.mark()
    tally.problem("b", "stays")
    tally.problem("b", "stays")
    tally.refuse(5, [Problem("c", "goes")])
    tally.forget(mark)
    assert tally.exchange() == Exchange(0, 0, 2, (Problem("b", "stays"), Problem("a", "kept")))


def test_problems_are_counted_up_to_a_limit() -> None:
    tally = Tally()
    for at in range(engine.PROBLEMS + 5):
        tally.problem("x", str(at))
    assert len(tally.exchange().problems) == engine.PROBLEMS


def test_names_in_problems_are_public_ids() -> None:
    assert engine.chain_of(bytes(32), bytes(32)) == f"dev-{'0' * 26} in space-{'0' * 26}"


def test_progress_goes_up_to_its_total(tmp_path: Path) -> None:
    lisa, _ = deal_of(1_200)
    seen: list[tuple[str, int, int]] = []
    way = Folder(str(tmp_path), Forgetful())
    from_lisa = engine.exchange(lisa, LISA, way, lambda *step: seen.append(step))
    assert from_lisa.sent == 1_200
    assert seen[-1] == ("send", 1_200, 1_200)


def test_a_stranger_is_not_told_what_is_held_here() -> None:
    """Ada offers James what Lisa's deal says, though no wrap names her: she learns nothing from his answer."""
    lisa, deal = deal_of(10)
    james, ada = MemoryReplica(JAMES), MemoryReplica(ADA)
    StdioLink().sync(lisa, james)
    ada.held = {deal: lisa.held[deal]}
    led, served = StdioLink().sync(ada, james)
    assert (led.sent, led.received, led.failure, served.failure) == (0, 0, None, None)


class Counting(MemoryReplica):
    """Counts how often two histories are compared."""

    compared = 0

    def common(self, space: bytes, one: Head, other: Head) -> int | None:
        self.compared += 1
        return super().common(space, one, other)


def test_a_device_with_many_histories_is_compared_in_proportion_to_them() -> None:
    lisa = Counting(LISA)
    deal = lisa.open("deal", [LISA.identity])
    for _ in range(300):
        lisa.write(deal, b"")
    chain = lisa.held[deal].chains[LISA.device]
    lisa.held[deal].others[LISA.device] = [chain.fork(length) for length in range(1, 300)]
    plan = offer(lisa, {})
    assert 0 < lisa.compared <= 300 * engine.COMPARED
    assert plan.total >= len(chain.ids), "never too little"
