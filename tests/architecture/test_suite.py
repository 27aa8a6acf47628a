"""How the suite itself runs."""

from __future__ import annotations

import sys


def test_what_is_not_about_the_measured_parts_runs_unmeasured() -> None:
    """A tracer that is left on costs every test a tenth and more, and nothing else shows it."""
    assert type(sys.gettrace()).__module__ != "coverage"
