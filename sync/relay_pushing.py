"""To a relay: what it lacks of what is held here, a batch of one space at a time. docs/spec/relay.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chaise_cli.ledger import door, header
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Segment

from . import engine, relay_messages
from .engine import Offer
from .relay_course import Course
from .relay_link import BARRED, RelayRefused
from .relay_log import DoesNotHold, Track
from .relay_messages import BODY_LIMIT, EVENTS_LIMIT, Push
from .relay_pulling import Pulling
from .replica import Head, SpaceInfo

_HEAD: Final = 65 + 4  # bytes of a push before its first segment
_ANSWER_LIMIT: Final = 1024 * 1024
_SHUT: Final = ("relay.not_found", "relay.not_admitted")  # as it answers for a board whose door is closed to us


class Pushing:
    """The giving half of one exchange."""

    def __init__(self, course: Course, pulling: Pulling) -> None:
        self._course = course
        self._pulling = pulling
        self._done = 0

    def run(self) -> int:
        """Push what the relay lacks of every space held: self, boards, deals. How many events it kept."""
        for info in engine.in_order(self._course.replica.spaces()):
            if info.id not in self._course.distrusted:
                self._space(info)
        return self._done

    def _space(self, info: SpaceInfo) -> None:
        course, track = self._course, self._course.track(info.id)
        offer = self._offer(info, track)
        try:
            while offer and (batch := offer.batch()):
                if not track.number:
                    batch = _genesis_first(batch)
                if not batch:  # a board joined by invite whose beginning has not come yet
                    return
                for part in _requests(batch):
                    if not self._push(info, track, part, offer):
                        return
        except BARRED:
            raise
        except RelayRefused as error:
            if info.kind == "board" and error.answer in _SHUT:
                course.memory.close_doors([info.id])
            course.tally.problem(error.answer, f"{engine.name_of(info.id, info.kind)}: {error.sentence()}")

    def _offer(self, info: SpaceInfo, track: Track) -> Offer | None:
        """What the relay lacks of a space, as far as its log was followed; None when it lacks nothing."""
        course = self._course
        ours = engine.tips(course.replica, info.id)
        theirs = engine.by_device(Head(*tip) for tip in track.tips())
        if ours == theirs:
            return None
        return Offer(course.replica, [(info.id, ours)], {info.id: theirs}, course.tally)

    def _push(self, info: SpaceInfo, track: Track, given: Sequence[Segment], offer: Offer) -> bool:
        """One request; whether to go on with this space."""
        course = self._course
        seed = course.memory.door_seed(info.id) if info.kind == "board" and not track.number else None
        body = relay_messages.pack_push(Push(info.id, door.key(seed) if seed else None, given))
        answer = course.caller.post("/v1/push", body, limit=_ANSWER_LIMIT)
        done = relay_messages.read_pushed(answer, len(given))
        try:
            kept = track.wrote(given, done)
        except DoesNotHold as error:
            course.distrust(info.id, str(error), done.receipt.pack() if done.receipt else b"")
            return False
        if not self._pulling.holds_back(info.id):
            with course.memory.together():
                course.keep([track])
            track.saved()
        course.tally.sent += kept
        self._done += kept
        course.tally.progress("send", self._done, max(self._done, offer.total))
        told: dict[bytes, str] = {}  # what follows a refused segment is refused for that alone
        for at, code in done.refused:
            told.setdefault(given[at].device, code)
        for device, code in told.items():
            offer.refuse(info.id, device)
            chain = engine.chain_of(info.id, device)
            course.tally.problem(code, f"{course.caller.where} does not take events of {chain} ({code})")
        return self._catch_up(track)

    def _catch_up(self, track: Track) -> bool:
        """Fetch what others pushed in between; whether the relay then shows what it has just signed."""
        if not track.behind:
            return True
        self._pulling.fetch((), [track.space])
        if track.behind:
            receipt = track.receipt.pack() if track.receipt else b""
            self._course.distrust(track.space, "it does not show what it has just signed", receipt)
        return not track.behind


def _genesis_first(batch: Sequence[Segment]) -> list[Segment]:
    """A new space begins with its genesis; empty where the batch has none."""
    first = [one for one in batch if _is_genesis(one)]
    return [*first, *(one for one in batch if one is not first[0])] if first else []


def _is_genesis(one: Segment) -> bool:
    return one.first_seq == 0 and one.events[0].suite == header.CLEAR and segments.links(one)[0].id == one.space


def _requests(batch: Sequence[Segment]) -> Iterator[list[Segment]]:
    """The batch in as many requests as its size takes."""
    part: list[Segment] = []
    events, size = 0, _HEAD
    for one in batch:
        more = 4 + engine.size_of(one)
        if part and (events + len(one.events) > EVENTS_LIMIT or size + more > BODY_LIMIT):
            yield part
            part, events, size = [], 0, _HEAD
        part.append(one)
        events, size = events + len(one.events), size + more
    if part:
        yield part
