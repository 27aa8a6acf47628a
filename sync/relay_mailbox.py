"""The mailboxes of a relay: opened by a device that is registered there, used by whoever knows the name.

docs/spec/relay.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from . import web
from .mailbox import MailboxUsed, NoMailbox
from .relay_link import Caller, Now, RelayRefused
from .relay_messages import WAIT_LIMIT_S
from .replica import Signer
from .web import Link
from .wire import PAIR_MOST

_ERRORS: Final = {"relay.not_found": NoMailbox, "relay.mailbox_used": MailboxUsed}


class RelayMailbox:
    """The Mailbox at the relay with an address. Raises what requests to a relay raise as well."""

    def __init__(self, where: str, now: Now, signer: Signer | None = None, *, link: Link | None = None) -> None:
        """signer: of the device that opens mailboxes; who joins has none yet. link: in place of a connection."""
        self._where, self._to = where, web.address(where)
        self._now, self._signer, self._link = now, signer, link

    def open(self, mailbox: bytes) -> None:
        """As the Protocol says. Raises NotRegistered as well, for a device that was not here yet."""
        with self._calling() as caller:
            caller.post("/v1/mailbox/open", mailbox)

    def put(self, mailbox: bytes, slot: int, data: bytes) -> None:
        """As the Protocol says. The same again is no harm."""
        with self._calling() as caller:
            caller.say("/v1/mailbox/put", mailbox + bytes([slot]) + data)

    def get(self, mailbox: bytes, slot: int, wait_s: int) -> bytes | None:
        """As the Protocol says; the relay waits for at most a minute."""
        wait_s = max(0, min(wait_s, WAIT_LIMIT_S))
        asked = mailbox + bytes([slot]) + wait_s.to_bytes(2, "big")
        with self._calling() as caller:
            return caller.say("/v1/mailbox/get", asked, limit=PAIR_MOST, wait_s=wait_s or None) or None

    def close(self, mailbox: bytes) -> None:
        """Nothing to do: the relay forgets what was left when its ten minutes are over."""

    @contextmanager
    def _calling(self) -> Iterator[Caller]:
        caller = Caller(self._where, self._to, self._signer, self._now, link=self._link)
        try:
            yield caller
        except RelayRefused as error:
            if error.answer not in _ERRORS:
                raise
            raise _ERRORS[error.answer] from error
        finally:
            caller.close()
