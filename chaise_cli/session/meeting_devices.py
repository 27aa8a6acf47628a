"""`device add` and `device join` from end to end: the code, the meeting, the first sync."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli import clock
from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, StillWaiting
from chaise_cli.session import devices, joining, pairing, starting
from chaise_cli.session import home as homes
from chaise_cli.store import places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.clock import Clock
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Pairing

Plan = joining.Plan
check_free = starting.check_free
ROUNDS: Final = 4  # of syncs until a new home has everything: self, then boards, then their deals
_DOORS: Final = "chaise_cli.session.doors"
_SYNCING: Final = "chaise_cli.session.syncing"


class NobodyCame(StillWaiting):
    """Nobody used the code while this command waited."""

    code = "pairing.nobody_came"
    message = "no device has joined yet"
    hint = "the code is good until its ten minutes are over; chaise sync answers it meanwhile"


class Made(NamedTuple):
    """A code that was just made. code: as shown, None where it went to `code_file`."""

    code: str | None
    code_file: Path | None
    via: Sequence[str]
    until: int
    limited: bool
    warnings: Sequence[str]


def begin(session: Session, name: str | None, via: Sequence[str], code_out: Path | None, *, limited: bool) -> Made:
    """Make the code, put it where its owner wants it, and open a mailbox at the places.

    Raises NotAdmin, TooDeep, FileExists, NoFolder, BadPlace, PlaceUnreachable for a place that was named.
    """
    doors: Any = import_module(_DOORS)
    syncing: Any = import_module(_SYNCING)
    named = [syncing.check(url) for url in via]
    if code_out is not None:
        _reserve(code_out)
    try:
        made = pairing.begin(session, name, limited=limited)
        opened = doors.open_at(session, named, _visits(session)) if via else []
        warnings: list[str] = []
        if not via:
            opened, warnings = _open_known(session, doors)
        shown = pairing.write_code(made.code)
        if code_out is not None:
            homes.write_private(code_out, f"{shown}\n".encode())
    except BaseException:
        if code_out is not None:
            code_out.unlink(missing_ok=True)
        raise
    return Made(None if code_out else shown, code_out, opened, made.until, limited, warnings)


def _reserve(path: Path) -> None:
    """The file for the code, empty: a code that cannot be kept is not made."""
    try:
        homes.write_private(path, b"", fresh=True)
    except FileExistsError as error:
        raise starting.FileExists(path=str(path)) from error
    except FileNotFoundError as error:
        raise starting.NoFolder(path=str(path.parent)) from error
    except OSError as error:
        raise starting.Unwritable(why=f"{path}: {error.strerror}") from error


def _open_known(session: Session, doors: Any) -> tuple[list[str], list[str]]:
    """Mailboxes at the places that are known; one that cannot be reached is a warning."""
    opened, warnings = [], []
    for place in places.known(session.db):
        try:
            opened += doors.open_at(session, [place.url], _visits(session))
        except ChaiseError as error:
            warnings.append(f"no mailbox at {place.url}: {error.sentence()}")
    return opened, warnings


def wait(session: Session, made: Made, seconds: float) -> NobodyCame | None:
    """Wait until a device has joined, at most until the code's time is over; None when one did."""
    doors: Any = import_module(_DOORS)
    left = min(seconds, max(0, made.until - session.clock.now()) / when.SECOND)
    return None if doors.wait(session, made.via, _visits(session), doors.Patience(left)) else NobodyCame()


def _visits(session: Session) -> Callable[[str], Any]:
    """Sync with a place; with one that is known without sending it boards that did not go there."""
    syncing: Any = import_module(_SYNCING)

    def visit(url: str) -> Any:
        known = places.find(session.db, url)
        return syncing.visit(session, known.no, url) if known else syncing.sync_with(session, url)

    return visit


def pairing_shape(session: Session, made: Made) -> Pairing:
    """The `pairing` object."""
    waiting = pairing.pending(session)
    device = devices.by_key(session, waiting.device) if waiting and waiting.device else None
    return {
        "until": when.instant_text(made.until),
        "via": list(made.via),
        "limited": made.limited,
        "code_file": str(made.code_file.resolve()) if made.code_file else None,
        "device": {"id": device["id"], "name": device["name"]} if device else None,
    }


def join(
    plan: Plan, given: str, at: str, seconds: float, now: Clock, random: Callable[[int], bytes] = clock.random_bytes
) -> tuple[Session, list[str]]:
    """Make the home that the code opens the way to, and sync it; what went wrong after it was made, as warnings.

    Raises HomeExists, InsideHome, NoFolder, BadCode, BadPlace, NoMailbox, MailboxUsed, NobodyAnswered, BrokenPairing.
    """
    joining.check(plan)
    code = pairing.read_code(given)
    doors: Any = import_module(_DOORS)
    syncing: Any = import_module(_SYNCING)
    place = syncing.check(at)
    box = doors.door(place)
    joiner = pairing.ask(code, plan.name, random)
    granted = doors.knock(box, joiner, doors.Patience(seconds))
    session = joining.settle(plan, joiner, granted, place, now, random)
    trouble: list[str] = []
    try:
        box.close(pairing.mailbox(code))
    except ChaiseError as error:
        trouble.append(error.sentence())
    return session, [*trouble, *_first_sync(session, place, syncing)]


def _first_sync(session: Session, place: str, syncing: Any) -> list[str]:
    """Sync until nothing new comes: self tells the boards, boards bring their deals."""
    for _ in range(ROUNDS):
        done = syncing.sync_with(session, place)
        if done.failure is not None:
            return [f"not synced with {place}: {done.failure.sentence()}; the new home is sound: chaise sync"]
        if not done.received and not done.sent:
            break
    return list(done.problems)
