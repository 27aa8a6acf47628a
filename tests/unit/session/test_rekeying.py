"""New epochs: two devices that open one at once come to rest, and a key that comes late opens what is held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaise_cli.domain import talk
from chaise_cli.domain.own import SelfSettings
from chaise_cli.ids import SpaceId, public, raw
from chaise_cli.session import rekeying, revoking, writing
from chaise_cli.session.session import Session
from chaise_cli.store import epochs, events
from tests.fakes import homes, kin
from tests.fakes.stages import Stages
from tests.volume import costly


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


def rekey(session: Session) -> None:
    """Open an epoch of self, as a device that has said something there."""
    space = kin.self_space(session)
    if not any(row.identity for row in events.branches_of(session.db, space.no, raw(session.me.device))):
        homes.write_raw(session, space.id, SelfSettings("lisa", "Lisa", "client", "EUR", "UTC", None))
    with session.writing():
        rekeying.rekey(session, writing.Writer(session), kin.self_space(session))


def freshen(session: Session) -> None:
    with session.writing():
        rekeying.freshen(session, writing.Writer(session), kin.self_space(session))


def wraps(session: Session) -> int:
    return len(epochs.wraps(session.db, kin.self_space(session).no))


def sealing(session: Session) -> bytes:
    space = rekeying.choose(session, kin.self_space(session))
    assert space.epoch is not None
    return session.epochs.name(space.epoch)


def revoke(session: Session, other: Session) -> None:
    revoking.revoke(session, public("dev", other.me.device), kin.recovery_code("lisa"), None)


def number(session: Session, space: SpaceId) -> int:
    found = events.find_space(session.db, space)
    assert found is not None
    return found.no


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_devices_that_open_an_epoch_at_once_rest_after_they_met(
    lisa: Session, phone: Session, tablet: Session, order: tuple[int, int]
) -> None:
    both = phone, tablet
    revoke(both[order[0]], lisa)  # from here on every sync looks whether a new epoch is due
    kin.meet(*both, tend=True)
    for at in order:
        rekey(both[at])
    kin.meet(*both)
    assert len(rekeying.heads(phone, kin.self_space(phone))) == 2
    before = wraps(phone)
    for one in both:
        freshen(one)
    kin.meet(*both, tend=True)
    assert wraps(phone) == wraps(tablet) == before
    assert sealing(phone) == sealing(tablet)
    assert [homes.waiting(one) for one in both] == [0, 0]


@given(steps=st.lists(st.sampled_from(["phone", "tablet", "phone opens", "tablet opens", "meet"]), max_size=8))
@settings(costly(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_opened_at_once_a_second_look_opens_nothing(
    phone: Session, tablet: Session, steps: list[str]
) -> None:
    """The two homes go on from example to example."""
    both = {"phone": phone, "tablet": tablet}
    for step in steps:
        if step == "meet":
            kin.meet(phone, tablet)
        else:
            (rekey if step.endswith("opens") else freshen)(both[step.split()[0]])
    kin.meet(phone, tablet, tend=True)
    freshen(phone)
    freshen(tablet)
    kin.meet(phone, tablet)
    before = wraps(phone)
    for one in both.values():
        freshen(one)
    kin.meet(phone, tablet, tend=True)
    assert wraps(phone) == wraps(tablet) == before
    assert sealing(phone) == sealing(tablet)


def test_a_revocation_behind_two_newest_epochs_locks_both(lisa: Session, phone: Session, tablet: Session) -> None:
    rekey(lisa)
    rekey(phone)
    kin.meet(lisa, phone, tablet)
    assert len(rekeying.heads(lisa, kin.self_space(lisa))) == 2
    revoke(lisa, tablet)
    heads = rekeying.heads(lisa, kin.self_space(lisa))
    assert len(heads) == 1
    kin.meet(lisa, phone, tablet)
    assert phone.epochs.number(kin.self_space(phone).no, heads[0].name) is not None
    assert tablet.epochs.number(kin.self_space(tablet).no, heads[0].name) is None


def test_who_joins_at_two_newest_epochs_reads_both(lisa: Session, phone: Session, tmp_path: Path) -> None:
    rekey(lisa)
    rekey(phone)
    kin.meet(lisa, phone)
    before = {one.name for one in rekeying.heads(lisa, kin.self_space(lisa))}
    watch = kin.join(lisa, tmp_path, "watch", limited=True)
    kin.meet(lisa, phone, watch, tend=True)
    assert len(before) == 2
    assert {one.name for one in rekeying.heads(lisa, kin.self_space(lisa))} == before
    assert before <= epochs.names(watch.db, kin.self_space(watch).no)
    assert homes.waiting(watch) == 0
    assert sealing(watch) == sealing(lisa)
    watch.close()


@pytest.mark.parametrize("late", ["words", "box key"])
def test_a_box_key_that_comes_after_the_wrap_opens_the_deal_whenever_the_words_come(
    lisa: Session, phone: Session, tablet: Session, james: Session, late: str
) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.write(lisa, deal, talk.MessageSent("before", ()))
    kin.meet(lisa, phone, tablet, james)
    revoke(lisa, phone)
    kin.carry(lisa, tablet, deal)  # the wrap is to a box key that only self tells
    if late == "words":
        kin.carry(lisa, tablet, kin.self_space(lisa).id)
        held = epochs.names(tablet.db, number(tablet, deal))
        assert held == epochs.names(lisa.db, number(lisa, deal))
    homes.write(lisa, deal, talk.MessageSent("after", ()))
    kin.carry(lisa, tablet, deal)
    kin.carry(lisa, tablet, kin.self_space(lisa).id)
    assert homes.waiting(tablet) == 0
    assert homes.state(tablet, deal) == homes.state(lisa, deal)


def test_a_home_that_has_both_the_box_key_and_the_wrap_opens_it_with_the_next_words(
    lisa: Session, phone: Session, tablet: Session, james: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a home may stand whose software did not look then."""
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    kin.meet(lisa, phone, tablet, james)
    revoke(lisa, phone)
    kin.carry(lisa, tablet, deal)
    with monkeypatch.context() as patch:
        patch.setattr(rekeying, "learn", lambda _session, _space: False)
        kin.carry(lisa, tablet, kin.self_space(lisa).id)
    assert epochs.names(tablet.db, number(tablet, deal)) < epochs.names(lisa.db, number(lisa, deal))
    homes.write(lisa, deal, talk.MessageSent("after", ()))
    kin.carry(lisa, tablet, deal)
    assert homes.waiting(tablet) == 0
    assert homes.state(tablet, deal) == homes.state(lisa, deal)
