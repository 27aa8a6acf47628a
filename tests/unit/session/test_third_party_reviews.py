"""Reviews where a third party holds the money: who opens what and when, and what a hostile side can do to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.crypto import boxes, sealing
from chaise_cli.domain.review import DAY, Content, ReviewSealed
from chaise_cli.domain.review_fold import OPENING, TURN, TooLate
from chaise_cli.ids import IdentityId, public, raw, text
from chaise_cli.session import hiring as hire
from chaise_cli.session import moving, revoking, trust, upkeep, wraps
from chaise_cli.session.session import Session
from tests.fakes import acts, homes, kin
from tests.fakes.escrowed import Escrowed
from tests.fakes.homes import Hands
from tests.fakes.stages import Stages

KEY: Final = bytes(range(32))


@pytest.fixture
def world(stages: Stages, lisa: Session, james: Session, ada: Session) -> Escrowed:
    """Money of the deal was released through Ada."""
    return Escrowed.staged(stages, lisa, james, ada, then=_consented_and_paid)


def _consented_and_paid(world: Escrowed) -> None:
    world.calm()
    world.meet()
    paid(world)


def paid(world: Escrowed) -> None:
    acts.do(world.lisa, world.deal, "fund", 1)
    world.meet()
    world.calm()
    world.meet()
    acts.do(world.lisa, world.deal, "release", 1)
    world.meet()
    world.calm()
    world.meet()
    assert world.now().milestones[1].released == 90_000


def review(world: Escrowed, who: Session, stars: int) -> Any:
    return trust.review(who, world.deal, trust.Words(stars, None, f"{stars} stars"), None)


def read(world: Escrowed, who: Session) -> dict[str, dict[str, Any]]:
    """The reviews of the deal as somebody sees them, by their author's handle."""
    found = trust.listed(who, trust.Ask(world.now().public, None, None, None, "at"))
    return {one["by"]["handle"]: one for one in found}


def stars(world: Escrowed, who: Session) -> dict[str, int | None]:
    return {handle: one["stars"] for handle, one in read(world, who).items()}


def run(who: Session) -> list[str]:
    return [problem for problem in upkeep.run(who) if "review" in problem]


def later(world: Escrowed, ms: int) -> None:
    for session in world.everybody:
        session.clock = Hands(session.clock.now() + ms)


def agreed(world: Escrowed) -> None:
    world.meet()
    states = [homes.state(session, world.deal) for session in world.everybody]
    assert states[0] == states[1] == states[2]
    assert [homes.unsound(session, world.deal) for session in world.everybody] == [[]] * 3


def hostile(world: Escrowed, who: Session, box: bytes, agent_box: bytes | None, commitment: bytes) -> None:
    """A seal that no rule of ours has looked at."""
    inside = text(agent_box) if agent_box is not None else None
    homes.write_raw(who, world.deal, ReviewSealed(text(commitment), text(box), inside))


def sealed(world: Escrowed, plain: bytes) -> bytes:
    return sealing.seal(KEY, bytes(12), plain, raw(world.deal))


def for_ada(world: Escrowed, commitment: bytes, key: bytes = KEY) -> bytes:
    stored = world.ada.db.execute(
        "SELECT body FROM profile WHERE identity = ?", (raw(world.ada.me.identity),)
    ).fetchone()
    return wraps.wrap_review_key(raw(world.deal), commitment, key, raw(json.loads(stored[0])["box_key"]["key"]))


