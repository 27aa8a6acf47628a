"""Homes with content for the benchmarks, made through the same doors as real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaise_cli import clock
from chaise_cli.crypto import signing
from chaise_cli.domain import agent, directory, escrow, hiring, talk, terms
from chaise_cli.ids import DeviceId, SpaceId, raw, text
from chaise_cli.ledger import certificate
from chaise_cli.session import dealing, founding, joining, opening, pairing, profiles, writing
from chaise_cli.session import home as homes
from chaise_cli.store import events, own

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

BRIEF: Final = "We sell outdoor gear and want more visits from search before the winter season begins. " * 2
WORDS: Final = "Tracking is in place; the next report comes on Friday. " * 2 + "See you soon."
SKILLS: Final = ("seo", "ads", "python", "react", "copywriting", "design", "video", "analytics")


def person(folder: Path, name: str, role: str) -> Session:
    """A new home with a key file."""
    settings = own.Settings(name.lower(), name, role, "EUR", "Europe/Berlin", None)
    home = homes.Home(folder / name.lower())
    secrets = founding.Secrets(None, folder / f"{name.lower()}.key")
    return founding.found(home, settings, secrets, "bench", clock.SystemClock(), clock.random_bytes).session


def second_device(folder: Path, first: Session) -> Session:
    """An empty home of the same person: another device key, the same box key; as a joined device would be."""
    made = person(folder, "second", first.me.settings.role)
    seed = signing.generate_seed(clock.random_bytes)
    device = DeviceId(text(signing.Ed25519Signer(seed).public))
    issuer = signing.Ed25519Signer(own.device_seed(first.db, first.me.device))
    issued = certificate.issue(issuer, "admin", first.me.identity, device, "second", 0)
    with made.admitting():
        made.db.execute("DELETE FROM own WHERE name = 'box' OR name LIKE 'box _%'")
        for name, value in first.db.execute("SELECT name, value FROM own WHERE name = 'box' OR name LIKE 'box _%'"):
            own.put(made.db, name, value)
        own.put(made.db, "identity", raw(first.me.identity))
        own.add_device(made.db, device, seed, json.dumps([issued.value(), *own.certificates(first.db)]))
    made.me = type(made.me)(first.me.identity, device, first.me.settings)
    return made


def joined(folder: Path, first: Session, name: str = "joined") -> Session:
    """A further device of the same person, let in as `device add` and `device join` do; nothing was synced yet."""
    waiting = pairing.begin(first, name, limited=False)
    asked = pairing.ask(waiting.code, name, clock.random_bytes)
    got = pairing.granted(asked, pairing.answer(first, waiting.mailbox, asked.message))
    secrets = founding.Secrets(None, folder / f"{name}.key")
    plan = joining.Plan(homes.Home(folder / name), secrets, name)
    return joining.settle(plan, asked, got, None, clock.SystemClock(), clock.random_bytes)


def board(session: Session, *, member: Session | None = None) -> Space:
    """A board of `session`, its profile on it; `member` has joined and published a profile too."""
    with session.writing():
        writer = writing.Writer(session)
        space = writer.genesis("board")
        secret = clock.random_bytes(32)
        session.epochs.add(space, secret)
        space = session.space(space.no)
        writer.write(space, [directory.BoardNamed("bench"), profile(session)])
    if member is not None:
        with member.writing():
            theirs = events.add_space(member.db, space.id, "board", "", b"")
            member.epochs.add(theirs, secret)
            writing.Writer(member).write(member.space(theirs.no), [profile(member)])
    return space


def profile(session: Session) -> directory.ProfilePublished:
    """A profile of a home's owner."""
    me = session.me.settings
    return directory.ProfilePublished(
        me.handle, me.name, me.role, "", "", ("seo",), (), "", (), me.tz, profiles.box_key(session)
    )


def posts(session: Session, space: Space, count: int) -> None:
    """Posts on a board, in one transaction."""
    with session.writing():
        writing.Writer(session).write(space, [post(number) for number in range(count)])


def post(number: int) -> directory.PostPublished:
    """The post of this number."""
    budget = directory.Budget(100_000 + number % 977 * 100, 300_000 + number % 977 * 100, "EUR")
    skills = (SKILLS[number % 8], SKILLS[(number + 3) % 8])
    return directory.PostPublished(
        f"Project {number}", "marketing", tuple(sorted(skills)), budget, None, "Europe/Berlin", "remote", BRIEF
    )


def deal(client: Session, talent: opening.Counterpart, board_id: SpaceId) -> Space:
    """A new deal, opened by the client."""
    with client.writing():
        return opening.open_deal(client, writing.Writer(client), talent, board_id, None, client=True)


def counterpart(session: Session, device_of: Session | None = None) -> opening.Counterpart:
    """A home's owner as the other side of a deal."""
    signer = device_of or session
    return opening.Counterpart(session.me.identity, profiles.box_key(session), signer.me.device)


def messages(session: Session, space: Space, count: int) -> None:
    """Messages of 120 characters, in one transaction."""
    with session.writing():
        writing.Writer(session).write(session.space(space.no), [talk.MessageSent(WORDS, ())] * count)


def offer(client: Session, space: Space, milestones: int) -> None:
    """Terms over `milestones` parts of 100.00 EUR, sent."""
    parts = tuple(terms.Part(f"Part {n}", 10_000, None, (), 3) for n in range(1, milestones + 1))
    with client.writing():
        writer = dealing.DealWriter(client, writing.Writer(client), client.space(space.no))
        sent = hiring.draft(writer.state.deal, milestones=parts, currency="EUR")
        writer.write(hiring.hire(writer.state.deal, writer.by, sent, writer.sign))


def accept(talent: Session, space: Space) -> None:
    """The terms of a deal that has arrived, signed."""
    theirs = events.find_space(talent.db, space.id)
    assert theirs, "the deal has arrived"
    with talent.writing():
        writer = dealing.DealWriter(talent, writing.Writer(talent), theirs)
        writer.write(hiring.accept_terms(writer.state.deal, writer.by, writer.sign))


def money(client: Session, space: Space, milestones: int) -> None:
    """Each milestone funded, held, released and paid out: five events each."""
    with client.writing():
        writer = dealing.DealWriter(client, writing.Writer(client), client.space(space.no))
        for n in range(1, milestones + 1):
            asked = writer.write(escrow.fund(writer.state.deal, writer.by, n))[0]
            writer.write(agent.attest(writer.state.deal, writer.by, asked, "in"))
            given = writer.write(escrow.release(writer.state.deal, writer.by, n))[0]
            writer.write(agent.agent_duties(writer.state.deal, writer.by))
            writer.write(agent.attest(writer.state.deal, writer.by, given, "out"))
