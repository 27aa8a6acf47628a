"""Every kind of step of a run: acts, meetings, faults, lies. What each did begins with one word, which is counted."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from typing import Final

from chaise_cli.errors import ChaiseError, Corrupt, Unreachable
from chaise_cli.ids import public
from chaise_cli.session import checking, moving, requests, revoking
from chaise_cli.session.home import Home
from chaise_cli.session.requests import Request
from chaise_cli.session.session import Behind
from chaise_cli.store import own
from sync.transports.folder import BASE
from tests.fakes import acts as fake_acts
from tests.fakes import kin
from tests.simulator import acts, agency, links
from tests.simulator.checks import Broken
from tests.simulator.devices import DAY_MS, HOUR_MS, Device
from tests.simulator.fuse import Killed
from tests.simulator.relays import LIES, NET_FAULTS
from tests.simulator.world import Alarm, Deed, World

_MOST: Final = 7  # devices


def _act(world: World, device: Device, chance: random.Random) -> str:
    name, call = acts.choose(device, chance, world.counts)
    if call is None:
        return f"nothing {name}"
    asked = _request(name, chance) if chance.random() < 0.4 else None
    return _do(world, device, name, call, asked)


def _pay(world: World, _device: Device, chance: random.Random) -> str:
    """One of the sides does something about money that a third party holds."""
    sides = [one for one in world.devices if one.person != world.holder]
    for device in chance.sample(sides, len(sides)):
        name, call = acts.choose_of_money(device, chance, world.counts)
        if call is not None:
            device.light()
            asked = _request(name, chance) if chance.random() < 0.4 else None
            return f"{_do(world, device, name, call, asked)} {device.label}"
    return "nothing"


def _request(name: str, chance: random.Random) -> Request:
    return requests.request(f"r-{chance.getrandbits(48):x}", name, {"number": chance.random()})


def _do(world: World, device: Device, name: str, call: acts.Call, asked: Request | None) -> str:
    try:
        done = call(device.session, asked)
    except ChaiseError as error:
        world.counts[f"act {name}: refused"] += 1
        return f"refused {name} {_refusal(world, device, error)}"
    world.counts[f"act {name}: {'replayed' if done.replayed else 'done'}"] += 1
    world.acknowledge(device)
    if asked is not None:
        world.deeds.append(Deed(device, name, call, asked, done.events))
    return f"did {name}{' again' if done.replayed else ''}"


def _refusal(world: World, device: Device, error: ChaiseError) -> str:
    """The code of a refusal. That something is damaged, or does not answer, is no answer to an act in a sound home."""
    if isinstance(error, Corrupt | Unreachable) and not isinstance(error, Behind):
        raise Broken(f"{device.label} could not act: {error.code}, {error.sentence()}")
    world.counts[f"refused: {error.code}"] += 1
    return error.code


def _repeat(world: World, device: Device, chance: random.Random) -> str:
    mine = [deed for deed in world.deeds if deed.device is device]
    if not mine or device.session.behind or device.session.revoked:
        return "nothing"
    deed = chance.choice(mine)
    before = own.written(device.session.db)
    done = deed.call(device.session, deed.asked)
    if not done.replayed or list(done.events) != list(deed.events) or own.written(device.session.db) != before:
        raise Broken(f"{device.label} was asked for {deed.name} again and did it again: {deed.events} {done.events}")
    return f"replayed {deed.name}"


def _crash_acting(world: World, device: Device, chance: random.Random) -> str:
    """The process dies in the middle of a command; the command is given again."""
    name, call = acts.choose(device, chance, world.counts)
    if call is None or device.session.behind:
        return f"nothing {name}"
    asked = _request(name, chance)
    before = own.written(device.session.db)
    device.light(chance.randrange(24))
    try:
        outcome = _do(world, device, name, call, asked)
    except Killed:
        device.revive()
        device.light(None)
    else:
        device.light(None)
        return f"survived {outcome}"
    kept = own.written(device.session.db)
    if device.session.behind:
        raise Broken(f"{device.label} died while writing, and is taken for a restored copy")
    again = _do(world, device, name, call, asked)
    if kept != before and own.written(device.session.db) != kept:
        raise Broken(f"{device.label} had done {name} before it died, and did it again: {again}")
    return f"died and {again}"


def _verify(world: World, device: Device, _chance: random.Random) -> str:
    found = checking.verify(device.session, lambda _, __: None)
    world.alarms += [Alarm(device.label, text) for text in found.problems]
    return f"checked {found.events}"


def _reopen(_world: World, device: Device, _chance: random.Random) -> str:
    device.close()
    device.open()
    return "opened"


def _contact(world: World, device: Device, chance: random.Random) -> str:
    others = [one for one in world.others(device) if not one.quiet]
    if device.quiet or not others:
        return "alone"
    other = chance.choice(others)
    return f"{world.meet(device, other)} with {other.label}"


def _cut_contact(world: World, device: Device, chance: random.Random) -> str:
    others = world.others(device)
    if not others:
        return "alone"
    other = chance.choice(others)
    return f"{world.meet(device, other, cut=int(2 ** (chance.random() * 16)))} with {other.label}"


def _crash_contact(world: World, device: Device, chance: random.Random) -> str:
    others = world.others(device)
    if not others:
        return "alone"
    other = chance.choice(others)
    victim = chance.choice([device, other])
    other.session.clock.now()  # open before its thread begins
    victim.fuse.set(chance.randrange(60))
    try:
        return f"{world.meet(device, other)} with {other.label}"
    finally:
        victim.fuse.set(None)


def _visit_stick(world: World, device: Device, _chance: random.Random) -> str:
    return "alone" if device.quiet else world.visit(device, world.stick)


def _visit_cloud(world: World, device: Device, chance: random.Random) -> str:
    return "alone" if device.quiet else world.visit(device, world.cloud(device))


def _crash_visit(world: World, device: Device, chance: random.Random) -> str:
    device.light(chance.randrange(40))
    done = world.visit(device, world.stick)
    device.light(None)
    return done


def _copy_files(world: World, device: Device, chance: random.Random) -> str:
    others = world.others(device)
    if not others or not (world.cloud(device) / BASE).is_dir():
        return "alone"
    other = chance.choice(others)
    world.cloud(other).mkdir(exist_ok=True)
    return f"copied {links.copy_files(chance, world.cloud(device), world.cloud(other))} to {other.label}"


def _carry(world: World, device: Device, chance: random.Random) -> str:
    """Segments that come doubled, out of order and with holes: `sync.gap` is then no false alarm."""
    others = world.others(device)
    if not others:
        return "alone"
    other = chance.choice(others)
    kept, problems = links.carry(chance, device, other)
    world.acknowledge(other)
    odd = [one for one in problems if one.code not in {"sync.gap", "space.not_for_us"}]
    world.alarms += [Alarm(other.label, one.text) for one in odd]
    return f"carried {kept} to {other.label}"


def _split(world: World, _device: Device, chance: random.Random) -> str:
    if world.split:
        world.split.clear()
        return "healed"
    world.split = {one.label: chance.randrange(2) for one in world.devices}
    return "split"


def _hush(_world: World, device: Device, _chance: random.Random) -> str:
    device.quiet = not device.quiet
    return "quiet" if device.quiet else "speaks"


def _jump(world: World, device: Device, chance: random.Random) -> str:
    days = chance.choice([-400, -90, -1, 0, 0, 1, 40, 200])
    world.offsets[device.label] = days * DAY_MS + chance.randrange(HOUR_MS)
    device.clock.at = world.now + world.offsets[device.label]
    return f"jumped {days}"


def _relay(world: World, device: Device, chance: random.Random) -> str:
    return "alone" if device.quiet else world.call(device, chance.choice(world.net.places))


def _weak_relay(world: World, device: Device, chance: random.Random) -> str:
    """Requests are lost, answered in vain, doubled, or come much later."""
    faults = [chance.choice([None, None, *NET_FAULTS]) for _ in range(chance.randint(1, 8))]
    for fault in faults:
        world.counts[f"net: {fault}"] += 1
    return world.call(device, chance.choice(world.net.places), faults)


def _crash_at_relay(world: World, device: Device, chance: random.Random) -> str:
    return world.call(device, chance.choice(world.net.places), dies_at=chance.randrange(60))


def _relay_lies(world: World, device: Device, chance: random.Random) -> str:
    place, how = chance.choice(world.net.places), chance.choice(LIES)
    if chance.random() < 0.4:
        place.keep()
    if not place.lie(how, chance, device.label):
        return "nothing"
    world.counts[f"relay: {how}"] += 1
    return f"lies {how} {place.number}"


def _relay_repents(world: World, _device: Device, chance: random.Random) -> str:
    chance.choice(world.net.places).honest()
    return "honest"


def _back_up(_world: World, device: Device, _chance: random.Random) -> str:
    device.back_up()
    return "saved"


def _restore(world: World, device: Device, chance: random.Random) -> str:
    """An older state of the whole home is put back, its anchor included or not."""
    if not device.backups:
        return "nothing"
    before, with_anchor = own.written(device.session.db), chance.random() < 0.5
    device.restore(chance.choice(device.backups), with_anchor=with_anchor)
    world.suspects |= device.keys
    world.forget_lost(device)
    older = own.written(device.session.db).total < before.total
    if older and not with_anchor and not device.session.behind:
        raise Broken(f"{device.label} was put back, its anchor was not, and it did not notice")
    return f"restored{' older' if older else ''}{', noticed' if device.session.behind else ''}"


def _clone(world: World, device: Device, chance: random.Random) -> str:
    """The home is copied to another machine, and both go on."""
    if len(world.devices) >= _MOST or device.label.count("+") > 1:
        return "enough"
    label = f"{device.label}+{len(world.devices)}"
    world.devices.append(device.clone(label, world.folder / label, random.Random(f"{label} {chance.random()}")))
    world.suspects |= device.keys
    return f"cloned {label}"


def _renew(world: World, device: Device, _chance: random.Random) -> str:
    if not device.session.behind:
        return "fine"
    return world.renew(device)


def _join(world: World, device: Device, chance: random.Random) -> str:
    """A person lets a further device in."""
    if len(world.devices) >= _MOST:
        return "enough"
    label = f"{device.person}.{len(world.devices)}"
    at = world.folder / label
    at.mkdir(mode=0o700)
    limited = chance.random() < 0.2
    try:
        kin.join(device.session, at, label, limited=limited, clock=device.clock).close()
    except ChaiseError as error:
        shutil.rmtree(at)
        return f"refused {_refusal(world, device, error)}"
    made = Device(
        label, device.person, Home(at / label), at / f"{label}.key", random.Random(f"{label} {chance.random()}")
    )
    made.around, made.clock.at, made.above = device.around, device.clock.at, device.keys | device.above
    made.holder = device.holder
    world.devices.append(made)
    world.acknowledge(made)
    world.acknowledge(device)
    return f"joined {label}{' limited' if limited else ''}"


def _revoke(world: World, device: Device, chance: random.Random) -> str:
    """A person revokes one of her devices, with the one at hand or by the recovery code; a copy of it goes with it."""
    mine = [one for one in world.devices if one.person == device.person and one is not device]
    if not mine:
        return "alone"
    target = chance.choice(mine)
    code = kin.recovery_code(device.person) if chance.random() < 0.6 else None
    try:
        revoking.revoke(device.session, public("dev", target.session.me.device), code, None)
    except ChaiseError as error:
        return f"refused {_refusal(world, device, error)}"
    world.acknowledge(device)
    world.suspects |= target.keys
    world.revoked |= target.keys
    return f"revoked {target.label}{' by code' if code else ''}"


def _move(world: World, device: Device, chance: random.Random) -> str:
    """The agent's role of all deals, or of one, goes to a device of the client's."""
    mine = [one for one in world.devices if one.person == device.person]
    target = public("dev", chance.choice(mine).session.me.device)
    deals = device.spaces("deal")
    given = [chance.choice(deals).id] if deals and chance.random() < 0.7 else None
    try:
        done = moving.move(device.session, given, target, None)
    except ChaiseError as error:
        return f"refused {_refusal(world, device, error)}"
    world.acknowledge(device)
    return "moved" if done.events else "nothing"


def _agent(world: World, _device: Device, chance: random.Random) -> str:
    """A round of the agent's loop, on one of the devices of who holds the money."""
    device = chance.choice(world.holders())
    done = agency.a_round(world.till, device, chance, world.counts)
    world.acknowledge(device)
    agency.lawful(device)
    return f"{done} on {device.label}"