def test_the_agent_opens_both_once_both_are_in_and_both_say_who_held_the_money(world: Escrowed) -> None:
    review(world, world.lisa, 5)
    world.meet()
    assert upkeep.run(world.ada) == []
    world.meet()
    assert stars(world, world.james) == {"lisa": None}, "not before both are in"
    review(world, world.james, 4)
    world.meet()
    assert upkeep.run(world.ada) == []
    for session in world.everybody:
        world.meet()
        assert upkeep.run(session) == []
    for session in world.everybody:
        found = read(world, session)
        assert stars(world, session) == {"lisa": 5, "james": 4}
        assert {(one["secured"], one["self_paid"], one["agent"]["handle"]) for one in found.values()} == {
            (True, False, "mallory")
        }
        assert all(one["vouched"] and one["final"] for one in found.values())
    agreed(world)
    about = public("id", world.james.me.identity)
    world.ada.db.execute("DELETE FROM review")  # only what stands on the board
    [board] = trust.listed(world.ada, trust.Ask(about, None, None, None, "at"))
    assert (board["deal"], board["secured"], board["self_paid"]) == (None, True, False)
    assert board["agent"]["id"] == public("id", world.ada.me.identity)


def test_nothing_is_written_a_second_time(world: Escrowed) -> None:
    review(world, world.lisa, 5)
    review(world, world.james, 4)
    for _ in range(2):
        world.meet()
        for session in (world.ada, world.lisa, world.james):
            upkeep.run(session)
    world.meet()
    before = [session.db.execute("SELECT count(*) FROM event").fetchone() for session in world.everybody]
    for session in world.everybody:
        assert upkeep.run(session) == []
    assert [session.db.execute("SELECT count(*) FROM event").fetchone() for session in world.everybody] == before
    assert not [void for void in homes.verdicts(world.ada, world.deal).values() if void]


def test_when_both_sides_homes_are_gone_the_agent_opens_alone(world: Escrowed) -> None:
    review(world, world.lisa, 5)
    review(world, world.james, 4)
    homes.carry(world.lisa, world.ada)
    homes.carry(world.james, world.ada)
    assert upkeep.run(world.ada) == []
    assert stars(world, world.ada) == {"lisa": 5, "james": 4}
    assert all(one["vouched"] for one in read(world, world.ada).values())


def test_the_agent_opens_one_alone_after_fourteen_days_at_its_clock(world: Escrowed) -> None:
    review(world, world.lisa, 5)
    world.meet()
    upkeep.run(world.ada)
    later(world, TURN - 1)
    upkeep.run(world.ada)
    assert stars(world, world.ada) == {"lisa": None}
    later(world, 1)
    upkeep.run(world.ada)
    world.meet()
    assert stars(world, world.james) == {"lisa": 5}
    with pytest.raises(TooLate):
        review(world, world.james, 1)
    agreed(world)


def test_what_a_place_may_still_bring_is_waited_for(world: Escrowed) -> None:
    """James sealed in time; a place that the agent has not heard since may hold it."""
    review(world, world.lisa, 5)
    world.meet()
    upkeep.run(world.ada)
    with world.ada.writing():
        world.ada.db.execute(
            "INSERT INTO place(no, url, synced_at) VALUES (1, 'file:///stick', ?)", (world.ada.clock.now(),)
        )
        world.ada.db.execute("INSERT INTO carried(place, space) SELECT 1, no FROM space WHERE kind = 'board'")
    later(world, TURN + DAY)
    upkeep.run(world.ada)
    assert stars(world, world.ada) == {"lisa": None}
    world.ada.db.execute("UPDATE place SET synced_at = ?", (world.ada.clock.now(),))
    upkeep.run(world.ada)
    assert stars(world, world.ada) == {"lisa": 5}


def test_a_side_that_does_not_know_the_agents_key_is_told_and_opens_its_own(world: Escrowed) -> None:
    world.james.db.execute("DELETE FROM profile WHERE identity = ?", (raw(world.ada.me.identity),))
    told = review(world, world.james, 4)
    assert any("was given no key" in warning for warning in told.warnings)
    assert not review(world, world.lisa, 5).warnings
    world.meet()
    assert upkeep.run(world.ada) == []
    world.meet()
    assert stars(world, world.ada) == {"lisa": 5, "james": None}
    upkeep.run(world.james)
    world.meet()
    assert stars(world, world.ada) == {"lisa": 5, "james": 4}
    agreed(world)


