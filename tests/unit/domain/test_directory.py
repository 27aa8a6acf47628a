from __future__ import annotations

from typing import Any

import pytest

from chaise_cli.domain import directory, shape
from chaise_cli.domain.body import replace
from chaise_cli.domain.directory import (
    AlreadyClosed,
    Budget,
    Listing,
    NothingThere,
    NotTheAuthor,
    PostClosed,
    PostPublished,
    Price,
    ServiceClosed,
    ServicePublished,
)
from chaise_cli.ids import EventId, text

ID = EventId(text(bytes(32)))
POST = PostPublished("Campaign", "marketing", ("seo",), Budget(1, 2, "EUR"), 5, "UTC", "remote", "Sell chairs.")
SERVICE = ServicePublished("Audit", "seo", "A look at your site.", Price(500, "EUR"), 3, ("seo",))


def listed(body: Any = POST) -> Listing:
    return directory.publish("lisa", body, 1_000)


@pytest.mark.parametrize("body", [POST, SERVICE])
def test_a_revision_is_the_whole_of_the_new_version(body: Any) -> None:
    after = directory.change(listed(body), "lisa", directory.revision(ID, replace(body, title="Anew")))
    assert after == Listing("lisa", replace(body, title="Anew"), 2, "", 1_000)


@pytest.mark.parametrize("body", [POST, SERVICE])
def test_a_revision_carries_every_field(body: Any) -> None:
    data = shape.to_data(directory.revision(ID, body))
    data.pop("post", None)
    data.pop("service", None)
    assert data == shape.to_data(body)


@pytest.mark.parametrize("reason", ["closed", "filled"])
def test_a_post_is_closed_by_its_author(reason: str) -> None:
    assert directory.change(listed(), "lisa", PostClosed(ID, reason)).ended == reason


def test_a_service_is_closed_by_its_author() -> None:
    assert directory.change(listed(SERVICE), "lisa", ServiceClosed(ID)).ended == "closed"


CHANGES = [PostClosed(ID, "closed"), directory.revision(ID, POST)]


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_else_changes_it(change: Any) -> None:
    with pytest.raises(NotTheAuthor):
        directory.change(listed(), "mallory", change)


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_never_published_is_not_changed(change: Any) -> None:
    with pytest.raises(NothingThere):
        directory.change(None, "lisa", change)


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_closed_stays_closed(change: Any) -> None:
    closed = directory.change(listed(), "lisa", PostClosed(ID, "filled"))
    with pytest.raises(AlreadyClosed):
        directory.change(closed, "lisa", change)


@pytest.mark.parametrize(
    "body, change",
    [
        (SERVICE, PostClosed(ID, "filled")),
        (POST, ServiceClosed(ID)),
        (SERVICE, directory.revision(ID, POST)),
        (POST, directory.revision(ID, SERVICE)),
    ],
)
def test_a_post_is_no_service(body: Any, change: Any) -> None:
    with pytest.raises(NothingThere):
        directory.change(listed(body), "lisa", change)
