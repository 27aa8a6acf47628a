"""A deal as far as the hire: Lisa is the client and her own agent, James the talent; two milestones."""

from __future__ import annotations

from typing import Any

from chaise_cli.domain import hiring
from chaise_cli.domain.terms import Part
from chaise_cli.ids import IdentityId, raw
from chaise_cli.session import dealing, finding, opening, upkeep, writing
from chaise_cli.session.session import Session
from tests.e2e.people import Person, exchange

DAY_MS = 86_400_000
DUE = 1_796_169_600_000  # 2026-12-02T00:00:00Z
PARTS = (Part("Setup", 60_000, DUE, ("it runs",), 1), Part("Run", 140_000, DUE + 14 * DAY_MS, (), None))


def hired(client: Person, talent: Person, parts: tuple[Part, ...] = PARTS, money: str = "EUR", **terms: Any) -> str:
    """The public id of a deal that both have signed and both hold. Without commands: this runs before most tests."""
    post = client.does("post", "Holiday campaign", "--kind", "marketing", "--budget", "1500..2500EUR")
    exchange(client, talent)
    with client.session() as session:
        other = IdentityId(finding.find(session, talent.id, "id").id)
        event = finding.find(session, post["id"], "post").id
        with session.writing():
            writer = writing.Writer(session)
            them, board = opening.counterpart(session, event, other)
            space = opening.open_deal(session, writer, them, board, event, client=True)
            deal = dealing.DealWriter(session, writer, session.space(space.no))
            draft = hiring.draft(deal.state.deal, milestones=parts, currency=money, **terms)
            deal.write(hiring.hire(deal.state.deal, deal.by, draft, deal.sign))
            public = deal.state.deal.public
    exchange(client, talent)
    with talent.session() as session, session.writing():
        deal = writer_of(session, public)
        deal.write(hiring.accept_terms(deal.state.deal, deal.by, deal.sign))
    exchange(client, talent)
    kept_up(client)
    exchange(client, talent)
    return public


def kept_up(*people: Person) -> list[str]:
    """Let each device do what falls due, as it does after every sync; the problems."""
    found = []
    for one in people:
        with one.session() as session:
            found += upkeep.run(session)
    return found


def settle(*people: Person) -> None:
    """Exchange and keep up until everything has come round."""
    exchange(*people)
    assert kept_up(*people) == []
    exchange(*people)


def writer_of(session: Session, public: str) -> dealing.DealWriter:
    """The way to write into a deal, inside a transaction of the session."""
    space = finding.space_no(session, finding.find(session, public, "deal").space)
    return dealing.DealWriter(session, writing.Writer(session), session.space(space))


def events_of(person: Person) -> int:
    """How many events this home has written."""
    with person.session() as session:
        count: int = session.db.execute(
            "SELECT count(*) FROM event e JOIN chain c ON c.no = e.chain WHERE c.device = ?", (raw(session.me.device),)
        ).fetchone()[0]
    return count


def fund(client: Person, milestone: str, amount: str = "600.00 EUR") -> Any:
    """Money is held for a milestone, the client being the agent."""
    return client.does("fund", milestone, "--ref", "transfer 4711", "--confirm", f"{amount} held by {client.at}")
