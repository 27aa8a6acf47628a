"""Runs under a grant at the border: whose word their chains are, where, and for what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.crypto import signing
from chaise_cli.domain import agent, escrow, hiring, order, shape, talk, work
from chaise_cli.domain.grant import GrantCreated, GrantRevoked, Scope
from chaise_cli.domain.terms import DAY_MS, Part
from chaise_cli.errors import Denied, Refused
from chaise_cli.ids import DeviceId, EventId, SpaceId, raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import agency, grantfile, granting, rekeying, running, upkeep, writing
from chaise_cli.session.session import Session
from chaise_cli.store import deal_states, epochs, events
from tests.fakes import homes
from tests.fakes.homes import Hands, Market
from tests.fakes.pen import Pen
from tests.fakes.stages import Stages

PARTS = (Part("Setup", 60_000, None, (), None), Part("Run", 90_000, None, (), None))


def scope(**given: Any) -> Scope:
    whole: dict[str, Any] = {
        "can": ("release",), "milestone": None, "max": 60_000, "per_day": None, "until": homes.NOON_MS + 30 * DAY_MS,
        "approvals": None, "delivered_for_ms": None, "policy": None,
    }  # fmt: skip
    return Scope(**{**whole, **given})


@pytest.fixture
def funded(stages: Stages, lisa: Session, james: Session) -> SpaceId:
    """A deal of Lisa and James with 600.00 EUR held for its first milestone."""
    return stages.at(lisa, james, play=lambda: _funded(lisa, james))


def _funded(lisa: Session, james: Session) -> SpaceId:
    space = homes.open_deal(lisa, james.me.identity, client=True)
    with homes.deal_writer(lisa, space) as deal:
        draft = hiring.draft(deal.state.deal, milestones=PARTS, currency="EUR")
        deal.write(hiring.hire(deal.state.deal, deal.by, draft, deal.sign))
    homes.meet(lisa, james)
    with homes.deal_writer(james, space) as deal:
        deal.write(hiring.accept_terms(deal.state.deal, deal.by, deal.sign))
    homes.meet(lisa, james)
    with homes.deal_writer(lisa, space) as deal:
        deal.write(escrow.fund(deal.state.deal, deal.by, 1))
        agency.tend(deal)
        (op,) = deal.state.deal.ops
        deal.write(agent.attest(deal.state.deal, deal.by, EventId(op), "transfer 4711"))
    homes.meet(lisa, james)
    return space


def handed_out(session: Session, deal: SpaceId, path: Path, **given: Any) -> grantfile.GrantFile:
    """A grant that was made, as its file says."""
    granting.create(session, granting.Plan(deal, path.stem, scope(**given), path), None)
    return grantfile.read(path)


class Run(Pen):
    """A chain that a run's key writes, as honest or hostile software would."""

    def __init__(
        self, session: Session, made: grantfile.GrantFile, name: str = "run", space: SpaceId | None = None
    ) -> None:
        held = session.space(homes.space_no(session, space or made.space))
        super().__init__(name, space=space or made.space, secret=session.epochs.secret(held))
        signer = signing.Ed25519Signer(made.key)
        own = certificate.issue(signer, "run", made.certificates[0].identity, DeviceId(text(self.device)), "ci", 0)
        self.chain: list[Any] = [own.value(), *(one.value() for one in made.certificates)]
        self.seen = sorted(
            (text(chain.device), chain.seq, text(chain.id))
            for chain in events.chains(session.db, held.no)
            if chain.seq >= 0
        )

    def says(self, body: Any) -> Run:
        first = not any(event.suite for event in self.events)
        self.say(body, seen=self.seen if first else (), cert=self.chain if first else None)
        return self


def release(session: Session, deal: SpaceId, total: int | None = 60_000) -> Any:
    state = homes.peek(session, deal).state.deal
    hold = state.milestones[0].last_hold if total is None else None
    return escrow.ReleaseAuthorized(1, total, None, hold, "EUR", None, text(bytes(32)), None)


def verdict(session: Session, run: Pen, back: int = 1) -> str | None:
    return homes.verdicts(session, run.id)[run.ids[-back]]


def released(session: Session, deal: SpaceId) -> int:
    return homes.peek(session, deal).state.deal.milestones[0].released


def test_a_runs_word_counts_as_its_persons_once_it_was_taken_up(
    lisa: Session, james: Session, funded: SpaceId, tmp_path: Path
) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key")
    run = Run(lisa, made).says(release(lisa, funded))
    homes.meet(lisa, james)
    for one in (james, lisa):
        homes.deliver(one, funded, [run.run()])
        assert verdict(one, run) is None
    assert upkeep.run(lisa) == []
    homes.meet(lisa, james)
    assert released(lisa, funded) == released(james, funded) == 60_000
    for one in (lisa, james):
        assert homes.unsound(one, funded) == []
    homes.deliver(lisa, funded, [run.run()])  # the same again
    assert released(lisa, funded) == 60_000