def test_a_side_that_seals_for_itself_alone_and_stays_silent_shows_as_withheld(world: Escrowed) -> None:
    hostile(world, world.james, sealed(world, b"{}"), None, bytes(32))
    review(world, world.lisa, 5)
    world.meet()
    assert upkeep.run(world.ada) == []
    world.meet()
    assert not read(world, world.lisa)["james"]["withheld"]
    later(world, OPENING - 1)
    assert upkeep.run(world.ada) == []
    world.meet()
    assert not read(world, world.lisa)["james"]["withheld"]
    later(world, 1)
    assert upkeep.run(world.ada) == []
    assert upkeep.run(world.ada) == []
    world.meet()
    for session in world.everybody:
        found = read(world, session)["james"]
        assert (found["withheld"], found["state"], found["stars"]) == (True, "sealed", None)
        assert stars(world, session)["lisa"] == 5
    agreed(world)


def content(world: Escrowed, **other: Any) -> dict[str, Any]:
    by, about = world.james.me.identity, world.lisa.me.identity
    return {"about": about, "by": by, "recommend": None, "stars": 3, "text": "fair"} | other


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


HOSTILE: Final[dict[str, dict[str, Any]]] = {
    "another review than it committed to": {"stars": 1},
    "nine stars": {"stars": 9},
    "stars in words": {"stars": "3"},
    "a field more": {"more": 1},
    "somebody else's name": {"by": IdentityId(text(bytes(32)))},
    "control characters": {"text": "\x1b[31m"},
    "a list for words": {"text": ["x"]},
}


@pytest.mark.parametrize(
    "what", [*HOSTILE, "no JSON", "deep nesting", "nothing", "no box", "another key", "a short key"]
)
def test_what_the_agent_cannot_open_is_told_and_stops_nothing(world: Escrowed, what: str) -> None:
    said = content(world)
    plain = canonical(content(world, **HOSTILE.get(what, {})))
    plain = {"no JSON": b"\xff", "deep nesting": b"[" * 30_000, "nothing": b""}.get(what, plain)
    committed = raw(Content(**said).commitment(text(KEY)))
    if what in {"nine stars", "control characters"}:  # it keeps to its commitment, to what nobody may say
        committed = raw(Content(**content(world, **HOSTILE[what])).commitment(text(KEY)))
    box = for_ada(world, committed, {"another key": bytes(32), "a short key": KEY[:31]}.get(what, KEY))
    box = bytes(1168) if what == "no box" else box + b"\0" * (1168 - len(box))
    hostile(world, world.james, sealed(world, plain), box, committed)
    review(world, world.lisa, 5)
    acts.do(world.lisa, world.deal, "fund", 0)
    world.meet()
    [problem] = upkeep.run(world.ada)
    assert "does not open with the key" in problem
    assert world.now().final, "what was asked for otherwise is taken up"
    world.meet()
    assert stars(world, world.james) == {"lisa": 5, "james": None}
    assert read(world, world.lisa)["lisa"]["vouched"]
    agreed(world)
    later(world, OPENING)
    run(world.ada)
    world.meet()
    assert read(world, world.lisa)["james"]["withheld"]
    assert run(world.ada) == [], "everybody sees it now"


def test_a_seal_of_the_same_form_that_says_what_it_committed_to_opens(world: Escrowed) -> None:
    """What the tests above write is refused for what they changed, not for how they write it."""
    said = content(world)
    committed = raw(Content(**said).commitment(text(KEY)))
    hostile(world, world.james, sealed(world, canonical(said)), for_ada(world, committed), committed)
    review(world, world.lisa, 5)
    world.meet()
    assert upkeep.run(world.ada) == []
    assert stars(world, world.ada) == {"lisa": 5, "james": 3}


def test_a_box_moved_from_another_review_opens_nothing(world: Escrowed) -> None:
    said = content(world)
    committed = raw(Content(**said).commitment(text(KEY)))
    moved = for_ada(world, bytes(32))
    hostile(world, world.james, sealed(world, canonical(said)), moved, committed)
    review(world, world.lisa, 5)
    world.meet()
    assert len(run(world.ada)) == 1
    assert stars(world, world.ada)["james"] is None