def _agent_moves(world: World, _device: Device, chance: random.Random) -> str:
    """Who holds the money gives the role of its deals to another of its devices, or takes it."""
    return _move(world, chance.choice(world.holders()), chance)


def _raw(world: World, device: Device, chance: random.Random) -> str:
    """Software of its own signs what no rule has looked at, with a key that is really its owner's."""
    forger = world.forger(chance)
    deals = forger.home.spaces("deal") if forger else []
    if forger is None or not deals:
        return "nothing"
    name = chance.choice([name for name in fake_acts.ACTS if name.startswith("raw ")])
    done = fake_acts.do(forger.home.session, chance.choice(deals).id, name, chance.randrange(30))
    world.acknowledge(forger.home)
    return f"{'signed' if done else 'refused'} {name}"


def _lie(world: World, device: Device, chance: random.Random) -> str:
    """The liar writes one more event by hand, now and then a second history, and tells somebody."""
    forger = world.forger(chance)
    if forger is None:
        return "nothing"
    forger.chance = chance
    split = chance.random() < 0.3
    made = ("fork", forger.fork()) if split else forger.write()
    if made is None or made[1] is None:
        return "nothing"
    world.suspects |= forger.devices
    world.counts[f"lie: {made[0]}"] += 1
    to = chance.choice([one for one in world.devices if one is not forger.home])
    odd = [one for one in forger.tell(to, made[1]) if one.code != "sync.gap"]
    world.alarms += [Alarm(to.label, one.text) for one in odd]
    world.acknowledge(to)
    return f"told {to.label} {made[0]}"


