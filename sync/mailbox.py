"""Where two devices leave the two messages of a pairing for one another: a folder, a peer, a relay.

A mailbox is named by 32 bytes that only who knows the code can tell. Its slots are written once: 0 by the device
that joins, 1 by the one that lets it in. docs/spec/devices.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from chaise_cli.errors import Conflict, NotFound

from .directory import Directory, Gone, NoFile
from .transports.folder import BASE
from .wire import PAIR_MOST, PeerFailed, PeerProtocol

ASKS: Final = 0
ANSWERS: Final = 1
SLOTS: Final = (ASKS, ANSWERS)
LASTS_S: Final = 600
_PAIR: Final = "pair"


class NoMailbox(NotFound):
    """Nobody has opened a mailbox of this name there."""

    code = "pairing.no_mailbox"
    message = "no pairing with this code waits there"
    hint = "a code is good for ten minutes and one device, at the places that chaise device add named; make a new one"


class MailboxUsed(Conflict):
    """Somebody has written into the slot already."""

    code = "pairing.used"
    message = "this code was used already"
    hint = "make a new one: chaise device add; whom it let in lists chaise devices: revoke one that is not there"


_SAID: Final = {"pairing.none": NoMailbox, "pairing.not_here": NoMailbox, "pairing.done": MailboxUsed}  # by a peer


class Mailbox(Protocol):
    """A way to leave messages. Each operation stands for itself, and may raise what its transport raises."""

    def open(self, mailbox: bytes) -> None:
        """Let messages be left under this name for ten minutes."""

    def put(self, mailbox: bytes, slot: int, data: bytes) -> None:
        """Leave a message. Raises NoMailbox, MailboxUsed."""

    def get(self, mailbox: bytes, slot: int, wait_s: int) -> bytes | None:
        """The message in a slot; None when none has come within `wait_s`, or at once where waiting is not possible.

        Raises NoMailbox.
        """

    def close(self, mailbox: bytes) -> None:
        """Take away what was left, where that is possible."""


class FolderMailbox:
    """Files `chaise-1/pair/<mailbox>.<slot>` in a place's folder, beside an empty `<mailbox>` that opens it."""

    def __init__(self, path: str, now: Callable[[], float]) -> None:
        """now: the clock that says how old a file is, in seconds since 1970."""
        self._path, self._now = path, now

    @contextmanager
    def _folder(self, *, create: bool) -> Iterator[Directory]:
        with Directory.root(self._path) as root:
            base = root.inner(BASE, create=create)
            if base is None:
                raise NoMailbox
            try:
                inner = base.inner(_PAIR, create=create)
            finally:
                base.close()
            if inner is None:
                raise NoMailbox
            try:
                yield inner
            finally:
                inner.close()

    def open(self, mailbox: bytes) -> None:
        """As the Protocol says; what is older than ten minutes is swept out."""
        with self._folder(create=True) as folder:
            self._sweep(folder)
            folder.write(mailbox.hex(), [])

    def put(self, mailbox: bytes, slot: int, data: bytes) -> None:
        """As the Protocol says. Raises PlaceUnreachable, PlaceUnwritable as well."""
        with self._folder(create=False) as folder:
            self._check(folder, mailbox)
            if folder.holds(_name(mailbox, slot)):
                raise MailboxUsed
            folder.write(_name(mailbox, slot), [data])

    def get(self, mailbox: bytes, slot: int, wait_s: int) -> bytes | None:  # noqa: ARG002  a folder does not call back
        """As the Protocol says. Raises PlaceUnreachable as well."""
        with self._folder(create=False) as folder:
            self._check(folder, mailbox)
            try:
                with folder.reading(_name(mailbox, slot)) as (descriptor, _size):
                    return os.read(descriptor, PAIR_MOST + 1)
            except NoFile:
                return None

    def close(self, mailbox: bytes) -> None:
        """As the Protocol says."""
        with suppress(NoMailbox), self._folder(create=False) as folder:
            for name in (mailbox.hex(), *(_name(mailbox, slot) for slot in SLOTS)):
                folder.remove(name)

    def _check(self, folder: Directory, mailbox: bytes) -> None:
        try:
            with folder.reading(mailbox.hex()) as (descriptor, _size):
                if self._now() - os.fstat(descriptor).st_mtime > LASTS_S:
                    raise NoMailbox
        except Gone as error:
            raise NoMailbox from error

    def _sweep(self, folder: Directory) -> None:
        for name in folder.names():
            try:
                with folder.reading(name) as (descriptor, _size):
                    old = self._now() - os.fstat(descriptor).st_mtime > LASTS_S
            except NoFile:
                continue
            if old:
                folder.remove(name)


class Asks(Protocol):
    """A transport whose far side can be asked to let a device in."""

    def pair(self, mailbox: bytes, message: bytes) -> bytes:
        """What the far side answers."""


class PeerMailbox:
    """The far side of a conversation answers by itself, so only the device that joins comes this way."""

    def __init__(self, peer: Asks) -> None:
        self._peer = peer
        self._answer: bytes | None = None

    def open(self, mailbox: bytes) -> None:
        """Nothing to do: whoever answers there knows its own pairing."""

    def put(self, mailbox: bytes, slot: int, data: bytes) -> None:
        """Ask, and keep the answer."""
        if slot != ASKS:
            raise PeerProtocol(why="a peer answers by itself")
        try:
            self._answer = self._peer.pair(mailbox, data)
        except PeerFailed as error:
            if error.peer_code not in _SAID:
                raise
            raise _SAID[error.peer_code] from error

    def get(self, mailbox: bytes, slot: int, wait_s: int) -> bytes | None:  # noqa: ARG002  it came with `put`
        """The answer, if there was one."""
        return self._answer if slot == ANSWERS else None

    def close(self, mailbox: bytes) -> None:
        """Nothing was left anywhere."""


def _name(mailbox: bytes, slot: int) -> str:
    return f"{mailbox.hex()}.{slot}"
