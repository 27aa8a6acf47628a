from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import directory, listing_acts
from chaise_cli.domain.body import replace
from chaise_cli.domain.directory import AlreadyClosed, Listing, NotTheAuthor, PostPublished, ServicePublished
from chaise_cli.errors import Refused
from chaise_cli.ids import EventId, IdentityId, text

LISA, EVE = (IdentityId(text(bytes([n] * 32))) for n in (1, 2))
POST = PostPublished("Campaign", "marketing", ("seo",), None, None, "Europe/Berlin", "remote", "")
SERVICE = ServicePublished("Page", "web", "", None, 5, ("css",))
ID = EventId(text(bytes([9] * 32)))
NOW = 1_000_000


@pytest.mark.parametrize("content", [POST, SERVICE])
def test_an_author_revises_and_closes(content: directory.Listed) -> None:
    listing = directory.publish(LISA, content, NOW)
    (revised,) = listing_acts.revise(ID, listing, LISA, replace(content, title="Other"), NOW)
    after = directory.change(listing, LISA, revised)
    assert (after.content.title, after.version) == ("Other", 2)
    (closed,) = listing_acts.close(ID, after, LISA)
    assert directory.change(after, LISA, closed).ended == "closed"


@pytest.mark.parametrize("content", [POST, SERVICE])
def test_what_changes_nothing_is_no_event(content: directory.Listed) -> None:
    listing = directory.publish(LISA, content, NOW)
    assert listing_acts.revise(ID, listing, LISA, content, NOW) == []
    assert listing_acts.close(ID, listing._replace(ended="filled"), LISA) == []


@pytest.mark.parametrize("content", [POST, SERVICE])
def test_nobody_else_may(content: directory.Listed) -> None:
    listing = directory.publish(LISA, content, NOW)
    with pytest.raises(NotTheAuthor):
        listing_acts.revise(ID, listing, EVE, content, NOW)
    for ended in ("", "closed"):
        with pytest.raises(NotTheAuthor):
            listing_acts.close(ID, listing._replace(ended=ended), EVE)


def test_a_closed_post_is_not_revised() -> None:
    with pytest.raises(AlreadyClosed):
        listing_acts.revise(ID, Listing(LISA, POST, 1, "closed", NOW), LISA, replace(POST, title="Other"), NOW)


@given(st.integers(0, 2 * NOW) | st.none(), st.integers(0, 2 * NOW) | st.none())
def test_a_deadline_is_set_before_it_passes_and_may_stay_after(first: int | None, second: int | None) -> None:
    content = replace(POST, deadline=first)
    with suppress(listing_acts.DeadlinePassed):
        assert listing_acts.publish(content, NOW) == [content]
        assert first is None or first > NOW
    listing = directory.publish(LISA, content, 0)
    revised = replace(content, title="Other", deadline=second)
    with suppress(Refused):
        listing_acts.revise(ID, listing, LISA, revised, NOW)
        assert second is None or second == first or second > NOW
