"""What people do in a run: the calls that the commands make, with arguments that chance picks among what is there.

An act looks at the home, and gives what to call, or None when there is nothing to do it to. Calling it may be
refused by a rule like any command; calling it again with the same request is a replay.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chaise_cli.domain import booking_view, expected, may
from chaise_cli.domain.deal_state import DealState
from chaise_cli.domain.directory import PostPublished, ServicePublished
from chaise_cli.domain.money import Money
from chaise_cli.domain.terms import Planned
from chaise_cli.ids import EventId, IdentityId, SpaceId, base32, public, raw, text
from chaise_cli.session import (
    answering,
    boards,
    calls,
    escrow,
    finding,
    hiring,
    paying,
    posting,
    profiles,
    settling,
    showing,
    talking,
    trust,
    working,
)  # fmt: skip
from chaise_cli.session.requests import Request
from chaise_cli.session.session import Session
from tests.simulator.devices import DAY_MS, HOUR_MS, Device

Call = Callable[[Session, Request | None], Any]
SKILLS: Final = ("seo", "python", "design")


@dataclass
class Scene:
    """One device about to act, what chance it has, and the deal it looks at."""

    device: Device
    chance: random.Random
    deal: DealState | None = None
    about: tuple[int | None, EventId | None] = (None, None)  # the milestone or call that is meant

    @property
    def session(self) -> Session:
        """The open home."""
        return self.device.session

    @property
    def me(self) -> IdentityId:
        """Who acts."""
        return self.session.me.identity

    @property
    def now(self) -> int:
        """What its clock says."""
        return self.device.clock.at

    @property
    def space(self) -> SpaceId:
        """The deal's space."""
        assert self.deal is not None, "asked by acts in a deal"
        return self.deal.deal.space

    @property
    def n(self) -> int:
        """The milestone that is meant, else some milestone of the deal, sometimes one that is not there."""
        if self.about[0] is not None:
            return self.about[0]
        count = len(self.deal.deal.milestones) if self.deal else 0
        return 1 + self.chance.randrange(count + 1 if self.chance.random() < 0.02 else max(count, 1))

    def money(self, least: int = 1, most: int = 90_000) -> Money:
        """Some amount."""
        return Money(self.chance.randint(least, most), "EUR")

    @property
    def call(self) -> EventId | None:
        """The call that is meant, else some call of the deal."""
        return self.about[1] or (self.pick(sorted(self.deal.bookings.by_id)) if self.deal else None)

    def words(self) -> str:
        """Something to say."""
        return f"words {self.chance.randrange(10**6)}"

    def pick(self, rows: Sequence[Any]) -> Any:
        """One of `rows`, None of none."""
        return self.chance.choice(rows) if rows else None

    def files(self) -> list[Path]:
        """Now and then something to attach."""
        if self.chance.random() > 0.2:
            return []
        path = self.device.folder / f"file-{self.chance.randrange(4)}.txt"
        path.write_bytes(random.Random(path.name).randbytes(200))
        return [path]

    def rows(self, query: str, *values: Any) -> list[str]:
        """Ids found in the store, in order."""
        return [text(row[0]) for row in self.session.db.execute(query, values).fetchall()]


def posts(scene: Scene, *, mine: bool, open_only: bool = True) -> list[str]:
    """Posts on the boards held."""
    where = "author = ?" if mine else "author <> ?"
    ended = " AND ended = ''" if open_only else ""
    query = f"SELECT id FROM listing WHERE what = 'post' AND {where}{ended} ORDER BY id"  # noqa: S608
    return scene.rows(query, raw(scene.me))


def _people(scene: Scene) -> list[str]:
    query = "SELECT DISTINCT identity FROM profile WHERE identity <> ? ORDER BY identity"
    return [one for one in scene.rows(query, raw(scene.me)) if one in scene.device.around]


def _boards(scene: Scene) -> str | None:
    found = scene.pick(scene.device.spaces("board"))
    return public("board", found.id) if found else None


