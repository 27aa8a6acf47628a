from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.architecture.tree import ROOT, files, text

TOPS: Final = "chaise_cli|sync|tests|docs|benchmarks|requirements|\\.ci"
QUOTED: Final = re.compile(rf"`((?:{TOPS})/[\w./-]*)`")  # a path in backquotes, in a page
LINKED: Final = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")  # [text](page.md#part)
CITED: Final = re.compile(r"\bdocs/[\w./-]*\w")  # a page or decision cited in a comment or docstring


def test_paths_named_in_pages_exist() -> None:
    missing = set()
    for page in files():
        if page.suffix == ".md":
            content = text(page) or ""
            named = [ROOT / path for path in QUOTED.findall(content)]
            named += [ROOT / page.parent / path for path in LINKED.findall(content)]
            missing |= {f"{page}: {path.relative_to(ROOT)}" for path in named if not _exists(path)}
    assert not missing


def test_pages_named_in_the_source_exist() -> None:
    missing = {
        f"{path}: {cited}"
        for path in files()
        if path.suffix == ".py"
        for cited in CITED.findall(text(path) or "")
        if not _exists(ROOT / cited)
    }
    assert not missing


def _exists(path: Path) -> bool:
    """A file or folder of that name; a decision may be cited by its number alone, a page without its suffix."""
    return path.exists() or any(path.parent.glob(f"{path.name}[-.]*"))
