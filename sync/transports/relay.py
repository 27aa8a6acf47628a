"""The way through a relay: register where that is needed, fetch, check, push, and say what does not hold.

A relay is trusted with nothing that can be checked: every answer has to follow from the last one that was kept.
One round trip when nothing is new. docs/spec/relay.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chaise_cli import ids
from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import canonical, door

from .. import relay_findings, relay_link, relay_objects, relay_pulling, web
from ..engine import Tally
from ..relay_course import Course
from ..relay_link import Caller, NotRegistered, Now, Pause
from ..relay_memory import Memory
from ..relay_messages import WAIT_LIMIT_S
from ..relay_pulling import Pulling
from ..relay_pushing import Pushing
from ..replica import Replica, Signer
from ..web import Link

_DOORS: Final = 1_000  # in one registration


class Relay:
    """The relay at an address."""

    def __init__(
        self,
        where: str,
        memory: Memory,
        now: Now,
        *,
        timeout_s: float = relay_link.TIMEOUT_S,
        link: Link | None = None,
        pause: Pause = relay_link.REAL,
    ) -> None:
        """memory: what is known of it. now: ms since 1970, UTC. link: in place of a connection of its own."""
        self._where, self._to = where, web.address(where)
        self._memory, self._now = memory, now
        self._timeout_s, self._link, self._pause = timeout_s, link, pause
        self._positions: Mapping[bytes, bytes] | None = None  # as of the last exchange

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`. What the relay is caught at is a problem, and an alarm where it lied."""
        caller = self._caller(signer)
        try:
            self._visit(caller, replica, signer, tally)
        finally:
            caller.close()

    def wait(self, _replica: Replica, signer: Signer, timeout_s: float) -> bool:
        """Wait until the relay has news since the last exchange, at most so long or a minute; whether it has.

        It looks at nothing but what that exchange left, so it may run beside another one.
        """
        if self._positions is None:
            return True
        caller = self._caller(signer)
        try:
            return relay_pulling.ask(caller, self._positions, max(1, min(WAIT_LIMIT_S, int(timeout_s)))) is not None
        except NotRegistered:
            return True
        finally:
            caller.close()

    def _caller(self, signer: Signer) -> Caller:
        return Caller(
            self._where, self._to, signer, self._now, timeout_s=self._timeout_s, link=self._link, pause=self._pause
        )

    def _visit(self, caller: Caller, replica: Replica, signer: Signer, tally: Tally) -> None:
        known = self._memory.relay()
        if known is not None and self._memory.registered(signer.device):
            course = Course(caller, replica, self._memory, tally, known)
        else:
            course = self._enter(caller, replica, signer, tally, known)
        try:
            self._run(course, signer)
        except NotRegistered:
            self._run(self._forgotten(course, signer), signer)

    def _enter(self, caller: Caller, replica: Replica, signer: Signer, tally: Tally, known: bytes | None) -> Course:
        """Register a device that the relay does not know yet, having asked which relay it is."""
        relay = caller.key()
        if known is None:
            self._memory.begin(relay)
        course = Course(caller, replica, self._memory, tally, known or relay)
        if relay != course.relay:
            return self._begin_anew(course, signer)
        self._register(course, signer)
        return course

    def _run(self, course: Course, signer: Signer) -> None:
        self._open_doors(course, signer)
        pulling = Pulling(course)
        pulling.run()
        if self._replaced(course):
            course = self._begin_anew(course, signer)
            pulling = Pulling(course)
            pulling.run()
        if self._reopen_doors(course, signer):
            pulling.run()
        pulling.settle()
        if Pushing(course, pulling).run():
            pulling.settle()
            self._open_doors(course, signer)
        relay_objects.exchange(course)
        _strike(course)
        held = {info.id for info in course.replica.spaces()} - course.distrusted
        course.tally.shared = frozenset(space for space in held if course.track(space).number)
        self._positions = course.positions()

    def _replaced(self, course: Course) -> bool:
        """Whether receipts that did not hold were those of another relay, which says so itself."""
        return bool(course.distrusted) and course.caller.key() != course.relay

    def _forgotten(self, course: Course, signer: Signer) -> Course:
        """The relay does not know this device, which it had let in: another one, or one that lost everything."""
        if course.caller.key() != course.relay:
            return self._begin_anew(course, signer)
        if self._memory.registered(signer.device):
            receipts = [track.receipt.pack() for track in course.tracks.values() if track.receipt]
            why = "it does not know this device any more"
            with self._memory.together():
                course.report(relay_findings.Wiped, None, why, b"".join(receipts[:1]))
                self._memory.note_registered(None, ())
        fresh = Course(course.caller, course.replica, self._memory, course.tally, course.relay)
        fresh.lost_all = True
        self._register(fresh, signer)
        return fresh

    def _begin_anew(self, course: Course, signer: Signer) -> Course:
        relay = course.caller.key()
        proof = course.relay + relay
        with self._memory.together():
            course.report(relay_findings.Replaced, None, f"its key was {ids.text(course.relay)[:8]}…", proof)
            self._memory.begin(relay)
        course.tally.alarm = None  # what seemed a lie was another relay's word
        fresh = Course(course.caller, course.replica, self._memory, course.tally, relay)
        self._register(fresh, signer)
        return fresh

    def _reopen_doors(self, course: Course, signer: Signer) -> bool:
        """Bring proofs again that the relay has taken, and forgotten since; whether it took any of them."""
        before = self._memory.doors()
        shut = {space for space in before if not course.track(space).number} - course.distrusted
        self._memory.close_doors(shut)
        self._open_doors(course, signer)
        return not self._memory.doors() <= before - shut

    def _open_doors(self, course: Course, signer: Signer) -> None:
        """Bring the proofs for boards that the relay has not taken any for, unless it was asked just now."""
        boards = {info.id for info in course.replica.spaces() if info.kind == "board"} - self._memory.doors()
        news = {space for space in boards if (space, bool(course.track(space).number)) not in course.shown}
        if news:
            self._register(course, signer)

    def _register(self, course: Course, signer: Signer) -> None:
        """Raises NotAdmitted."""
        boards = [info.id for info in course.replica.spaces() if info.kind == "board"]
        seeds = [(space, seed) for space in boards if (seed := self._memory.door_seed(space)) is not None]
        course.shown |= {(space, bool(course.track(space).number)) for space in boards}
        opened: set[bytes] = set()
        for first in range(0, max(1, len(seeds)), _DOORS):
            doors = [
                [ids.text(space), ids.text(door.prove(seed, course.relay, signer.device, space))]
                for space, seed in seeds[first : first + _DOORS]
            ]
            asked = {
                "certificates": canonical.decode(signer.certificates),
                "doors": doors,
                "invite": self._memory.invite(),
            }
            answer = relay_link.read_json(course.caller.post("/v1/register", canonical.encode(asked)))
            said = answer.get("boards")
            opened |= {relay_link.read_id(space) for space in said} if isinstance(said, list) else set()
        self._memory.note_registered(signer.device, opened & set(boards))


def _strike(course: Course) -> None:
    """Tell the relay of devices of our own that were revoked. What fails is a problem, and tried again another time."""
    for device in course.memory.to_strike():
        try:
            course.caller.post("/v1/revoke", canonical.encode({"device": ids.text(device)}))
        except ChaiseError as error:
            name = f"dev-{ids.base32(device)}"
            course.tally.problem(error.code, f"{name} was revoked and is not struck off yet: {error.sentence()}")
        else:
            course.memory.note_struck(device)
