"""A kill at any point of a backup, a restore, a recovery or a repair: what was there stays, nothing is half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from chaise_cli.session import access, backing, checking, founding, repairing, restoring, syncing
from chaise_cli.session import home as homes_of
from chaise_cli.session.session import Behind
from tests.fakes import homes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
ROOT: Final = Path(__file__).parents[2]
PRELUDE: Final = """
import os, pathlib, signal, sys
from pathlib import Path
from tests.fakes import homes
from chaise_cli.session import access, archive, backing, drafting, founding, recovering, repairing, restoring, syncing
from chaise_cli.session import home as homes_of
from chaise_cli.store import connection
folder = Path(sys.argv[1])
silent = lambda *_: None
def lisa():
    return homes.reopen(homes_of.Home(folder / "lisa"), folder / "lisa.key")
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def dies_at(count, module, name):
    real, calls = getattr(module, name), []
    def run(*given, **more):
        calls.append(1)
        if len(calls) == count:
            die()
        return real(*given, **more)
    setattr(module, name, run)
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> homes.Market:
    """The market as all tests begin with it, made once."""
    return homes.market(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def market(begun: homes.Market, tmp_path: Path) -> homes.Market:
    """A copy of its own, which a test may kill somebody in."""
    return begun.whole(tmp_path / "market")


def killed(market: homes.Market, script: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-c", PRELUDE + script, str(market.folder)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def silent(_done: int, _total: int) -> None:
    pass


def sound(market: homes.Market, name: str = "lisa") -> None:
    session = homes.reopen(homes_of.Home(market.folder / name), market.key("lisa"))
    assert checking.verify(session, silent).problems == []
    session.close()


BACKUP: Final = {
    "while records are written": "dies_at(9, archive, '_packed')",
    "before the file is whole": "backing.os.fsync = die",
    "while it is read back": "backing._read_through = die",
    "before it has its name": "backing._place = die",
    "after it has its name": "backing.own.put = die",
}


@pytest.mark.parametrize("stop", BACKUP)
def test_a_killed_backup_leaves_no_half_file_under_its_name(market: homes.Market, stop: str) -> None:
    file = market.folder / "backup"
    killed(market, f"session = lisa()\n{BACKUP[stop]}\nbacking.back_up(session, folder / 'backup', silent)")
    session = homes.reopen(homes_of.Home(market.folder / "lisa"), market.key("lisa"))
    session.random = homes.seeded("again")
    if file.exists():
        assert stop == "after it has its name"
        assert backing.look(file, session.key, session, silent).problem is None
    backing.back_up(session, file, silent, force=True)
    session.close()
    sound(market)


RESTORE: Final = {
    "before anything is in it": "dies_at(1, restoring.connection, 'create')",
    "while events come in": "dies_at(2, restoring, 'admit_all')",
    "before it has its place": "dies_at(2, drafting.homes, 'sync_folder')",
    "after it has its place": "dies_at(3, drafting.homes, 'sync_folder')",
}


@pytest.mark.parametrize("stop", RESTORE)
def test_a_killed_restore_leaves_no_home_or_one_that_only_reads(market: homes.Market, stop: str) -> None:
    session = homes.reopen(homes_of.Home(market.folder / "lisa"), market.key("lisa"))
    backing.back_up(session, market.folder / "backup", silent)
    session.close()
    plan = (
        "restoring.Plan(folder / 'backup', homes_of.Home(folder / 'back'), access.Keys(key_file=folder / 'lisa.key'))"
    )
    killed(market, f"{RESTORE[stop]}\nrestoring.restore({plan}, homes.Hands(), silent)")
    back = homes_of.Home(market.folder / "back")
    assert back.path.exists() == (stop == "after it has its place")
    if not back.path.exists():
        again = restoring.Plan(market.folder / "backup", back, access.Keys(key_file=market.key("lisa")))
        restoring.restore(again, homes.Hands(), silent).close()
    found = homes.reopen(back, market.key("lisa"))
    assert found.behind
    assert checking.verify(found, silent).problems == [Behind().sentence()]
    found.close()


REPAIR: Final = {
    "while the new store is filled": "dies_at(2, repairing, '_put')",
    "before it takes the old one's place": "dies_at(1, repairing, '_replace')",
    "between the two": "repairing.os.link = die",
    "right after": "dies_at(1, repairing.homes, 'sync_folder')",
}


@pytest.mark.parametrize("stop", REPAIR)
def test_a_killed_repair_leaves_the_old_store_or_the_new_one(market: homes.Market, stop: str) -> None:
    session = homes.reopen(homes_of.Home(market.folder / "lisa"), market.key("lisa"))
    homes.post(session, market.board)
    session.db.execute("UPDATE listing SET ended = 'closed'")
    session.close()
    killed(market, f"session = lisa()\n{REPAIR[stop]}\nrepairing.repair(session, None, silent)")
    session = homes.reopen(homes_of.Home(market.folder / "lisa"), market.key("lisa"))
    assert not session.behind
    bad = checking.verify(session, silent).problems
    assert bool(bad) == (stop != "right after")
    assert repairing.repair(session, None, silent).checked.problems == []
    session.close()
    sound(market)
    assert [path.name for path in (market.folder / "lisa").iterdir() if path.name.startswith(".")] == []


RECOVER: Final = {
    "while the self space comes in": "dies_at(1, restoring, 'admit_all')",
    "before the slots are there": "dies_at(1, founding, 'new_slots')",
    "before it has its place": "dies_at(1, drafting.homes, 'sync_folder')",
    "before it has fetched anything": "dies_at(1, syncing, 'sync_once')",
}


@pytest.mark.parametrize("stop", RECOVER)
def test_a_killed_recovery_leaves_no_home_or_one_that_goes_on(market: homes.Market, stop: str) -> None:
    place, keys = market.folder / "place", market.folder / "ann.key"
    place.mkdir()
    code = _ann(market.folder, place)
    plan = (
        f"recovering.Plan(homes_of.Home(folder / 'ann2'), {code!r}, {str(place)!r}, "
        "founding.Secrets(None, folder / 'ann2.key'), 'new')"
    )
    killed(market, f"{RECOVER[stop]}\nrecovering.recover({plan}, homes.Hands(), silent)")
    home = homes_of.Home(market.folder / "ann2")
    assert home.path.exists() == (stop == "before it has fetched anything")
    assert keys.exists()
    if home.path.exists():
        session = homes.reopen(home, market.folder / "ann2.key")
        assert checking.verify(session, silent).problems == []
        syncing.sync_once(session, str(place))
        assert len(homes.events.spaces(session.db, "board")) == 1
        session.close()


def _ann(folder: Path, place: Path) -> str:
    settings = homes.own.Settings("ann", "Ann", "client", "EUR", "UTC", None)
    secrets = founding.Secrets(None, folder / "ann.key")
    found = founding.found(
        homes_of.Home(folder / "ann"), settings, secrets, "laptop", homes.Hands(), homes.seeded("ann")
    )
    homes.boards.create(found.session, "market", None, None)
    syncing.sync_once(found.session, str(place))
    found.session.close()
    return found.recovery_code
