from __future__ import annotations

import json
from typing import Any

import pytest

from chaise_cli.domain import escrow, record, runs, work
from chaise_cli.domain.body import replace
from chaise_cli.domain.deal import Deal
from chaise_cli.domain.escrow import NoSuchRun, OtherCurrency, OverTotal, StaleRun
from chaise_cli.domain.money import Money
from chaise_cli.domain.runs import BadRecord, RunRecorded, Seen, Verdict
from chaise_cli.domain.talk import Attachment
from chaise_cli.domain.transitions import NotYours
from chaise_cli.ids import DeviceId, EventId, IdentityId
from tests.unit.domain.deal_world import ADA, JAMES, LISA, World, in_state, name

ALLOW = Verdict("allow", 40_000, ("all well",))
SEEN = Seen("build/junit.xml", name("junit"), 7)


def attached(title: str, size: int, digest: str) -> Attachment:
    return Attachment(title, size, name(digest), name("address"), name("file key"))


FILES = (attached("release.toml", 9, "policy"), attached("build/junit.xml", 7, "junit"))


def body(world: World, **other: Any) -> RunRecorded:
    (made,) = runs.record(world.deal, world.by(LISA), 1, name("policy"), ALLOW, (SEEN,), FILES)
    assert isinstance(made, RunRecorded)
    return replace(made, **other)


def recorded(world: World, who: IdentityId = LISA, **other: Any) -> EventId:
    return world.record(who, body(world, **other))


def test_a_run_keeps_what_the_deal_said_at_its_place() -> None:
    world = in_state("delivered")
    event = recorded(world)
    run = world.deal.runs[event]
    assert (run.by, run.verdict, run.total, run.policy) == (LISA, "allow", 40_000, name("policy"))
    before = run.facts
    assert (before.state, before.reach, before.amount, before.delivery) == (
        "delivered",
        60_000,
        60_000,
        world.ms().delivered_by,
    )
    world.record(LISA, *escrow.release(world.deal, world.by(LISA), 1))
    world.settle()
    assert world.deal.runs[run.id].facts == before


def test_the_state_with_its_runs_and_keys_is_stored_and_read_back() -> None:
    world = in_state("delivered")
    world.record(JAMES, *runs.name_key(world.deal, world.by(JAMES), name("key")))
    recorded(world)
    assert record.load(Deal, json.loads(record.dump(world.deal._replace(entries=())))) == world.deal._replace(
        entries=()
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"total": None},
        {"total": 0},
        {"verdict": "deny"},
        {"verdict": "wait"},
        {"policy": name("other")},
        {"files": ()},
        {"files": FILES[:1]},
        {"files": (*FILES, FILES[1])},
        {"files": (FILES[1], FILES[0])},
        {"evidence": ()},
        {"evidence": (SEEN, SEEN), "files": (*FILES, FILES[1])},
        {"evidence": (replace(SEEN, size=8),)},
        {"evidence": (replace(SEEN, digest=name("swapped")),)},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_that_contradicts_itself_is_void(wrong: dict[str, Any]) -> None:
    world = in_state("delivered")
    with pytest.raises(BadRecord):
        recorded(world, **wrong)


def test_a_record_is_of_a_side_in_the_deals_currency_and_of_the_last_delivery() -> None:
    world = in_state("delivered")
    with pytest.raises(NotYours):
        recorded(world, ADA)
    with pytest.raises(OtherCurrency):
        recorded(world, currency="USD")
    with pytest.raises(StaleRun):
        recorded(world, delivery=name("another delivery"))


def release(world: World, run: EventId, *, n: int = 1, total: int = 40_000) -> None:
    world.record(LISA, *escrow.release(world.deal, world.by(LISA), n, total=Money(total, "EUR"), run=run))


def test_a_release_that_rests_on_a_run_goes_as_far_as_the_run_says() -> None:
    world = in_state("delivered")
    run = recorded(world)
    with pytest.raises(OverTotal):
        release(world, run, total=40_001)
    release(world, run, total=10_000)
    release(world, run)
    assert escrow.release(world.deal, world.by(LISA), 1, total=Money(40_000, "EUR"), run=EventId(name("none"))) == []
    assert world.deal.ops[list(world.deal.ops)[-1]].run == run


def test_a_release_of_all_or_of_a_step_cannot_rest_on_a_run() -> None:
    world = in_state("delivered")
    run = recorded(world, total=60_000)
    step = Money(1, "EUR")
    with pytest.raises(OverTotal):
        escrow.release(world.deal, world.by(LISA), 1, amount=step, request_id="q", run=run)
    assert escrow.release(world.deal, world.by(LISA), 1, run=run)  # all that is held names an end, and that one fits


def test_a_release_rests_on_no_run_of_another_author_milestone_or_verdict() -> None:
    world = in_state("delivered")
    for run in (
        EventId(name("none")),
        recorded(world, JAMES),
        recorded(world, verdict="deny", total=None),
        recorded(world, milestone=2, delivery=None),
    ):
        with pytest.raises(NoSuchRun):
            release(world, run)
    event = recorded(world)
    stolen = world.deal.runs[event]._replace(device=DeviceId(name("stolen")))
    world.deal = world.deal._replace(runs={"r": stolen})
    with pytest.raises(NoSuchRun):
        release(world, EventId("r"))


def test_a_new_delivery_makes_a_run_stale() -> None:
    world = in_state("delivered")
    run = recorded(world)
    world.record(LISA, *work.request_changes(world.deal, world.by(LISA), 1, "the pixel"))
    world.deliver()
    with pytest.raises(StaleRun):
        release(world, run)


def test_only_what_the_last_delivery_brought_counts_as_delivered() -> None:
    world = in_state("funded")
    world.record(JAMES, *work.deliver(world.deal, world.by(JAMES), 1, files=[FILES[0]]))
    world.record(LISA, *work.request_changes(world.deal, world.by(LISA), 1, "the pixel"))
    assert runs.facts_of(world.deal, world.ms()).delivered == (name("policy"),)
    world.record(JAMES, *work.deliver(world.deal, world.by(JAMES), 1, files=[FILES[1]]))
    assert runs.facts_of(world.deal, world.ms()).delivered == (name("junit"),)
    world.record(LISA, *work.request_changes(world.deal, world.by(LISA), 1, "still the pixel"))
    world.deliver()
    assert runs.facts_of(world.deal, world.ms()).delivered == ()


def test_what_is_promised_back_is_out_of_reach() -> None:
    world = in_state("funded")
    world.record(JAMES, *escrow.refund(world.deal, world.by(JAMES), 1, total=Money(20_000, "EUR")))
    assert runs.facts_of(world.deal, world.ms()).reach == 40_000
    world.settle()
    assert runs.facts_of(world.deal, world.ms()).reach == 40_000


def test_a_key_is_named_once_and_the_last_one_stands() -> None:
    world = in_state("planned")
    world.record(JAMES, *runs.name_key(world.deal, world.by(JAMES), name("one")))
    assert runs.name_key(world.deal, world.by(JAMES), name("one")) == []
    world.record(JAMES, *runs.name_key(world.deal, world.by(JAMES), name("two")))
    world.record(LISA, *runs.name_key(world.deal, world.by(LISA), name("one")))
    assert world.deal.keys == {JAMES: name("two"), LISA: name("one")}
    with pytest.raises(NotYours):
        runs.name_key(world.deal, world.by(ADA), name("one"))
