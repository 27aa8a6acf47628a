"""How a new home keeps its key: as the call says, else by a passphrase typed twice. For verbs that make homes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.render import prompts
from chaise_cli.session import founding, starting, unlocking

if TYPE_CHECKING:
    from chaise_cli.commands.context import Call


def secrets(call: Call, passphrase_fd: int | None, *, keyring: bool) -> founding.Secrets:
    """The way the key is kept. Raises NeedsInput, NoPassphrase, PassphrasesDiffer."""
    keys = call.keys()
    passphrase = unlocking.passphrase_from(passphrase_fd) if passphrase_fd is not None else keys.passphrase
    if passphrase is None and keys.key_file is None and not keyring:
        flag = "--passphrase-fd N, --key-file PATH or --keyring"
        passphrase = prompts.secret("Choose a passphrase", flag, call.options)
        if prompts.secret("The same again", flag, call.options) != passphrase:
            raise starting.PassphrasesDiffer
    return founding.Secrets(passphrase, keys.key_file, keyring)
