"""What a thief with a revoked device's keys may try: earlier lamports, own revocations, keys, certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaise_cli.crypto import signing
from chaise_cli.domain import order, revocation, talk
from chaise_cli.domain.body import replace
from chaise_cli.ids import DeviceId, EventId, SpaceId, public, raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.ledger import revocation as statement
from chaise_cli.session import profiles, rekeying, revoking, writing
from chaise_cli.session.session import Session
from chaise_cli.store import deal_states, events, own
from tests.fakes import acts, homes, kin
from tests.fakes.homes import Market
from tests.fakes.stages import Stages


@pytest.fixture
def phone(stages: Stages, lisa: Session, tmp_path: Path) -> Iterator[Session]:
    made = stages.joined(lisa, play=lambda: kin.join(lisa, tmp_path, "phone"))
    yield made
    made.close()


@pytest.fixture
def deal(stages: Stages, lisa: Session, phone: Session, james: Session) -> SpaceId:
    return stages.at(lisa, phone, james, play=lambda: _proposed(lisa, phone, james))


def _proposed(lisa: Session, phone: Session, james: Session) -> SpaceId:
    made = homes.open_deal(lisa, james.me.identity, client=True)
    kin.meet(lisa, james, phone)
    acts.do(james, made, "propose")
    kin.meet(lisa, james, phone)
    return made


def name_of(session: Session) -> str:
    return public("dev", session.me.device)


def void(session: Session, event: str) -> str | None:
    found: str | None = session.db.execute("SELECT void FROM event WHERE id = ?", (raw(event),)).fetchone()[0]
    return found


def test_an_act_that_cites_nothing_has_an_early_lamport_and_is_void_in_the_same_uptake(
    lisa: Session, phone: Session, james: Session, deal: SpaceId
) -> None:
    """The agent hears of the act and of the revocation at once; the act ranks first by its lamport."""
    tablet = kin.join(lisa, lisa.home.path.parent, "tablet")
    kin.meet(lisa, phone, tablet, james)
    act = homes.write_raw(phone, deal, homes.deals_invite())[-1]
    revoking.revoke(tablet, name_of(phone), kin.recovery_code("lisa"), None)
    ranks = dict(tablet.db.execute("SELECT kind, lamport FROM event WHERE kind LIKE 'deal.%'").fetchall())
    early = phone.db.execute("SELECT lamport FROM event WHERE id = ?", (raw(act),)).fetchone()[0]
    assert early <= ranks["deal.device_revoked"]
    kin.carry(phone, lisa)
    kin.carry(tablet, lisa)
    acts.do(lisa, deal, "taken")
    assert void(lisa, act) == "device.revoked"
    kin.meet(lisa, tablet, james)
    assert homes.state(lisa, deal) == homes.state(james, deal) == homes.state(tablet, deal)
    tablet.close()


def test_a_thief_who_repeats_his_own_revocation_with_a_later_end_gains_nothing(
    lisa: Session, phone: Session, james: Session, deal: SpaceId, market: Market
) -> None:
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.carry(lisa, phone)
    phone.revoked = False
    for space in (deal, market.board):
        (said,) = kin.revocations_in(phone, space)
        later = revocation.LastEvent(10_000, EventId(text(bytes(32))))
        homes.write_raw(phone, space, replace(said, last=later))
    post = homes.write_raw(phone, market.board, homes.POST)[-1]
    act = homes.write_raw(phone, deal, homes.deals_invite())[-1]
    kin.meet(lisa, james, phone)
    acts.do(lisa, deal, "taken")
    assert void(lisa, post) == void(james, post) == "device.revoked"
    kin.meet(lisa, james)
    assert void(lisa, act) == void(james, act) == "device.revoked"


def test_a_thief_revokes_nobody_nearer_to_the_root_whatever_certificates_he_makes(
    lisa: Session, phone: Session, james: Session, deal: SpaceId, market: Market
) -> None:
    """He may sign certificates that put the laptop below his phone; its own chain says where it stands."""
    at, by = homes.NOON_MS, signing.Ed25519Signer(own.device_seed(phone.db, phone.me.device))
    signature = statement.sign(by, phone.me.identity, lisa.me.device, (), at)
    chain = tuple(canonical.encode(one).decode() for one in own.certificates(phone.db))
    fields = (lisa.me.device, None, (), at, text(by.public), chain, signature)
    homes.write_raw(phone, kin.self_space(phone).id, revocation.SelfDeviceRevoked(*fields))
    homes.write_raw(phone, market.board, revocation.BoardDeviceRevoked(*fields))
    homes.write_raw(phone, deal, revocation.DealDeviceRevoked(*fields, box=profiles.box_key(phone)))
    kin.meet(lisa, james, phone)
    post = homes.post(lisa, market.board)
    (said,) = homes.write(lisa, deal, talk.MessageSent("still here", ()))
    acts.do(lisa, deal, "shortlist")
    kin.meet(lisa, james, phone, tend=True)
    assert not lisa.revoked
    assert [void(james, one) for one in (post, said)] == [None, None]
    assert homes.unsound(lisa, deal) == homes.unsound(james, deal) == []
    assert homes.state(lisa, deal) == homes.state(james, deal)
    assert events.branches_of(james.db, homes.space_no(james, deal), raw(lisa.me.device))


def test_a_false_or_foreign_revocation_is_void(lisa: Session, phone: Session, james: Session, deal: SpaceId) -> None:
    """James cannot revoke Lisa's devices, nor anybody by a statement that nobody signed."""
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.meet(lisa, james)
    (said,) = kin.revocations_in(james, deal)
    stolen = homes.write_raw(james, deal, replace(said, device=lisa.me.device))[-1]
    copied = homes.write_raw(james, deal, said)[-1]
    kin.meet(lisa, james)
    assert [void(lisa, one) for one in (stolen, copied)] == ["device.bad_revocation"] * 2
    acts.do(lisa, deal, "shortlist")
    assert not lisa.revoked


