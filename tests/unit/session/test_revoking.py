"""A revoked device: reads nothing new, keeps what it had, and what it signs afterwards counts for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaise_cli.crypto import signing
from chaise_cli.domain import revocation, talk
from chaise_cli.domain.own import SelfSettings
from chaise_cli.domain.revocation import MayNotRevoke
from chaise_cli.ids import SpaceId, public, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.ledger import revocation as statement
from chaise_cli.session import (
    boards,
    checking,
    conversations,
    devices,
    finding,
    posting,
    profiles,
    rekeying,
    requests,
    revoking,
    writing,
)
from chaise_cli.session.session import Session, ThisRevoked
from chaise_cli.store import board_reads, events, own, people, selves
from tests.fakes import acts, homes, kin
from tests.fakes.homes import Market
from tests.fakes.stages import Stages


@pytest.fixture
def phone(stages: Stages, lisa: Session, tmp_path: Path) -> Iterator[Session]:
    made = stages.joined(lisa, play=lambda: kin.join(lisa, tmp_path, "phone"))
    yield made
    made.close()


@pytest.fixture
def tablet(stages: Stages, lisa: Session, phone: Session, tmp_path: Path) -> Iterator[Session]:
    made = stages.joined(lisa, phone, play=lambda: _joined(lisa, phone, tmp_path))
    yield made
    made.close()


def _joined(lisa: Session, phone: Session, folder: Path) -> Session:
    made = kin.join(lisa, folder, "tablet")
    kin.meet(lisa, phone, made)
    return made


def name_of(session: Session) -> str:
    return public("dev", session.me.device)


def void(session: Session, event: str) -> str | None:
    found: str | None = session.db.execute("SELECT void FROM event WHERE id = ?", (raw(event),)).fetchone()[0]
    return found


def test_a_revoked_device_reads_nothing_new_and_keeps_what_it_had(
    lisa: Session, phone: Session, james: Session
) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.write(lisa, deal, talk.MessageSent("before", ()))
    kin.meet(lisa, phone, james)
    done = revoking.revoke(lisa, name_of(phone), None, None)
    assert done.device["state"] == "revoked"
    homes.write(lisa, deal, talk.MessageSent("after", ()))
    kin.meet(lisa, james)
    homes.write(james, deal, talk.MessageSent("answer", ()))
    later = homes.open_deal(james, lisa.me.identity, client=False)
    kin.meet(lisa, james, phone)
    said = [row[0] for row in phone.db.execute("SELECT CAST(body AS TEXT) FROM event WHERE kind = 'message.sent'")]
    assert len(said) == 1
    assert "before" in said[0]
    assert homes.waiting(phone) >= 2
    assert events.find_space(phone.db, later) is None
    for one in (lisa, james):
        assert homes.waiting(one) == 0
        texts = [row[0] for row in one.db.execute("SELECT CAST(body AS TEXT) FROM event WHERE kind = 'message.sent'")]
        assert len(texts) == 3
        assert checking.verify(one, lambda _, __: None).problems == []
    assert phone.revoked
    with pytest.raises(ThisRevoked):
        homes.write(phone, deal, talk.MessageSent("me too", ()))
    assert checking.verify(phone, lambda _, __: None).problems == []


def test_the_identity_gets_a_new_box_key_that_others_use(lisa: Session, phone: Session, james: Session) -> None:
    before = own.box_seed(lisa.db)
    revoking.revoke(lisa, name_of(phone), None, None)
    after = own.box_seed(lisa.db)
    assert after != before
    kin.meet(lisa, james, phone)
    assert own.box_seed(phone.db) == before
    deal = homes.open_deal(james, lisa.me.identity, client=False)
    kin.meet(lisa, james, phone)
    assert events.find_space(lisa.db, deal) is not None
    assert events.find_space(phone.db, deal) is None


def test_the_devices_that_are_left_go_on(lisa: Session, phone: Session, tablet: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    kin.meet(lisa, phone, tablet, james)
    revoking.revoke(lisa, name_of(phone), None, None)
    homes.write(lisa, deal, talk.MessageSent("after", ()))
    kin.meet(lisa, tablet, james, tend=True)
    homes.write(tablet, deal, talk.MessageSent("tablet", ()))
    kin.meet(lisa, tablet, james, tend=True)
    for one in (lisa, tablet, james):
        assert homes.waiting(one) == 0
        assert homes.unsound(one, deal) == []
    assert homes.state(lisa, deal) == homes.state(tablet, deal) == homes.state(james, deal)
    assert own.box_seed(tablet.db) == own.box_seed(lisa.db)
    assert {one["name"]: one["state"] for one in devices.listed(tablet)} == {
        "laptop": "active", "phone": "revoked", "tablet": "this",
    }  # fmt: skip


def test_who_is_not_nearer_to_the_root_revokes_nobody(lisa: Session, phone: Session, tablet: Session) -> None:
    with pytest.raises(MayNotRevoke):
        revoking.revoke(phone, name_of(lisa), None, None)
    with pytest.raises(MayNotRevoke):
        revoking.revoke(phone, name_of(tablet), None, None)
    with pytest.raises(revoking.ThisDevice):
        revoking.revoke(lisa, name_of(lisa), None, None)


def test_what_a_revoked_device_says_in_self_and_on_boards_is_void_wherever_it_comes_first(
    market: Market, lisa: Session, phone: Session, tablet: Session
) -> None:
    """Its own lamport, and whether it arrives before the revocation, change nothing."""
    good = homes.post(phone, market.board)
    kin.meet(lisa, phone, tablet)
    bad = [homes.post(phone, market.board), homes.write_raw(phone, kin.self_space(phone).id, settings("thief"))[-1]]
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.carry(phone, tablet)  # the thief's words first
    assert [void(tablet, one) for one in bad] == [None, None]
    kin.meet(lisa, tablet)
    kin.carry(phone, lisa)
    for one in (lisa, tablet):
        assert [void(one, event) for event in bad] == ["device.revoked", "device.revoked"]
        assert void(one, good) is None
        assert own.settings(one.db).name == "Lisa"
        assert checking.verify(one, lambda _, __: None).problems == []
    kin.meet(lisa, tablet)
    space = kin.self_space(lisa).id
    assert homes.state(lisa, market.board) == homes.state(tablet, market.board)
    assert homes.state(lisa, space) == homes.state(tablet, space)


def test_the_name_of_a_board_is_gone_with_the_word_that_gave_it(lisa: Session, phone: Session, tablet: Session) -> None:
    """Simulator, family 19 and 24: it stayed where it had come before the revocation."""
    den = created(phone, "den")
    kin.carry(phone, lisa)
    by = signing.Ed25519Signer(own.device_seed(lisa.db, lisa.me.device))
    signature = statement.sign(by, lisa.me.identity, phone.me.device, (), homes.NOON_MS)
    chain = tuple(canonical.encode(one).decode() for one in own.certificates(lisa.db))
    fields = (phone.me.device, None, (), homes.NOON_MS, text(by.public), chain, signature)
    homes.write_raw(lisa, den, revocation.BoardDeviceRevoked(*fields))
    kin.carry(lisa, tablet)  # here both come at once
    assert homes.state(lisa, den)["board_name"] == homes.state(tablet, den)["board_name"] == []
    assert homes.state(lisa, den) == homes.state(tablet, den)


def test_a_persons_name_falls_back_to_what_was_said_before_the_revocation(
    market: Market, lisa: Session, phone: Session, tablet: Session
) -> None:
    phone.clock = homes.Hands(homes.NOON_MS + 1)
    homes.write_raw(phone, market.board, homes.replace(profiles.current(phone), handle="thief", name="Thief"))
    kin.carry(phone, tablet)
    assert shown(tablet) == "thief"
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.meet(lisa, tablet, phone)
    for one in (lisa, tablet):
        assert shown(one) == "lisa"
        assert checking.verify(one, lambda _, __: None).problems == []


def created(session: Session, name: str) -> SpaceId:
    made = boards.create(session, name, None, None).board["id"]
    return next(one.id for one in board_reads.boards(session.db) if public("board", one.id) == made)


def shown(session: Session) -> str:
    found = people.find(session.db, session.me.identity)
    assert found is not None
    return found.handle


def test_a_request_about_what_a_revoked_device_made_is_sound(
    market: Market, lisa: Session, phone: Session, tablet: Session
) -> None:
    """Simulator, family 5: its post is listed no more, and was changed with a request id meanwhile."""
    post = homes.post(phone, market.board)
    kin.carry(phone, tablet)
    asked = requests.request("order 7", "post edit", {})
    posting.revise(tablet, finding.Named("post", post), {"brief": "More."}, asked)
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.meet(lisa, tablet, phone)
    assert void(tablet, post) == "device.revoked"
    for one in (lisa, tablet):
        assert checking.verify(one, lambda _, __: None).problems == []


def test_a_key_that_a_revoked_device_opened_in_self_is_sound_and_counts_for_nothing(
    lisa: Session, phone: Session, tablet: Session
) -> None:
    """Simulator, family 38: a wrap is in clear, and is cut off like anything else."""
    homes.write_raw(phone, kin.self_space(phone).id, settings("Lisa"))  # a device's first word in a space is sealed
    with phone.writing():
        rekeying.rekey(phone, writing.Writer(phone), kin.self_space(phone))
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.meet(lisa, tablet, phone)
    for one in (lisa, tablet):
        void_ones = "SELECT count(*) FROM event WHERE kind = 'wrap' AND void = 'device.revoked'"
        assert one.db.execute(void_ones).fetchone() == (1,)
        assert checking.verify(one, lambda _, __: None).problems == []


def settings(name: str) -> SelfSettings:
    return SelfSettings("lisa", name, "client", "EUR", "UTC", None)


def test_what_was_taken_up_before_stands_and_what_comes_after_is_void(
    lisa: Session, phone: Session, james: Session
) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    kin.meet(lisa, phone, james)
    early = homes.write(phone, deal, homes.deals_invite())[-1]
    kin.carry(phone, lisa)
    acts.do(lisa, deal, "taken")
    revoking.revoke(lisa, name_of(phone), None, None)
    late = homes.write_raw(phone, deal, homes.deals_invite())[-1]
    kin.meet(lisa, phone, james, tend=True)
    for one in (lisa, james):
        assert void(one, early) is None
        assert void(one, late) == "device.revoked"
        assert homes.unsound(one, deal) == []
    assert homes.state(lisa, deal) == homes.state(james, deal)


def test_words_of_a_revoked_device_stay_and_are_marked(lisa: Session, phone: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    kin.meet(lisa, phone, james)
    homes.write(phone, deal, talk.MessageSent("before", ()))
    kin.meet(lisa, phone, james)
    homes.write(phone, deal, talk.MessageSent("unheard", ()))
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.meet(lisa, phone, james, tend=True)
    wanted = conversations.Wanted(deal, None, (), None, "at", 9)
    for one in (lisa, james):
        shown = {said["text"]: said.get("revoked", False) for said in conversations.conversation(one, wanted)}
        assert shown == {"before": False, "unheard": True}


def test_a_device_that_the_revoked_one_let_in_goes_with_it_unless_it_is_kept(
    lisa: Session, phone: Session, tmp_path: Path, market: Market
) -> None:
    known = kin.join(phone, tmp_path, "known")
    kin.meet(lisa, phone, known)
    hidden = kin.join(phone, tmp_path, "hidden")
    revoking.revoke(lisa, name_of(phone), None, None)
    kin.meet(lisa, known, hidden, phone)
    assert (phone.revoked, hidden.revoked, known.revoked) == (True, True, False)
    post = homes.post(known, market.board)
    kin.meet(lisa, known)
    assert void(lisa, post) is None
    assert selves.revoked(lisa.db) == {phone.me.device}  # whom that one let in, and did not tell, is nobody known
    door = homes.HomeReplica(lisa)
    assert door.refuses(raw(phone.me.device))
    assert door.refuses(raw(hidden.me.device), [raw(phone.me.device), raw(lisa.me.device)])
    assert not door.refuses(raw(known.me.device), [raw(phone.me.device), raw(lisa.me.device)])
    hidden.revoked = False  # its software may not mind
    late = homes.write_raw(hidden, kin.self_space(hidden).id, settings("thief"))[-1]
    kin.carry(hidden, lisa)
    assert void(lisa, late) == "device.revoked"
    for session in (known, hidden):
        session.close()


def test_revoking_again_changes_nothing(lisa: Session, phone: Session) -> None:
    revoking.revoke(lisa, name_of(phone), None, None)
    before = own.written(lisa.db)
    assert revoking.revoke(lisa, name_of(phone), None, None).replayed
    assert own.written(lisa.db) == before
    assert text(kin.self_space(lisa).creator_device) == lisa.me.device
