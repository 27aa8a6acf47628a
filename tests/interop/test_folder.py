"""A real hire in a real folder, read by the other program: every pack, signature and certificate, and the money."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.ids import text
from chaise_cli.store import own
from tests.e2e.hired import fund, hired, kept_up
from tests.e2e.people import Person
from tests.interop.test_vectors import VERIFIER, foreign, node


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder that both sync with."""
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def lisa(tmp_path: Path) -> Person:
    return Person(tmp_path, "lisa", role="client")


@pytest.fixture
def james(tmp_path: Path) -> Person:
    return Person(tmp_path, "james", role="talent")


def _seed(person: Person) -> str:
    with person.session() as session:
        return text(own.box_seed(session.db)[1])


def _sync(place: Path, *people: Person) -> None:
    for _ in range(2):
        for one in people:
            one.does("sync", str(place))
            kept_up(one)


def _met(lisa: Person, james: Person, place: Path) -> str:
    """Both on one board, of which the folder has everything; the invite."""
    invite = str(lisa.does("board", "create", "marketing", "--at", str(place))["invite"])
    james.does("board", "join", "-", stdin=invite)
    _sync(place, lisa, james)
    return invite


def _worked(lisa: Person, james: Person, place: Path) -> str:
    """A deal of two milestones: one delivered, released and paid, one given back in part; its id."""
    deal = hired(lisa, james)
    fund(lisa, f"{deal}/1")
    fund(lisa, f"{deal}/2", "1400.00 EUR")
    _sync(place, lisa, james)
    james.does("deliver", f"{deal}/1", "--note", "done")
    james.does("refund", f"{deal}/2", "--total", "400EUR", "--confirm", "400.00 EUR to @lisa")
    _sync(place, lisa, james)
    lisa.does("release", f"{deal}/1", "--ref", "sepa 1", "--confirm", "600.00 EUR to @james")
    lisa.does("message", deal, "Thank you")
    _sync(place, lisa, james)
    return deal


def _money(shown: Any) -> list[dict[str, Any]]:
    names = {
        "funded": "funded",
        "released": "released",
        "refunded": "refunded",
        "held": "held",
        "paid": "paid_out",
        "reversed": "reversed",
    }
    return [{"state": one["state"]} | {key: one[name]["minor"] for key, name in names.items()} for one in shown]


def test_the_money_of_a_real_deal_is_the_same_to_a_second_program(lisa: Person, james: Person, place: Path) -> None:
    node()
    _met(lisa, james, place)
    deal = _worked(lisa, james, place)
    shown = lisa.does("show", deal)
    for person in (lisa, james):
        (found,) = foreign("deal", place, "--seed", _seed(person))
        money = [
            {key: one[key] for key in ("state", "funded", "released", "refunded", "held", "paid", "reversed")}
            for one in found["milestones"]
        ]
        assert money == _money(shown["milestones"])
        assert found["state"] == shown["state"]
        assert [row[2] for row in found["events"]] == ["ok"] * len(found["events"])
        with lisa.session() as session:
            query = "SELECT e.id, e.uptake FROM event e JOIN chain c ON c.no = e.chain JOIN space s ON s.no = c.space"
            taken = dict(session.db.execute(f"{query} WHERE s.kind = 'deal' AND e.suite = 1").fetchall())
        assert {row[0]: row[1] for row in found["events"]} == {text(id_): place for id_, place in taken.items()}


def test_a_board_opens_with_its_invite(lisa: Person, james: Person, place: Path) -> None:
    node()
    invite = _met(lisa, james, place)
    lisa.does("post", "Holiday campaign", "--kind", "marketing", "--budget", "1500..2500EUR")
    _sync(place, lisa, james)
    (found,) = foreign("board", place, "--invite", invite)
    kinds = {"board.named": 1, "profile.published": 2, "post.published": 1}
    assert (found["name"], found["people"], found["kinds"]) == ("marketing", 2, kinds)


def test_a_pack_that_somebody_touched_is_noticed(lisa: Person, james: Person, place: Path) -> None:
    invite = _met(lisa, james, place)
    path = next((place / "chaise-1" / "packs").glob("*.pack"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    done = subprocess.run(
        [node(), VERIFIER, "board", place, "--invite", invite], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (1, "pack.damaged")