def test_a_run_key_used_twice_makes_two_histories_that_are_both_charged(
    lisa: Session, james: Session, funded: SpaceId, tmp_path: Path
) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key", max=500)
    one, other = Run(lisa, made).says(release(lisa, funded, 300)), Run(lisa, made).says(release(lisa, funded, 600))
    assert one.device == other.device
    homes.meet(lisa, james)
    for session, order_ in ((lisa, (one, other)), (james, (other, one))):
        for run in order_:
            homes.deliver(session, funded, [run.run()])
    assert upkeep.run(lisa) == []
    homes.meet(lisa, james)
    assert homes.state(lisa, funded)["op"] == homes.state(james, funded)["op"]
    assert sorted([verdict(lisa, one) or "", verdict(lisa, other) or ""]) == ["", "grant.over_cap"]
    assert released(lisa, funded) in {300, 500}
    assert released(james, funded) == released(lisa, funded)


def test_what_no_grant_allows_is_void_on_a_runs_chain(lisa: Session, funded: SpaceId, tmp_path: Path) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key")
    run = Run(lisa, made).says(talk.MessageSent("hello", ()))
    hostile = [
        order.AgentDevice(DeviceId(text(run.device)), EventId(text(run.ids[0]))), order.Taken(),
        GrantRevoked(made.grant),
        work.WorkChangesRequested(1, "more"), talk.ContactShared("lisa", "Lisa", "UTC", None),
    ]  # fmt: skip
    for body in hostile:
        run.says(body)
    homes.deliver(lisa, funded, [run.run()])
    assert {homes.verdicts(lisa, funded)[id_] for id_ in run.ids[1:]} == {"grant.kind"}
    found = deal_states.load(lisa.db, homes.space_no(lisa, funded))
    assert found is not None
    assert text(found.agent) == lisa.me.device


def test_a_run_is_nobody_in_another_space_than_its_grants(
    lisa: Session, james: Session, funded: SpaceId, market: Market, tmp_path: Path
) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key")
    other = homes.open_deal(lisa, james.me.identity, client=True)
    for space in (other, market.board):
        run = Run(lisa, made, "elsewhere", space).says(talk.MessageSent("hello", ()))
        homes.deliver(lisa, space, [run.run()])
        assert verdict(lisa, run) == "certificate.bad"


@pytest.mark.parametrize("how", ["no run", "the grant alone", "another run's", "self-made", "for another space"])
def test_a_run_proves_itself_by_its_grant(lisa: Session, funded: SpaceId, tmp_path: Path, how: str) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key")
    run = Run(lisa, made)
    signer, me = signing.Ed25519Signer(made.key), lisa.me.identity
    other = certificate.issue(signer, "run", me, DeviceId(text(bytes([9]) * 32)), "ci", 0)
    mine = signing.Ed25519Signer(bytes([7]) * 32)
    forged = certificate.issue(mine, "run", me, DeviceId(text(run.device)), "ci", 0)
    elsewhere = made.certificates[0]._replace(space=text(bytes(32)))
    run.chain = {
        "no run": run.chain[1:], "the grant alone": [run.chain[1]], "another run's": [other.value(), *run.chain[1:]],
        "self-made": [forged.value(), *run.chain[1:]],
        "for another space": [run.chain[0], elsewhere.value(), *run.chain[2:]],
    }[how]  # fmt: skip
    run.says(release(lisa, funded))
    homes.deliver(lisa, funded, [run.run()])
    assert verdict(lisa, run) == "certificate.bad"


def test_a_runs_wraps_are_used_for_nothing(lisa: Session, funded: SpaceId, tmp_path: Path) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key")
    run = Run(lisa, made).says(release(lisa, funded, 100))
    stranger, box = homes.found(tmp_path, "eve", "talent"), lisa
    wrap: list[tuple[str, bytes]] = [(stranger.me.identity, rekeying.box_keys(box).popitem()[1].public)]
    run.wrap(wrap, b"n" * 32)
    homes.deliver(lisa, funded, [run.run()])
    no = homes.space_no(lisa, funded)
    named = lisa.db.execute("SELECT 1 FROM named WHERE space = ? AND identity = ?", (no, raw(stranger.me.identity)))
    assert named.fetchone() is None
    assert not any(one.device == run.device for one in epochs.wraps(lisa.db, no))
    stranger.close()


def test_a_grant_counts_only_with_its_makers_own_certificate(
    lisa: Session, james: Session, funded: SpaceId, tmp_path: Path
) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key")
    (grant,) = homes.peek(lisa, funded).state.deal.grants.values()
    stored = events.find_event(lisa.db, raw(grant.id))
    assert stored is not None
    good: Any = json.loads(stored.body)["data"]
    signed: Any = json.loads(good["certificate"])
    for change in (
        {"key": text(bytes([8]) * 32)}, {"name": "other"}, {"scope": good["scope"] | {"until": signed["until"] + 1}},
        {"certificate": "{}"}, {"certificate": canonical.encode(made.certificates[1].value()).decode()},
        {"certificate": canonical.encode(signed | {"space": text(bytes(32))}).decode()},
    ):  # fmt: skip
        (id_,) = homes.write_raw(lisa, funded, shape.from_data(GrantCreated, good | change))
        homes.meet(lisa, james)
        assert homes.verdicts(james, funded)[raw(id_)] == "grant.bad_certificate"
    assert list(homes.peek(james, funded).state.deal.grants) == [grant.id]


