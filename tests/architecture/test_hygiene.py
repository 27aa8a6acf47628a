from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import ROOT, files, text

# A pinned file or a note may not lead to some index: only the installer's own settings do.
INDEX: Final = re.compile(
    r"python[h]osted\.org|py[p]i\.org/simple|registry\.npm[j]s|registry\.yarn[p]kg|/simple/?\s|artifactory|devpi"
    r"|^\s*--?(?:index-url|extra-index-url|find-links|trusted-host|i|f)\b",
    re.IGNORECASE | re.MULTILINE,
)
MACHINE: Final = re.compile(r"(?<![\w.~/$}\-])/(?:root|home/\w+|Users/\w+|work|workspace|builds|mnt|opt|private/var)/")
SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}|\bgithub_pat_\w{20}|\bglpat-\w{20}"
    r"|\bxox[abprs]-\w{10}|\bsk-[A-Za-z0-9]{20}|\bnpm_\w{36}|\bpypi-AgE\w{20}|\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\."
)
# One of these stands in whatever is a secret by the pattern, which takes long to search where there is none.
MARKS: Final = (
    *("PRIVATE KEY", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("xoxa-", "xoxb-", "xoxr-", "xoxs-", "xoxp-", "sk-", "npm_", "pypi-", "eyJ"),
)
SELF: Final = Path("tests/architecture/test_hygiene.py")
PATTERNS: Final = {"an index host": INDEX, "a path of some machine": MACHINE, "a secret": SECRET}
MET: Final = {
    "an index host": ["--index-url https://x", "https://files.python" + "hosted.org/a"],
    "a path of some machine": ["see /" + "root/x", '"/home/ann/x"', "file:/Users/ann/x"],
    "a secret": [
        *("-----BEGIN PRIVATE KEY-----", "AKIA" + "A" * 16, "ghp_" + "a" * 36, "gho_" + "a" * 36, "ghu_" + "a" * 36),
        *("ghs_" + "a" * 36, "ghr_" + "a" * 36, "github_pat_" + "a" * 20, "glpat-" + "a" * 20, "xoxa-" + "a" * 10),
        *("xoxb-" + "a" * 10, "xoxr-" + "a" * 10, "xoxs-" + "a" * 10, "xoxp-" + "a" * 10, "sk-" + "a" * 20),
        *("npm_" + "a" * 36, "pypi-AgE" + "a" * 20, "eyJ" + "a" * 20 + ".eyJ" + "a" * 20 + "."),
    ],
}
LET_PASS: Final = ["~/home/x/", "ssh://host/home/x", "a simple index", "$HOME/work/", "/usr/bin/env", "/dev/null"]


def met(what: str, content: str) -> str:
    """What stands there that must not; nothing most often."""
    if what == "a secret" and not any(mark in content for mark in MARKS):
        return ""
    found = PATTERNS[what].search(content)
    return found.group().strip() if found else ""


@pytest.mark.parametrize("what", PATTERNS)
def test_no_file_holds(what: str) -> None:
    held = {f"{path}: {found}" for path in files() if path != SELF and (found := met(what, text(path) or ""))}
    assert not held


@pytest.mark.parametrize("what", PATTERNS)
def test_it_would_be_noticed(what: str) -> None:
    assert all(met(what, sample) for sample in MET[what])
    assert not any(met(what, sample) for sample in LET_PASS)


def test_every_pin_carries_hashes_and_no_address() -> None:
    for name in (
        "requirements/run.txt",
        "requirements/dev.txt",
        "requirements/beancount.txt",
        "requirements/calendars.txt",
    ):
        content = (ROOT / name).read_text()
        assert "://" not in content
        pins = re.split(r"^(?=\w)", content, flags=re.MULTILINE)[1:]
        assert pins
        assert all(re.match(r"[\w.-]+==[\w.]+\b.*\\\n", pin) and "--hash=sha256:" in pin for pin in pins)


def test_what_runs_is_what_is_tested() -> None:
    """Every run-time pin stands in the development file too, the same to the last hash."""
    run, dev = (_pins(f"requirements/{name}.txt") for name in ("run", "dev"))
    assert run
    assert run <= dev


def _pins(name: str) -> set[str]:
    return {pin.strip() for pin in re.split(r"^(?=\w)", (ROOT / name).read_text(), flags=re.MULTILINE) if pin.strip()}
