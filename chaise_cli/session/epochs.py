"""Keys of spaces: which epoch seals what, and the ciphers made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.crypto import derivation, sealing
from chaise_cli.ids import raw
from chaise_cli.ledger import header
from chaise_cli.store import epochs

if TYPE_CHECKING:
    from chaise_cli.store.connection import Connection
    from chaise_cli.store.events import Space

NAME: Final = 8  # bytes of an epoch's name, the beginning of its commitment


class Epochs:
    """The epoch keys a store holds, each cipher made once."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._ciphers: dict[int, sealing.BodyCipher] = {}
        self._numbers: dict[tuple[int, bytes], int | None] = {}
        self._names: dict[int, bytes] = {}

    def add(self, space: Space, secret: bytes) -> int:
        """Remember an epoch's secret; its row number. The newest added seals from now on."""
        name = sealing.epoch_commit(raw(space.id), secret)[:NAME]
        number = self._numbers[space.no, name] = epochs.add(self._db, space.no, name, secret)
        return number

    def keep(self, space: Space, secret: bytes) -> bool:
        """Remember an epoch's secret for what it sealed; whether it is news. What seals from now on stays."""
        name = sealing.epoch_commit(raw(space.id), secret)[:NAME]
        if self.number(space.no, name) is not None:
            return False
        epochs.keep(self._db, space.no, name, secret)
        self._numbers[space.no, name] = epochs.find(self._db, space.no, name)
        return True

    def secret_of(self, number: int) -> bytes:
        """The secret of an epoch by its row."""
        return self._secret(number)

    def number(self, space: int, name: bytes) -> int | None:
        """The row of the epoch with this name, None when its key is not held."""
        key = (space, name)
        if key not in self._numbers:
            self._numbers[key] = epochs.find(self._db, space, name)
        return self._numbers[key]

    def name(self, number: int) -> bytes:
        """The name of an epoch by its row."""
        if number not in self._names:
            self._names[number] = epochs.name_of(self._db, number)
        return self._names[number]

    def cipher(self, number: int) -> sealing.BodyCipher:
        """The cipher for bodies of an epoch."""
        if number not in self._ciphers:
            self._ciphers[number] = sealing.BodyCipher(derivation.derive(self._secret(number), "body"))
        return self._ciphers[number]

    def access_key(self, space: Space) -> bytes | None:
        """What proves to a peer that a board's invite is held."""
        return None if space.epoch is None else derivation.derive(self._secret(space.epoch), "access")

    def secret(self, space: Space) -> bytes:
        """The newest epoch secret of a space."""
        assert space.epoch is not None, "a space without a key seals nothing"
        return self._secret(space.epoch)

    def _secret(self, number: int) -> bytes:
        return epochs.secret_of(self._db, number)


def seal(
    cipher: sealing.BodyCipher, space: bytes, device: bytes, seq: int, prev: bytes, epoch: bytes, data: bytes
) -> bytes:
    """The sealed body of an event; `data` is the padded plaintext. The same input gives the same bytes."""
    bound = header.aad(header.SEALED, space, device, seq, prev, epoch)
    return cipher.seal(sealing.event_nonce(device, seq), data, bound)


def open_body(
    cipher: sealing.BodyCipher, space: bytes, device: bytes, seq: int, prev: bytes, epoch: bytes, body: bytes
) -> bytes:
    """What `seal` was given. Raises BadSeal."""
    bound = header.aad(header.SEALED, space, device, seq, prev, epoch)
    return cipher.open(sealing.event_nonce(device, seq), body, bound)