def test_the_deal_is_encrypted_to_a_grant_until_it_is_revoked(
    lisa: Session, james: Session, funded: SpaceId, tmp_path: Path
) -> None:
    made = handed_out(lisa, funded, tmp_path / "ci.key")
    homes.meet(lisa, james)
    space = james.space(homes.space_no(james, funded))
    boxes = rekeying.members(james, space)[lisa.me.identity]
    assert len(boxes) == 2
    assert len(rekeying.counting(james, space)) == 1
    homes.write(james, funded, talk.MessageSent("in the same epoch", ()))
    assert len(rekeying.counting(james, space)) == 1, "a grant needs no new epoch"
    granting.revoke(lisa, made.grant, None)
    homes.meet(lisa, james)
    homes.write(james, funded, talk.MessageSent("for people alone", ()))
    (newest,) = rekeying.heads(james, space)
    assert len(rekeying.counting(james, space)) == 2
    (grants_box,) = boxes.keys() - rekeying.members(james, space)[lisa.me.identity].keys()
    assert grants_box not in {id_ for _, id_ in newest.boxes}
    homes.meet(lisa, james)
    assert homes.waiting(lisa) == homes.waiting(james) == 0


def test_the_file_of_a_grant_is_of_no_use_once_it_was_edited(lisa: Session, funded: SpaceId, tmp_path: Path) -> None:
    path = tmp_path / "ci.key"
    handed_out(lisa, funded, path)
    value: Any = json.loads(path.read_bytes())
    for name, other in {
        "key": text(bytes([3]) * 32), "box": text(bytes(32)), "space": text(bytes(32)), "grant": text(bytes(32)),
        "places": ["elsewhere"],
        "v": 2, "check": text(bytes(32)), "certificates": value["certificates"][1:],
    }.items():  # fmt: skip
        path.write_bytes(canonical.encode(value | {name: other}) + b"\n")
        with pytest.raises(grantfile.BadFile):
            grantfile.read(path)
    for data in (b"", b"{}", b"[]", b"\xff", canonical.encode(value)[:-1], b" " * 70_000):
        path.write_bytes(data)
        with pytest.raises(grantfile.BadFile):
            grantfile.read(path)
    path.write_bytes(canonical.encode(value) + b"\n")
    path.chmod(0o640)
    with pytest.raises(grantfile.BadFile, match="chmod"):
        grantfile.read(path)


def test_a_refused_grant_leaves_no_file_and_a_file_is_never_written_over(
    lisa: Session, funded: SpaceId, tmp_path: Path
) -> None:
    path = tmp_path / "ci.key"
    with pytest.raises(grantfile.NoFolder):
        granting.create(lisa, granting.Plan(funded, "ci", scope(), tmp_path / "none" / "ci.key"), None)
    with pytest.raises(Refused):
        granting.create(lisa, granting.Plan(funded, "ci", scope(can=("refund",)), path), None)
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(grantfile.FileExists):
        granting.create(lisa, granting.Plan(funded, "ci", scope(), path), None)
    assert path.read_text() == "mine"
    lisa.dry_run = True
    granting.create(lisa, granting.Plan(funded, "ci", scope(), tmp_path / "dry.key"), None)
    assert not (tmp_path / "dry.key").exists()


def test_a_runs_home_writes_nothing_but_acts_and_is_gone_afterwards(
    lisa: Session, funded: SpaceId, tmp_path: Path
) -> None:
    path = tmp_path / "ci.key"
    made = handed_out(lisa, funded, path)
    with running.home(path, Hands(), homes.seeded("run")) as session:
        folder = session.home.path
        homes.deliver(session, funded, homes.runs(lisa, funded))
        with pytest.raises(writing.KindNotGranted):
            homes.write(session, funded, talk.MessageSent("hello", ()))
        with homes.deal_writer(session, funded) as deal:
            deal.write(escrow.release(deal.state.deal, deal.by, 1))
        runs = [run for run in homes.runs(session, funded) if run.device == raw(session.me.device)]
        assert homes.unsound(session, funded) == []
    assert not folder.exists()
    homes.deliver(lisa, funded, runs)
    assert upkeep.run(lisa) == []
    assert released(lisa, funded) == 60_000
    (op,) = [op for op in homes.peek(lisa, funded).state.deal.ops.values() if op.kind == "release"]
    assert op.grant == made.grant
    with pytest.raises(Denied), running.home(path, Hands(homes.NOON_MS + 31 * DAY_MS)):
        pass
