"""What a paid deal does for a person, as others read it off the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain.body import replace
from chaise_cli.domain.review import Content, ReviewPublished, Voucher
from chaise_cli.ids import text
from chaise_cli.session import finding, portraits, vouchers
from chaise_cli.session.writing import Writer
from chaise_cli.store import events
from tests.e2e.people import Person, exchange

if TYPE_CHECKING:
    import pytest


def review(lisa: Person, james: Person, *, stars: int, honest: bool = True) -> None:
    """Lisa reviews James for a deal of their own; dishonest: she says afterwards that the money was secured."""
    with lisa.session() as session, session.writing():
        me, about = session.me, finding.person(session, james.at)
        content = Content(me.identity, about, stars, True, "Good.")
        deal, unsigned = text(bytes([stars] * 32)), text(bytes(64))
        bare = Voucher(
            deal, content.digest(), me.identity, about, "client", False, me.identity, me.device, (), unsigned
        )  # fmt: skip
        writer = Writer(session)
        voucher = vouchers.signed(session, writer, bare)
        said = voucher if honest else replace(voucher, secured=True)
        board = session.space(events.spaces(session.db, "board")[0].no)
        writer.write(board, [ReviewPublished(about, stars, True, "Good.", said)])
    exchange(lisa, james)


def figures(person: Person, whom: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = person.does("profile", whom)["reputation"]
    return found


def test_reviews_of_paid_deals_stand_beside_the_profile(lisa: Person, james: Person, board: str) -> None:
    assert figures(lisa, "@james") is None
    review(lisa, james, stars=5)
    review(lisa, james, stars=4)
    wanted = {
        "reviews": 2, "stars_x100": 450, "recommended": 2, "paid_deals": 2, "secured_deals": 0, "self_paid_deals": 2,
    }  # fmt: skip
    assert figures(lisa, "@james") == figures(james, "@me") == wanted
    assert figures(lisa, "@lisa") == wanted | {"reviews": 0, "stars_x100": None, "recommended": 0}


def test_a_voucher_that_was_changed_counts_nothing(lisa: Person, james: Person, board: str) -> None:
    review(lisa, james, stars=5, honest=False)
    found = figures(james, "@james")
    assert found is None or (found["reviews"], found["paid_deals"], found["secured_deals"]) == (0, 0, 0)


def test_paid_deals_show_in_the_list_of_talents_for_each_and_at_once(lisa: Person, james: Person, board: str) -> None:
    ada = Person(lisa.folder, "ada", role="talent", tz="Europe/Paris")
    ada.does("board", "join", "-", stdin=lisa.does("board", "invite", board)["invite"])
    exchange(lisa, james, ada)
    review(lisa, james, stars=5)
    exchange(lisa, james, ada)
    found = {one["person"]["handle"]: one["reputation"] for one in ada.does("talents")}
    assert found == {"james": figures(ada, "@james"), "ada": None}
    assert [one["reputation"]["paid_deals"] for one in ada.does("talents", "--limit", "1", "--with", "@james")] == [1]
    assert "5.0 of 5 (1)" in ada.run("talents").out
    assert "1 self-paid" in ada.run("profile", "@james").out


def test_without_reviews_the_rules_of_reviews_stay_on_the_disk(
    lisa: Person, james: Person, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(portraits, "import_module", refuse)
    assert [one["reputation"] for one in lisa.does("talents")] == [None]
