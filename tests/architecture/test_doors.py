"""SQL is spoken in one layer alone: whoever asks what is stored, and how, reads `chaise_cli/store`."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import SOURCES, python_files, text, tree

# The client's store; each relay backend, and the rail of rehearsals, which have tables of their own.
SPEAKERS: Final = ("chaise_cli/store/", "sync/relay/", "chaise_cli/rails/simulation/")
STATEMENT: Final = re.compile(
    r"\s*(?:SELECT\s.*\bFROM\b|SELECT\s+\w+\(|INSERT\s+(?:OR\s+\w+\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s+(?:\w+\s+SET\s|$)"
    r"|DELETE\s+FROM\s|PRAGMA\s+\w|(?:CREATE|DROP|ALTER)\s+(?:TABLE|INDEX|VIEW|TRIGGER)\s|WITH\s+\w+\s+AS\s*\("
    r"|(?:BEGIN|COMMIT|ROLLBACK|VACUUM|ATTACH)(?:\s+[A-Z]+)?\s*;?\Z)",
    re.DOTALL,
)
WORDS: Final = re.compile(  # no statement begins without one of them; a file that has none need not be parsed
    "SELECT|INSERT|REPLACE|UPDATE|DELETE|PRAGMA|CREATE|DROP|ALTER|WITH|BEGIN|COMMIT|ROLLBACK|VACUUM|ATTACH|execute"
)
RUNNING: Final = frozenset({"execute", "executemany", "executescript"})


def spoken(module: ast.Module) -> set[str]:
    """The calls that run SQL, and the texts that are SQL."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUNNING:
            found.add(f"{node.lineno}: .{node.func.attr}()")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value):
            found.add(f"{node.lineno}: {node.value[:40]!r}")
    return found


def test_sql_is_spoken_in_the_store_alone() -> None:
    others = [path for path in python_files(*SOURCES) if not path.as_posix().startswith(SPEAKERS)]
    maybe = [path for path in others if WORDS.search(text(path) or "")]
    assert not {f"{path}:{what}" for path in maybe for what in spoken(tree(path))}


def test_the_store_speaks_it() -> None:
    assert spoken(tree(Path("chaise_cli/store/events.py")))


@pytest.mark.parametrize(
    "source",
    [
        'session.db.execute("x")',
        "rows = db.executemany(query, values)",
        'QUERY = "SELECT 1 FROM place"',
        'query = f"UPDATE {table} SET a = 1"',
        "db.run('BEGIN IMMEDIATE')",
        'query = f"DELETE FROM {table}"',
        'def f():\n    return "PRAGMA user_version"',
        '"INSERT OR IGNORE INTO pack(place) VALUES (?)"',
    ],
)
def test_it_would_be_noticed(source: str) -> None:
    assert WORDS.search(source)
    assert spoken(ast.parse(source))


@pytest.mark.parametrize(
    "words", ["Select one of FROM and TO", "Begin with: chaise init", "Update the deal", "BEGIN:VEVENT"]
)
def test_what_is_said_to_people_is_let_pass(words: str) -> None:
    assert not spoken(ast.parse(repr(words)))
