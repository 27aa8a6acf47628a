from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.architecture.tree import ROOT, SOURCES, python_files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The project's wheel, built without network from a clean copy, so that no earlier build leaks in."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in (*SOURCES, "tests"):  # tests too: they must be left out by the settings, not by absence
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", out, copy], check=True)
    return ZipFile(next(out.glob("*.whl")))


def test_the_wheel_brings_chaise_cli_and_sync_and_nothing_else(wheel: ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"chaise_cli", "sync"}


def test_the_wheel_brings_every_module(wheel: ZipFile) -> None:
    packed = {Path(name) for name in wheel.namelist()}
    assert {path for path in python_files(*SOURCES) if path not in packed} == set()


def test_the_wheel_installs_one_command(wheel: ZipFile) -> None:
    scripts = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(scripts).decode().split() == ["[console_scripts]", "chaise", "=", "chaise_cli.cli:main"]
