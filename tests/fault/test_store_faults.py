"""Crashes, full disks and crowds around one home: what was acknowledged stays, and nothing is half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from chaise_cli.errors import ChaiseError
from chaise_cli.session import checking
from chaise_cli.session import home as homes_of
from chaise_cli.session.session import Session
from chaise_cli.store import events, own
from tests.fakes import homes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
ROOT: Final = Path(__file__).parents[2]
PRELUDE: Final = """
import os, resource, signal, sys
from pathlib import Path
from tests.fakes import homes
from chaise_cli.session import home as homes_of
session = homes.reopen(homes_of.Home(Path(sys.argv[1])), Path(sys.argv[2]))
board = homes.events.spaces(session.db, "board")[0].id
def post(number):
    return homes.post(session, board, homes.replace(homes.POST, title=f"Post {number}"))
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> homes.Market:
    """The market as all tests begin with it, made once."""
    return homes.market(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def market(begun: homes.Market, tmp_path: Path) -> homes.Market:
    """A copy of its own, which a test may kill somebody in."""
    return begun.whole(tmp_path / "market")


@pytest.fixture
def home(market: homes.Market) -> homes_of.Home:
    return homes_of.Home(market.folder / "lisa")


def program(market: homes.Market, script: str, *, user: int | None = None) -> subprocess.Popen[str]:
    """A process with Lisa's home open that runs `script`."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-c", PRELUDE + script, str(market.folder / "lisa"), str(market.key("lisa"))]
    return subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, user=user)


def again(market: homes.Market) -> Session:
    """Lisa's home as the next command finds it: whole, and not behind."""
    session = homes.reopen(homes_of.Home(market.folder / "lisa"), market.key("lisa"))
    assert not session.behind
    assert checking.verify(session, lambda _, __: None).problems == []
    return session


def titles(session: Session) -> list[str]:
    rows = session.db.execute("SELECT json_extract(body, '$.title') FROM listing ORDER BY at, id").fetchall()
    return [row[0] for row in rows]


def works_on(session: Session) -> None:
    board = events.spaces(session.db, "board")[0].id
    homes.post(session, board, homes.replace(homes.POST, title="after"))
    assert "after" in titles(session)
    session.close()


STOPS: Final = {
    "while bodies are sealed": "from chaise_cli.session import epochs as at; name = 'seal'",
    "before events are kept": "from chaise_cli.store import events as at; name = 'append'",
    "before heads are kept": "from chaise_cli.store import events as at; name = 'save_chain'",
    "before tables are filled": "from chaise_cli.store import folding as at; name = 'fold'",
    "between commit and anchor": "from chaise_cli.session import home as at; name = 'write_anchor'",
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_kill_in_the_middle_of_a_write_leaves_all_of_it_or_nothing(market: homes.Market, stop: str) -> None:
    script = f"""
post(1)
print("kept", flush=True)
{STOPS[stop]}
setattr(at, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
post(2)
"""
    child = program(market, script)
    out, err = child.communicate(timeout=60)
    assert (out, child.returncode) == ("kept\n", -signal.SIGKILL), err
    session = again(market)
    assert titles(session) == (["Post 1", "Post 2"] if stop == "between commit and anchor" else ["Post 1"])
    works_on(session)


def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(market: homes.Market) -> None:
    """The child says each number after its commit; whatever it said must be there."""
    child = program(market, "for number in range(100_000):\n    post(number)\n    print(number, flush=True)\n")
    assert child.stdout
    for wanted in range(25):
        assert child.stdout.readline() == f"{wanted}\n"
    child.kill()
    said = 24 + len(child.stdout.read().splitlines())
    child.communicate()
    session = again(market)
    kept = len(titles(session))
    assert said + 1 <= kept <= said + 2
    works_on(session)


def test_a_kill_while_others_events_come_in_leaves_all_of_a_batch_or_nothing(market: homes.Market) -> None:
    script = """
other = homes.reopen(homes_of.Home(Path(sys.argv[1]).with_name("james")), Path(sys.argv[1]).with_name("james.key"))
for number in range(30):
    homes.post(other, board, homes.replace(homes.POST, title=f"His {number}"))
runs = homes.runs(other, board)
from chaise_cli.store import folding
folding.fold = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
homes.deliver(session, board, runs)
"""
    child = program(market, script)
    assert child.wait(timeout=60) == -signal.SIGKILL, child.stderr and child.stderr.read()
    child.communicate()
    session = again(market)
    assert titles(session) == []
    works_on(session)


def test_two_processes_writing_one_home_lose_nothing(market: homes.Market) -> None:
    children = [program(market, f"for n in range(30): post('{who} %d' % n)\n") for who in "ab"]
    for child in children:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
    session = again(market)
    assert sorted(titles(session)) == sorted(f"Post {who} {n}" for who in "ab" for n in range(30))
    mine = homes.raw(session.me.device)
    chains = events.chains(session.db, events.spaces(session.db, "board")[0].no)
    (chain,) = [one for one in chains if one.device == mine]
    assert chain.seq == 2 + 60  # genesis, name, profile, and everybody's posts
    works_on(session)


OTHER: Final = """
james = Path(sys.argv[1]).with_name("james")
other = homes.reopen(homes_of.Home(james), james.with_name("james.key"))
"""


def test_writing_while_another_process_takes_events_in_forks_nothing(market: homes.Market) -> None:
    """Own events are numbered inside the transaction, never from what was read before it."""
    taking = (
        OTHER
        + """
for n in range(20):
    homes.post(other, board, homes.replace(homes.POST, title="his"))
    homes.carry(other, session)
"""
    )
    children = [program(market, "for n in range(20): post(n)\n"), program(market, taking)]
    for child in children:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
    session = again(market)
    assert len(titles(session)) == 40
    works_on(session)


def test_a_full_disk_undoes_one_write_and_spoils_nothing(market: homes.Market) -> None:
    script = """
from chaise_cli.errors import ChaiseError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
post(0)
size = max(path.stat().st_size for path in Path(sys.argv[1]).iterdir() if path.is_file())
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, resource.RLIM_INFINITY))
done = 0
try:
    while True:
        post(done + 1)
        done += 1
except ChaiseError as error:
    print(done, error.code, error.exit, error.retryable, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
post("room again")
"""
    child = program(market, script)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    done, *failure = out.split()
    assert failure == ["store.disk", "5", "True"]
    session = again(market)
    assert "Post room again" in titles(session)
    assert len(titles(session)) == int(done) + 2
    works_on(session)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="another user is played by root alone")
def test_a_home_on_a_read_only_disk_says_so(market: homes.Market, tmp_path: Path) -> None:
    """Permissions do not hold root back, so somebody else owns the home and may not write."""
    for path in [tmp_path, *tmp_path.parents]:
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    home = market.folder / "lisa"
    for path in [market.folder, home, *home.rglob("*"), market.key("lisa")]:
        os.chown(path, 65534, 65534)
        path.chmod(0o500 if path.is_dir() else 0o400)
    script = """
import os, sys
from pathlib import Path
from tests.fakes import homes
from chaise_cli.errors import ChaiseError
from chaise_cli.session import home as homes_of
os.environ.pop("XDG_RUNTIME_DIR", None)
os.setegid(65534)
os.seteuid(65534)
try:
    session = homes.reopen(homes_of.Home(Path(sys.argv[1])), Path(sys.argv[2]))
    homes.post(session, homes.events.spaces(session.db, "board")[0].id)
except ChaiseError as error:
    print(error.code, error.exit)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-c", script, str(home), str(market.key("lisa"))]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("store.disk 5\n", 0), done.stderr


@pytest.mark.parametrize("at", ["_write_slots", "_device", "_self_space"])
def test_a_kill_during_init_leaves_no_half_home(tmp_path: Path, at: str) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from chaise_cli.session import founding
from tests.fakes import homes
setattr(founding, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
homes.found(Path(sys.argv[1]), "lisa", "client")
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path), at], env=env, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "lisa").exists()
    session = homes.found(tmp_path, "lisa", "client", seed="again")
    assert own.written(session.db).total == 7
    session.close()


def test_a_second_writer_is_told_that_the_home_is_busy(market: homes.Market, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = again(market), again(market)
    other.db.execute("PRAGMA busy_timeout=1")
    with one.writing(), pytest.raises(ChaiseError) as caught, other.writing():
        pass
    assert (caught.value.code, caught.value.retryable) == ("store.busy", True)
    other.close()
    works_on(one)


def _files(home: homes_of.Home) -> Sequence[str]:
    return sorted(path.name for path in home.path.iterdir())


def test_a_dry_run_leaves_no_trace(market: homes.Market, home: homes_of.Home) -> None:
    session = again(market)
    before, anchor = own.written(session.db), home.anchor.read_bytes()
    session.dry_run = True
    homes.post(session, events.spaces(session.db, "board")[0].id)
    session.dry_run = False
    assert own.written(session.db) == before
    assert home.anchor.read_bytes() == anchor
    assert titles(session) == []
    assert "store.db" in _files(home)
    works_on(session)
