"""One run: devices, folders and liars, and the steps that a plan names. A seed determines all of it.

A step is `(name, who, number)`: `who` picks the device, `number` all further choices among what is there when its turn
comes. So a step can be left out of a plan and the others still mean something, which is what shrinking needs.
"""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from chaise_cli.domain.revocation import DeviceRevoked
from chaise_cli.ids import EventId, public, raw
from chaise_cli.session import driving, renewal
from chaise_cli.session import home as homes
from chaise_cli.session.pairing import NotAdmin, TooDeep
from chaise_cli.session.requests import Request
from chaise_cli.session.session import Behind, ThisRevoked
from chaise_cli.store import own
from sync.relay_findings import LyingRelay, Replaced, RolledBack, Split, Wiped, Withheld
from sync.relay_memory import Reached
from sync.transports.folder import BASE
from tests.fakes.homes import NOON_MS
from tests.fakes.till import Till
from tests.simulator import acts, agency, checks, links
from tests.simulator.checks import Broken
from tests.simulator.devices import DAY_MS, HOUR_MS, Device
from tests.simulator.fuse import FILES, Fuse, Killed
from tests.simulator.hostile import Forger
from tests.simulator.links import Met
from tests.simulator.relays import Net, Place
from tests.simulator.stage import Stage

Step = tuple[str, int, int]  # name, who, number
Do = Callable[["World", Device, random.Random], str]
_SKEW_MS: Final = 300_000  # between the clocks of a device and a relay
_MOST: Final = 7  # devices
_ROUNDS: Final = 12  # of the agent's loop, until it is at rest
# What may fail, by what is in the way; and what may be told, by what is wrong. Anything else is a defect.
_BROKEN_OFF: Final = frozenset({"peer.closed"})
_NO_ANSWER: Final = frozenset({"peer.no_answer"})
_WRONG_TIME: Final = frozenset({"relay.clock"})
_REFUSED: Final = frozenset({"peer.refused", "peer.failed", "relay.struck"})  # peer.failed: the other side refused
_OF_FORKS: Final = ("wrote two histories from event", "forks on and on", "(relay.forked)")
_OF_RELAYS: Final = tuple(
    max(re.split(r"{\w+}", kind.message), key=len).strip()
    for kind in (LyingRelay, RolledBack, Wiped, Split, Replaced, Withheld)
)
_ONCE: Final = (_OF_FORKS[0], *_OF_RELAYS)
_OF_LOSSES: Final = ("(relay.not_found)",)  # asked after what the relay held a moment ago
_WHILE_REVOKING: Final = (
    "and no device is it twice",  # the one that is left had the role, and is told to take a new key
    "names somebody else",  # a deal that was opened to a key which a revoked device had published
    "has a new key that this device cannot open yet",  # made by who had not heard of it; in the end all can
)
_WHEN_REVOKED: Final = (ThisRevoked.message, DeviceRevoked.message)
_ELSEWHERE: Final = "the key that opens your review"  # one written on another copy of the home; it comes with self
_NOT_BETWEEN: Final = "a deal comes from somebody it is between"
_NOT_YET: Final = ("is not there, or not yet", "are here, but not those before them")


@dataclass
class Deed:
    """A call that was made with a request id, to be made again."""

    device: Device
    name: str
    call: acts.Call
    asked: Request
    events: Sequence[str]


@dataclass
class Alarm:
    """Something that was reported to a person."""

    device: str
    text: str


