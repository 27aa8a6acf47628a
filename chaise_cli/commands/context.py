"""One run of one command: what was given, the open home, and what every answer carries besides its own data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli import clock, config, ids
from chaise_cli.commands import formats
from chaise_cli.commands.here import Here
from chaise_cli.errors import ChaiseError, Usage
from chaise_cli.render import prompts
from chaise_cli.render.emit import OutputOptions
from chaise_cli.result import Next, Result
from chaise_cli.session import access
from chaise_cli.session import home as homes

if TYPE_CHECKING:
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session

SYNC: Final = "chaise sync"
_SYNCING: Final = "chaise_cli.session.syncing"
_RUNNING: Final = "chaise_cli.session.running"
_SENDING: Final = "chaise_cli.session.sending"  # reads send nothing
_REQUESTS: Final = "chaise_cli.session.requests"


class NotInBatch(Usage):
    """A command that stays, among those of a batch."""

    code = "usage.not_in_batch"
    message = "{verb} stays until it is told to go; a batch would wait for it for ever"
    hint = "run it by itself"
    verb: str


_shared: list[Session] = []


class Call:
    """One run of one command: its options, and the way to the home. Fields are set from the common options."""

    def __init__(self, name: str, given: dict[str, Any]) -> None:
        self.verb = name
        settings = config.read(given["home"])
        self.settings = settings
        self.home = homes.Home(Path(settings.home.value) if settings.home.value else homes.default_folder())
        self.options = OutputOptions(
            formats.asked(given),
            given["color"],
            bool(given["quiet"]),
            bool(given["no_input"] or settings.no_input.value),
        )
        self.dry_run = bool(given.get("dry_run"))
        self.clock = clock.from_environment()
        self._grant = Path(settings.grant.value) if settings.grant.value else None
        self.failure: ChaiseError | None = None  # what befell after the answer was made, which still counts
        self._key_file = given["key_file"] or (Path(settings.key_file.value) if settings.key_file.value else None)
        self._sync: bool | None = given.get("sync_")
        self._request_id: str | None = given.get("request_id")
        self._writes = "dry_run" in given
        self.warnings: list[str] = []
        self.signed: list[str] = []  # kinds of the events written, or rehearsed
        self.sent = False  # everything written has reached the places that sync by themselves

    @property
    def asks(self) -> bool:
        """Whether a person can be asked."""
        return prompts.may_ask(self.options)

    def keys(self) -> access.Keys:
        """What the home may be opened with."""
        passphrase = config.passphrase(self.settings)
        ways = "--key-file or CHAISE_PASSPHRASE_FILE"
        ask = (lambda: prompts.secret("Passphrase", ways, self.options)) if self.asks else None
        return access.Keys(self._key_file, passphrase, ask)

    @contextmanager
    def session(self, *, reads: bool = False) -> Iterator[Session]:
        """The open home, for the length of the block.

        With `--sync`, or a place that syncs by itself, a writing verb pulls before and pushes after; a place
        that cannot be reached is a warning. reads: it only looks this time, and syncs with `--sync` alone.
        Under a grant it is a run's, which has always pulled, and pushes what it wrote.
        """
        if self._grant is not None and not _shared:
            with self._run(self._grant) as session:
                yield session
            return
        session = _shared[-1] if _shared else access.open_session(self.home, self.keys(), self.clock)
        session.dry_run, session.signed = self.dry_run, self.signed
        self.options = self.options._replace(tz=session.me.settings.tz, me=ids.public("id", session.me.identity))
        try:
            automatic = not _shared and self.wants_sync(session, reads=reads)
            if automatic:
                self._exchange(session)
            yield session
            if automatic:
                before = len(self.warnings)
                self._exchange(session)
                self.sent = len(self.warnings) == before
        finally:
            if not _shared:
                session.close()

    @contextmanager
    def _run(self, grant: Path) -> Iterator[Session]:
        """The home of a run under this grant. Raises BadFile, Expired, Nowhere."""
        running: Any = import_module(_RUNNING)
        with running.home(grant, self.clock) as session:
            self.options = self.options._replace(me=ids.public("id", session.me.identity))
            self.warnings += running.fetch(session)
            session.dry_run, session.signed = self.dry_run, self.signed
            yield session
            if self._writes and not self.dry_run:
                self.failure = running.hand_in(session)
                self.sent = True

    @contextmanager
    def session_at_hand(self) -> Iterator[Session | None]:
        """The open home where it opens without asking anybody; None where it does not, or there is none."""
        try:
            session = access.open_session(self.home, self.keys()._replace(ask=None), self.clock)
        except ChaiseError:
            yield None
            return
        try:
            yield session
        finally:
            session.close()

    def stays(self) -> None:
        """Raise NotInBatch unless this command has the process to itself."""
        if _shared:
            raise NotInBatch(verb=self.verb)

    def exchange_now(self, session: Session) -> None:
        """Sync before the answer is made, where that tells what came of it; as `session` does around a writing verb.

        Not with `--no-sync`, in a rehearsal or inside an open transaction; trouble is a warning.
        """
        if not session.in_transaction and self.wants_sync(session):
            self._exchange(session)

    def wants_sync(self, session: Session, *, reads: bool = False) -> bool:
        """Whether this call goes out to other machines by itself."""
        if self.dry_run or not self._writes:
            return False
        if self._sync is not None:
            return self._sync
        return not reads and bool(import_module(_SENDING).goes_by_itself(session))

    def _exchange(self, session: Session, *, everywhere: bool = False) -> None:
        """Sync with every place, or with those that do so by themselves; trouble is a warning, the write stands."""
        self.warnings += import_module(_SYNCING).automatic(session, everywhere=everywhere or bool(self._sync))

    def pull(self, session: Session) -> None:
        """Fetch what places know before something is decided, where there are any; trouble is a warning.

        Not with `--no-sync`, in a rehearsal, which keeps nothing of what would be fetched, or in an open transaction.
        """
        if self._sync is False or self.dry_run or session.in_transaction:
            return
        if import_module(_SENDING).has_places(session):
            self._exchange(session, everywhere=True)

    def here(self, session: Session, tz: str | None = None) -> Here:
        """What times are read against."""
        return Here(self.clock.now(), tz or session.me.settings.tz, loose=self.asks)

    def request(self, **asked: object) -> Request | None:
        """The request id given, and a fingerprint of what is asked; None without one given. Raises BadRequestId."""
        if self._request_id is None:
            return None
        made: Request = import_module(_REQUESTS).request(self._request_id, self.verb, asked)
        return made

    def result(self, data: Any, **more: Any) -> Result:
        """The result of this call."""
        return Result(self.verb, data, **more)


@contextmanager
def shared(session: Session) -> Iterator[None]:
    """While the block runs, calls use this session instead of opening the home again: for `batch`."""
    _shared.append(session)
    try:
        yield
    finally:
        _shared.pop()


def unsent(session: Session) -> list[Next]:
    """`next: not sent yet (3 events): chaise sync`, when something written here has reached no place."""
    count = import_module(_SENDING).unsent(session)
    return [Next(f"not sent yet ({count} event{'s' if count != 1 else ''})", SYNC)] if count else []
