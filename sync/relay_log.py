"""Following a relay's log of one space: every answer is checked against the last one. docs/spec/relay.md.

Nothing here talks to anybody or keeps anything: a track begins where the store stands, moves on with each
section or push answer that follows from it, and says what it found when it is asked to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from chaise_cli.errors import Corrupt
from chaise_cli.ledger import receipt as receipts
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.receipt import Receipt
from chaise_cli.ledger.segment import Segment

from .ranges import POSITION
from .relay_findings import OTHERS, OWN
from .relay_memory import Reached, Run, Tip
from .relay_messages import Pushed, Row, Section

BEGINNINGS: Final = 3  # a log that became another so often in one exchange is none


class DoesNotHold(Exception):
    """An answer that is not true by itself, or does not follow from what was answered before."""


class Contradiction(NamedTuple):
    """Two receipts that cannot both be true, or one that the relay does not live up to. kind: what it is called."""

    kind: str
    why: str
    proof: bytes


class _Watched(NamedTuple):
    """A receipt that the log has to live up to, and how it came to be known."""

    receipt: Receipt
    whose: str


class Track:
    """The log of one space as far as it was followed."""

    def __init__(
        self,
        space: bytes,
        relay: bytes,
        kept: Reached | None,
        claim: Receipt | None = None,
        tips: Iterable[Tip] = (),
    ) -> None:
        """kept: where the store stands; None when nothing was followed yet. claim: what somebody else was given.

        tips: the ends of the chains in the log so far.
        """
        self.space = space
        self._relay = relay
        self.number, self.head, self.receipt = kept or Reached(0, receipts.START, None)
        self.since = self.number  # entries after this one were followed and are not kept yet:
        self.runs: list[Run] = []
        self.anew = False  # the relay's log is another than the one that was kept
        self.behind = False  # the relay holds entries that were not followed yet
        self._tips = {tip.id: tip for tip in tips}
        self._watch = [_Watched(self.receipt, OWN)] if self.receipt else []
        if claim is not None:
            self._watch.append(_Watched(claim, OTHERS))
        self._split: Contradiction | None = None
        self._beginnings = 0

    def row(self) -> Row:
        """How far this side is, for a pull."""
        return Row(self.space, self.number, self.head[:POSITION])

    def reached(self) -> Reached:
        """Where the track stands, to be kept."""
        return Reached(self.number, self.head, self.receipt)

    def tips(self) -> Collection[Tip]:
        """The ends of the chains in the log so far, branches included."""
        return self._tips.values()

    def saved(self) -> None:
        """All that was followed is kept now."""
        self.runs, self.since, self.anew = [], self.number, False

    def read(self, section: Section) -> None:
        """Move on over a section of a pull. Raises DoesNotHold, and the errors of segments from a newer Chaise."""
        self._check(section.receipt)
        if section.after not in (self.number, 0):
            raise DoesNotHold("entries that were not asked for")
        anew = section.after == 0 and self.number > 0
        if self._beginnings > BEGINNINGS:
            raise DoesNotHold("its log begins anew again and again")
        number, head = (0, receipts.START) if anew else (self.number, self.head)
        wanted = {section.receipt.number, *(one.number for one, _ in self._watch)}
        made, heads = _walk(section, number, head, wanted)
        if heads[section.receipt.number] != section.receipt.head or made[-1].last != section.receipt.event:
            raise DoesNotHold("its receipt is not for the events that came with it")
        if anew:
            self._beginnings += 1
            self.anew, self.runs, self.since = True, [], 0
            self._tips.clear()
        self.number, self.head, self.receipt = section.receipt.number, section.receipt.head, section.receipt
        self._note(made)
        self.behind = False
        self._compare(heads, section.receipt)

    def wrote(self, given: Sequence[Segment], done: Pushed) -> int:
        """Move on over the answer to a push, where it follows; how many events were kept. Raises DoesNotHold.

        Where others wrote in between, `behind` says that their entries have to be fetched first.
        """
        ids = [[link.id for link in segments.links(one)] for one in given]
        if any(taken > len(mine) for taken, mine in zip(done.taken, ids, strict=True)):
            raise DoesNotHold("it kept more than it was given")
        kept, receipt = sum(done.taken), done.receipt
        if receipt is None:
            if kept or self.number:
                raise DoesNotHold("no receipt for what it keeps")
            return 0
        self._check(receipt)
        made: list[Run] = []
        number, head = done.first, done.before
        for one, mine, taken in zip(given, ids, done.taken, strict=True):
            if taken:
                prev = mine[-taken - 1] if taken < len(mine) else one.prev
                made.append(Run(number, taken, one.device, one.last_seq - taken + 1, prev, mine[-1], head))
                number, head = number + taken, receipts.advance(head, mine[-taken:])
        if receipt.number < number - 1 or (receipt.number == number - 1 and receipt.head != head):
            raise DoesNotHold("its receipt is not for the events that it kept")
        if (done.first, done.before, receipt.number) == (self.number + 1, self.head, number - 1):
            self.number, self.head, self.receipt = receipt.number, head, receipt
            self._note(made)
        else:
            self.behind = True
            self._watch.append(_Watched(receipt, OWN))
        return kept

    def judge(self, head_at: Callable[[int], bytes | None]) -> Contradiction | None:
        """What has come out, once the relay has said that there is no more of this space; told once.

        head_at: heads of the log as it is kept, where known, for what others showed of entries followed long ago.
        """
        found, self._split = self._split, None
        watched, self._watch = self._watch, []
        if self.receipt:
            self._watch.append(_Watched(self.receipt, OWN))
        for one, whose in watched:
            if found is None:
                found = self._short(one, whose) or self._other(one, whose, head_at)
            if whose == OTHERS and not self.number:
                self._watch.append(_Watched(one, whose))
        return found

    def _short(self, one: Receipt, whose: str) -> Contradiction | None:
        """The relay has signed more entries than it shows."""
        if one.number <= self.number or (whose == OTHERS and not self.number):
            return None
        why = f"it {whose} {one.number} entries and shows {self.number}"
        return Contradiction("withheld" if whose == OTHERS else "rolled_back", why, _proof(one, self.receipt))

    def _other(self, one: Receipt, whose: str, head_at: Callable[[int], bytes | None]) -> Contradiction | None:
        """The relay has signed another entry than that of the log here."""
        if whose != OTHERS or one.number > self.number:
            return None
        head = self.head if one.number == self.number else head_at(one.number)
        if head is None or head == one.head:
            return None
        return Contradiction("split", f"entry {one.number} is not the one that it {OTHERS}", _proof(one, self.receipt))

    def _note(self, made: Sequence[Run]) -> None:
        for run in made:
            self._tips.pop(run.prev, None)
            self._tips[run.last] = Tip(run.device, run.seq + run.length - 1, run.last)
        self.runs += _join(made)

    def _compare(self, heads: Mapping[int, bytes], now: Receipt) -> None:
        left = []
        for one, whose in self._watch:
            if one.number not in heads:
                left.append(_Watched(one, whose))
            elif heads[one.number] != one.head and self._split is None:
                why = f"entry {one.number} is not the one that it {whose}"
                self._split = Contradiction("split", why, _proof(one, now))
        self._watch = left

    def _check(self, receipt: Receipt) -> None:
        if receipt.relay != self._relay:
            raise DoesNotHold("a receipt of another relay")
        if receipt.space != self.space or not receipts.holds(receipt):
            raise DoesNotHold("a receipt that it did not sign for this space")


def _walk(section: Section, number: int, head: bytes, wanted: Collection[int]) -> tuple[list[Run], dict[int, bytes]]:
    """The runs of a section from where the log stands before it, and its heads at these numbers. Raises DoesNotHold."""
    ids = [_ids(one) for one in section.segments]
    used = [0] * len(ids)
    made: list[Run] = []
    heads: dict[int, bytes] = {}
    for at, count in section.order:
        one, start = section.segments[at], used[at]
        used[at] = start + count
        prev = ids[at][start - 1] if start else one.prev
        made.append(Run(number + 1, count, one.device, one.first_seq + start, prev, ids[at][used[at] - 1], head))
        for event in ids[at][start : used[at]]:
            number, head = number + 1, receipts.advance(head, (event,))
            if number in wanted:
                heads[number] = head
    return made, heads


def _proof(*found: Receipt | None) -> bytes:
    return b"".join([one.pack() for one in found if one is not None])


def _ids(one: Segment) -> list[bytes]:
    try:
        return [link.id for link in segments.verify(one)]
    except Corrupt as error:
        raise DoesNotHold(error.sentence()) from error


def _join(runs: Sequence[Run]) -> Iterator[Run]:
    """Runs of one chain that follow one another, as one."""
    before: Run | None = None
    for run in runs:
        if before and run.prev == before.last and run.device == before.device:
            before = before._replace(length=before.length + run.length, last=run.last)
            continue
        if before:
            yield before
        before = run
    if before:
        yield before