class World:
    """A run on the way."""

    def __init__(
        self,
        stage: Stage,
        folder: Path,
        seed: int,
        people: Sequence[str],
        *,
        liar: str | None,
        relays: int,
        holder: str | None,
    ) -> None:
        """people: who takes part. liar: whose software does as it likes. relays: how many. holder: of money."""
        self.folder = folder
        chance = random.Random(f"world {seed}")
        self.devices = [self._device(stage, name, chance) for name in people]
        around = frozenset(device.session.me.identity for device in self.devices)
        for device in self.devices:
            device.around = around
            device.holder = next((one.session.me.identity for one in self.devices if one.label == holder), None)
        self.now = NOON_MS + DAY_MS
        self.offsets: dict[str, int] = {}
        self.split: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.trace: list[str] = []
        self.alarms: list[Alarm] = []
        self.deeds: list[Deed] = []
        self.suspects: set[bytes] = set()  # device keys that have, or may have, two histories, or lie
        self.revoked: set[bytes] = set()  # device keys that somebody revoked
        self.damage = False  # somebody put rubbish into a folder
        self.forgers = [Forger(one, chance) for one in self.devices if one.label == liar]
        self.chance = chance
        self.holder, self.till = holder, Till()
        self.net = Net(relays)
        self.stick = folder / "stick"
        self.stick.mkdir()
        if holder is not None:
            self._hire(chance)

    def _hire(self, chance: random.Random) -> None:
        """Two deals whose money somebody else is to hold; one is a liar's, where there is a liar."""
        _, talent, *others = self.devices
        for device in self.devices:
            device.clock.at = self.now
        for client in (self.devices[0], others[-1]):
            agency.hire(client, talent, self.holders()[0], chance)
        for device in self.devices:
            self.acknowledge(device)

    def _device(self, stage: Stage, name: str, chance: random.Random) -> Device:
        at = self.folder / name
        at.mkdir(mode=0o700)
        home = homes.Home(Path(shutil.copytree(stage.home(name), at / "home")))
        return Device(name, name, home, stage.key(name), random.Random(f"{name} {chance.random()}"))

    # Playing

    def play(self, plan: Sequence[Step], table: Mapping[str, Do]) -> None:
        """Do the steps, each as the table says; raises Broken when a law is, and keeps what was traced so far."""
        for number, step in enumerate(plan):
            self.step(number, step, table)
        self.heal()

    def step(self, number: int, step: Step, table: Mapping[str, Do]) -> None:
        """One step, and the laws for whoever took part."""
        name, who, choice = step
        chance = random.Random(choice)
        self.now += chance.randrange(6 * HOUR_MS)
        for device in self.devices:
            device.clock.at = self.now + self.offsets.get(device.label, 0)
        for place in self.net.places:
            place.clock.at = self.now
        device = self.devices[who % len(self.devices)]
        try:
            with _as(device):
                outcome = table[name](self, device, chance)
            self.counts[f"{name}: {outcome.split(' ')[0]}"] += 1
            self.trace.append(f"{number} {name} {device.label}: {outcome} {device.digest()}")
            for one in self.devices:
                checks.steady(one)
        except Broken:
            raise
        except (Exception, Killed) as error:
            raise Broken(f"step {number} {step} of {device.label}: {type(error).__name__}: {error}") from error

    def others(self, device: Device) -> list[Device]:
        """Whom a device reaches as the net is split now, in a fixed order."""
        side = self.split.get(device.label, 0)
        return [one for one in self.devices if one is not device and self.split.get(one.label, 0) == side]

    # What acts and meetings come to

    def acknowledge(self, device: Device) -> None:
        """What stands on its own chains now was told to be written."""
        device.acked |= device.own_events()

    def note(self, device: Device, met: Met, excused: frozenset[str]) -> None:
        """Keep what a meeting reported. excused: the failures that are due to what was done to it."""
        self.alarms += [Alarm(device.label, text) for text in met.problems]
        if met.failure is not None:
            self.counts[f"failure: {met.failure.code}"] += 1
            refuses = met.failure.code != "peer.failed" or "was revoked" in met.failure.sentence()
            if met.failure.code not in excused or not refuses:
                raise Broken(f"{device.label} could not sync: {met.failure.sentence()}")

    def meet(self, one: Device, other: Device, cut: int | None = None) -> str:
        """Two devices sync; what came of it. Forks between them have to be noticed when nothing was in the way."""
        before = checks.forked(one, other) if self.suspects else set()
        cut_off = self.is_cut_off(one) or self.is_cut_off(other)
        split = self._split_views(one, other)
        near, far = links.contact(one, other, cut)
        dead = near.dead or far.dead
        for device, met in ((one, near), (other, far)):
            broken_off = _BROKEN_OFF if cut is not None or dead else frozenset[str]()
            self.note(device, met, broken_off | (_REFUSED if cut_off else frozenset()))
            if met.dead:
                device.revive()
            self.acknowledge(device)
        if cut is None and not dead and not cut_off and near.failure is None:
            self._noticed(one, other, before, [*near.problems, *far.problems])
            self._seen_through(one, other, split, [*near.problems, *far.problems])
        return "died" if dead else "cut" if near.failure else f"moved {near.moved + far.moved}"

    def _noticed(self, one: Device, other: Device, before: set[tuple[bytes, bytes]], told: Sequence[str]) -> None:
        for space, key in sorted(before):
            known = [checks.knows_fork(device, space, key) for device in (one, other)]
            if not any(known) and not any(checks.named(key) in text for text in told):
                raise Broken(f"{one.label} and {other.label} met, and nobody noticed the fork of {checks.named(key)}")
            self.counts["noticed: fork"] += 1

    def _split_views(self, one: Device, other: Device) -> set[str]:
        """Relays that have signed two orders of one space, one for each of two devices, and were not caught by them."""
        found = set()
        for place in self.net.places if one.session.me.identity != other.session.me.identity else ():
            if any(place.where in alarm.text for alarm in self.alarms if alarm.device in (one.label, other.label)):
                continue
            if checks.split_views(one, other, place.where):
                found.add(place.where)
        return found

    def _seen_through(self, one: Device, other: Device, split: set[str], told: Sequence[str]) -> None:
        for where in sorted(split):
            if not any(where in text for text in told):
                raise Broken(f"{one.label} and {other.label} met, and nobody noticed that {where} shows two histories")
            self.counts["noticed: split view"] += 1

    def call(self, device: Device, place: Place, faults: Sequence[str | None] = (), dies_at: int | None = None) -> str:
        """A device syncs with a relay; what the relay is caught at.

        faults: what becomes of its requests, in turn. dies_at: the write at which the device's process dies.
        """
        links.invited(device, place.where, place.invite())
        lost = self._lost(device, place)
        parted = place.parts(device.label, {raw(one.session.me.identity) for one in self.devices})
        place.told_false.discard(device.label)
        self.net.label, self.net.faults = device.label, list(faults)
        if dies_at is not None:
            device.light(dies_at)
        met = links.visit(device, place.where)
        self.net.faults.clear()
        device.fuse.set(None)
        early = [text for text in met.problems if text.endswith("(relay.stranger)")]
        if early and not parted:
            raise Broken(f"all meet at {place.where}, and {device.label} was told: {early[0]}")
        self.counts["told: stranger"] += len(early)
        met.problems = [text for text in met.problems if text not in early]
        if device.person == self.holder:  # neither side of the deal has brought it yet
            between = [text for text in met.problems if _NOT_BETWEEN in text]
            self.counts["told: not between"] += len(between)
            met.problems = [text for text in met.problems if text not in between]
        wrong_time = abs(device.clock.at - place.clock.at) > _SKEW_MS
        excused = (_NO_ANSWER if faults else frozenset[str]()) | (_WRONG_TIME if wrong_time else frozenset())
        self.note(device, met, excused | (_REFUSED if self.is_cut_off(device) else frozenset()))
        if met.dead:
            device.revive()
        self.acknowledge(device)
        caught = [text for text in met.problems if place.where in text]
        self._caught(device, place, lost, caught, whole=met.failure is None and not met.dead, faults=bool(faults))
        return "died" if met.dead else "failed" if met.failure else "caught" if caught else f"moved {met.moved}"

    def _caught(
        self, device: Device, place: Place, lost: set[Reached], caught: Sequence[str], *, whole: bool, faults: bool
    ) -> None:
        """What a relay has signed and does not hold any more is told, once for each receipt that proves it.

        whole: the visit came to its end. faults: its answers may never have come.
        """
        told = place.told.setdefault(device.label, set())
        owed = lost - told if whole else set()
        if (owed or (device.label in place.told_false and not faults)) and not caught and whole:
            raise Broken(f"{device.label} did not notice that {place.where} lost or changed what it had signed")
        self.counts["noticed: lying relay"] += bool(caught)
        if caught:
            told |= lost

    def _lost(self, device: Device, place: Place) -> set[Reached]:
        """The receipts a device has of a relay for what is not in its log any more."""
        found = set()
        for space, reached in checks.receipts(device, place.where).items():
            number, head = place.log(device.label, space)
            if number < reached.number or (number == reached.number and head != reached.head):
                found.add(reached)
        return found

    def visit(self, device: Device, place: Path) -> str:
        """A device syncs with a folder."""
        place.mkdir(exist_ok=True)
        met = links.visit(device, place)
        if place != self.stick:  # what a third program has not copied yet is missing: the truth, and said as such
            early = [text for text in met.problems if text.endswith(_NOT_YET)]
            if early and not self._lacks_packs(place):
                raise Broken(f"every pack is in {place.name}, and {device.label} was told: {early[0]}")
            self.counts["told: not yet there"] += len(early)
            met.problems = [text for text in met.problems if text not in early]
        self.note(device, met, frozenset())
        if met.dead:
            device.revive()
        self.acknowledge(device)
        return "died" if met.dead else f"moved {met.moved}"

    def _lacks_packs(self, place: Path) -> bool:
        """Whether some other copy of the folder has a pack that this one has not."""
        copies = [self.cloud(one) for one in self.devices]
        held = {path.name for path in (place / BASE / "packs").glob("*.pack")}
        return any(path.name not in held for copy in copies for path in (copy / BASE / "packs").glob("*.pack"))

    def is_cut_off(self, device: Device) -> bool:
        """Whether a key of a device was revoked, or of one that let it in, whoever knows of it."""
        return bool((device.keys | device.above) & self.revoked)

    def left(self) -> list[Device]:
        """The devices that were not revoked."""
        return [device for device in self.devices if not self.is_cut_off(device)]

    def holders(self) -> list[Device]:
        """The devices of who holds the money."""
        return [device for device in self.devices if device.person == self.holder]

    def forger(self, chance: random.Random) -> Forger | None:
        """A liar, where there is one."""
        return chance.choice(self.forgers) if self.forgers else None

    def forget_lost(self, device: Device) -> None:
        """What a restored home had acknowledged since is gone with its disk, as far as it does not come back."""
        device.acked = device.own_events()
        self.deeds = [deed for deed in self.deeds if deed.device is not device]

    def cloud(self, device: Device) -> Path:
        """The device's copy of the folder that a third program keeps alike."""
        return self.folder / f"cloud-{device.label}"

    # The end

    def heal(self) -> None:
        """All faults are over: everybody syncs until quiet, and everything is compared."""
        self.split.clear()
        self.offsets.clear()
        for clock in [one.clock for one in self.devices] + [one.clock for one in self.net.places]:
            clock.at = self.now
        for place in self.net.places:
            place.honest()
        for device in self.devices:
            device.quiet = False
            device.fuse.set(None)
        for _ in range(3):
            before = len(self.alarms)
            self._renew_all()
            self._come_round()
        self._pay_all()
        told = self.counts["told: not between"]
        self._come_round()
        if self.counts["told: not between"] > told:
            raise Broken("both sides have brought a deal to the relay, and the third party may not")
        late = [one for one in self.alarms[before:] if any(said in one.text for said in _ONCE)]
        if late:
            raise Broken(f"all was mended and told, and {late[0].device} is told again: {late[0].text}")
        self.trace += [f"end {device.label} {device.digest()}" for device in self.devices]
        self._judge()

    def _pay_all(self) -> None:
        """Whatever the rail has is told, and what it declined is asked again, until nothing is asked any more."""
        for _ in range(_ROUNDS if self.holder else 0):
            before = self.till.calls
            for device in self.holders():
                with _as(device):
                    self.till.settle()
                    if not device.session.behind:
                        driving.again(device.session)
                    agency.work(self.till, device)
                self.acknowledge(device)
            self._come_round()
            if self.till.calls == before:
                return
        if self.holder:
            raise Broken("the agent's loop does not come to rest")

    def _come_round(self) -> None:
        """Everybody syncs with everything and everybody."""
        for device in self.devices:
            self.visit(device, self.stick)
            for place in self.net.places:
                self.call(device, place)
        for one, other, met in links.meet(*self.devices):
            self.note(one, met, _REFUSED if self.is_cut_off(one) or self.is_cut_off(other) else frozenset())
            self.acknowledge(one)

    def _renew_all(self) -> None:
        for device in self.devices:
            if device.session.behind and not self.is_cut_off(device):
                self.renew(device)

    def renew(self, device: Device) -> str:
        """`device renew`: what a home that is behind is told to do."""
        try:
            renewal.renew(device.session)
        except (NotAdmin, TooDeep, ThisRevoked) as error:  # each with a way out that takes the recovery code, or none
            self.counts[f"refused: {error.code}"] += 1
            return "refused"
        device.keys.add(raw(device.session.me.device))
        self.counts["renewed"] += 1
        self.acknowledge(device)
        return "renewed"

    def _judge(self) -> None:
        for device in self.devices:
            checks.steady(device)
        for place in self.net.places:
            checks.filled(self.left(), place)
        checks.converged(self.left())
        checks.keyed(self.left())
        self.counts["compared: space"] += 1
        checks.served(self.left())
        for device in self.devices if self.holder else ():
            agency.lawful(device)
            self.counts["contested"] += agency.contested_rightly(device)
            if device.person == self.holder:
                self.counts["compared: rail and book"] += agency.at_rest(device, self.till)
        for device in self.left():
            checks.delivered(device, [one for one in self.left() if one is not device])
        for device in self.devices:
            self.alarms += [Alarm(device.label, text) for text in checks.sound(device)]
        false = [alarm for alarm in self.alarms if not self._deserved(alarm)]
        if false:
            raise Broken(f"false alarm: {false[0].device} was told: {false[0].text} ({len(false)} in all)")

    def _deserved(self, alarm: Alarm) -> bool:
        """Whether an alarm says what is true of the device or the relay that it names."""
        text, told = alarm.text, next(one for one in self.devices if one.label == alarm.device)
        if any(said in text for said in _OF_FORKS):
            return any(checks.named(key) in text for key in self.suspects)
        if any(said in text for said in _OF_RELAYS + _OF_LOSSES):
            return any(place.where in text and place.lied for place in self.net.places)
        if Behind.message in text:
            return bool(told.keys & self.suspects)
        if any(said in text for said in _WHEN_REVOKED):
            return self.is_cut_off(told)
        if any(said in text for said in _WHILE_REVOKING):
            return bool(self.revoked)
        if _ELSEWHERE in text:
            kept = own.beginning(told.session.db, "review ")
            others = [one for one in self.devices if one.person == told.person and one is not told]
            return bool(others) and any(public("rev", EventId(name.split()[1])) in text for name in kept)
        return self.damage and (text.startswith(("packs/", "latest/")) or text.endswith(_NOT_YET))

    def digest(self) -> str:
        """A hash of the whole trace, the ids of all events included."""
        return sha256("\n".join(self.trace).encode()).hexdigest()

    def close(self) -> None:
        """Let go of all homes."""
        for device in self.devices:
            device.close()


@contextmanager
def _as(device: Device) -> Iterator[None]:
    """Writes in this thread are the device's for a while."""
    device.session.clock.now()  # opened by now, and with it its fuse
    FILES.fuse = device.fuse
    try:
        yield
    finally:
        FILES.fuse = Fuse()
