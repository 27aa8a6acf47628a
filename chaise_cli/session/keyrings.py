"""The store key's way in through the system's keyring, an optional extra that is loaded only when a slot names it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from chaise_cli.errors import NoKey

SERVICE: Final = "chaise"


class NoKeyring(NoKey):
    """There is no keyring that could keep or give the key."""

    code = "key.no_keyring"
    message = "the system's keyring cannot be used: {why}"
    hint = "pip install 'chaise-cli[keyring]' and log in to a desktop session, or use --key-file PATH"
    why: str


def keep(name: str, secret: str) -> None:
    """Let the keyring keep a key text under the fingerprint of what it opens. Raises NoKeyring."""
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, name, secret)
        kept = keyring.get_password(SERVICE, name)
    except keyring.errors.KeyringError as error:
        raise NoKeyring(why=type(error).__name__) from error
    if kept != secret:  # the null backend takes everything and keeps nothing
        raise NoKeyring(why="it does not keep what it is given")


def fetch(name: str) -> str | None:
    """The key text kept under a fingerprint; None when the keyring has none. Raises NoKeyring."""
    keyring = _keyring()
    try:
        found: str | None = keyring.get_password(SERVICE, name)
    except keyring.errors.KeyringError as error:
        raise NoKeyring(why=type(error).__name__) from error
    return found


def _keyring() -> Any:
    try:
        loaded: Any = import_module("keyring")
        import_module("keyring.errors")
    except ImportError as error:
        raise NoKeyring(why="the package keyring is not installed") from error
    return loaded
