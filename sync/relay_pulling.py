"""From a relay: where the sides differ, which entries are new, and whether they follow. docs/spec/relay.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from chaise_cli.ledger.segment import Segment

from . import engine, ranges, relay_findings, relay_messages
from .relay_course import PASSES, Course
from .relay_link import Caller
from .relay_log import DoesNotHold, Track
from .relay_memory import Reached
from .relay_messages import NEWS_LIMIT, Different, Malformed, Pull, Row, Section, Summary
from .replica import Problem

ANSWER_LIMIT: Final = 8 * 1024 * 1024  # an answer ends at about 1 MiB; one segment may have 4
_ROWS: Final = 20_000  # in one request
_LATER: Final = frozenset(
    {"sync.gap", "sync.waiting_full", "chain.too_forked"}
)  # what is refused so may be taken another time
_NOT_NOW: Final = frozenset({"space.not_for_us", "space.crowded"})  # until there is another key or answer of ours
_STUCK_LIMIT: Final = 64 * 1024 * 1024  # bytes
_SUMMARY_LIMIT: Final = 8 * 1024 + NEWS_LIMIT


def compare(course: Course) -> Different | None:
    """Where the relay differs from what was followed so far; None where it does not."""
    return ask(course.caller, course.positions(), 0)


def ask(caller: Caller, positions: ranges.Positions, wait_s: int) -> Different | None:
    """Where the relay differs from these positions; None where it does not, or has not for `wait_s`."""
    asked = Summary(ranges.whole(positions), ranges.ranges(positions), wait_s)
    body = relay_messages.pack_summary(asked)
    answer = caller.post("/v1/summary", body, limit=_SUMMARY_LIMIT, wait_s=wait_s or None)
    return relay_messages.read_different(answer)


class Pulling:
    """The fetching half of one exchange."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._stuck: dict[bytes, list[Segment]] = {}  # refused for now, by space
        self._why: dict[bytes, tuple[int, Sequence[Problem]]] = {}  # how many of them, and why
        self._held: set[bytes] = set()  # spaces of which something has to be fetched again another time
        self._stuck_size = 0
        self._broken_off = False  # the relay did not show all that it says there is

    def run(self) -> None:
        """Fetch until the sides agree about what the relay holds, as far as it tells."""
        course = self._course
        everything = False
        for number in range(PASSES):
            different = compare(course)
            if different is None:
                break
            if number == 0:
                self._self_first()
            came = self._take([one for one in different.news if one.after == course.track(one.space).number])
            if came and ranges.whole(course.positions()) == different.digest:
                break
            parts = list(range(ranges.PARTS)) if everything else _parts(course, different)
            moved = self.fetch(parts) or came
            if moved and ranges.whole(course.positions()) == different.digest:
                break
            everything = not moved and not self._find_lost(parts)
            if everything and len(parts) == ranges.PARTS:
                break  # what still differs was told, or is not for us
        if not self._broken_off:
            course.judge([track for track in course.tracks.values() if track.space not in course.distrusted])

    def _self_first(self) -> None:
        """A device that comes anew learns from self which boards are its person's, before their events come."""
        course = self._course
        mine = [info.id for info in course.replica.spaces() if info.kind == "self" and not course.track(info.id).number]
        if mine:
            self.fetch((), mine)

    def fetch(self, parts: Sequence[int], spaces: Iterable[bytes] = ()) -> bool:
        """Fetch what is new in these parts, and of these spaces; whether anything came."""
        course = self._course
        chosen, asked = frozenset(parts), frozenset(spaces)
        came = False
        for number, group in enumerate(self._groups(chosen)):
            came = self._fetch(group, asked if number == 0 else frozenset()) or came
        if not self._broken_off:
            course.judge([track for track in list(course.tracks.values()) if _asked(track, chosen, asked)])
        self._keep_anew()
        return came

    def _fetch(self, parts: frozenset[int], spaces: frozenset[bytes]) -> bool:
        """Ask until there is no more; whether anything came."""
        came, more = False, True
        while more:
            rows = [track.row() for track in list(self._course.tracks.values()) if _asked(track, parts, spaces)]
            sections, more = self._pull(Pull(sorted(parts), rows))
            took = self._take(sections)
            came = came or took
            if more and not took:  # it says that there is more, and sends nothing that holds
                self._broken_off = True
                return came
        return came

    def _groups(self, parts: frozenset[int]) -> list[frozenset[int]]:
        """The parts, in groups with no more rows than go into one request each; an empty one for none."""
        rows = Counter(ranges.part_of(track.space) for track in self._course.tracks.values())
        made: list[set[int]] = [set()]
        size = 0
        for part in sorted(parts):
            if size + rows[part] > _ROWS and made[-1]:
                made.append(set())
                size = 0
            made[-1].add(part)
            size += rows[part]
        return [frozenset(group) for group in made]

    def _pull(self, asked: Pull) -> tuple[list[Section], bool]:
        if not asked.parts and not asked.rows:
            return [], False
        answer = self._course.caller.post("/v1/pull", relay_messages.pack_pull(asked), limit=ANSWER_LIMIT)
        return relay_messages.read_sections(answer)

    def _take(self, sections: Sequence[Section]) -> bool:
        """Check, admit and keep what came in one answer, in one transaction; whether anything held."""
        course = self._course
        followed: list[Track] = []
        with course.memory.together():
            before = course.tally.received
            for section in sections:
                track = course.track(section.space)
                if section.space in course.distrusted:
                    continue
                try:
                    track.read(section)
                except DoesNotHold as error:
                    course.distrust(section.space, str(error), section.receipt.pack())
                    continue
                followed.append(track)
                self._admit(section.space, section.segments)
            if course.tally.received > before:
                self._retry()
            kept = [t for t in followed if not t.anew and not self.holds_back(t.space)]
            course.keep(kept)
        for track in kept:
            track.saved()
        done = course.tally.received
        course.tally.progress("receive", done, done)
        return bool(followed)

    def _admit(self, space: bytes, segments: Sequence[Segment]) -> bool:
        """Offer segments to the replica; what is refused stays here for another time. Whether any event was kept."""
        admission = self._course.replica.admit(space, segments)
        self._course.tally.received += admission.accepted
        if admission.rejected:
            self._stuck.setdefault(space, []).extend(segments)
            self._why[space] = admission.rejected, admission.problems
            self._stuck_size += sum([engine.size_of(one) for one in segments])
            if self._stuck_size > _STUCK_LIMIT:
                raise Malformed(why="events without end, of which none holds")
        else:
            self._course.tally.refuse(0, admission.problems)
        return admission.accepted > 0

    def _retry(self) -> None:
        """Offer again what was refused, as long as anything moves."""
        moved = bool(self._stuck)
        while moved:
            moved, self._stuck_size = False, 0
            for space, segments in list(self._stuck.items()):
                del self._stuck[space], self._why[space]
                moved = self._admit(space, segments) or moved

    def settle(self) -> None:
        """Tell what stays refused, and keep how far the logs were followed where that loses nothing.

        Only once all that was fetched has been committed: a log may never be kept as followed beyond its events.
        """
        course = self._course
        left = [track for track in course.tracks.values() if track.runs or track.anew]
        if not left:
            return
        with course.memory.together():
            self._retry()
            self._held |= {space for space, (_, problems) in self._why.items() if _may_come(problems)}
            kept = [track for track in left if track.space not in self._held]
            course.keep(kept)
            for space, (rejected, problems) in self._why.items():
                course.tally.refuse(rejected, problems)
                if _NOT_NOW & {problem.code for problem in problems}:
                    course.memory.refuse(space)
        for track in kept:
            track.saved()
        self._stuck, self._why = {}, {}

    def holds_back(self, space: bytes) -> bool:
        """Whether something of a space was refused so far, so that its log may not be kept as followed yet."""
        return space in self._stuck or space in self._held

    def _keep_anew(self) -> None:
        """Keep logs that were followed from their beginning, now that they are whole."""
        course = self._course
        anew = [track for track in course.tracks.values() if track.anew and not self.holds_back(track.space)]
        if anew:
            with course.memory.together():
                course.keep(anew)
            for track in anew:
                track.saved()

    def _find_lost(self, parts: Sequence[int]) -> bool:
        """Whether the relay has lost spaces of these parts: it shows not even the last entry it has signed."""
        course, chosen = self._course, frozenset(parts)
        doubtful = {t.space: t for t in course.tracks.values() if t.number and ranges.part_of(t.space) in chosen}
        for space in course.distrusted:
            doubtful.pop(space, None)
        more = True
        while more and doubtful:
            rows = [self._before_last(track) for track in islice(doubtful.values(), _ROWS)]
            sections, more = self._pull(Pull((), rows))
            more = more or len(rows) < len(doubtful)
            shown = {section.space for section in sections}
            if more and not shown:
                return False
            for space in shown:
                doubtful.pop(space, None)
        for track in doubtful.values():
            self._lose(track)
        return bool(doubtful)

    def _before_last(self, track: Track) -> Row:
        head = self._course.memory.head_at(track.space, track.number - 1)
        if track.number == 1 or head is None:
            return Row(track.space, 0, bytes(ranges.POSITION))
        return Row(track.space, track.number - 1, head[: ranges.POSITION])

    def _lose(self, track: Track) -> None:
        course = self._course
        with course.memory.together():
            if not course.lost_all:
                why = f"it had signed {track.number} entries, and shows none"
                course.report(relay_findings.Wiped, track.space, why, track.receipt.pack() if track.receipt else b"")
            course.memory.restart(track.space)
        course.tracks[track.space] = Track(track.space, course.relay, Reached(0, bytes(32), None))


def _may_come(problems: Iterable[Problem]) -> bool:
    """Whether what was refused so may be taken another time."""
    return any(problem.code in _LATER for problem in problems)


def _asked(track: Track, parts: frozenset[int], spaces: Iterable[bytes]) -> bool:
    return track.space in spaces or (bool(track.number) and ranges.part_of(track.space) in parts)


def _parts(course: Course, different: Different) -> list[int]:
    """The parts in which the sides differ; all of them where no digest tells which."""
    positions = course.positions()
    found = [
        number * ranges.FAN + part
        for number, theirs in different.ranges
        for part in ranges.differing(ranges.parts(positions, number), theirs)
    ]
    return found or list(range(ranges.PARTS))
