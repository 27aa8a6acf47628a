from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def _missing(what: str) -> NoReturn:
    """A foreign reader that is not here skips on a developer's machine and fails in the full check."""
    if os.environ.get("CHAISE_FOREIGN_REQUIRED") == "1":
        pytest.fail(f"{what} is required and was not found")
    pytest.skip(f"{what} was not found")


@pytest.fixture(scope="session")
def hledger() -> str:
    """The program."""
    return shutil.which("hledger") or _missing("hledger")


@pytest.fixture(scope="session")
def beancount() -> Path:
    """The folder of programs of an environment that has beancount; a process of its own, never imported here."""
    folder = Path(os.environ.get("CHAISE_BEANCOUNT") or ".foreign/beancount").absolute() / "bin"
    if not (folder / "bean-check").is_file():
        _missing("beancount (an environment in CHAISE_BEANCOUNT or ./.foreign/beancount)")
    return folder