def _rubbish(world: World, device: Device, chance: random.Random) -> str:
    """Somebody damages the stick: files cut short, changed, copied under wrong names, or not ours at all."""
    packs = world.stick / BASE / "packs"
    files = sorted(packs.glob("*.pack")) if packs.is_dir() else []
    if not files:
        return "nothing"
    world.damage = True
    path = chance.choice(files)
    data = bytearray(path.read_bytes())
    how = chance.choice(["cut", "flip", "foreign", "gone"])
    if how == "cut":
        path.write_bytes(data[: chance.randrange(len(data))])
    elif how == "flip":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    elif how == "foreign":
        (packs / f"{chance.randbytes(32).hex()}.pack").write_bytes(chance.randbytes(200))
    else:
        path.unlink()
    return f"damaged {how}"


STEPS: Final[dict[str, Callable[[World, Device, random.Random], str]]] = {
    "act": _act, "repeat": _repeat, "crash": _crash_acting, "verify": _verify, "reopen": _reopen,
    "contact": _contact, "cut": _cut_contact, "crash in contact": _crash_contact,
    "stick": _visit_stick, "crash at stick": _crash_visit, "cloud": _visit_cloud, "copy": _copy_files,
    "carry": _carry, "split": _split, "hush": _hush, "jump": _jump, "back up": _back_up, "restore": _restore,
    "clone": _clone, "renew": _renew, "raw": _raw, "lie": _lie, "rubbish": _rubbish,
    "relay": _relay, "weak relay": _weak_relay, "crash at relay": _crash_at_relay, "relay lies": _relay_lies,
    "relay repents": _relay_repents, "join": _join, "revoke": _revoke, "move": _move,
    "agent": _agent, "pay": _pay, "agent moves": _agent_moves,
}  # fmt: skip
"""Every step, by name. What another part of the product brings is one more row."""
