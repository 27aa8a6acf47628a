"""A home whose key the system's keyring keeps. The keyring here is a stand-in with the same two calls."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Final

import pytest

from chaise_cli import clock
from chaise_cli.commands.lock import OPEN_STILL
from chaise_cli.session import access, founding, keyrings, unlocking
from chaise_cli.session.home import Home, Locked, lock
from chaise_cli.store.own import Settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: Final = Settings("ada", "Ada", "client", "EUR", "UTC", None)
SECRETS: Final = founding.Secrets(None, None, keyring=True)


class Kept(ModuleType):
    """A keyring in memory; a forgetful one keeps nothing, like the null backend."""

    def __init__(self, *, forgetful: bool = False, broken: bool = False) -> None:
        super().__init__("keyring")
        self.errors = SimpleNamespace(KeyringError=OSError)
        self.held: dict[tuple[str, str], str] = {}
        self._forgetful, self._broken = forgetful, broken

    def set_password(self, service: str, name: str, secret: str) -> None:
        if self._broken:
            raise OSError
        if not self._forgetful:
            self.held[service, name] = secret

    def get_password(self, service: str, name: str) -> str | None:
        return self.held.get((service, name))


def installed(monkeypatch: pytest.MonkeyPatch, keyring: Kept) -> Kept:
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", ModuleType("keyring.errors"))
    return keyring


def made(home: Home) -> None:
    founding.found(home, SETTINGS, SECRETS, "laptop", clock.SystemClock(), clock.random_bytes).session.close()


def test_the_keyring_opens_the_home_and_the_home_holds_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = installed(monkeypatch, Kept())
    home = Home(tmp_path / "ada")
    made(home)
    access.open_session(home, access.Keys(), clock.SystemClock()).close()
    (secret,) = keyring.held.values()
    assert not any(secret.encode() in path.read_bytes() for path in home.path.iterdir() if path.is_file())


def test_a_keyring_that_forgot_leaves_the_home_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = installed(monkeypatch, Kept())
    home = Home(tmp_path / "ada")
    made(home)
    keyring.held.clear()
    lock(home)
    with pytest.raises(Locked):
        access.open_session(home, access.Keys(), clock.SystemClock())


@pytest.mark.parametrize("keyring", [Kept(forgetful=True), Kept(broken=True)], ids=["null", "none"])
def test_a_keyring_that_keeps_nothing_makes_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyring: Kept
) -> None:
    installed(monkeypatch, keyring)
    with pytest.raises(keyrings.NoKeyring):
        made(Home(tmp_path / "ada"))
    assert not (tmp_path / "ada").exists()


def test_without_the_package_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(keyrings.NoKeyring, match="not installed"):
        made(Home(tmp_path / "ada"))


def test_where_no_keyring_is_a_passphrase_opens_the_home_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made at a desktop, used over ssh."""
    installed(monkeypatch, Kept())
    home = Home(tmp_path / "ada")
    both = SECRETS._replace(passphrase="correct horse")
    founding.found(home, SETTINGS, both, "laptop", clock.SystemClock(), clock.random_bytes).session.close()
    monkeypatch.setitem(sys.modules, "keyring", None)
    access.open_session(home, access.Keys(ask=lambda: "correct horse"), clock.SystemClock()).close()
    with pytest.raises(Locked):
        access.open_session(home, access.Keys(), clock.SystemClock())


def test_locking_says_that_the_keyring_still_opens_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, Kept())
    home = Home(tmp_path / "ada")
    made(home)
    lock(home)
    assert unlocking.opens_by_itself(home) == "keyring"
    assert unlocking.opens_by_itself(home) in OPEN_STILL
