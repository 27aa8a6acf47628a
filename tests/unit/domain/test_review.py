from __future__ import annotations

import itertools
import json
import typing
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli import ids, shapes
from chaise_cli.domain import record, shape
from chaise_cli.domain.body import fields, replace
from chaise_cli.domain.deal import Deal, Milestone
from chaise_cli.domain.recorded import Recorded
from chaise_cli.domain.reputation import reputation
from chaise_cli.domain.review import (
    DAY,
    NONE,
    WORDS_MOST,
    Content,
    Facts,
    ReviewBody,
    ReviewOpened,
    ReviewPublished,
    Reviews,
    ReviewSealed,
    ReviewVoucher,
    Voucher,
    deal_token,
)
from chaise_cli.domain.review_acts import (
    NotSealed,
    clock_waits,
    may,
    open_review,
    seal_review,
    to_open,
    to_vouch,
    written,
)
from chaise_cli.domain.review_fold import (
    OPENING,
    TABLE,
    TURN,
    Mismatch,
    NotASide,
    NotTheAgent,
    NotTheAuthor,
    NotYet,
    TooEarly,
    TooLate,
    Twice,
    Unknown,
    WrongState,
    deadline,
    facts_of,
    state,
    step,
    vouch,
    withheld,
)
from chaise_cli.domain.review_view import published_view, reputation_view, view
from chaise_cli.errors import Refused
from chaise_cli.session import border
from tests.unit.domain.deal_cast import (
    CLIENT,
    LAPTOP,
    NOW,
    PARTIES,
    SPACE,
    STRANGER,
    TALENT,
    acting,
    event,
    id_of,
    person,
    recorded,
)
from tests.unit.domain.review_story import (
    AGENT_BOX,
    KEY,
    OTHER_KEY,
    PAID,
    PRAISE,
    SECURED,
    SIGNATURE,
    THANKS,
    UNPAID,
    Story,
    both_open,
    both_sealed,
    on_board,
    opening,
    opens,
    published_of,
    sealed,
    voucher,
)

# Bytes


@pytest.mark.parametrize("cls", [*typing.get_args(ReviewBody), ReviewPublished])
def test_the_form_of_every_body_can_be_checked_by_both_readers(cls: Any) -> None:
    assert shape.plan(cls)
    assert border.adapter(cls.KIND).json_schema()["type"] == "object"


def test_a_commitment_is_the_hash_of_tag_key_and_canonical_json() -> None:
    json = f'{{"about":"{TALENT}","by":"{CLIENT}","recommend":true,"stars":5,"text":"Äußerst “good”\\n\\tDeliver’d"}}'
    assert PRAISE.canonical() == json.encode()
    hashed = sha256(b"chaise/1 sealed review\0" + ids.raw(KEY) + json.encode()).digest()
    assert PRAISE.commitment(KEY) == ids.text(hashed)


