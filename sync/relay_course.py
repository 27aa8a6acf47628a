"""What one exchange with a relay knows and shares among its steps: tracks, findings, and what is kept when.

docs/spec/relay.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from . import engine, relay_findings
from .engine import Tally
from .relay_findings import LyingRelay
from .relay_link import Caller
from .relay_log import Track
from .relay_memory import Memory
from .replica import Replica

PASSES: Final = 50  # compare and exchange again at most so often; one or two are the rule
_FORGETS: Final = (relay_findings.RolledBack, relay_findings.Wiped, relay_findings.Replaced, relay_findings.Split)
_KINDS: Final = {
    "rolled_back": relay_findings.RolledBack,
    "split": relay_findings.Split,
    "withheld": relay_findings.Withheld,
}


class Course:
    """One exchange with one relay, whose key is known."""

    def __init__(self, caller: Caller, replica: Replica, memory: Memory, tally: Tally, relay: bytes) -> None:
        self.caller, self.replica, self.memory, self.tally, self.relay = caller, replica, memory, tally, relay
        self.claims = dict(memory.claims())
        self.tracks: dict[bytes, Track] = {}
        tips = memory.tips()
        for space, reached in memory.reached().items():
            self.tracks[space] = Track(space, relay, reached, self.claims.get(space), tips.get(space, ()))
        self.distrusted: set[bytes] = set()  # of which no answer is taken any more in this exchange
        self.shown: set[tuple[bytes, bool]] = (
            set()
        )  # boards whose door proofs were brought, and whether they were there
        self.lost_all = False  # that the relay lost everything was told once and for all spaces

    def track(self, space: bytes) -> Track:
        """The track of a space, begun when there is none."""
        if space not in self.tracks:
            self.tracks[space] = Track(space, self.relay, None, self.claims.get(space))
        return self.tracks[space]

    def positions(self) -> dict[bytes, bytes]:
        """The position of every space that the relay is known to hold."""
        return {space: track.row().head for space, track in self.tracks.items() if track.number}

    def keep(self, tracks: Iterable[Track]) -> None:
        """Keep how far these were followed; inside `memory.together`."""
        for track in tracks:
            if track.anew:
                self.memory.restart(track.space)
            if track.anew or track.runs:
                self.memory.extend(track.space, track.since, track.runs, track.reached())
                self.memory.settle(track.space)

    def judge(self, tracks: Iterable[Track]) -> None:
        """Say what has come out about spaces of which the relay has shown all it shows."""
        for track in tracks:
            found = track.judge(partial(self.memory.head_at, track.space))
            if found is not None:
                self.report(_KINDS[found.kind], track.space, found.why, found.proof)
            claim = self.claims.get(track.space)
            if claim is not None and (found is not None or claim.number <= track.number):
                del self.claims[track.space]
                self.memory.drop_claim(track.space)

    def distrust(self, space: bytes, why: str, proof: bytes) -> None:
        """Report an answer that does not hold, each time anew, and take no other of this space."""
        self.distrusted.add(space)
        self.report(LyingRelay, space, why, proof, again=True)

    def report(
        self, kind: type[LyingRelay], space: bytes | None, why: str, proof: bytes, *, again: bool = False
    ) -> None:
        """Keep a finding, and report it unless the same was reported before.

        A loss is always a new one: each is reported in one transaction with taking the relay as it is now.
        """
        error = kind(relay=self.caller.where, about=self._about(space), why=why)
        if kind in _FORGETS:
            self.memory.forget_struck()
        if self.memory.found(space, error.code, proof, anew=kind in relay_findings.MILD) or again:
            self.tally.problem(error.code, error.sentence())
            if not isinstance(error, relay_findings.MILD) and self.tally.alarm is None:
                self.tally.alarm = error

    def _about(self, space: bytes | None) -> str:
        if space is None:
            return ""
        kind = next((info.kind for info in self.replica.spaces() if info.id == space), "space")
        return f" for {engine.name_of(space, kind)}" if kind != "self" else " for your own devices"
