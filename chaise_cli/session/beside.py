"""That `sync` is ours: another package of that short name could stand in the way.

Looked at when this module is imported, which the two leaves of the door to `sync` do first. Source:
docs/adr/0001-sync-is-a-top-level-package.md.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from chaise_cli.errors import Refused

OURS: Final = Path(__file__).resolve().parents[2] / "sync" / "__init__.py"


class PackageShadowed(Refused):
    """Another package called `sync` is found before ours."""

    code = "setup.package_shadowed"
    message = "another package called sync is in the way: {found}"
    hint = "install chaise-cli in an environment of its own, and start it outside that folder"
    found: str


def check() -> None:
    """Return only if `sync` is the package that lies beside `chaise_cli`. Raises PackageShadowed."""
    spec = find_spec("sync")
    found = spec.origin if spec is not None else None
    if found is None or Path(found).resolve() != OURS:
        raise PackageShadowed(found=str(found))


check()