def _post(scene: Scene) -> Call | None:
    board = _boards(scene)
    deadline = scene.now + scene.chance.randint(5, 60) * DAY_MS if scene.chance.random() < 0.5 else None
    content = PostPublished(scene.words(), "marketing", (scene.pick(SKILLS),), None, deadline, "UTC", "", "Sell.")
    return lambda s, asked: posting.publish(s, content, board, asked)


def _revise(scene: Scene) -> Call | None:
    found, words = scene.pick(posts(scene, mine=True)), scene.words()
    return found and (lambda s, asked: posting.revise(s, finding.Named("post", found), {"brief": words}, asked))


def _close(scene: Scene) -> Call | None:
    found = scene.pick(posts(scene, mine=True))
    return found and (lambda s, asked: posting.close(s, finding.Named("post", found), asked))


def _service(scene: Scene) -> Call | None:
    board = _boards(scene)
    content = ServicePublished(scene.words(), "web", "Sites.", None, 5, (scene.pick(SKILLS),))
    return lambda s, asked: posting.publish(s, content, board, asked)


def _profile(scene: Scene) -> Call | None:
    said = {"headline": scene.words(), "tz": scene.pick(["UTC", "Europe/Berlin"])}
    return lambda s, asked: profiles.publish(s, said, None, asked)


def _board(scene: Scene) -> Call | None:
    words = scene.words()
    return lambda s, asked: boards.create(s, words, None, asked)


def _invite(scene: Scene) -> Call | None:
    post, other, words = scene.pick(posts(scene, mine=True)), scene.pick(_people(scene)), scene.words()
    if post is None or other is None:
        return None
    return lambda s, asked: hiring.invite(s, asked, EventId(post), IdentityId(other), words)


def _draft(scene: Scene) -> hiring.Draft:
    parts = [
        Planned(f"Part {n}", scene.chance.randint(1, 90_000), scene.now + n * 10 * DAY_MS)
        for n in range(1, scene.chance.randint(2, 4))
    ]
    until = scene.now + 20 * DAY_MS if scene.chance.random() < 0.2 else None
    return hiring.Draft(parts, "EUR", None, scene.words(), until, "UTC")


def _propose(scene: Scene) -> Call | None:
    what = finding.Named("deal", scene.space) if scene.deal else None
    if what is None or scene.chance.random() < 0.5:
        post = scene.pick(posts(scene, mine=False))
        what = finding.Named("post", post) if post else what
    draft = _draft(scene)
    return what and (lambda s, asked: hiring.propose(s, asked, what, draft))


def _in_deal(act: Callable[[Scene], Call]) -> Callable[[Scene], Call | None]:
    """An act for which there has to be a deal."""
    return lambda scene: act(scene) if scene.deal else None


def _hire(scene: Scene) -> Call:
    space = scene.space
    review = scene.pick([None, None, 2 * DAY_MS, 14 * DAY_MS])
    changes = hiring.Changes(review_ms=review, auto_release=scene.pick([None, True, False]))
    if scene.device.holder is not None and scene.chance.random() < 0.9:
        fees = [scene.chance.choice([0, 250, 333]) for _ in range(2)]
        changes = changes._replace(agent=scene.device.holder, rail="sim", client_fee=fees[0], talent_fee=fees[1])
    return lambda s, asked: hiring.hire(s, asked, space, changes, beyond=True)


def _accept(scene: Scene) -> Call:
    space = scene.space
    offer = scene.deal.deal.offer if scene.deal else None
    read = offer.hash if offer and scene.chance.random() < 0.8 else None
    return lambda s, asked: hiring.accept(s, asked, space, read)


def _shortlist(scene: Scene) -> Call:
    space = scene.space
    return lambda s, asked: hiring.shortlist(s, asked, space)


def _decline(scene: Scene) -> Call:
    space, words = scene.space, scene.words()
    return lambda s, asked: hiring.decline(s, asked, space, words)


def _withdraw(scene: Scene) -> Call:
    space = scene.space
    return lambda s, asked: hiring.withdraw(s, asked, space)


def _message(scene: Scene) -> Call | None:
    words, files = scene.words(), scene.files()
    other = scene.pick(_people(scene))
    if scene.deal:
        what = finding.Named("deal", scene.space)
    elif other:
        what = finding.Named("id", other)
    else:
        return None
    return lambda s, asked: talking.message(s, asked, what, words, files)


