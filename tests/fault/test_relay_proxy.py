"""Between a home and a relay stands a net that cuts, delays, drips, doubles, flips and goes deaf: all of it heals."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from chaise_cli.session import boards, syncing
from chaise_cli.session.relaying import RelayMemory
from chaise_cli.session.session import Session
from chaise_cli.store import events, places, relays
from sync import engine
from sync.transports.relay import Relay
from tests.e2e.relay_process import RelayProcess
from tests.fakes import homes
from tests.fakes.homes import Market
from tests.fakes.proxy import NONE, Fault, Proxy

TIMEOUT_S: Final = 0.5
PATIENCE_S: Final = 20.0  # far beyond what an exchange may take here, far below the 30 s that would be a hang
BOARDS, POSTS = 4, 25

FAULTS: Final = {
    "a request cut at once": (Fault(cut=10), NONE),
    "a request cut in its body": (Fault(cut=3_000), NONE),
    "a request cut later": (Fault(cut=30_000), NONE),
    "an answer cut at once": (NONE, Fault(cut=0)),
    "an answer cut in its head": (NONE, Fault(cut=60)),
    "an answer cut in its body": (NONE, Fault(cut=700)),
    "an answer that ends early": (NONE, Fault(truncate=400)),
    "a request that ends early": (Fault(truncate=2_000), NONE),
    "a deaf relay": (Fault(hold=0), NONE),
    "a mute relay": (NONE, Fault(hold=150)),
    "a bit flipped on the way there": (Fault(flip=2_500), NONE),
    "a bit flipped in an answer's head": (NONE, Fault(flip=20)),
    "a bit flipped in an answer's body": (NONE, Fault(flip=600)),
    "a slow drip": (NONE, Fault(drip_s=0.05)),
    "a slow drip there": (Fault(drip_s=0.05), NONE),
    "a delay": (NONE, Fault(delay_s=0.1)),
    "a long delay": (NONE, Fault(delay_s=3.0)),
    "a doubled request": (Fault(double=True), NONE),
    "a doubled answer": (NONE, Fault(double=True)),
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return homes.market(tmp_path_factory.mktemp("market"))


@pytest.fixture(autouse=True)
def _runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    made = RelayProcess(tmp_path / "relay")
    yield made
    made.stop()


@pytest.fixture
def proxy(relay: RelayProcess) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", relay.port)) as made:
        yield made


class Guest:
    """A home that syncs with a relay through a proxy."""

    def __init__(self, session: Session, proxy: Proxy, invite: str | None = None) -> None:
        self.session, self.url = session, f"http://127.0.0.1:{proxy.port}"
        with session.admitting():
            self.place = syncing.add_place(session, self.url, auto=False)
            if invite is not None:
                relays.set_invite(session.db, self.place, invite)
            for board in events.spaces(session.db, "board"):
                places.carry(session.db, self.place, board.no)

    def sync(self) -> syncing.Done:
        """One exchange, in which no request takes longer than half a second."""
        way = Relay(self.url, RelayMemory(self.session, self.place), self.session.clock.now, timeout_s=TIMEOUT_S)
        begun = time.monotonic()
        done = syncing._exchange(self.session, self.place, self.url, way, engine.silent)
        assert time.monotonic() - begun < PATIENCE_S
        return done


@pytest.fixture
def two(market: Market, relay: RelayProcess, proxy: Proxy, tmp_path: Path) -> Iterator[tuple[Guest, Guest]]:
    """Lisa with much to send, and James on the same boards."""
    with market.visit(tmp_path / "homes", "lisa", "james") as (lisa, james):
        seed = homes.seeded(str(tmp_path))
        lisa.random = seed
        for number in range(BOARDS):
            made = boards.create(lisa, f"board {number}", None, None)
            boards.join(james, made.board["invite"], None, None)
        for board in events.spaces(lisa.db, "board")[1:]:
            for number in range(POSTS):
                homes.post(lisa, board.id, homes.replace(homes.POST, title=f"Post {number}"))
        yield Guest(lisa, proxy, relay.invite()), Guest(james, proxy)


def calm(guest: Guest) -> syncing.Done:
    """Sync once more, with nothing in the way."""
    done = guest.sync()
    assert (done.failure, done.alarm, done.problems) == (None, None, [])
    return done


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_net_does_both_hold_the_same_once_it_has_healed(
    two: tuple[Guest, Guest], proxy: Proxy, fault: str
) -> None:
    lisa, james = two
    proxy.up, proxy.down = FAULTS[fault]
    for guest in two:
        done = guest.sync()
        assert done.alarm is None, "a bad net is no lie"
    proxy.heal()
    for guest in (lisa, james, lisa, james):
        calm(guest)
    for board in events.spaces(lisa.session.db, "board")[1:]:
        assert homes.state(lisa.session, board.id) == homes.state(james.session, board.id)


def test_after_a_cut_at_most_one_batch_is_sent_again(two: tuple[Guest, Guest], proxy: Proxy) -> None:
    """Each space goes in a batch of its own here, so what was answered before the cut is not sent again."""
    lisa, _ = two
    whole, all_ = _largest(lisa), _everything(lisa)
    proxy.up = Fault(cut=3 * whole)
    lisa.sync()
    proxy.heal()
    calm(lisa)
    total = sum(passed.up for passed in proxy.passed)
    assert max(passed.up for passed in proxy.passed) == 3 * whole, "it was cut"
    assert total - all_ < whole + 25_000  # what is asked and registered besides


def _everything(guest: Guest) -> int:
    """The bytes of all that a home holds, packed."""
    spaces = events.spaces(guest.session.db)
    return sum(engine.size_of(run) for space in spaces for run in homes.runs(guest.session, space.id))


def _largest(guest: Guest) -> int:
    """The bytes of the longest board, packed."""
    sizes = [
        sum(engine.size_of(run) for run in homes.runs(guest.session, board.id))
        for board in events.spaces(guest.session.db, "board")
    ]
    return max(sizes)
