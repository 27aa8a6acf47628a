"""A relay without a network: all it does, as plain functions of a store, a key, a clock and chance.

What a request says is read and answered in `desk`; `server` puts that behind HTTP. Simulations use either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chaise_cli import ids
from chaise_cli.ledger import canonical, receipt
from chaise_cli.ledger.receipt import Signer

from ..relay_messages import NEWS_LIMIT, Different, Piece, Pull, Push, Pushed, Summary
from . import mailboxes, objects, people, pulling, pushing
from .contract import Position, Store
from .limits import DAY_MS, Limits
from .people import Caller, Registration
from .refusal import Refusal, not_found

VERSION: Final = 1


class Relay:
    """One relay. clock: ms since 1970 UTC. random: so many unpredictable bytes.

    on_touched: called with a space, after the commit, when something was written there or somebody is served it who
    was not before. on_filled: with a mailbox, likewise. Methods may be called from several threads, and raise Refusal.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        clock: Callable[[], int],
        random: Callable[[int], bytes],
        limits: Limits | None = None,
    ) -> None:
        self.store, self.signer, self.clock, self._random = store, signer, clock, random
        self.limits = limits or Limits()
        self.on_touched: Callable[[bytes], None] = lambda _space: None
        self.on_filled: Callable[[bytes], None] = lambda _mailbox: None
        self.kept = 0  # events, since this process began

    def about(self) -> bytes:
        """What anybody may know: limits, key, version."""
        told = {"limits": self.limits.told(), "relay": ids.text(self.signer.public), "version": VERSION}
        return canonical.encode(told)

    def new_invite(self) -> str:
        """A fresh invite to this relay."""
        return people.new_invite(self.store, self._random(20))

    def invites(self) -> Sequence[str]:
        """The ids of the invites that let somebody in; an id lets nobody in."""
        return sorted(people.invite_id(digest) for digest in self.store.invites())

    def withdraw(self, given: str) -> str:
        """Let nobody in by an invite any more; its id. given: the id, or enough of its beginning. Raises NoInvite."""
        return people.withdraw(self.store, given)

    def caller(self, device: bytes) -> Caller:
        """A registered device."""
        return people.caller(self.store, device, self.clock())

    def register(self, device: bytes, asked: Registration) -> bytes:
        """Let a device in; the relay's key, and the boards whose door it opened."""
        boards = people.register(self.store, self.signer.public, device, asked)
        for space in boards:
            self.on_touched(space)
        return canonical.encode(
            {"boards": [ids.text(space) for space in boards], "relay": ids.text(self.signer.public)}
        )

    def revoke(self, who: Caller, device: bytes) -> None:
        """Strike another device of the caller's identity off."""
        people.revoke(self.store, who, device)

    def push(self, who: Caller, given: Push) -> Pushed:
        """Keep what holds of a push."""
        if not who.sees(given.space):
            raise not_found()
        checked = pushing.check(given)
        kept = self.store.run(lambda writing: pushing.keep(writing, who, given, checked, self.limits))
        if kept.touched:
            self.on_touched(given.space)
        self.kept += sum(kept.taken)
        space, signed = kept.space, None
        if space is not None and space.number:
            signed = receipt.issue(self.signer, given.space, space.number, space.last, self.clock(), space.head)
        return Pushed(kept.first, kept.before, signed, kept.taken, kept.refused)

    def summary(self, who: Caller, said: Summary) -> Different | None:
        """Where what the caller knows differs from what is here for it, as of now."""
        return pulling.compare(people.positions(self.store, who), said)

    def news(self, held: Mapping[bytes, Position], said: Summary, different: Different) -> bytes:
        """The section of the one entry that the asker lacks, where the digests tell and it is small; or nothing."""
        row = pulling.newest(self.store, held, said, different)
        if row is None:
            return b""
        answer = pulling.Pulling(self.store, self.signer, self.clock(), NEWS_LIMIT).answer(held, Pull((), (row,)))
        return answer[1:] if len(answer) <= NEWS_LIMIT else b""

    def pull(self, who: Caller, asked: Pull) -> bytes:
        """The answer to a pull."""
        held = people.positions(self.store, who)
        return pulling.Pulling(self.store, self.signer, self.clock()).answer(held, asked)

    def put_object(self, who: Caller, piece: Piece) -> int:
        """Take in a piece of an attachment; how much is here."""
        return objects.put(self.store, who, piece, self.limits, self.clock())

    def get_object(self, who: Caller, asked: Piece) -> Piece:
        """A piece of an attachment."""
        return objects.get(self.store, who, asked)

    def open_mailbox(self, who: Caller, mailbox: bytes) -> int:
        """Open a mailbox; until when, in ms."""
        if who.space is not None:
            raise Refusal("relay.not_admitted", "the key of a grant lets nobody in")
        return mailboxes.begin(self.store, who, mailbox, self.limits, self.clock())

    def put_mailbox(self, mailbox: bytes, slot: int, data: bytes) -> None:
        """Write into a slot of a mailbox."""
        mailboxes.put(self.store, mailbox, slot, data, self.clock())
        self.on_filled(mailbox)

    def get_mailbox(self, mailbox: bytes, slot: int) -> bytes:
        """What a slot holds, as of now."""
        return mailboxes.get(self.store, mailbox, slot, self.clock())

    def purge(self) -> None:
        """Forget what has had its time; wanted about once a minute."""
        now = self.clock()
        self.store.run(lambda writing: writing.purge(now, now - DAY_MS))