def _update(scene: Scene) -> Call:
    space, n, words, files = scene.space, scene.pick([None, scene.n]), scene.words(), scene.files()
    return lambda s, asked: working.update(s, space, n, words, files, asked)


def _deliver(scene: Scene) -> Call:
    space, n, words, files = scene.space, scene.n, scene.words(), scene.files()
    return lambda s, asked: working.deliver(s, space, n, words, files, asked)


def _changes(scene: Scene) -> Call:
    space, n, words = scene.space, scene.n, scene.words()
    return lambda s, asked: working.changes(s, space, n, words, asked)


def _money(verb: str) -> Callable[[Scene], Call]:
    """Fund, release or refund: an end or a step, confirmed as a rehearsal says."""

    def act(scene: Scene) -> Call:
        how = scene.pick(["all", "all", "total", "amount"])
        n = None if verb == "fund" and how == "all" and scene.chance.random() < 0.3 else scene.n
        total, amount = (scene.money() if how == name and n else None for name in ("total", "amount"))
        ref = f"transfer {scene.chance.randrange(1000)}" if _may_attest(scene) and scene.chance.random() < 0.4 else None
        order = escrow.Order(verb, scene.space, n, total, amount, ref)

        def call(session: Session, asked: Request | None) -> Any:
            whole = order._replace(asked=asked)
            if asked is None and amount is not None:
                whole = whole._replace(asked=Request(f"step {session.random(8).hex()}", text(session.random(32))))
            confirm = escrow.preview(session, whole)
            return escrow.act(session, whole._replace(confirm=confirm))

        return call

    return act


def _may_attest(scene: Scene) -> bool:
    assert scene.deal is not None, "an act in a deal"
    return scene.deal.deal.parties.agent == scene.me


def _attest(scene: Scene) -> Call | None:
    due = scene.pick(paying.due(scene.session))
    if due is None or scene.me == scene.device.holder:  # whose rail moves money by itself
        return None
    op = EventId(finding.find(scene.session, due["id"], "op").id)
    ref, declined = ("paid", None) if scene.chance.random() < 0.8 else (None, "no funds")
    return lambda s, asked: paying.attest(s, op, ref, declined, asked)


def _of_milestone(verb: str) -> Callable[[Scene], Call]:
    def act(scene: Scene) -> Call:
        what = finding.Named("deal", scene.space, scene.n)
        reason = scene.words() if verb == "cancel" else None
        return lambda s, asked: answering.answer(s, verb, answering.Answer(what, asked, reason))

    return act


