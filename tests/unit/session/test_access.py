from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Self

import pytest
from sqlcipher3 import dbapi2 as driver

from chaise_cli.crypto import keyslots, storekey
from chaise_cli.crypto.keyslots import BadKeyText, SlotsDamaged, WrongKey
from chaise_cli.errors import ChaiseError
from chaise_cli.session import access, checking, founding
from chaise_cli.session import home as homes
from chaise_cli.session.access import Keys, NoKeyFile
from chaise_cli.session.home import Home, HomeExists, Locked, NoHome
from chaise_cli.session.session import Session
from chaise_cli.store import connection, own
from chaise_cli.store.connection import DamagedStore, NewerStore, OpenToOthers, PlaintextStore
from tests.fakes.homes import Hands, Market, found, seeded

NOW = Hands()


def opened(home: Home, keys: Keys = Keys()) -> Session:  # noqa: B008  a value that never changes
    return access.open_session(home, keys, NOW)


@pytest.fixture
def home(market: Market, tmp_path: Path) -> Home:
    return market.copy("lisa", tmp_path)


@pytest.fixture
def key(market: Market, home: Home) -> storekey.StoreKey:
    with_key = access.open_session(home, Keys(key_file=market.key("lisa")), NOW)
    with_key.close()
    return storekey.StoreKey(with_key.key)


def test_a_home_opens_with_the_key_file_that_it_remembers(home: Home) -> None:
    session = opened(home)
    assert not session.behind
    session.close()


def test_without_its_key_file_a_home_is_locked(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NoKeyFile):
        opened(home, Keys(key_file=tmp_path / "gone"))


def test_another_homes_key_file_is_wrong_not_damage(home: Home, market: Market) -> None:
    with pytest.raises(WrongKey) as caught:
        opened(home, Keys(key_file=market.key("james")))
    assert caught.value.exit == 4


@pytest.mark.parametrize("content", [b"", b"\xff\x00\xfe" * 30, b"chaise-key-1", b"secret\n", b"chaise-key-2 AAAA"])
def test_a_file_that_is_no_key_is_said_to_be_none(home: Home, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(BadKeyText):
        opened(home, Keys(key_file=path))


def test_a_folder_is_no_key_file(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NoKeyFile):
        opened(home, Keys(key_file=tmp_path))


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o620])
@pytest.mark.parametrize("what", ["key file", "store"])
def test_what_others_may_read_is_refused(home: Home, market: Market, tmp_path: Path, what: str, bits: int) -> None:
    path = Path(shutil.copy(market.key("lisa"), tmp_path / "copy.key")) if what == "key file" else home.store
    path.chmod(bits)
    with pytest.raises(OpenToOthers):
        opened(home, Keys(key_file=path if what == "key file" else market.key("lisa")))


def test_a_home_that_others_may_enter_is_refused(home: Home) -> None:
    home.path.chmod(0o750)
    with pytest.raises(OpenToOthers):
        opened(home)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_somebody_elses_home_is_refused(home: Home) -> None:
    os.chown(home.store, 12345, 12345)
    with pytest.raises(OpenToOthers):
        opened(home)


def test_no_home_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(NoHome):
        opened(Home(tmp_path / "nowhere"))


def test_a_missing_store_is_damage(home: Home) -> None:
    home.store.unlink()
    with pytest.raises(DamagedStore):
        opened(home)


def test_a_plaintext_database_in_its_place_is_refused_and_left_alone(home: Home) -> None:
    home.store.unlink()
    plain = driver.connect(str(home.store))
    plain.execute("CREATE TABLE own(name, value)")
    plain.commit()
    plain.close()
    home.store.chmod(0o600)
    before = home.store.read_bytes()
    with pytest.raises(PlaintextStore):
        opened(home)
    assert home.store.read_bytes() == before


def test_another_homes_store_is_damage(home: Home, market: Market) -> None:
    shutil.copy(market.folder / "james" / "store.db", home.store)
    with pytest.raises(DamagedStore):
        opened(home)


@pytest.mark.parametrize("cut", [0, 16, 100, 4096, 6000])
def test_a_store_cut_short_is_damage(home: Home, cut: int) -> None:
    for name in ("store.db-wal", "store.db-shm"):
        (home.path / name).unlink(missing_ok=True)
    os.truncate(home.store, cut)
    with pytest.raises(DamagedStore):
        opened(home)


