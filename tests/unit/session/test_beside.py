from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.architecture.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_another_package_called_sync_is_named_and_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / "__init__.py").write_text("raise SystemExit('the foreign package ran')\n")
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import chaise_cli.session.syncing"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert "PackageShadowed" in done.stderr
    assert "the foreign package ran" not in done.stderr