def test_reviews_sealed_before_and_after_the_agent_got_a_new_box_key_open(world: Escrowed, tmp_path: Path) -> None:
    phone = kin.join(world.ada, tmp_path, "phone")
    kin.meet(world.ada, phone)
    review(world, world.lisa, 5)
    world.meet()
    before = homes.own.box_seed(world.ada.db)
    revoking.revoke(world.ada, public("dev", phone.me.device), None, None)
    phone.close()
    assert homes.own.box_seed(world.ada.db) != before
    world.meet()
    review(world, world.james, 4)
    world.meet()
    old = {before[0]: boxes.BoxKey(before[1])}
    for side, opens in ((world.lisa, True), (world.james, False)):
        one = homes.peek(world.ada, world.deal).state.reviews.by_author[side.me.identity]
        assert one.agent_box
        found = wraps.unwrap_review_key(raw(world.deal), raw(one.commitment), raw(one.agent_box), old)
        assert (found is not None) == opens
    assert upkeep.run(world.ada) == []
    assert stars(world, world.ada) == {"lisa": 5, "james": 4}


def test_another_device_of_the_agent_opens_once_it_has_the_role(world: Escrowed, tmp_path: Path) -> None:
    phone = kin.join(world.ada, tmp_path, "phone")
    review(world, world.lisa, 5)
    review(world, world.james, 4)
    kin.meet(*world.everybody, phone)
    assert upkeep.run(phone) == []
    assert stars(world, phone) == {"lisa": None, "james": None}
    moving.move(world.ada, [world.deal], public("dev", phone.me.device), None)
    kin.meet(*world.everybody, phone)
    assert upkeep.run(phone) == []
    assert stars(world, phone) == {"lisa": 5, "james": 4}
    kin.meet(*world.everybody, phone)
    assert all(one["vouched"] for one in read(world, world.lisa).values())
    agreed(world)
    phone.close()


def test_a_seal_from_before_the_agents_consent_is_void_and_costs_no_turn(
    stages: Stages, lisa: Session, james: Session, ada: Session
) -> None:
    world = Escrowed.staged(stages, lisa, james, ada)
    hostile(world, james, sealed(world, b"{}"), None, bytes(32))
    world.meet()
    world.calm()
    world.meet()
    assert "review.not_yet" in homes.verdicts(lisa, world.deal).values()
    assert read(world, lisa) == {}
    paid(world)
    review(world, james, 4)
    review(world, lisa, 5)
    world.meet()
    assert upkeep.run(ada) == []
    assert stars(world, ada) == {"lisa": 5, "james": 4}
    agreed(world)


def test_after_an_agent_refused_the_next_hire_says_who_held_the_money(
    stages: Stages, lisa: Session, james: Session, ada: Session
) -> None:
    world = Escrowed.staged(stages, lisa, james, ada)
    hire.decline(ada, None, world.deal, "too small")
    world.meet()
    hire.hire(lisa, None, world.deal, hire.Changes(agent=lisa.me.identity, rail="manual"), beyond=True)
    world.meet()
    hire.accept(james, None, world.deal, None)
    world.meet()
    acts.do(lisa, world.deal, "fund", 1)
    acts.do(lisa, world.deal, "attest")
    acts.do(lisa, world.deal, "release", 1)
    upkeep.run(lisa)
    world.meet()
    told = review(world, james, 4)
    assert not told.warnings
    review(world, lisa, 5)
    for session in (lisa, james, lisa, james):
        world.meet()
        assert upkeep.run(session) == []
    for session in (lisa, james):
        assert stars(world, session) == {"lisa": 5, "james": 4}
        assert {
            (one["secured"], one["self_paid"], one["agent"]["handle"]) for one in read(world, session).values()
        } == {(False, True, "lisa")}
    assert all(one.agent_box is None for one in homes.peek(lisa, world.deal).state.reviews.by_author.values())
