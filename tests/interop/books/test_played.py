"""Books of deals that were really played, through the commands, as hledger and beancount read them."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain.terms import Part
from tests.e2e.hired import fund, hired, settle
from tests.e2e.people import Person, exchange

CASES = {
    "USD": (60_000, "600.00 USD"),
    "EUR": (60_000, "600.00 EUR"),
    "JPY": (600, "600 JPY"),
    "BHD": (600_001, "600.001 BHD"),
}


class World:
    """Lisa holds the money of four deals, each in a currency of its own; one was released and paid out in part."""

    def __init__(self, folder: Path) -> None:
        self.lisa = Person(folder, "lisa", role="client", tz="Pacific/Auckland", email="lisa@example.org")
        self.james = Person(folder, "james", role="talent", tz="America/New_York")
        made = self.lisa.does("board", "create", "marketing")
        self.james.does("board", "join", "-", stdin=made["invite"])
        exchange(self.lisa, self.james)
        self.deals = {}
        for number, (currency, (minor, text)) in enumerate(CASES.items()):
            parts = (Part("Setup", minor, None, (), None),)
            deal = hired(self.lisa, self.james, parts, money=currency)
            self.deals[currency] = deal
            self.lisa.now = f"2026-11-{21 + number}T12:00:00Z"
            fund(self.lisa, f"{deal}/1", text)
        self.lisa.now = "2026-12-31T23:30:00Z"  # in Auckland it is the next year
        deal = self.deals["EUR"]
        self.lisa.does(
            *("release", f"{deal}/1", "--total", "400EUR", "--confirm", "400.00 EUR to @james"),
            *("--ref", "sepa; |1, date:2020-01-01\u202e"),
        )
        settle(self.lisa, self.james)

    def book(self, who: Person, format_: str, *more: str) -> str:
        answer = who.run("journal", "--format", format_, *more)
        assert answer.exit == 0, answer.err
        return answer.out


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("books"))


def test_both_sides_hold_the_same_book_to_the_byte(world: World) -> None:
    for format_ in ("hledger", "beancount", "csv"):
        assert world.book(world.lisa, format_) == world.book(world.james, format_, "--agent", "@lisa")


def test_hledger_agrees_with_balance_to_the_unit(world: World, hledger: str, tmp_path: Path) -> None:
    path = tmp_path / "book.journal"
    path.write_text(world.book(world.lisa, "hledger"), encoding="utf-8")
    strict = ("accounts", "commodities", "balancednoautoconversion", "ordereddates")
    assert _run(hledger, "check", *strict, "-f", str(path)) == ""
    for sums in world.lisa.does("balance"):
        for account, key in (("escrow", "held"), ("payable", "payable")):
            wanted = (f"liabilities:{account}", f"cur:{sums['currency']}")
            said = _run(hledger, "bal", *wanted, "-f", str(path), "-N", "--depth=2").split()
            assert Decimal(said[0] if said else "0") == -Decimal(sums[key]["text"].split()[0])


def test_a_year_ends_at_midnight_in_utc_for_everybody(
    world: World, hledger: str, beancount: Path, tmp_path: Path
) -> None:
    years = [("2026", "--until", "2026-12-31"), ("2027", "--since", "2027-01-01")]
    for year, *period in years:
        path = tmp_path / f"{year}.journal"
        path.write_text(world.book(world.lisa, "hledger", *period), encoding="utf-8")
        assert _run(hledger, "check", "accounts", "commodities", "ordereddates", "-f", str(path)) == ""
        assert ("released of" in path.read_text()) == (year == "2026")
        path = tmp_path / f"{year}.beancount"
        path.write_text(world.book(world.lisa, "beancount", *period), encoding="utf-8")
        assert _run(str(beancount / "bean-check"), str(path)) == ""
    ends = [
        _run(hledger, "bal", "assets", "liabilities", "-f", str(tmp_path / f"{year}.journal"), "--flat")
        for year, *_ in years
    ]
    assert ends[0] == ends[1]


def test_one_deal_makes_a_book_too(world: World, hledger: str, beancount: Path, tmp_path: Path) -> None:
    for format_, check in (("hledger", (hledger, "check", "-f")), ("beancount", (str(beancount / "bean-check"),))):
        path = tmp_path / f"one.{format_}"
        path.write_text(world.book(world.lisa, format_, world.deals["JPY"]), encoding="utf-8")
        assert _run(*check, str(path)) == ""
        assert "EUR" not in path.read_text()


def test_shares_of_a_balance_add_up_to_it(world: World) -> None:
    whole: Any = {one.pop("currency"): one for one in world.lisa.does("balance")}
    for key in ("deal", "person", "month"):
        shares = world.lisa.does("balance", "--by", key)
        for currency, sums in whole.items():
            of = [share for share in shares if share["currency"] == currency]
            assert of
            for name, amount in sums.items():
                kept = key == "month" and name in {"held", "disputed", "payable"}
                found = of[-1][name]["minor"] if kept else sum(share[name]["minor"] for share in of)
                assert found == amount["minor"], (key, name)
    assert {share["person"]["handle"] for share in world.lisa.does("balance", "--by", "person")} == {"james"}
    months = world.lisa.does("balance", "--by", "month", world.deals["EUR"])
    assert [share["month"] for share in months] == ["2026-11", "2026-12"]
    assert {share["deal"] for share in world.lisa.does("balance", "--by", "deal")} == set(world.deals.values())
    shown = world.lisa.run("balance", "--by", "month").out
    assert shown.splitlines()[0].split()[0] == "OF"
    assert world.lisa.fails("balance", "--by", "year").code == "usage.not_a_choice"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--format", "ledger"), "usage.not_a_choice"),
        (("--format", "csv", "--limit", "3"), "usage.not_for_this"),
        (("--format", "hledger", "--json"), "usage.one_format"),
        (("--agent", "@lisa"), "usage.not_for_this"),
    ],
)
def test_a_book_asked_for_wrongly_says_so(world: World, words: tuple[str, ...], code: str) -> None:
    assert world.lisa.fails("journal", *words).code == code
    assert world.lisa.run("journal", "--format", "csv", "--agent", "@nobody").exit == 3


def test_a_book_of_two_agents_is_none_and_each_is_named(world: World) -> None:
    """James hires Lisa too, so both hold money; nobody's books are ever mixed."""
    lisa, james = world.lisa, world.james
    deal = hired(james, lisa)
    fund(james, f"{deal}/1")
    settle(lisa, james)
    refused = lisa.run("journal", "--format", "hledger")
    assert (refused.exit, refused.out) == (3, "")
    assert lisa.id in refused.err
    assert james.id in refused.err
    theirs = world.book(lisa, "hledger", "--agent", james.id)
    assert theirs == world.book(james, "hledger", "--agent", "@me")
    assert deal in theirs
    assert deal not in world.book(lisa, "hledger", "--agent", "@lisa")


def test_who_kept_no_book_has_an_empty_one(world: World, hledger: str, tmp_path: Path) -> None:
    path = tmp_path / "none.journal"
    path.write_text(world.book(world.lisa, "hledger", world.deals["JPY"], "--agent", "@james"), encoding="utf-8")
    assert _run(hledger, "check", "-f", str(path)) == ""
    assert "released" not in path.read_text()


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
