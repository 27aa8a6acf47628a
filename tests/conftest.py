"""How the whole suite runs: hypothesis profiles, and the coverage each part must reach."""

from __future__ import annotations

import gc
import importlib
import io
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

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
_ROOT: Final = Path(__file__).resolve().parents[1]
_tables: Final = pytest.StashKey[list[str]]()
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
    config.pluginmanager.register(_Examples())


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for doctests in the sources alone: a test module would be loaded a second time for them."""
    found = yield
    return [one for one in found if type(one) is pytest.Module] if file_path.suffix == ".py" else found


class _Examples:
    """For the sources, which lie beside the folder of this file: a plain function here would not be asked."""

    @staticmethod
    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(collection_path: Path) -> bool | None:
        """Pass over a source without a prompt: looking through all of them for doctests takes seconds."""
        path = collection_path
        return (
            path.suffix == ".py"
            and path.is_relative_to(_ROOT)
            and not path.is_relative_to(_ROOT / "tests")
            and b">>>" not in path.read_bytes()
        ) or None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Measure in the workers alone, and once: a worker measures twice otherwise, and a pause stops the inner one."""
    controller, config = _controller(session.config), session.config
    if controller is not None and (hasattr(config, "workerinput") or getattr(config.option, "dist", "no") != "no"):
        controller.pause()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Load what is measured while it is measured, and the rest without: tracing doubles the time of collecting."""
    controller = _controller(session.config)
    if controller is not None and controller.started:
        for part in PARTS:
            for path in sorted((_ROOT / part).rglob("*.py")):
                if path.stem not in {"__init__", "__main__"}:
                    importlib.import_module(".".join(path.relative_to(_ROOT).with_suffix("").parts))
        controller.pause()
    return (yield)


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
    controller = _controller(item.config)
    wanted = item.nodeid.startswith(MEASURING) and not item.nodeid.startswith(LONG)
    if controller is not None and controller.started != wanted:
        (controller.resume if wanted else controller.pause)()
    return (yield)


def _controller(config: pytest.Config) -> Any:
    """What starts and stops the measuring in this process; None in a run that measures nothing."""
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


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
    config.stash[_tables] = [table for _, table in reached.values()]
    config.stash[_below] = [
        f"branch coverage of {part} is {percent:.1f} %, below {FLOOR_PERCENT} %"
        for part, (percent, _) in reached.items()
        if percent < FLOOR_PERCENT
    ]
    if config.stash[_below]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what is not covered, and name the parts below their floor, before pytest's last line."""
    for table in terminalreporter.config.stash.get(_tables, []):
        terminalreporter.write_line(table)
    for line in terminalreporter.config.stash.get(_below, []):
        terminalreporter.write_line(f"FAIL {line}", red=True)


def _percent(measured: coverage.Coverage, part: str) -> tuple[float, str]:
    """Lines and branches of `part` that ran, in percent, 100 while it holds no statement; and the table of it."""
    table = io.StringIO()
    try:
        return measured.report(include=[f"{part}/*"], file=table), table.getvalue()
    except NoDataError:
        return 100.0, ""
