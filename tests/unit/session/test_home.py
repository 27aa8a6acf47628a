from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaise_cli.crypto import storekey
from chaise_cli.session import home as homes
from chaise_cli.session.home import Anchor, Home, KeysDamaged, NoHome
from tests.fakes.homes import Market

KEY = storekey.StoreKey(bytes(48))
OTHER = storekey.StoreKey(bytes(47) + b"x")
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir(mode=0o700)
    return Home(tmp_path / "home")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_that_is_not_there_is_told_apart_from_a_damaged_one(home: Home, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", home.path):
        with pytest.raises(NoHome):
            homes.read_keys(Home(path))
    home.store.write_bytes(b"x")
    with pytest.raises(KeysDamaged):
        homes.read_keys(home)


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NoHome):
        homes.read_keys(Home(tmp_path / "file"))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"[]", b"{}",
        b'{"v":2,"slots":[]}', b'{"v":1}', b'{"v":1,"slots":{}}', b'{"v":1,"slots":[1]}',
        b'{"v":1,"slots":[null]}', b'{"v":1,"slots":[],"key_file":5}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_damaged_key_slots_are_named(home: Home, content: bytes) -> None:
    home.keys.write_bytes(content)
    with pytest.raises(KeysDamaged):
        homes.read_keys(home)


def test_the_slots_file_is_private_and_replaced_whole(home: Home) -> None:
    homes.write_keys(home, [{"kind": "a"}], None)
    homes.write_keys(home, [{"kind": "b"}], "key")
    assert homes.read_keys(home)["slots"] == [{"kind": "b"}]
    assert mode(home.keys) == 0o600
    assert [path.name for path in home.path.iterdir()] == ["keys"]


def test_a_private_file_is_written_whole_or_not_at_all(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    homes.write_private(home.keys, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        homes.write_private(home.keys, b"new")
    assert home.keys.read_bytes() == b"old"
    assert [path.name for path in home.path.iterdir()] == ["keys"]


def test_a_fresh_file_replaces_nothing_and_follows_no_link(home: Home) -> None:
    (home.path / "link").symlink_to(home.path / "elsewhere")
    home.keys.write_bytes(b"old")
    for path in (home.keys, home.path / "link"):
        with pytest.raises(FileExistsError):
            homes.write_private(path, b"new", fresh=True)
    assert not (home.path / "elsewhere").exists()


def test_a_link_in_place_of_a_private_file_is_replaced_not_followed(home: Home) -> None:
    victim = home.path / "victim"
    victim.write_bytes(b"mine")
    home.keys.symlink_to(victim)
    homes.write_private(home.keys, b"new")
    assert victim.read_bytes() == b"mine"
    assert not home.keys.is_symlink()


def test_an_unlocked_key_lasts_until_its_time(home: Home) -> None:
    homes.keep_unlocked(home, KEY, 1_000)
    assert mode(home.unlocked) == 0o600
    assert homes.unlocked_key(home, 999) == (KEY, 1_000)
    assert homes.unlocked_key(home, 1_000) is None
    assert not home.unlocked.exists()


def test_a_damaged_unlocked_key_is_forgotten(home: Home) -> None:
    home.unlocked.write_bytes(b"short")
    assert homes.unlocked_key(home, 0) is None
    assert not home.unlocked.exists()


def test_locking_forgets_the_key_once(home: Home) -> None:
    homes.keep_unlocked(home, KEY, 1_000)
    assert homes.lock(home)
    assert not homes.lock(home)
    assert homes.unlocked_key(home, 0) is None


def test_two_homes_keep_two_keys(home: Home, tmp_path: Path) -> None:
    homes.keep_unlocked(home, KEY, 1_000)
    assert homes.unlocked_key(Home(tmp_path / "other"), 0) is None


@pytest.mark.parametrize("what", ["open", "link", "file"])
def test_a_runtime_folder_that_others_can_reach_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
    if what == "open":
        (base / "chaise").mkdir()
        (base / "chaise").chmod(0o755)
    elif what == "link":
        (base / "chaise").symlink_to(tmp_path)
    else:
        (base / "chaise").write_text("x")
    with pytest.raises((KeysDamaged, FileExistsError)):
        homes.keep_unlocked(home, KEY, 1_000)


def test_without_a_runtime_folder_the_key_lies_in_one_of_our_own(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    homes.keep_unlocked(home, KEY, 1_000)
    assert mode(home.unlocked.parent) == 0o700


def test_the_anchor_keeps_the_newest_of_its_records(home: Home) -> None:
    for total in range(1, 6):
        homes.write_anchor(home, KEY, Anchor(total, bytes([total]) * 32))
        assert homes.read_anchor(home, KEY) == Anchor(total, bytes([total]) * 32)
    assert mode(home.anchor) == 0o600


def test_no_anchor_is_none(home: Home) -> None:
    assert homes.read_anchor(home, KEY) is None


def test_an_anchor_of_another_key_is_none(home: Home) -> None:
    homes.write_anchor(home, KEY, Anchor(1, bytes(32)))
    assert homes.read_anchor(home, OTHER) is None


@SHARED
@given(st.integers(0, 55), st.integers(1, 255), st.integers(0, 1))
def test_a_torn_record_leaves_the_other(home: Home, place: int, change: int, which: int) -> None:
    for total in (6, 7):
        homes.write_anchor(home, KEY, Anchor(total, bytes([total]) * 32))
    data = bytearray(home.anchor.read_bytes())
    at = which * 56 + place
    data[at] ^= change
    home.anchor.write_bytes(bytes(data))
    left = 7 if which == 0 else 6
    assert homes.read_anchor(home, KEY) == Anchor(left, bytes([left]) * 32)


@SHARED
@given(st.binary(max_size=120))
def test_no_bytes_make_an_anchor(home: Home, data: bytes) -> None:
    home.anchor.write_bytes(data)
    assert homes.read_anchor(home, KEY) is None


def test_an_anchor_is_not_written_through_a_link(home: Home, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    home.anchor.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        homes.write_anchor(home, KEY, Anchor(1, bytes(32)))
    assert victim.read_bytes() == b"mine"


def test_the_home_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert homes.default_folder() == tmp_path / "chaise"


def test_the_slots_of_a_home_hold_no_secret(market: Market) -> None:
    told = json.loads((market.folder / "lisa" / "keys").read_text())
    assert {slot["kind"] for slot in told["slots"]} == {"recovery", "keyfile"}
    key = market.key("lisa").read_text().split()[1]
    assert key not in json.dumps(told)
