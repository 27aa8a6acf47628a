"""Where a device that joins and one that lets it in leave their messages: folders, peers, relays."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Unreachable
from chaise_cli.ids import raw
from chaise_cli.session import joining, pairing
from chaise_cli.session.replica import HomeSigner
from chaise_cli.store import places as remembered
from sync import mailbox, places
from sync.relay_link import NotRegistered
from sync.relay_mailbox import RelayMailbox
from sync.transports import stdio
from sync.transports.folder import Folder
from sync.transports.http_peer import WebPeer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chaise_cli.session.pairing import Granted, Joiner
    from chaise_cli.session.session import Session

POLL_S: Final = 1.0
ASK_S: Final = 20  # how long a place that can wait may take to answer


class Visited(Protocol):
    """What came of a sync."""

    @property
    def failure(self) -> ChaiseError | None:
        """What ended it early."""


Sync = Callable[[str], Visited]  # visits a place


class Patience(NamedTuple):
    """How long to wait for the other device, and the ways to let time pass."""

    timeout_s: float
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


class _Nothing:
    """The memory of a way on which nothing is synced."""

    def get(self, _name: str) -> bool:
        """Nothing was read."""
        return False

    def add(self, name: str) -> None:
        """Nothing is kept."""


def _quiet(_line: str) -> None:
    """What a program says while it is only looked at."""


def _never() -> int:
    """The clock of a device that signs nothing."""
    return 0


def letters(session: Session, url: str) -> mailbox.Mailbox | None:
    """Where a device that lets another in finds its message; None at a place that has no mailboxes.

    A peer is asked by the one that joins, and answers by itself. Raises BadPlace, PlaceUnsupported; NoAnswer, Untrusted
    where it has to be asked first what is there.
    """
    if not places.is_web(url):
        return _in_folder(url)
    known = remembered.find(session.db, url)
    kind = (remembered.kind(session.db, known.no) if known else None) or places.ask(url)
    return RelayMailbox(url, session.clock.now, HomeSigner(session)) if kind == "relay" else None


def _in_folder(url: str) -> mailbox.Mailbox | None:
    way = places.transport(url, _Nothing(), _quiet)
    return mailbox.FolderMailbox(way.path, time.time) if isinstance(way, Folder) else None


def door(url: str) -> mailbox.Mailbox:
    """Where a device that joins knocks: a place, or a peer that answers.

    Raises BadPlace, PlaceUnsupported, NoAnswer, Untrusted.
    """
    found = _in_folder(url)
    if found is not None:
        return found
    if places.is_web(url) and places.ask(url) == "relay":
        return RelayMailbox(url, _never)
    way = places.transport(url, _Nothing(), _quiet)
    if not isinstance(way, stdio.Program | WebPeer):
        raise places.PlaceUnsupported(given=url[:200], why="no device is let in there")
    return mailbox.PeerMailbox(way)


def open_at(session: Session, urls: Iterable[str], sync: Sync) -> list[str]:
    """Open the pending pairing's mailbox at each place that has them; those places. Raises the first failure.

    A relay that this device has not met yet is synced with first.
    """
    waiting = pairing.pending(session)
    assert waiting, "made just now"
    found = []
    for url in urls:
        box = letters(session, url)
        if box is not None:
            try:
                box.open(waiting.mailbox)
            except NotRegistered:
                done = sync(url)
                if done.failure is not None:
                    raise done.failure from None
                box.open(waiting.mailbox)
            found.append(url)
    return found


def let_in(session: Session, url: str, problems: list[str]) -> bool:
    """Answer a device of one's own that asks at the place; whether there is an answer to be told, after a sync.

    What it needs goes to the place before it is told to look there. Trouble is added to `problems`.
    """
    waiting = pairing.pending(session)
    if waiting is None:
        return False
    try:
        box = letters(session, url)
        if box is None:
            return False
        asked = box.get(waiting.mailbox, mailbox.ASKS, 0)
        if asked is None or box.get(waiting.mailbox, mailbox.ANSWERS, 0) is not None:
            return False
        pairing.answer(session, waiting.mailbox, asked)
    except mailbox.NoMailbox:  # the pairing is meant for another place
        return False
    except ChaiseError as error:
        problems.append(error.sentence())
        return False
    return True


def tell(session: Session, url: str, problems: list[str]) -> None:
    """Leave the answer that `let_in` prepared. Trouble is added to `problems`; the next sync tries again."""
    waiting = pairing.pending(session)
    if waiting is None or waiting.answer is None:
        return
    try:
        box = letters(session, url)
        assert box is not None, "a place where somebody asked"
        box.put(waiting.mailbox, mailbox.ANSWERS, raw(waiting.answer))
    except ChaiseError as error:
        problems.append(error.sentence())


def wait(session: Session, urls: Iterable[str], sync: Sync, patience: Patience) -> bool:
    """Wait until the pending pairing has let a device in; whether it did. sync: visits a place and answers there."""
    end = patience.monotonic() + patience.timeout_s
    boxes = {url: box for url in urls if (box := letters(session, url))}
    while (waiting := pairing.pending(session)) is not None and waiting.answer is None:
        calm_s = _calm(end - patience.monotonic()) if len(boxes) == 1 else 0  # of several none may hold up the others
        for url, box in boxes.items():
            if _asks(box, waiting.mailbox, calm_s):
                sync(url)
        if patience.monotonic() >= end:
            break
        patience.sleep(POLL_S)
    done = pairing.pending(session)
    return done is not None and done.answer is not None


def _calm(left_s: float) -> int:
    """For how long to let a place wait for the other device."""
    return max(0, min(ASK_S, int(left_s)))


def _asks(box: mailbox.Mailbox, name: bytes, wait_s: int) -> bool:
    try:
        return box.get(name, mailbox.ASKS, wait_s) is not None
    except ChaiseError:  # gone for a moment, as a stick or a share may be
        return False


def knock(box: mailbox.Mailbox, joiner: Joiner, patience: Patience) -> Granted:
    """Ask to be let in and wait for the answer. Raises NoMailbox, MailboxUsed, NobodyAnswered, BrokenPairing.

    A place that is out of reach for a while costs nothing but time.
    """
    name = pairing.mailbox(joiner.code)
    box.put(name, mailbox.ASKS, joiner.message)
    end = patience.monotonic() + patience.timeout_s
    while (answer := _answer(box, name, end - patience.monotonic())) is None:
        if patience.monotonic() >= end:
            raise joining.NobodyAnswered
        patience.sleep(POLL_S)
    return pairing.granted(joiner, answer)


def _answer(box: mailbox.Mailbox, name: bytes, left_s: float) -> bytes | None:
    """Raises Unreachable only once no time is left."""
    try:
        return box.get(name, mailbox.ANSWERS, _calm(left_s))
    except Unreachable:
        if left_s <= 0:
            raise
        return None
