from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as driver

from chaise_cli.errors import ChaiseError
from chaise_cli.store import connection, schema
from chaise_cli.store.connection import Busy, DamagedStore, DiskFull, NewerStore, OpenToOthers

KEY = bytes(range(48))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = connection.create(tmp_path / "store.db", KEY)
    schema.migrate(database)
    database.close()
    return tmp_path / "store.db"


def test_a_store_begins_with_its_salt_and_not_with_sqlites_words(path: Path) -> None:
    assert path.read_bytes()[:16] == KEY[connection.SALT]


def test_a_store_is_never_made_over_a_file_or_through_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    for taken in (path, tmp_path / "link"):
        with pytest.raises(FileExistsError):
            connection.create(taken, KEY)
    assert not (tmp_path / "victim").exists()


def test_the_files_beside_the_store_are_private_too(path: Path) -> None:
    database = connection.open_store(path, KEY)
    with connection.transaction(database):
        database.execute("INSERT INTO own VALUES ('a', 'b')")
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        assert stat.S_IMODE(path.with_name(name).stat().st_mode) == 0o600
    database.close()


@pytest.mark.parametrize("size", [0, 32, 47, 49])
def test_a_key_of_another_length_is_never_sent(path: Path, size: int) -> None:
    """SQLCipher would take it for a passphrase."""
    with pytest.raises(AssertionError):
        connection._keyed(path, bytes(size))


def test_the_statement_that_is_sent_has_96_digits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store made with 96 also opens with 64: only the statement tells."""
    sent: list[str] = []

    class Spy:
        def __init__(self, inner: object) -> None:
            self.inner = inner

        def execute(self, statement: str) -> object:
            sent.append(statement)
            return self.inner.execute(statement)  # type: ignore[attr-defined]

    connect = driver.connect
    monkeypatch.setattr(driver, "connect", lambda *args, **more: Spy(connect(*args, **more)))
    connection._keyed(path, KEY)
    assert sent[:2] == ["PRAGMA cipher_log_level=NONE", f"PRAGMA key = \"x'{KEY.hex()}'\""]
    assert len(KEY.hex()) == 96


@pytest.mark.parametrize(
    "pragma, value",
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0), ("cell_size_check", 1)],
)
def test_every_connection_is_durable_and_careful(path: Path, pragma: str, value: object) -> None:
    database = connection.open_store(path, KEY)
    assert database.execute(f"PRAGMA {pragma}").fetchone()[0] == value
    database.close()


@pytest.mark.parametrize("place", [0, 31, 32, 47])
def test_another_key_is_damage_and_nothing_is_written(path: Path, place: int) -> None:
    before = path.read_bytes()
    wrong = bytearray(KEY)
    wrong[place] ^= 1
    with pytest.raises(DamagedStore):
        connection.open_store(path, bytes(wrong))
    assert path.read_bytes() == before


def test_a_newer_schema_is_left_alone(path: Path) -> None:
    database = connection.open_store(path, KEY)
    database.execute(f"PRAGMA user_version = {connection.SCHEMA + 1}")
    database.close()
    with pytest.raises(NewerStore):
        connection.open_store(path, KEY)


def test_what_others_can_read_is_not_opened(path: Path) -> None:
    path.chmod(0o644)
    with pytest.raises(OpenToOthers):
        connection.open_store(path, KEY)


def test_a_transaction_is_kept_whole_or_not_at_all(path: Path) -> None:
    database = connection.open_store(path, KEY)
    with pytest.raises(KeyboardInterrupt), connection.transaction(database):  # noqa: PT012  what is undone
        database.execute("INSERT INTO own VALUES ('a', 'b')")
        raise KeyboardInterrupt
    with pytest.raises(driver.IntegrityError), connection.transaction(database):  # noqa: PT012  a bug of ours, told as one
        database.execute("INSERT INTO own VALUES ('a', 'b')")
        database.execute("INSERT INTO own VALUES ('a', 'b')")
    assert database.execute("SELECT count(*) FROM own WHERE name = 'a'").fetchone() == (0,)
    assert not database.in_transaction
    database.close()


def test_a_reader_sees_one_snapshot(path: Path) -> None:
    reader, writer = connection.open_store(path, KEY), connection.open_store(path, KEY)
    with connection.reading(reader):
        assert reader.execute("SELECT count(*) FROM own WHERE name = 'a'").fetchone() == (0,)
        with connection.transaction(writer):
            writer.execute("INSERT INTO own VALUES ('a', 'b')")
        assert reader.execute("SELECT count(*) FROM own WHERE name = 'a'").fetchone() == (0,)
    assert reader.execute("SELECT count(*) FROM own WHERE name = 'a'").fetchone() == (1,)
    reader.close()
    writer.close()


def test_the_drivers_errors_get_names(path: Path) -> None:
    assert isinstance(connection.translated(driver.OperationalError("database is locked")), Busy)
    assert isinstance(connection.translated(driver.OperationalError("disk I/O error")), DiskFull)
    assert isinstance(connection.translated(driver.OperationalError("attempt to write a readonly database")), DiskFull)
    assert isinstance(connection.translated(driver.DatabaseError("file is not a database"), path), DamagedStore)


def test_a_migration_that_crashed_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a step or nothing of it, and its number with it."""
    database = connection.create(tmp_path / "store.db", KEY)
    broken = schema._FIRST.replace("CREATE TABLE read_mark", "CREATE TABLE own", 1)
    monkeypatch.setattr(schema, "_MIGRATIONS", (broken,))
    with pytest.raises(ChaiseError):
        schema.migrate(database)
    assert database.execute("PRAGMA user_version").fetchone() == (0,)
    assert database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'own'").fetchone() == (0,)
    monkeypatch.undo()
    schema.migrate(database)
    schema.migrate(database)
    assert database.execute("PRAGMA user_version").fetchone() == (connection.SCHEMA,)
    database.close()
