"""How the whole suite runs: hypothesis profiles, and the coverage each part must reach."""

from __future__ import annotations

import gc
import io
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Final

import coverage
import hypothesis
import pytest
from coverage.exceptions import NoDataError

FLOOR_PERCENT: Final = 95
PARTS: Final = ("chaise_cli/domain", "chaise_cli/ledger", "sync")
MEASURING: Final = (
    *(f"tests/unit/{part}/" for part in ("domain", "ledger", "sync")),
    *("tests/contract/", "tests/fault/test_sync", "tests/fault/test_folder"),
)
LONG: Final = (  # many examples, which go where others have been
    "tests/contract/test_rail_laws.py",
    "tests/contract/test_relay_openapi.py",
    "tests/unit/domain/test_escrow_laws.py",
    "tests/unit/domain/test_escrow_walks.py",
    "tests/unit/domain/test_junit.py::test_hostile_reports_are_unreadable",
    "tests/unit/sync/test_dialogue.py::test_among_a_thousand_spaces",
)
FIRST: Final = ("tests/guide/", "tests/fault/test_kills.py", "tests/simulator/")  # or all wait for them in the end
ROOM_BYTES: Final = 4 * 1024**3
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  a folder of Linux that lies in memory
_below: Final = pytest.StashKey[list[str]]()

# Derandomized: a full check says the same twice. `make soak` looks for what it does not know yet.
_calm: Final = (hypothesis.HealthCheck.too_slow,)  # a busy machine is no finding
hypothesis.settings.register_profile(
    "check", max_examples=30, deadline=None, derandomize=True, suppress_health_check=_calm
)
hypothesis.settings.register_profile("soak", max_examples=2_000, deadline=None, suppress_health_check=_calm)
hypothesis.settings.load_profile("check")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' folders in memory where the system offers it: every commit waits for the disk otherwise."""
    if config.option.basetemp is None and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > ROOM_BYTES:
        os.environ.setdefault("TMPDIR", str(_MEMORY))
        tempfile.tempdir = None  # to be looked up again


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for doctests in the sources alone: a test module would be loaded a second time for them."""
    found = yield
    return [one for one in found if type(one) is pytest.Module] if file_path.suffix == ".py" else found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: who has nothing left takes from the end of another's share."""
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Take what was loaded out of the garbage collector's rounds: it stays, and walking it costs a twentieth."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage in the tests that are about the measured parts: it costs every test half its time again."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    wanted = item.nodeid.startswith(MEASURING) and not item.nodeid.startswith(LONG)
    if controller is not None and controller.started != wanted:
        (controller.resume if wanted else controller.pause)()
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a measured run in which one of the parts stays below its floor."""
    config = session.config
    whole_run = config.pluginmanager.hasplugin("_cov") and config.args_source is not pytest.Config.ArgsSource.ARGS
    if hasattr(config, "workerinput") or not whole_run or session.exitstatus != pytest.ExitCode.OK:
        return
    measured = coverage.Coverage()
    measured.load()
    reached = {part: _percent(measured, part) for part in PARTS}
    config.stash[_below] = [
        f"branch coverage of {part} is {percent:.1f} %, below {FLOOR_PERCENT} %"
        for part, percent in reached.items()
        if percent < FLOOR_PERCENT
    ]
    if config.stash[_below]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the parts below their floor, before pytest's last line."""
    for line in terminalreporter.config.stash.get(_below, []):
        terminalreporter.write_line(f"FAIL {line}", red=True)


def _percent(measured: coverage.Coverage, part: str) -> float:
    """Lines and branches of `part` that ran, in percent; 100 while it holds no statement."""
    try:
        return measured.report(include=[f"{part}/*"], file=io.StringIO())
    except NoDataError:
        return 100.0
