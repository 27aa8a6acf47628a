from __future__ import annotations

from pathlib import Path

import pytest

from chaise_cli.crypto import boxes, keyslots, recovery, signing
from chaise_cli.ids import raw, text
from chaise_cli.ledger import canonical, certificate, clear
from chaise_cli.session import checking, founding, wraps
from chaise_cli.session import home as homes
from chaise_cli.session.founding import EmptyPassphrase, Found
from chaise_cli.store import events, own
from tests.fakes.homes import Hands, runs, seeded, state

SETTINGS = own.Settings("lisa", "Lisa", "client", "EUR", "Europe/Berlin", "lisa@example.org")


def made(folder: Path) -> Found:
    secrets = founding.Secrets(None, folder / "key")
    return founding.found(homes.Home(folder / "home"), SETTINGS, secrets, "laptop", Hands(), seeded("x"))


@pytest.fixture
def found(tmp_path: Path) -> Found:
    return made(tmp_path)


def test_the_device_is_certified_by_the_root_that_the_code_gives(found: Found) -> None:
    root = signing.Ed25519Signer(recovery.root_signing_seed(recovery.parse(found.recovery_code)))
    (first,) = certificate.check(own.certificates(found.session.db))
    assert first.by == text(root.public)
    assert first.identity == found.session.me.identity == certificate.identity_of(root.public)
    assert (first.device, first.kind, first.name) == (found.session.me.device, "admin", "laptop")


def test_the_code_opens_the_store_and_the_self_space(found: Found) -> None:
    """The recovery code alone, with any copy of the sealed events, brings everything back."""
    code = recovery.parse(found.recovery_code)
    slots = homes.read_keys(found.session.home)["slots"]
    assert (
        keyslots.open_slot(next(s for s in slots if s["kind"] == "recovery"), found.recovery_code) == found.session.key
    )
    (space,) = events.spaces(found.session.db, "self")
    (run,) = runs(found.session, space.id)
    root = boxes.BoxKey(recovery.root_box_seed(code))
    secret = wraps.unwrap(raw(space.id), clear.read_wrap(run.events[1].body), {text(root.key_id): root})
    assert secret == found.session.epochs.secret(space)


def test_the_code_is_stored_nowhere(found: Found, tmp_path: Path) -> None:
    code = recovery.parse(found.recovery_code)
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    told = b"".join(bytes(str(row), "utf-8") for row in found.session.db.execute("SELECT * FROM own").fetchall())
    for secret in (code, found.recovery_code.encode(), recovery.root_signing_seed(code), recovery.root_box_seed(code)):
        assert bytes(secret) not in held
        assert repr(bytes(secret))[2:-1].encode() not in told


def test_the_self_space_tells_what_another_device_of_ours_needs(found: Found) -> None:
    (space,) = events.spaces(found.session.db, "self")
    kinds = [row[3] for row in state(found.session, space.id)["event"]]
    told = ["self.device", "self.device_box", "self.root_box", "self.settings", "self.box_key"]
    assert kinds == ["genesis", "wrap", *told]
    assert own.settings(found.session.db) == SETTINGS


def test_a_new_home_passes_its_own_check_and_is_not_behind(found: Found) -> None:
    assert checking.verify(found.session, lambda _, __: None).problems == []
    assert not found.session.behind
    stored = own.written(found.session.db)
    assert homes.read_anchor(found.session.home, found.session.key) == homes.Anchor(stored.total, stored.id)
    assert stored.total == 7


def test_an_empty_passphrase_is_none(tmp_path: Path) -> None:
    with pytest.raises(EmptyPassphrase):
        founding.found(homes.Home(tmp_path / "h"), SETTINGS, founding.Secrets("", None), "x", Hands(), seeded(1))
    assert not (tmp_path / "h").exists()


def test_two_homes_share_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = made(tmp_path / "a").session
    secrets = founding.Secrets(None, tmp_path / "b" / "key")
    other = founding.found(homes.Home(tmp_path / "b" / "home"), SETTINGS, secrets, "x", Hands(), seeded("y")).session
    assert one.me.identity != other.me.identity
    assert one.me.device != other.me.device
    assert one.key != other.key


def test_an_existing_key_file_serves_a_second_home(tmp_path: Path) -> None:
    made(tmp_path).session.close()
    before = (tmp_path / "key").read_bytes()
    secrets = founding.Secrets(None, tmp_path / "key")
    founding.found(homes.Home(tmp_path / "two"), SETTINGS, secrets, "x", Hands(), seeded(2)).session.close()
    assert (tmp_path / "key").read_bytes() == before


def test_a_key_file_that_holds_something_else_makes_no_home(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\x00 not a key")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(keyslots.BadKeyText):
        made(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "run") == ["key"]


def test_the_certificate_in_self_is_the_devices(found: Found) -> None:
    (space,) = events.spaces(found.session.db, "self")
    rows = found.session.db.execute("SELECT body FROM event WHERE kind = 'self.device'").fetchall()
    told = canonical.decode(rows[0][0])
    assert isinstance(told, dict)
    assert canonical.decode(told["data"]["certificate"].encode()) == own.certificates(found.session.db)[0]
    assert space.creator == found.session.me.identity
