from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.architecture.tree import ROOT, SOURCES, imported, python_files, text

LINT: Final = Path(sys.executable).with_name("lint-imports")
EMPTY: Final = ("chaise_cli/crypto/sealing.py", "chaise_cli/commands/fund.py", "chaise_cli/domain/deal.py")
INTRUDERS: Final = {
    "chaise_cli.domain.intruder": ["chaise_cli.store", "time", "pydantic"],
    "chaise_cli.store.intruder": ["chaise_cli.session", "chaise_cli.crypto.sealing"],
    "chaise_cli.commands.intruder": ["chaise_cli.store", "chaise_cli.commands.fund", "sync", "click"],
    "chaise_cli.ledger.intruder": ["chaise_cli.crypto.sealing", "chaise_cli.domain.deal"],
    "chaise_cli.session.intruder": ["sync", "rich", "chaise_cli.render"],
    "chaise_cli.rails.intruder": ["chaise_cli.domain.deal"],
    "chaise_cli.render.intruder": ["typer", "chaise_cli.session"],
    "chaise_cli.crypto.intruder": ["chaise_cli.ledger"],
    "sync.intruder": ["chaise_cli.domain.deal", "chaise_cli.crypto.sealing", "chaise_cli.store"],
}
PURE: Final = ("chaise_cli/domain", "chaise_cli/errors.py", "chaise_cli/ids.py")


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_every_import_contract_is_kept() -> None:
    answer = contracts(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_forbidden_import_breaks_a_contract(tmp_path: Path) -> None:
    """The contracts would notice: directions and doors are broken once each, in a tree of empty modules."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path in (*python_files(*SOURCES), *map(Path, EMPTY)):
        empty = tmp_path / path
        empty.parent.mkdir(parents=True, exist_ok=True)
        empty.touch()
    for importer, names in INTRUDERS.items():
        lines = "".join(f"import {name}\n" for name in names)
        (tmp_path / importer.replace(".", "/")).with_suffix(".py").write_text(lines)
    answer = contracts(tmp_path)
    shown = " ".join(answer.stdout.split())
    assert {f"{importer} -> {name}" for importer in INTRUDERS for name in INTRUDERS[importer]} <= {
        f"{importer} -> {name}" for importer, name in re.findall(r"([\w.]+) -> ([\w.]+)", shown)
    }
    assert answer.returncode == 1


def test_the_rules_stand_on_the_standard_library_alone() -> None:
    allowed = {*sys.stdlib_module_names, "chaise_cli"}
    pure = [path for path in python_files("chaise_cli") if path.as_posix().startswith(PURE)]
    foreign = {f"{path}: {name}" for path in pure for name in imported(path) if name.partition(".")[0] not in allowed}
    assert not foreign


def test_sync_imports_its_own_modules_relatively() -> None:
    """A short top-level name can be shadowed; docs/adr/0001-sync-is-a-top-level-package.md."""
    absolute = {f"{path}: {name}" for path in python_files("sync") for name in imported(path) if _is_sync(name)}
    assert not absolute


def test_nobody_reaches_for_the_copy_of_click_inside_typer() -> None:
    reached = {str(path) for path in python_files(*SOURCES) if "typer._click" in (text(path) or "")}
    named = [path for path in python_files(*SOURCES, "tests") if "click" in (text(path) or "")]
    reached |= {f"{path}: click" for path in named if "click" in imported(path)}
    assert not reached


def _is_sync(name: str) -> bool:
    return name == "sync" or name.startswith("sync.")