def _book(scene: Scene) -> Call:
    hours = [scene.now // HOUR_MS + scene.chance.randint(2, 90) for _ in range(scene.chance.randint(1, 2))]
    known = scene.call if scene.about[1] or scene.chance.random() < 0.3 else None
    what = finding.Named("book", known) if known else finding.Named("deal", scene.space)
    overlap = scene.chance.random() < 0.5
    at = [hour * HOUR_MS for hour in dict.fromkeys(hours)]
    offering = calls.Offering(at, "UTC", None, None, None, None, None, allow_overlap=overlap)
    return lambda s, asked: calls.offer(s, asked, what, offering)


def _of_call(verb: str) -> Callable[[Scene], Call | None]:
    def act(scene: Scene) -> Call | None:
        found = scene.call
        if found is None:
            return None
        if verb == "outcome":
            missing = scene.pick([None, None, "client", "talent"])
            return lambda s, asked: calls.outcome(s, asked, EventId(found), missing)
        slot = 1 if verb == "accept" else None
        reason = scene.words() if verb in ("decline", "cancel") else None
        given = answering.Answer(finding.Named("book", found), reason=reason, slot=slot)
        return lambda s, asked: answering.answer(s, verb, given._replace(asked=asked))

    return act


def _review(scene: Scene) -> Call:
    space, words = scene.space, trust.Words(scene.chance.randint(1, 5), scene.pick([None, True]), scene.words())
    return lambda s, asked: trust.review(s, space, words, asked)


def _settle(scene: Scene) -> Call:
    """Rather the history that stands, so that the other side may name the same."""
    named = finding.Named("deal", scene.space)
    ways = settling._ways(scene.session, named)
    way = next((one for one in ways if one.stands), None) if scene.chance.random() < 0.8 else scene.pick(ways)
    last = base32(raw((way or ways[0]).events[-1])) if ways else ""
    return lambda s, asked: settling.settle(s, named, last, asked)


ACTS: Final[dict[str, Callable[[Scene], Call | None]]] = {
    "post": _post, "post edit": _revise, "close": _close, "service": _service, "profile": _profile,
    "board create": _board, "invite": _invite, "propose": _propose, "message": _message, "attest": _attest,
    "hire": _in_deal(_hire), "accept": _in_deal(_accept), "shortlist": _in_deal(_shortlist),
    "decline": _in_deal(_decline), "withdraw": _in_deal(_withdraw), "update": _in_deal(_update),
    "deliver": _in_deal(_deliver), "changes": _in_deal(_changes), "fund": _in_deal(_money("fund")),
    "release": _in_deal(_money("release")), "refund": _in_deal(_money("refund")),
    "cancel": _in_deal(_of_milestone("cancel")), "let go": _in_deal(_of_milestone("accept")),
    "hold on": _in_deal(_of_milestone("decline")), "take back": _in_deal(_of_milestone("withdraw")),
    "book": _in_deal(_book), "accept call": _of_call("accept"), "decline call": _of_call("decline"),
    "withdraw call": _of_call("withdraw"), "cancel call": _of_call("cancel"), "outcome": _of_call("outcome"),
    "review": _in_deal(_review),
}  # fmt: skip
"""Every act, by name. What another part of the product brings is one more row."""
# What only some deals wait for, and is not done out of the blue; the draws of earlier seeds stay as they were.
_WAITED_FOR: Final[dict[str, Callable[[Scene], Call | None]]] = ACTS | {"settle": _in_deal(_settle)}

# From the verbs that the product itself says somebody may type to the acts above.
_OF_DEAL: Final = {verb: verb for verb in ("invite", "propose", "shortlist", "hire", "accept", "decline", "withdraw")}
_OF_MILESTONE: Final = {verb: verb for verb in ("fund", "deliver", "changes", "release", "refund", "cancel")} | {
    "accept": "let go", "decline": "hold on", "withdraw": "take back", "rail attest": "attest",
}  # fmt: skip
_OF_CALL: Final = {verb: f"{verb} call" for verb in ("accept", "decline", "withdraw", "cancel")} | {
    "book": "book", "book --met": "outcome", "book --no-show": "outcome",
}  # fmt: skip
_EXPECTED: Final = {
    "terms": "accept", "cancel": "let go", "delivery": "release", "call": "accept call", "call_lapsed": "book",
    "call_lost": "book", "call_outcome": "outcome", "proposal": "shortlist", "shortlisted": "hire",
    "invitation": "propose", "changes": "deliver", "funded": "deliver", "planned": "fund", "hold": "attest",
    "payout": "attest", "review": "review", "talk": "propose", "consent": "accept", "contested": "settle",
}  # fmt: skip
_EARLY: Final = ("post", "propose", "propose", "message", "invite")
_INSTEAD: Final = {
    "let go": ("let go", "hold on"), "release": ("release", "changes", "refund"), "deliver": ("deliver", "cancel"),
}  # fmt: skip

Wish = tuple[str, int | None, EventId | None]  # an act, and the milestone or call it is about


def choose(device: Device, chance: random.Random, done: Counter[str]) -> tuple[str, Call | None]:
    """An act for this device: what moves one of its deals on, what it may do there and was done least, or anything."""
    scene = Scene(device, chance, _some_deal(device, chance))
    kind = chance.random()
    wish: Wish | None = None
    if kind < 0.5:
        wish = _rarest(scene, list(_expected(scene)), done)
    elif kind < 0.85:
        wish = _rarest(scene, list(_allowed(scene)), done)
    elif kind < 0.95:
        wish = (chance.choice(_EARLY), None, None)
    name, n, booking = wish or (chance.choice(list(ACTS)), None, None)
    scene.about = (n, booking)
    return name, _WAITED_FOR[name](scene)


def choose_of_money(device: Device, chance: random.Random, done: Counter[str]) -> tuple[str, Call | None]:
    """An act on a milestone whose money a third party holds, for this device: one that it may, or is expected to."""
    query = "SELECT s.id FROM deal d JOIN space s ON s.no = d.space WHERE d.holder <> d.client ORDER BY s.id"
    found = device.session.db.execute(query).fetchall()
    if not found:
        return "none", None
    scene = Scene(device, chance, showing.state_of(device.session, SpaceId(text(chance.choice(found)[0]))))
    of_money = {"settle", *_OF_MILESTONE.values()}
    wishes = [wish for wish in (*_expected(scene), *_allowed(scene)) if wish[0] in of_money]
    wishes = [wish for wish in wishes if wish[0] != "cancel" or chance.random() < 0.1]  # which ends it all
    wish = _rarest(scene, wishes, done) if chance.random() < 0.5 else scene.pick(wishes)
    if wish is None:
        return "none", None
    scene.about = (wish[1], None)
    return wish[0], _WAITED_FOR[wish[0]](scene)


def _rarest(scene: Scene, wishes: Sequence[Wish], done: Counter[str]) -> Wish | None:
    """One of those that were done least."""
    least = min((done[f"act {name}: done"] for name, _, _ in wishes), default=0)
    rarest = [wish for wish in wishes if done[f"act {wish[0]}: done"] == least]
    return scene.chance.choice(rarest) if rarest else None


def _some_deal(device: Device, chance: random.Random) -> DealState | None:
    """One of the deals that are open here, rather one in which somebody was hired."""
    session = device.session
    query = (
        "SELECT s.id FROM deal d JOIN space s ON s.no = d.space WHERE ? IN (d.client, d.talent, d.holder)"
        " ORDER BY d.state IN ('hired', 'offered'), d.at, s.id"
    )
    found = session.db.execute(query, (raw(session.me.identity),)).fetchall()
    return showing.state_of(session, SpaceId(text(chance.choice(found[-3:])[0]))) if found else None


def _roles(scene: Scene, state: DealState) -> set[str]:
    parties = state.deal.parties
    roles = {"client": parties.client, "talent": parties.talent, "agent": parties.agent}
    return {role for role, who in roles.items() if who == scene.me}


def _expected(scene: Scene) -> Iterator[Wish]:
    """What the deal waits for from this person."""
    if scene.deal is None:
        return
    mine = _roles(scene, scene.deal)
    for one in expected.of(scene.deal, scene.now):
        if one.who in mine:
            n = int(one.of.partition("/")[2]) if "/" in one.of else None
            ids = map(EventId, sorted(scene.deal.bookings.by_id))
            call = next((id_ for id_ in ids if public("book", id_) == one.of), None)
            name = _EXPECTED[one.kind]
            yield from ((other, n, call) for other in _INSTEAD.get(name, (name,)))


def _allowed(scene: Scene) -> Iterator[Wish]:
    """All that this person may do in the deal, by the product's own tables."""
    if scene.deal is None:
        return
    deal, mine = scene.deal.deal, _roles(scene, scene.deal)
    found: list[tuple[str, dict[str, str], str, int | None, EventId | None]] = []  # who, what verbs mean, verb, about
    found += [(one.who, _OF_DEAL, one.verb, None, None) for one in may.may_deal(deal)]
    found += [
        (one.who, _OF_MILESTONE, one.verb, ms.n, None) for ms in deal.milestones for one in may.may_milestone(deal, ms)
    ]
    found += [
        (one.who, _OF_CALL, one.verb, None, EventId(id_))
        for id_, booking in sorted(scene.deal.bookings.by_id.items())
        for one in booking_view.may(booking, deal.parties, scene.now)
    ]
    yield from ((names[verb], n, call) for who, names, verb, n, call in found if who in mine and verb in names)
    if any(one.who in mine for one in expected.of_reviews(scene.deal)):
        yield "review", None, None
    yield scene.pick([("message", None, None), ("book", None, None), ("update", None, None)])
