"""The project's own files, as the architecture tests look at them."""

from __future__ import annotations

import ast
import gc
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ("chaise_cli", "sync")
PYTHON: Final = (*SOURCES, "tests", "benchmarks")
_NOT_OURS: Final = {".git", ".venv", ".foreign", "build", "dist", "__pycache__", "node_modules"}


class Function(NamedTuple):
    """Where a function stands and how many lines it takes, from `def` to its end."""

    name: str
    lines: int


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or would be in the repository, relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        found = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    else:  # an unpacked archive, without git's list
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    return tuple(sorted(path for path in found if (ROOT / path).is_file() and not _foreign(path)))


def _foreign(path: Path) -> bool:
    return any(part in _NOT_OURS or part.endswith((".egg-info", "_cache")) for part in path.parts)


def python_files(*tops: str) -> list[Path]:
    """The Python files below the given top-level folders, relative to the root."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in tops]


@cache
def text(path: Path) -> str | None:
    """What stands in the file; None when it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@cache
def tree(path: Path) -> ast.Module:
    """The file's syntax tree."""
    gc.disable()  # a tree is all new objects, and looking for dead ones among those of all trees takes thrice the time
    try:
        return ast.parse((ROOT / path).read_bytes(), filename=str(path))
    finally:
        gc.enable()


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below that is a statement or holds some; `ast.walk` enters expressions too."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, field, ()):
            yield inner
            yield from statements(inner)


def functions(path: Path) -> list[Function]:
    """All functions of a file, nested ones and methods included."""
    return [
        Function(f"{path}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in statements(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def imported(path: Path) -> set[str]:
    """Full names of all modules the file imports absolutely."""
    names: set[str] = set()
    for node in statements(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return names