def test_a_key_that_a_revoked_device_opens_seals_nothing_of_ours(
    lisa: Session, phone: Session, james: Session, deal: SpaceId
) -> None:
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.meet(lisa, james)
    phone.revoked = False  # it did not hear of it; its software asks for a key of its own
    homes.write_raw(phone, deal, talk.MessageSent("first words", ()))
    with phone.writing():
        space = phone.space(homes.space_no(phone, deal))
        thiefs = rekeying.rekey(phone, writing.Writer(phone), space)
    name = phone.epochs.name(thiefs.epoch or 0)
    homes.write_raw(phone, deal, talk.MessageSent("use my key", ()))
    kin.meet(lisa, james, phone, tend=True)
    for one in (lisa, james):
        homes.write(one, deal, talk.MessageSent("private", ()))
        held = events.find_space(one.db, deal)
        assert held is not None
        assert held.epoch is not None
        assert one.epochs.name(held.epoch) != name
    kin.meet(lisa, james, phone)
    said = [body for (body,) in phone.db.execute("SELECT CAST(body AS TEXT) FROM event WHERE kind = 'message.sent'")]
    assert not any("private" in body for body in said)


def test_a_grant_is_no_device(lisa: Session, james: Session, deal: SpaceId, market: Market) -> None:
    """Its certificate leads to the root, and its chain counts for nothing anywhere."""
    key = signing.Ed25519Signer(bytes(range(32)))
    issuer = signing.Ed25519Signer(own.device_seed(lisa.db, lisa.me.device))
    made = certificate.issue(issuer, "grant", lisa.me.identity, DeviceId(text(key.public)), "ci", homes.NOON_MS)
    with lisa.writing():
        before = own.certificates(lisa.db)
        own.add_device(
            lisa.db, DeviceId(text(key.public)), bytes(range(32)), canonical.encode([made.value(), *before]).decode()
        )
    lisa.me = lisa.me._replace(device=DeviceId(text(key.public)))
    post = homes.post(lisa, market.board)
    homes.write_raw(lisa, deal, order.Taken())
    kin.carry(lisa, james)
    assert void(james, post) == "certificate.bad"
    found = deal_states.load(james.db, homes.space_no(james, deal))
    assert found is not None
    assert text(found.agent) != text(key.public)


def test_a_thiefs_own_revocation_does_not_decide_which_of_his_histories_counts(
    lisa: Session, phone: Session, james: Session, deal: SpaceId, tmp_path: Path
) -> None:
    """He repeats Lisa's signed statement on a copy of the phone, naming the copy's history, with an earlier lamport."""
    twin = homes.copied(phone, tmp_path / "copy", tmp_path / "phone.key")
    for words in ("one", "two", "three", "four"):
        homes.write_raw(phone, deal, talk.MessageSent(words, ()))
    kin.meet(lisa, phone)
    revoking.revoke(lisa, name_of(phone), None, None)
    (said,) = kin.revocations_in(lisa, deal)
    (mine,) = homes.write_raw(twin, deal, talk.MessageSent("mine", ()))
    seq = twin.db.execute("SELECT seq FROM event WHERE id = ?", (raw(mine),)).fetchone()[0]
    homes.write_raw(twin, deal, replace(said, last=revocation.LastEvent(seq, mine)))
    act = homes.write_raw(twin, deal, homes.deals_invite())[-1]
    for one in (lisa, james):
        homes.deliver(one, deal, homes.runs(twin, deal))
    kin.meet(lisa, james)
    acts.do(lisa, deal, "taken")
    kin.meet(lisa, james)
    assert void(lisa, act) == void(james, act) == "device.revoked"
    assert homes.unsound(lisa, deal) == homes.unsound(james, deal) == []
    twin.close()
