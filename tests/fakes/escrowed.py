"""Lisa and James with a deal whose money Ada holds, on a rail that breaks down when told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress

from chaise_cli.domain import agent
from chaise_cli.domain.deal import Deal
from chaise_cli.ids import SpaceId
from chaise_cli.rails.rail import Rail
from chaise_cli.session import agent_loop
from chaise_cli.session import hiring as hire
from chaise_cli.session.agent_loop import Round
from chaise_cli.session.session import Session
from chaise_cli.store import deal_states
from tests.fakes import acts, homes
from tests.fakes.stages import Stages
from tests.fakes.till import Crash, Till


class Escrowed:
    """The deal, signed and taken up; Ada has yet to consent. `till` is the rail."""

    def __init__(self, lisa: Session, james: Session, ada: Session, deal: SpaceId, till: Till) -> None:
        self.lisa, self.james, self.ada, self.deal, self.till = lisa, james, ada, deal, till

    @classmethod
    def begun(cls, lisa: Session, james: Session, ada: Session) -> Escrowed:
        """The deal, played from its first word."""
        self = cls(lisa, james, ada, homes.open_deal(lisa, james.me.identity, client=True), Till())
        self.meet()
        acts.do(james, self.deal, "propose")
        self.meet()
        changes = hire.Changes(agent=ada.me.identity, rail="sim", client_fee=250, talent_fee=500)
        hire.hire(lisa, None, self.deal, changes, beyond=True)
        self.meet()
        hire.accept(james, None, self.deal, None)
        self.meet()
        acts.do(lisa, self.deal, "taken")
        self.meet()
        return self

    @classmethod
    def staged(
        cls,
        stages: Stages,
        lisa: Session,
        james: Session,
        ada: Session,
        then: Callable[[Escrowed], object] | None = None,
    ) -> Escrowed:
        """The deal as it stood when it was played once, and what came then; the rail is copied with the homes."""

        def play() -> tuple[SpaceId, Till]:
            world = cls.begun(lisa, james, ada)
            if then:
                then(world)
            return world.deal, world.till

        deal, till = stages.at(lisa, james, ada, play=play, given=then and (then.__module__, then.__qualname__))
        return cls(lisa, james, ada, deal, till)

    @property
    def everybody(self) -> Sequence[Session]:
        return self.lisa, self.james, self.ada

    def meet(self) -> None:
        """Everybody syncs with everybody."""
        homes.meet(*self.everybody)

    def find_rail(self, name: str) -> Rail | None:
        """The till, which terms call the sim."""
        return self.till if name == "sim" else None

    def round(self) -> Round:
        """One round of the agent's loop; what a crash leaves is there afterwards."""
        return agent_loop.work(self.ada, self.find_rail, consent=True)

    def calm(self) -> None:
        """Rounds, with what is pending settled, until nothing is asked any more; a crash ends one, as a kill does."""
        for _ in range(20):
            self.till.settle()
            self.till.fault = ""
            before = self.till.calls
            with suppress(Crash):
                self.round()
            if self.till.calls == before:
                return
        raise AssertionError("the loop does not come to rest")

    def now(self, session: Session | None = None) -> Deal:
        """The deal as somebody sees it, Ada if nobody is named."""
        found = deal_states.load((session or self.ada).db, homes.space_no(session or self.ada, self.deal))
        assert found
        return found.now.deal

    def booked(self) -> int:
        """What the book says that the rail holds."""
        return self.balance("assets:rail:sim")

    def balance(self, wanted: str) -> int:
        """What stands on an account in the book."""
        no = homes.space_no(self.ada, self.deal)
        rows = self.ada.db.execute("SELECT postings FROM entry WHERE space = ?", (no,)).fetchall()
        lines = [line for (postings,) in rows for line in json.loads(postings)]
        return sum(amount for account, amount in lines if account == wanted)

    def check(self) -> None:
        """The till holds what the book says, nothing is left to do, and every replica has the same."""
        self.meet()
        assert self.till.balance() == self.booked()
        assert not agent.rail_due(self.now())
        assert (
            homes.state(self.lisa, self.deal) == homes.state(self.james, self.deal) == homes.state(self.ada, self.deal)
        )
        assert homes.unsound(self.ada, self.deal) == []
