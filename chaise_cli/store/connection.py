"""Opening the encrypted database: the key, the pragmas, the file modes. The only door to SQLCipher.

Rules and their reasons: docs/spec/keys.md; in short, the key is always 96 hex digits (a shorter one would be
taken for a passphrase, a missing one would write plaintext), commits are durable, and one command is one
`BEGIN IMMEDIATE` transaction.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from sqlcipher3 import dbapi2 as driver

from chaise_cli.errors import ChaiseError, Corrupt, Newer, NoKey, Refused
from chaise_cli.store.fence import Fence

Connection: TypeAlias = driver.Connection
SCHEMA: Final = 10  # the newest migration; PRAGMA user_version of an up-to-date store
RULES: Final = 2  # edition of kinds and folds: one more whenever the same events come to something else
KEY_SIZE: Final = 48
SALT: Final = slice(32, 48)
_PLAIN: Final = b"SQLite format 3\0"
_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "busy_timeout=30000",
    "cache_size=-65536",
)


class PlaintextStore(Corrupt):
    """The file is an ordinary, unencrypted SQLite database."""

    code = "store.plaintext"
    message = "the store at {path} is not encrypted; Chaise did not write it"
    hint = "put the right file back, or move this one away; nothing in it was read"
    path: str


class DamagedStore(Corrupt):
    """The file is not a database under the right key."""

    code = "store.damaged"
    message = "the store at {path} is damaged: {why}"
    hint = "keep it; chaise verify --repair --from PLACE, or a new home: chaise restore FILE, chaise init --recover"
    path: str
    why: str


class NewerStore(Newer):
    """The store was written by a newer Chaise."""

    code = "store.newer"
    message = "the store has schema {found}, this Chaise knows {known}"
    hint = "upgrade Chaise; nothing was changed"
    found: int
    known: int


class OpenToOthers(NoKey):
    """Other users of this machine could read or write a private file."""

    code = "store.open_to_others"
    message = "{path} may be read or written by others, or belongs to somebody else"
    hint = "chmod go-rwx {path}, and look who had access"
    path: str


class DiskFull(Refused):
    """The disk, a quota or a limit stopped a write; the transaction was undone."""

    code = "store.disk"
    message = "the store could not be written: {why}"
    hint = "free some space or fix the permissions, then run the same command again; nothing was lost"
    retryable = True
    why: str


class Busy(Refused):
    """Another process held the store for half a minute."""

    code = "store.busy"
    message = "another process is writing to this home"
    hint = "wait for it, then run the same command again"
    retryable = True


class InUse(Refused):
    """Other processes have the store open, which is to be put away."""

    code = "store.in_use"
    message = "another command has this home open"
    hint = "end what stays, as sync --watch or peer serve, then run the same command again; nothing was changed"
    retryable = True


class _Fenced(driver.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that holds its fence as long as it is open."""

    fence: Fence | None = None

    def close(self) -> None:
        super().close()
        self.drop_fence()

    def drop_fence(self) -> None:
        fence, self.fence = self.fence, None
        if fence is not None:
            fence.close()

    def __del__(self) -> None:
        self.drop_fence()


def create(path: Path, key: bytes) -> Connection:
    """A new, empty, encrypted store at `path`, which must not exist; mode 0600."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
    connection = _keyed(path, key)
    connection.execute("CREATE TABLE chaise(made INTEGER)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    first = path.read_bytes()[:16]
    assert first == key[SALT], "the store was not encrypted with its own salt"
    assert first != _PLAIN, "the store was written in plaintext"
    return connection


def open_store(path: Path, key: bytes) -> Connection:
    """The store at `path`, keyed and checked; its schema may still be older than `SCHEMA`.

    Raises OpenToOthers, PlaintextStore, DamagedStore, NewerStore.
    """
    if not path.is_file():
        raise DamagedStore(path=str(path), why="the file is missing")
    check_private(path)
    with path.open("rb") as file:
        first = file.read(16)
    if first == _PLAIN:
        raise PlaintextStore(path=str(path))
    if first != key[SALT]:
        raise DamagedStore(path=str(path), why="its salt is not that of this home")
    fence = Fence(path.parent)
    try:
        connection = _keyed(path, key)
        connection.fence = fence
        found = schema_of(connection)
    except driver.DatabaseError as error:
        fence.close()
        raise translated(error, path) from error
    if found > SCHEMA:
        connection.close()
        raise NewerStore(found=found, known=SCHEMA)
    return connection


def schema_of(connection: Connection) -> int:
    """The number of the newest migration that the store has seen."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def data_version(connection: Connection) -> int:
    """A number that changes when another connection, of whatever process, has written to the store."""
    try:
        found: int = connection.execute("PRAGMA data_version").fetchone()[0]
    except driver.Error as error:
        raise translated(error) from error
    return found


def check_private(path: Path) -> None:
    """Return only if nobody but this user can reach the file or folder. Raises OpenToOthers."""
    if sys.platform == "win32":
        return
    found = path.stat()
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        raise OpenToOthers(path=str(path))


def _keyed(path: Path, key: bytes) -> _Fenced:
    assert len(key) == KEY_SIZE, "SQLCipher takes any other length for a passphrase"
    connection: _Fenced = driver.connect(
        str(path), isolation_level=None, timeout=30.0, check_same_thread=False, factory=_Fenced, cached_statements=1000
    )
    connection.execute("PRAGMA cipher_log_level=NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    pragmas = (*_PRAGMAS, "fullfsync=ON", "checkpoint_fullfsync=ON") if sys.platform == "darwin" else _PRAGMAS
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def translated(error: driver.Error, path: Path | None = None) -> ChaiseError:
    """Our own error for one of the driver's, naming the cause."""
    text = str(error)
    if "locked" in text:
        return Busy()
    if isinstance(error, driver.OperationalError):
        return DiskFull(why=text)
    if isinstance(error, driver.IntegrityError | driver.ProgrammingError | driver.InterfaceError):
        raise error  # our own mistake, not the file's
    return DamagedStore(path=str(path or "this home"), why=text)


def fold_wal(connection: Connection) -> None:
    """Bring what lies in the write-ahead log into the file, before that is put away."""
    try:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except driver.Error as error:
        raise translated(error) from error
    if busy:
        raise Busy


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Nobody else, in whatever process, has the store open or opens it before the block ends. Raises InUse.

    The connection may be closed inside.
    """
    assert isinstance(connection, _Fenced), "a store that was opened here"
    fence, connection.fence = connection.fence, None
    assert fence is not None, "an open store"
    if not fence.alone():
        connection.fence = fence
        raise InUse
    try:
        yield
    finally:
        if _is_open(connection):
            fence.share()
            connection.fence = fence
        else:
            fence.close()


def _is_open(connection: Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except driver.ProgrammingError:
        return False
    return True


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """One durable transaction: all of it is kept when the block ends, nothing when it raises."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except driver.Error as error:
        raise translated(error) from error


@contextmanager
def naming_errors() -> Iterator[None]:
    """What the driver raises inside comes out as an error of ours."""
    try:
        yield
    except driver.Error as error:
        raise translated(error) from error


@contextmanager
def rehearsing(connection: Connection) -> Iterator[None]:
    """A transaction that keeps nothing, however the block ends."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """One consistent snapshot for several reads."""
    try:
        connection.execute("BEGIN")
        try:
            yield
        finally:
            if connection.in_transaction:
                connection.execute("COMMIT")
    except driver.Error as error:
        raise translated(error) from error