@pytest.mark.parametrize("page", range(1, 12))
def test_a_spoilt_page_is_damage_wherever_it_is_noticed(home: Home, page: int) -> None:
    for name in ("store.db-wal", "store.db-shm"):
        (home.path / name).unlink(missing_ok=True)
    data = bytearray(home.store.read_bytes())
    at = page * 4096 + 100
    data[at % len(data)] ^= 1
    home.store.write_bytes(bytes(data))
    try:
        session = opened(home)
    except ChaiseError as error:
        assert error.exit == 11  # noqa: PT017  it may be noticed at once or later
        return
    try:
        assert checking.verify(session, lambda _, __: None).problems
    except ChaiseError as error:
        assert error.exit == 11  # noqa: PT017  either is an answer
    finally:
        session.close()


def test_a_store_of_a_newer_chaise_is_not_touched(home: Home, key: storekey.StoreKey) -> None:
    database = connection.open_store(home.store, key)
    database.execute(f"PRAGMA user_version = {connection.SCHEMA + 1}")
    database.close()
    with pytest.raises(NewerStore) as caught:
        opened(home)
    assert caught.value.exit == 14


def test_a_damaged_slot_is_damage(home: Home) -> None:
    text = home.keys.read_text()
    home.keys.write_text(text.replace('"nonce"', '"once"'))
    with pytest.raises(SlotsDamaged):
        opened(home)


def test_an_unlocked_home_opens_without_a_secret(home: Home, key: storekey.StoreKey, tmp_path: Path) -> None:
    homes.keep_unlocked(home, key, NOW.at + 1)
    home.keys.write_text(home.keys.read_text().replace("lisa.key", "gone.key"))
    opened(home).close()
    NOW.at += 1
    try:
        with pytest.raises(NoKeyFile):
            opened(home)
    finally:
        NOW.at -= 1


def test_the_unlocked_key_of_an_earlier_home_does_not_spoil_this_one(home: Home) -> None:
    """A home removed and made anew lies at the same path."""
    homes.keep_unlocked(home, storekey.StoreKey(bytes(48)), NOW.at + 1)
    opened(home).close()


def test_a_passphrase_opens_its_slot_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyslots, "Cost", Cheap)
    home = Home(tmp_path / "h")
    settings = own.Settings("a", "A", "client", "EUR", "UTC", None)
    founding.found(home, settings, founding.Secrets("péché", None), "x", NOW, seeded(1)).session.close()
    opened(home, Keys(passphrase="péché")).close()  # composed otherwise
    opened(home, Keys(ask=lambda: "péché")).close()
    with pytest.raises(WrongKey):
        opened(home, Keys(passphrase="peche"))
    with pytest.raises(Locked):
        opened(home)


class Cheap(keyslots.Cost):
    """A passphrase slot that costs nothing to open."""

    def __new__(cls, iterations: int = 1, lanes: int = 1, memory: int = 8) -> Self:
        return super().__new__(cls, iterations, lanes, memory)


def test_a_second_init_changes_nothing(home: Home, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in home.path.iterdir() if path.is_file()}
    settings = own.Settings("x", "X", "client", "EUR", "UTC", None)
    with pytest.raises(HomeExists):
        founding.found(home, settings, founding.Secrets(None, tmp_path / "k"), "x", NOW, seeded(1))
    assert {path.name: path.read_bytes() for path in home.path.iterdir() if path.is_file()} == before
    assert not (tmp_path / "k").exists()


def test_init_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(homes, "write_anchor", full)
    with pytest.raises(OSError, match="No space"):
        found(tmp_path, "lisa", "client")
    assert not (tmp_path / "lisa").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_new_home_is_private(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        found(tmp_path, "lisa", "client").close()
    finally:
        os.umask(mask)
    paths = [tmp_path / "lisa", tmp_path / "lisa.key", *(tmp_path / "lisa").rglob("*")]
    assert [path.name for path in paths if path.stat().st_mode & 0o077] == []


def test_a_home_is_made_in_an_empty_folder_and_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "lisa").mkdir()
    found(tmp_path, "lisa", "client").close()
    (tmp_path / "alias").symlink_to(tmp_path / "lisa")
    opened(Home(tmp_path / "alias")).close()