contents = st.builds(
    Content,
    st.sampled_from([CLIENT, TALENT]),
    st.sampled_from([CLIENT, TALENT]),
    st.integers(1, 5),
    st.sampled_from([True, False, None]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)


@given(contents, contents)
def test_two_reviews_share_a_hash_only_when_they_are_one(one: Content, other: Content) -> None:
    assert (one == other) == (one.digest() == other.digest()) == (one.commitment(KEY) == other.commitment(KEY))
    assert one.commitment(KEY) != one.commitment(OTHER_KEY)


def test_the_longest_review_fits_into_an_event_when_it_is_sealed() -> None:
    longest = PRAISE._replace(text="\U0001f600" * WORDS_MOST)
    box = "A" * ((len(longest.canonical()) + 64) * 4 // 3 + 2)
    shape.check(ReviewSealed(longest.commitment(KEY), box, AGENT_BOX))
    shape.check(opening(longest, event("any")))


def test_a_review_outside_its_limits_is_refused_before_it_is_sealed() -> None:
    assert written(CLIENT, PARTIES, 5, True, "good") == Content(CLIENT, TALENT, 5, recommend=True, text="good")
    for stars, words in ((0, ""), (6, ""), (3, "x" * (WORDS_MOST + 1)), (3, "\x1b[31m")):
        with pytest.raises(shape.BadField):
            written(CLIENT, PARTIES, stars, None, words)
    with pytest.raises(NotASide):
        written(STRANGER, PARTIES, 5, None, "")


# Sealing


def test_reviews_wait_for_money_to_move() -> None:
    with pytest.raises(NotYet):
        seal_review(NONE, acting(CLIENT), UNPAID, NOW, sealed(PRAISE))
    with pytest.raises(NotYet):
        Story(UNPAID).tell(sealed(PRAISE), CLIENT)
    assert may(NONE, UNPAID, NOW) == []


def test_each_side_reviews_once() -> None:
    story = Story()
    [body] = seal_review(NONE, acting(CLIENT), PAID, NOW, sealed(PRAISE))
    story.tell(body, CLIENT)
    again = acting(CLIENT)
    assert seal_review(story.reviews, again, PAID, NOW, sealed(PRAISE)) == []
    with pytest.raises(Twice):
        seal_review(story.reviews, again, PAID, NOW, sealed(PRAISE, OTHER_KEY))
    with pytest.raises(Twice):
        story.tell(sealed(PRAISE, OTHER_KEY), CLIENT)
    assert seal_review(story.reviews, acting(TALENT), PAID, NOW, sealed(THANKS))


def test_money_has_moved_once_some_was_released_and_is_secured_with_a_third_party() -> None:
    deal = Deal(SPACE, event("opening"), SPACE, None, PARTIES, "hired", CLIENT, event("opening"))
    funded = Milestone(1, "Setup", 100, None, (), None, funded=100, held=100)
    assert facts_of(deal._replace(milestones=(funded,))) == UNPAID
    paid = deal._replace(milestones=(funded, funded._replace(released=1)))
    assert facts_of(paid) == PAID
    thirds = PARTIES._replace(agent=STRANGER)
    assert facts_of(paid._replace(parties=thirds)).secured
    assert not facts_of(paid._replace(parties=PARTIES._replace(agent=TALENT))).secured


def test_a_stranger_reviews_nobody() -> None:
    with pytest.raises(NotASide):
        Story().tell(sealed(PRAISE), STRANGER)


def test_after_fourteen_days_the_other_side_has_lost_its_turn() -> None:
    for clock, error in ((NOW + TURN - 1, None), (NOW + TURN, TooLate)):
        story = Story()
        story.tell(sealed(PRAISE), CLIENT, clock=NOW)
        assert deadline(story.reviews) == NOW + TURN
        assert [row.who for row in may(story.reviews, PAID, clock)] == (["talent"] if error is None else [])
        if error is None:
            story.tell(sealed(THANKS), TALENT, clock=clock)
        else:
            with pytest.raises(error) as caught:
                story.tell(sealed(THANKS), TALENT, clock=clock)
            assert caught.value.code == "review.too_late"


def test_before_the_agent_took_anything_up_no_turn_is_lost() -> None:
    story = Story()
    story.tell(sealed(PRAISE), CLIENT, clock=0)
    assert deadline(story.reviews) is None
    story.tell(sealed(THANKS), TALENT, clock=0)
    assert len(story.reviews.by_author) == 2


# Opening


def test_nothing_opens_before_both_are_in_or_fourteen_days_have_passed() -> None:
    story = Story()
    praise = story.tell(sealed(PRAISE), CLIENT)
    assert opens(story, acting(CLIENT), NOW + TURN - 1) == []
    with pytest.raises(TooEarly):
        open_review(story.reviews, acting(CLIENT), NOW + TURN - 1, KEY, PRAISE)
    with pytest.raises(TooEarly):
        story.tell(opening(PRAISE, praise), CLIENT, clock=NOW + TURN - 1)
    assert opens(story, acting(CLIENT), NOW + TURN) == [praise]
    story.tell(opening(PRAISE, praise), CLIENT, clock=NOW + TURN)
    assert story.reviews.by_author[CLIENT].content == PRAISE
    assert opens(story, acting(CLIENT), NOW + TURN) == []


def test_both_open_as_soon_as_both_are_in() -> None:
    story, praise, thanks = both_sealed()
    assert opens(story, acting(CLIENT), NOW) == [praise]
    assert opens(story, acting(TALENT), NOW) == [thanks]
    assert opens(story, acting(STRANGER), NOW) == []
    [body] = open_review(story.reviews, acting(CLIENT), NOW, KEY, PRAISE)
    story.tell(body, CLIENT)
    assert open_review(story.reviews, acting(CLIENT), NOW, KEY, PRAISE) == []
    with pytest.raises(NotSealed):
        open_review(NONE, acting(CLIENT), NOW, KEY, PRAISE)


def test_what_opens_is_what_was_sealed() -> None:
    story, praise, _ = both_sealed()
    right = opening(PRAISE, praise)
    wrong = [replace(right, key=OTHER_KEY), replace(right, stars=4)]
    wrong += [replace(right, recommend=False), replace(right, recommend=None)]
    for body in [*wrong, replace(right, text="worse")]:
        with pytest.raises(Mismatch):
            story.tell(body, CLIENT)
    assert story.reviews.by_author[CLIENT].content is None


def test_a_copied_commitment_cannot_be_opened() -> None:
    """The other side seals a copy, waits for the opening, and then has the key and the words, but not the author."""
    story = Story()
    praise = story.tell(sealed(PRAISE), CLIENT)
    copy = story.tell(sealed(PRAISE), TALENT)
    story.tell(opening(PRAISE, praise), CLIENT)
    with pytest.raises(Mismatch):
        story.tell(opening(PRAISE, copy), TALENT)


def test_only_the_author_or_the_agent_opens() -> None:
    story, praise, thanks = both_sealed()
    with pytest.raises(NotTheAuthor):
        story.tell(opening(PRAISE, praise), TALENT)
    with pytest.raises(NotTheAuthor):
        story.tell(opening(PRAISE, praise), STRANGER, agent=True)
    story.tell(opening(THANKS, thanks, OTHER_KEY), PARTIES.agent, agent=True)
    assert story.reviews.by_author[TALENT].content == THANKS


def both_sealed_for_the_agent() -> Story:
    story = Story(SECURED)
    story.tell(sealed(PRAISE, agent_box=AGENT_BOX), CLIENT)
    story.tell(sealed(THANKS, OTHER_KEY, AGENT_BOX), TALENT)
    return story


def test_a_third_partys_device_opens_what_it_has_the_key_to() -> None:
    story = both_sealed_for_the_agent()
    agent = acting(STRANGER)._replace(agent=True)
    praise, thanks = (story.reviews.by_author[side].id for side in (CLIENT, TALENT))
    assert opens(story, agent, 0) == sorted([praise, thanks])
    assert opens(story, acting(STRANGER), NOW) == [], "another device of the agent"
    assert opens(story, acting(TALENT), NOW) == [thanks]
    with pytest.raises(NotTheAuthor):
        open_review(story.reviews, acting(TALENT), NOW, KEY, PRAISE)
    with pytest.raises(NotTheAuthor):
        open_review(story.reviews, acting(STRANGER), NOW, KEY, PRAISE)
    for key, said in ((KEY, PRAISE), (OTHER_KEY, THANKS)):
        [body] = open_review(story.reviews, agent, 0, key, said)
        story.tell(body, STRANGER, agent=True)
    assert [one.content for one in story.reviews.by_author.values()] == [PRAISE, THANKS]
    assert opens(story, agent, NOW) == []
    made = vouch(story.reviews, SECURED, praise, LAPTOP)
    assert (made.secured, made.agent) == (True, STRANGER)


def test_a_third_party_leaves_alone_what_was_sealed_without_it() -> None:
    story = Story(SECURED)
    story.tell(sealed(PRAISE), CLIENT)
    thanks = story.tell(sealed(THANKS, OTHER_KEY, AGENT_BOX), TALENT)
    assert opens(story, acting(STRANGER)._replace(agent=True), NOW) == [thanks]


def test_a_client_who_holds_the_money_opens_nothing_of_the_talents() -> None:
    story = Story()
    praise = story.tell(sealed(PRAISE), CLIENT)
    story.tell(sealed(THANKS, OTHER_KEY, AGENT_BOX), TALENT)
    assert opens(story, acting(CLIENT)._replace(agent=True), NOW) == [praise]


@given(
    st.sets(st.sampled_from([CLIENT, TALENT]), min_size=1),
    st.sets(st.sampled_from([CLIENT, TALENT])),
    st.integers(0, 30),
    st.sampled_from([CLIENT, TALENT, STRANGER]),
)
def test_nobody_opens_before_it_is_due_and_what_is_due_opens_on_every_replica(
    sides: set[ids.IdentityId], boxed: set[ids.IdentityId], days: int, who: ids.IdentityId
) -> None:
    story, clock = Story(SECURED), NOW + days * DAY
    for side in sorted(sides):
        said, key = (PRAISE, KEY) if side == CLIENT else (THANKS, OTHER_KEY)
        story.tell(sealed(said, key, AGENT_BOX if side in boxed else None), side)
    due = len(sides) == 2 or clock >= NOW + TURN
    found = to_open(story.reviews, acting(who)._replace(agent=who == STRANGER), SECURED, clock)
    mine = {who} if who != STRANGER else boxed
    assert {one.by for one in found} == (sides & mine if due else set())
    for one in story.reviews.by_author.values():
        said, key = (PRAISE, KEY) if one.by == CLIENT else (THANKS, OTHER_KEY)
        e = recorded(opening(said, one.id, key), STRANGER, "opening", clock=clock, agent=True)
        if due:
            assert step(story.reviews, SECURED, e).by_author[one.by].content == said
        else:
            with pytest.raises(TooEarly):
                step(story.reviews, SECURED, e)


def test_a_review_that_stays_sealed_after_the_other_opened_is_withheld() -> None:
    story, praise, _ = both_sealed()
    talents = story.reviews.by_author[TALENT]
    assert not withheld(story.reviews, talents, NOW + 99 * DAY)
    story.tell(opening(PRAISE, praise), CLIENT, clock=NOW + DAY)
    assert not withheld(story.reviews, talents, NOW + DAY + OPENING - 1)
    assert withheld(story.reviews, talents, NOW + DAY + OPENING)
    assert not withheld(story.reviews, story.reviews.by_author[CLIENT], NOW + 99 * DAY)


@given(st.integers(0, 20), st.integers(0, 40), st.booleans(), st.booleans())
def test_the_clock_is_waited_for_only_where_it_would_change_something(
    clock_days: int, heard_days: int, both: bool, opened: bool
) -> None:
    story, clock, heard = Story(), NOW + clock_days * DAY, NOW + heard_days * DAY
    praise = story.tell(sealed(PRAISE), CLIENT)
    if both:
        story.tell(sealed(THANKS, OTHER_KEY), TALENT)
    if opened and (both or clock >= NOW + TURN):
        story.tell(opening(PRAISE, praise), CLIENT, clock=clock)

    def shown(at: int) -> tuple[object, ...]:
        by = acting(CLIENT), acting(TALENT)
        shut = [withheld(story.reviews, one, at) for one in story.reviews.by_author.values()]
        return (*(opens(story, one, at) for one in by), *shut)

    assert clock_waits(story.reviews, clock, heard) == (heard > clock and shown(heard) != shown(clock))


# Vouchers


def test_the_agent_device_vouches_for_what_the_deal_says() -> None:
    story, praise, thanks = both_open()
    assert set(to_vouch(story.reviews)) == {praise, thanks}
    made = voucher(story, praise)
    body = ReviewVoucher(praise, made)
    shape.check(body)
    with pytest.raises(NotTheAgent):
        story.tell(body, CLIENT)
    with pytest.raises(NotTheAgent):
        story.tell(body, TALENT, agent=True)
    wrong = [replace(made, about=CLIENT), replace(made, secured=True)]
    wrong += [replace(made, digest=KEY), replace(made, deal=KEY)]
    wrong += [replace(made, role="talent"), replace(made, device=ids.DeviceId(KEY))]
    for changed in wrong:
        with pytest.raises(Mismatch):
            story.tell(ReviewVoucher(praise, changed), CLIENT, agent=True)
    given_event = story.tell(body, CLIENT, agent=True)
    assert story.reviews.by_author[CLIENT].voucher == given_event
    assert to_vouch(story.reviews) == (thanks,)


def test_a_sealed_review_gets_no_voucher() -> None:
    story, praise, _ = both_sealed()
    with pytest.raises(WrongState):
        vouch(story.reviews, PAID, praise, LAPTOP)
    with pytest.raises(Unknown):
        vouch(story.reviews, PAID, event("nothing"), LAPTOP)
    assert to_vouch(story.reviews) == ()


def test_the_signed_text_covers_all_but_the_signature_itself() -> None:
    story, praise, _ = both_open()
    made = voucher(story, praise)
    free = {"certificates", "signature"}
    for name in fields(made):
        value: Any = not made.secured if name == "secured" else "other"
        changed = replace(made, **{name: value})
        assert (changed.signed_text() == made.signed_text()) == (name in free)


def test_a_token_stands_for_a_deal_and_is_not_its_id() -> None:
    assert deal_token(SPACE) == deal_token(SPACE) != SPACE
    assert deal_token(SPACE) != deal_token(ids.SpaceId(id_of("another")))


# Every cell


def in_state(name: str) -> tuple[Story, ids.EventId]:
    if name == "":
        return Story(), event("nothing")
    if name == "sealed":
        story, praise, _ = both_sealed()
        return story, praise
    story, praise, _ = both_open()
    if name == "vouched":
        story.tell(ReviewVoucher(praise, voucher(story, praise)), CLIENT, agent=True)
    return story, praise


def body_for(act: type, story: Story, review: ids.EventId) -> ReviewBody:
    if act is ReviewSealed:
        return sealed(PRAISE)
    if act is ReviewOpened:
        return opening(PRAISE, review)
    opened, praise, _ = both_open()
    return ReviewVoucher(review, voucher(opened, praise))


ACTS: Final = (ReviewSealed, ReviewOpened, ReviewVoucher)
STATES: Final = ("", "sealed", "open", "vouched")
WRITERS: Final = ((CLIENT, True), (CLIENT, False), (TALENT, False), (STRANGER, False))


@pytest.mark.parametrize(("name", "act", "writer"), list(itertools.product(STATES, ACTS, WRITERS)))
def test_every_cell_of_the_table_and_no_other_moves_a_review(
    name: str, act: type, writer: tuple[ids.IdentityId, bool]
) -> None:
    """The client's review, acted on by its author with and without the agent device, the other side and a stranger."""
    story, review = in_state(name)
    before = story.reviews
    by, agent = writer
    roles = {"side": {CLIENT, TALENT}, "author": {CLIENT}, "agent": {CLIENT} if agent else set()}
    if act is ReviewSealed and by == TALENT:
        assert name != "" or step(before, PAID, recorded(sealed(THANKS), TALENT, "own"))
        return  # the other side's sealing is about another review
    rule = next((rule for rule in TABLE if rule.state == name and rule.act is act and by in roles[rule.who]), None)
    if rule is None:
        with pytest.raises(Refused):
            story.tell(body_for(act, story, review), by, agent=agent)
        assert story.reviews == before
    else:
        story.tell(body_for(act, story, review), by, agent=agent)
        assert state(story.reviews.by_author[CLIENT]) == rule.to


def test_the_page_shows_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs/spec/reviews.md").read_text(encoding="utf-8")
    for rule in TABLE:
        assert f"| {rule.state or '–'} | {rule.act.KIND} | {rule.who} | {rule.to} | {rule.guard} |\n" in page


def test_a_body_that_is_no_review_is_refused() -> None:
    with pytest.raises(WrongState):
        step(NONE, PAID, recorded(published_of(PRAISE), CLIENT, "x"))


# Laws

reviews_named = st.sampled_from([event(f"r{n}") for n in range(6)])
bodies: st.SearchStrategy[ReviewBody] = st.one_of(
    st.sampled_from([sealed(PRAISE), sealed(THANKS), sealed(PRAISE, OTHER_KEY)]),
    st.builds(opening, st.sampled_from([PRAISE, THANKS]), reviews_named, st.sampled_from([KEY, OTHER_KEY])),
    st.builds(
        lambda review, content, secured: ReviewVoucher(
            review,
            Voucher(
                deal_token(SPACE), content.digest(), content.by, content.about, "client",
                secured=secured, agent=CLIENT, device=LAPTOP, certificates=("{}",), signature=SIGNATURE,
            ),
        ),
        reviews_named, st.sampled_from([PRAISE, THANKS]), st.booleans(),
    ),
)  # fmt: skip
writers = st.sampled_from([(CLIENT, True), (CLIENT, False), (TALENT, False), (STRANGER, True)])
stories = st.lists(st.tuples(bodies, writers, st.sampled_from([0, 1, 7, 14]), st.booleans()), max_size=12)


@given(stories, st.integers(0, 12))
def test_a_fold_refuses_or_goes_on_and_can_be_taken_up_anywhere(
    told: list[tuple[ReviewBody, tuple[ids.IdentityId, bool], int, bool]], cut: int
) -> None:
    clock, history = NOW, []
    for n, (body, (by, agent), days, moved) in enumerate(told):
        clock += days * DAY
        history.append((recorded(body, by, f"r{n}", clock=clock, agent=agent), PAID._replace(moved=moved)))

    def fold(part: list[tuple[Recorded, Facts]], reviews: Reviews) -> Reviews:
        for e, facts in part:
            with suppress(Refused):
                reviews = step(reviews, facts, e)
        return reviews

    whole = fold(history, NONE)
    kept = record.load(Reviews, json.loads(record.dump(fold(history[:cut], NONE))))
    assert fold(history[cut:], kept) == whole
    for author, review in whole.by_author.items():
        assert author in {CLIENT, TALENT}
        assert review.content is None or review.content.by == author
        assert review.content is not None or review.voucher is None


# Shapes


def test_views_show_what_was_promised_and_nothing_that_is_sealed() -> None:
    story, praise, _ = both_sealed()
    review = story.reviews.by_author[CLIENT]
    data = view(story.reviews, review, PAID, person, NOW)
    hints = typing.get_type_hints(shapes.Review, include_extras=True)
    promised = {key for key, hint in hints.items() if typing.get_origin(hint) is not typing.NotRequired}
    assert promised <= set(data)
    assert (data["id"], data["state"], data["stars"], data["text"]) == (ids.public("rev", praise), "sealed", None, "")
    assert view(story.reviews, review, PAID, person, NOW, own=PRAISE)["stars"] == 5
    story.tell(opening(PRAISE, praise), CLIENT)
    data = view(story.reviews, story.reviews.by_author[CLIENT], PAID, person, NOW)
    assert (data["secured"], data["self_paid"], data["agent"]) == (False, True, person(CLIENT))
    assert (data["state"], data["stars"], data["by"], data["about"]) == ("open", 5, person(CLIENT), person(TALENT))


def test_a_board_shows_who_held_the_money_and_not_which_deal() -> None:
    data = published_view(on_board(published_of(PRAISE), CLIENT), person, NOW)
    assert (data["deal"], data["self_paid"], data["secured"], data["agent"]) == (None, True, False, person(CLIENT))
    figures = reputation_view(reputation([on_board(published_of(PRAISE), CLIENT)], TALENT))
    assert (figures["stars"], figures["stars_x100"], figures["paid_deals"]) == ("5.00", 500, 1)
    assert reputation_view(reputation([], TALENT))["stars"] is None
