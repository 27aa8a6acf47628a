"""The manual rail as the agent's loop drives it: people move the money, what they attested is what it knows.

Apart from its words in `manual`, which commands load on every call that moves money.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from chaise_cli.rails import manual, rail
from chaise_cli.rails.rail import Intent, Key, Line, Outcome

_CAPS: Final = rail.Caps(moves_by_itself=False, native_keys=True, refunds=True, statement=False)


class Manual:
    """attested: what people said became of a payment, Succeeded or Declined; None while nobody has."""

    name = manual.NAME

    def __init__(self, attested: Callable[[Key], Outcome | None]) -> None:
        self._attested = attested

    def caps(self) -> rail.Caps:
        """People do it; one attestation stands for one payment."""
        return _CAPS

    def hold(self, intent: Intent, key: Key) -> Outcome:
        """What a person has to collect, until it was attested."""
        return self._asked("fund", intent, key)

    def payout(self, intent: Intent, key: Key) -> Outcome:
        """What a person has to pay, until it was attested."""
        return self._asked("release", intent, key)

    def refund(self, ref: str, intent: Intent, key: Key) -> Outcome:
        """What a person has to pay back, until it was attested, and how that money had come."""
        return self._asked("refund", replace(intent, purpose=f"{intent.purpose}, which came as {ref}"), key)

    def find(self, our_reference: Key) -> Outcome | None:
        """What was attested of it."""
        return self._attested(our_reference)

    def fetch(self, ref: str) -> Outcome | None:
        """Nothing: two transfers may bear one text, so people are asked by our reference alone."""
        return rail.Unknown(Key(ref), "people are asked by our own reference")

    def statement(self, since: int, until: int) -> Sequence[Line]:
        """There is none but the bank's. Raises NotOffered."""
        del since, until
        raise rail.NotOffered(rail=self.name)

    def _asked(self, kind: str, intent: Intent, key: Key) -> Outcome:
        known = self._attested(key)
        if known is None:
            return rail.ActionNeeded(manual.instruction(kind, intent.amount, intent.called, intent.purpose))
        if isinstance(known, rail.Succeeded) and known.amount != intent.amount:
            raise rail.KeyReused(rail=self.name, key=key)
        return known
