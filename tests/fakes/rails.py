"""Rails to try the contract on: the sim with a proxy before it, and the manual rail with people behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from chaise_cli.domain.money import Money
from chaise_cli.rails.manual_rail import Manual
from chaise_cli.rails.rail import ActionNeeded, Declined, Intent, Key, Outcome, Rail, Succeeded
from chaise_cli.rails.sim import Sim
from chaise_cli.rails.simulation.book import Terms
from chaise_cli.rails.simulation.server import running
from tests.fakes.proxy import Proxy
from tests.fakes.sim_process import Visitor

USUAL: Final = Terms()
NOON: Final = 1_796_040_000_000
FOR_EVER: Final = 2**53 - 1
LISA, JAMES = "id-lisa", "id-james"
QUICK_S: Final = 0.4  # so soon a client gives up in tests of slowness
PATIENT_S: Final = 30.0


def eur(text: str) -> Money:
    whole, _, cents = text.partition(".")
    return Money(int(whole) * 100 + int(cents.ljust(2, "0") or "0"), "EUR")


def intent(party: str, amount: Money) -> Intent:
    return Intent(party, f"@{party.removeprefix('id-')}", amount, "deal-7k3m9q2x/1")


class SimWorld:
    """A sim in this process on a clock that stands still, reached through a proxy; `visitor` reaches it without."""

    manual = False

    def __init__(self, url: str, proxy: Proxy) -> None:
        self.url, self.proxy, self.visitor = url, proxy, Visitor(url)
        self.through = f"http://127.0.0.1:{proxy.port}"
        self.rail: Rail = Sim(self.through, deadline_s=PATIENT_S)
        self._clients: list[Sim] = []

    def client(self, *, deadline_s: float = PATIENT_S, url: str | None = None) -> Sim:
        """Another client, as another process of the agent has one."""
        made = Sim(url or self.through, deadline_s=deadline_s)
        self._clients.append(made)
        return made

    def ended(self, outcome: Outcome, _key: Key) -> Outcome:
        """What it comes to: nobody is needed here."""
        return outcome

    def declines_next(self, code: str) -> None:
        self.fault("decline", code=code)

    def fault(self, kind: str, **more: object) -> None:
        self.visitor.does("faults", {"fault": kind} | more)

    def payments(self, key: Key) -> list[dict[str, Any]]:
        """What the sim really has of a key."""
        _, found = self.visitor.ask("GET", f"/v1/payments?reference={key}")
        payments: list[dict[str, Any]] = found["payments"]
        return payments

    def accounts(self, currency: str = "EUR") -> tuple[int, int, int]:
        """Available, in transit, owed."""
        _, found = self.visitor.ask("GET", "/v1/balances")
        for one in found["balances"]:
            if one["currency"] == currency:
                return one["available"], one["transit"], one["owed"]
        return 0, 0, 0

    def lines(self) -> list[dict[str, Any]]:
        """The statement of all time, asked without a proxy; short enough for one page."""
        _, found = self.visitor.ask("GET", f"/v1/statement?since=0&until={FOR_EVER}&after=0")
        assert found["next"] is None
        lines: list[dict[str, Any]] = found["lines"]
        return lines

    def adds_up(self) -> None:
        """The statement and the accounts tell of the same money."""
        total = sum(line["amount"]["minor"] - line["fee"]["minor"] for line in self.lines())
        available, transit, owed = self.accounts()
        assert total == available + transit - owed
        assert min(available, transit, owed) >= 0
        assert not (available and owed)

    def close(self) -> None:
        for one in (*self._clients, self.rail):
            assert isinstance(one, Sim)
            one.close()


class ManualWorld:
    """People who do what they are asked, unless they were told to decline."""

    manual = True

    def __init__(self) -> None:
        self.said: dict[Key, Outcome] = {}
        self.rail: Rail = Manual(self.said.get)
        self._code: str | None = None
        self._asked: dict[Key, Money] = {}

    def ended(self, outcome: Outcome, key: Key) -> Outcome:
        """People act, attest it, and the rail is asked once more."""
        if not isinstance(outcome, ActionNeeded):
            return outcome
        amount = eur(outcome.text.split()[1])
        code, self._code = self._code, None
        done = Declined(code) if code else Succeeded(f"transfer {len(self.said)}", amount, Money(0, "EUR"), None)
        self.said[key] = done
        return self.rail.find(key) or outcome

    def declines_next(self, code: str) -> None:
        self._code = code


@contextmanager
def sim_world(
    folder: Path, terms: Terms = USUAL, clock: Callable[[], int] = lambda: NOON, listen: str = "127.0.0.1:0"
) -> Iterator[SimWorld]:
    """A sim that runs while the block does."""
    with ExitStack() as stack:
        url = stack.enter_context(running(listen, folder / "sim.db", terms, clock, controlled=True))
        proxy = stack.enter_context(Proxy(("127.0.0.1", urlsplit(url).port or 0)))
        world = SimWorld(url, proxy)
        try:
            yield world
        finally:
            with suppress(OSError):
                world.close()
