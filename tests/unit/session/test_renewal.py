"""Restored and copied homes: noticed, read-only, and whole again with a new device key."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain import order, talk
from chaise_cli.ids import raw, text
from chaise_cli.ledger import certificate
from chaise_cli.session import checking, renewal, requests, upkeep
from chaise_cli.session import home as homes_of
from chaise_cli.session.home import Home
from chaise_cli.session.session import Behind, Session
from chaise_cli.store import events, own
from tests.fakes import homes, kin
from tests.fakes.homes import Market

HELLO = talk.MessageSent("Hello", ())


def backup(session: Session, to: Path) -> Path:
    """A copy of the store alone, as a careless backup takes it."""
    session.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(shutil.copy(session.home.store, to))


def restored(session: Session, copy: Path, market: Market, name: str) -> Session:
    """The home with the older store put back."""
    home = session.home
    session.close()
    for extra in ("store.db-wal", "store.db-shm"):
        (home.path / extra).unlink(missing_ok=True)
    shutil.copy(copy, home.store)
    home.store.chmod(0o600)
    return homes.reopen(home, market.key(name))


def test_a_store_older_than_its_anchor_opens_read_only(
    lisa: Session, james: Session, market: Market, tmp_path: Path
) -> None:
    copy = backup(lisa, tmp_path / "copy")
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    old = restored(lisa, copy, market, "lisa")
    assert old.behind
    with pytest.raises(Behind) as caught, old.writing():
        pass
    assert caught.value.exit == 11
    homes.meet(old, james)
    assert events.find_space(old.db, deal) is None  # James never heard of it either
    old.close()


def test_one_renewal_is_enough_however_much_the_store_had_lost(lisa: Session, market: Market, tmp_path: Path) -> None:
    """The anchor knew of more events than the store has after the renewal."""
    copy = backup(lisa, tmp_path / "copy")
    for _ in range(9):
        homes.post(lisa, market.board)
    old = restored(lisa, copy, market, "lisa")
    renewal.renew(old)
    again = homes.reopen(old.home, market.key("lisa"))
    assert not again.behind
    homes.post(again, market.board)
    old.close()
    again.close()


@pytest.mark.parametrize("what", ["missing", "empty", "torn", "another home's"])
def test_without_a_sound_anchor_a_home_is_read_only(lisa: Session, market: Market, what: str) -> None:
    home = lisa.home
    lisa.close()
    if what == "missing":
        home.anchor.unlink()
    else:
        content = {
            "empty": b"",
            "torn": bytes(112),
            "another home's": (market.folder / "james" / "anchor").read_bytes(),
        }
        home.anchor.write_bytes(content[what])
    old = homes.reopen(home, market.key("lisa"))
    assert old.behind
    renewal.renew(old)
    assert not old.behind
    old.close()
    again = homes.reopen(home, market.key("lisa"))
    assert not again.behind
    again.close()


def test_a_store_ahead_of_its_anchor_is_fine(lisa: Session, james: Session, market: Market) -> None:
    """A power cut may lose the anchor's last write, never the store's."""
    before = lisa.home.anchor.read_bytes()
    homes.open_deal(lisa, james.me.identity, client=True)
    lisa.home.anchor.write_bytes(before)
    lisa.close()
    again = homes.reopen(lisa.home, market.key("lisa"))
    assert not again.behind
    homes.open_deal(again, james.me.identity, client=True)
    again.close()


def test_a_copied_home_is_noticed_by_what_a_peer_knows(
    lisa: Session, james: Session, market: Market, tmp_path: Path
) -> None:
    """Store and anchor were copied together: only others can tell."""
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    lisa.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = homes.reopen(Home(Path(shutil.copytree(lisa.home.path, tmp_path / "copy"))), market.key("lisa"))
    assert not copy.behind
    homes.write(lisa, deal, HELLO)
    homes.meet(lisa, james)
    homes.carry(james, copy)
    assert copy.behind
    with pytest.raises(Behind), copy.writing():
        pass
    copy.close()
    again = homes.reopen(copy.home, market.key("lisa"))
    assert again.behind
    again.close()


def test_a_copy_that_wrote_too_is_a_fork_and_read_only(
    lisa: Session, james: Session, market: Market, tmp_path: Path
) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    lisa.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = homes.reopen(Home(Path(shutil.copytree(lisa.home.path, tmp_path / "copy"))), market.key("lisa"))
    homes.write(lisa, deal, HELLO)
    homes.write(copy, deal, talk.MessageSent("Other", ()))
    homes.meet(lisa, james)
    mine = [run for run in homes.runs(copy, deal) if run.device == raw(copy.me.device)]
    done = homes.deliver(james, deal, mine)
    assert {problem.code for problem in done.problems} == {"chain.forked"}
    homes.deliver(copy, deal, [run for run in homes.runs(lisa, deal) if run.device == raw(lisa.me.device)])
    assert copy.behind
    copy.close()


def test_a_copy_from_before_a_devices_first_word_is_sound_when_it_hears_of_what_that_wrote(
    lisa: Session, market: Market, tmp_path: Path
) -> None:
    """Simulator, family 25."""
    phone = kin.join(lisa, tmp_path, "phone")
    copy = homes.copied(phone, tmp_path / "copy", tmp_path / "phone.key")
    homes.post(phone, market.board)
    kin.carry(phone, lisa)
    kin.carry(lisa, copy)
    assert copy.behind
    assert checking.verify(copy, lambda _, __: None).problems == [Behind().sentence()]
    for one in (phone, copy):
        one.close()


def test_a_renewed_home_goes_on_where_it_was(lisa: Session, james: Session) -> None:
    """Deals go on under the new key, its role as agent included, and the other side follows."""
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    homes.write(james, deal, homes.OFFER)
    old = lisa.me.device
    renewal.renew(lisa, "new laptop")
    assert lisa.me.device != old
    homes.meet(lisa, james)
    homes.write(lisa, deal, order.Taken())
    homes.meet(lisa, james)
    for session in (lisa, james):
        found = homes.state(session, deal)
        assert text(found["deal"][0]["agent"]) == lisa.me.device
        assert found["pending"] == []
        assert [row[6] for row in found["event"]] == [None] * len(found["event"])
        assert checking.verify(session, lambda _, __: None).problems == []
    assert homes.state(lisa, deal) == homes.state(james, deal)


def test_a_deal_that_names_a_renewed_key_is_taken_over_once(lisa: Session, james: Session) -> None:
    """The talent opens it with a profile from before the renewal: otherwise nobody could ever put it in order."""
    old = lisa.me.device
    renewal.renew(lisa)
    deal = homes.open_deal(james, lisa.me.identity, client=False)
    homes.meet(lisa, james)
    assert text(homes.state(lisa, deal)["deal"][0]["agent"]) == old
    for _ in range(2):
        assert upkeep.run(lisa) == []
        homes.meet(lisa, james)
    kinds = [row[3] for row in homes.state(james, deal)["event"]]
    assert kinds.count("agent.device") == 1
    assert text(homes.state(james, deal)["deal"][0]["agent"]) == lisa.me.device
    assert homes.state(lisa, deal) == homes.state(james, deal)


def test_a_new_key_is_certified_by_the_oldest_one(lisa: Session) -> None:
    first = lisa.me.device
    for name in ("one", "two", "three", "four", "five"):
        renewal.renew(lisa, name)
    found = certificate.check(own.certificates(lisa.db))
    assert [one.name for one in found] == ["five", "laptop"]
    assert found[0].by == first


def test_the_name_stays_unless_told(lisa: Session) -> None:
    renewal.renew(lisa)
    assert certificate.check(own.certificates(lisa.db))[0].name == "laptop"


def test_what_was_not_sent_before_is_still_sent(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    homes.write(lisa, deal, HELLO)
    renewal.renew(lisa)
    homes.meet(lisa, james)
    assert len(homes.state(james, deal)["message"]) == 1
    assert homes.state(lisa, deal) == homes.state(james, deal)


def test_a_restored_home_fetches_its_own_events_before_it_writes(
    lisa: Session, james: Session, market: Market, tmp_path: Path
) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    copy = backup(lisa, tmp_path / "copy")
    homes.write(lisa, deal, HELLO, homes.deals_invite())
    homes.meet(lisa, james)
    old = restored(lisa, copy, market, "lisa")
    homes.carry(james, old)
    assert len(homes.state(old, deal)["message"]) == 1
    renewal.renew(old)
    homes.write(old, deal, HELLO)
    homes.meet(old, james)
    assert homes.state(old, deal) == homes.state(james, deal)
    assert len(homes.state(james, deal)["message"]) == 2
    assert checking.verify(old, lambda _, __: None).problems == []
    old.close()


def test_a_deal_that_a_newer_chaise_wrote_in_does_not_hold_up_a_renewal(lisa: Session, james: Session) -> None:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    lisa.db.execute("UPDATE space SET newer = 1 WHERE no = ?", (homes.space_no(lisa, deal),))
    device = lisa.me.device
    renewal.renew(lisa)
    assert lisa.me.device != device


def test_reading_goes_on_while_a_home_is_behind(lisa: Session, market: Market) -> None:
    lisa.home.anchor.unlink()
    lisa.close()
    old = homes.reopen(lisa.home, market.key("lisa"))
    with old.reading():
        assert own.settings(old.db).handle == "lisa"
    assert homes_of.read_anchor(old.home, old.key) is None
    old.close()


def test_an_anchor_that_cannot_be_written_fails_no_command(lisa: Session, market: Market, tmp_path: Path) -> None:
    """What was committed stands; told as a failure it would be done twice."""
    lisa.home.anchor.rename(tmp_path / "anchor")
    lisa.home.anchor.symlink_to(tmp_path / "anchor")
    before = (tmp_path / "anchor").read_bytes()
    homes.post(lisa, market.board)
    assert (tmp_path / "anchor").read_bytes() == before
    lisa.close()
    again = homes.reopen(lisa.home, market.key("lisa"))
    assert not again.behind
    again.close()


def test_a_rehearsed_renewal_changes_nothing(lisa: Session) -> None:
    before, anchor = lisa.me, lisa.home.anchor.read_bytes()
    lisa.dry_run = True
    assert len(renewal.renew(lisa, "other").events) == 3
    lisa.dry_run = False
    assert (lisa.me, lisa.home.anchor.read_bytes()) == (before, anchor)
    assert certificate.check(own.certificates(lisa.db))[0].name == "laptop"


def test_a_renewal_is_done_once_for_a_request(lisa: Session) -> None:
    asked = requests.request("r1", "device renew", {})
    first = renewal.renew(lisa, None, asked)
    device = lisa.me.device
    again = renewal.renew(lisa, None, asked)
    assert (first.replayed, again.replayed, again.events, lisa.me.device) == (False, True, first.events, device)
    with pytest.raises(requests.Reused):
        renewal.renew(lisa, "other", requests.request("r1", "device renew", {"name": "other"}))


def test_a_renewal_that_is_undone_leaves_the_anchor(lisa: Session) -> None:
    """As in an atomic batch; else the home would look like a copy of itself."""
    anchor = lisa.home.anchor.read_bytes()
    with suppress(KeyError), lisa.writing():
        renewal.renew(lisa)
        raise KeyError
    assert lisa.home.anchor.read_bytes() == anchor


def test_another_process_that_writes_while_a_home_is_opened_is_no_restore(
    lisa: Session, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commit and its anchor fall between our looks at the two."""
    read = homes_of.read_anchor

    def meanwhile(*where: Any) -> Any:
        homes.post(lisa, market.board)
        return read(*where)

    monkeypatch.setattr(homes_of, "read_anchor", meanwhile)
    again = homes.reopen(lisa.home, market.key("lisa"))
    assert not again.behind
    again.close()
