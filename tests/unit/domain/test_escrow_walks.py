"""Long random walks through the rules of money: 50,000 acts in the usual run, millions with the profile `soak`.

The machine of `test_escrow_laws` takes the steps; its laws are asserted after each. A walk is told by its seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final, cast

import pytest

from chaise_cli.domain.deal import Deal
from tests.unit.domain.deal_world import ADA, JAMES, LISA, MALLORY
from tests.unit.domain.test_escrow_laws import Escrow
from tests.volume import soaking

BLOCKS: Final = 10
STEPS: Final = 100  # of one walk
WALKS: Final = 2_500 if soaking() else 50  # of one block


class Walker:
    """One deal, walked through by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.machine = Escrow()
        self.held_to: Deal | None = None
        chance = self.chance
        start: Callable[..., None] = self.machine.hire
        start(
            currency=chance.choice(["EUR", "JPY", "BHD", "USD"]),
            fees=(chance.randrange(1_000), chance.randrange(1_000)),
            holder=chance.choice([LISA, ADA]),
            paid=chance.randrange(4),
            auto=chance.random() < 0.5,
        )

    def step(self) -> None:
        """One act of somebody, and every law after it."""
        chance, machine = self.chance, cast("Any", self.machine)
        n, amount = chance.choice([1, 2]), chance.randint(1, chance.choice([400, 1_300]))
        client, talent = self._mostly(LISA), self._mostly(JAMES)
        request_id = chance.choice([None, None, "a", "b"])
        acts: list[tuple[int, Callable[[], None]]] = [
            (3, lambda: machine.fund(client, n, chance.choice([None, amount]), request_id, chance.choice([1, 2]))),
            (5, lambda: machine.give(
                usual=chance.randrange(10), who=self._anybody(), n=n, how=chance.choice(["all", "total", "amount"]),
                amount=amount, request_id=request_id, back=chance.random() < 0.3,
            )),
            (3, lambda: machine.deliver(talent, n)),
            (2, lambda: machine.changes(client, n)),
            (1, lambda: machine.cancel(self._anybody(), n)),
            (1, lambda: machine.answer(self._anybody(), n, chance.choice(["accept", "decline", "withdraw"]))),
            (2, lambda: machine.wait(chance.randrange(9))),
            (3, machine.run_agent),
            (4, lambda: machine.move(chance.randrange(10), chance.choice([0, 0, 3]))),
            (1, lambda: machine.claw_back(chance.randrange(10), chance.randrange(400), f"back {chance.randrange(50)}")),
            (1, machine.decline_transfer),
        ]  # fmt: skip
        act = chance.choices([one for _, one in acts], [weight for weight, _ in acts])[0]
        act()
        if machine.world.deal is self.held_to:
            return  # refused, or time passed: the laws are of the deal alone, and have been asserted of this very one
        machine.the_book_balances_and_owes_nobody_less_than_nothing()
        machine.the_state_can_be_shown_and_every_op_is_somewhere()
        self.held_to = machine.world.deal

    def _mostly(self, usual: Any) -> Any:
        return usual if self.chance.random() < 0.8 else self._anybody()

    def _anybody(self) -> Any:
        return self.chance.choice([LISA, JAMES, ADA, MALLORY])


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_walk_breaks_a_law(block: int) -> None:
    for seed in range(block * WALKS, (block + 1) * WALKS):
        walker = Walker(seed)
        for step in range(STEPS):
            try:
                walker.step()
            except Exception as error:
                raise AssertionError(f"walk {seed} at step {step}") from error
        walker.machine.teardown()
