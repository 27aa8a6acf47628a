"""A key for automation, used in an empty home: through a folder and through a relay."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sync import web
from tests.e2e.cast import Ground
from tests.e2e.hired import fund
from tests.e2e.people import NOON, Answer, Person
from tests.e2e.relay_process import RelayProcess


class Site(NamedTuple):
    """A place with Lisa's funded deal of 600.00 EUR and 900.00 EUR with James, and a machine with an empty home."""

    lisa: Person
    james: Person
    bot: Person
    deal: str
    where: str

    @property
    def key(self) -> Path:
        return self.lisa.folder / "ci.key"

    def grant(self, *more: str, most: str = "600EUR", key: Path | None = None, by: Person | None = None) -> Any:
        """Lisa hands out a key to release, and says so at the place."""
        can = () if "--can" in more else ("--can", "release")
        until = () if "--until" in more else ("--until", "2026-12-31")
        out = str(key or self.key)
        return (by or self.lisa).does(
            "grant", "create", *can, "--deal", self.deal, "--max", most, *until, "-o", out, *more
        )

    def ci(self, *argv: str, key: Path | None = None) -> Answer:
        """One run with the key, by the machine."""
        return self.bot.run(*argv, "--json", env={"CHAISE_GRANT": str(key or self.key)})

    def release(self, *more: str, n: int = 1, key: Path | None = None) -> Answer:
        return self.ci("release", f"{self.deal}/{n}", *more, key=key)

    def meet(self) -> Any:
        """Lisa's device takes up what came; her first milestone as it then stands."""
        self.lisa.does("sync")
        return self.lisa.does("show", f"{self.deal}/1")

    def verdicts(self) -> list[tuple[str, str | None]]:
        """What James's replica makes of the runs' releases, in the order of their uptake."""
        self.lisa.does("sync")
        self.james.does("sync")
        entries = []
        for person in (self.lisa, self.james):
            log = person.does("log", self.deal)
            entries.append([(one["status"], one["reason"]) for one in log if one["kind"] == "release.authorized"])
        assert entries[0] == entries[1]
        return entries[0][::-1]


@pytest.fixture(params=["folder", "relay"])
def where(request: pytest.FixtureRequest, ground: Ground) -> str | RelayProcess:
    if request.param == "folder":
        return str(ground.folder / "shared")
    relay: RelayProcess = request.getfixturevalue("relay")
    return relay


@pytest.fixture
def site(ground: Ground, where: str | RelayProcess) -> Site:
    ground.empty()
    url = where if isinstance(where, str) else where.url
    lisa, james = Person(ground.folder, "lisa"), Person(ground.folder, "james")

    def play() -> str:
        lisa.init(role="client", tz="Europe/Berlin", email="lisa@example.org")
        james.init(role="talent", tz="America/New_York")
        if isinstance(where, RelayProcess):
            lisa.does("peer", "add", url, "--invite-file", "-", stdin=where.invite())
        else:
            Path(where).mkdir()
        made = lisa.does("board", "create", "marketing", "--at", url)
        james.does("board", "join", "-", stdin=made["invite"])
        lisa.does("post", "Holiday campaign", "--budget", "500..1900EUR", "--deadline", "2026-12-20")
        james.does("sync")
        (post,) = james.does("posts")
        parts = ("--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=900EUR@2026-12-02")
        deal = str(james.does("propose", post["id"], *parts)["id"])
        lisa.does("sync")
        lisa.does("hire", deal)
        james.does("sync")
        james.does("accept", deal, "--terms", james.does("show", deal)["terms_hash"])
        lisa.does("sync")
        fund(lisa, f"{deal}/1")
        return deal

    relay = where if isinstance(where, RelayProcess) else None
    deal = ground.at("relay" if relay else "folder", play, relay)
    return Site(lisa, james, Person(ground.folder / "ci", "bot"), deal, url)


def test_a_run_releases_from_an_empty_home(site: Site) -> None:
    made = site.grant()
    assert stat.S_IMODE(site.key.stat().st_mode) == 0o600
    answer = site.release()
    assert answer.exit == 0, answer.err + answer.out
    assert (answer.data["op"]["state"], answer.data["op"]["grant"], answer.json["replayed"]) == (
        "authorized", made["id"], False,
    )  # fmt: skip
    assert not site.bot.home.exists()
    again = site.release()
    assert (again.exit, again.json["replayed"]) == (0, True)
    now = site.meet()
    assert (now["released"]["minor"], now["state"]) == (60_000, "released")
    assert site.verdicts() == [("valid", None)]
    (shown,) = site.lisa.does("grants", site.deal)
    assert (shown["state"], shown["spent"]["minor"], shown["final"]) == ("used_up", 60_000, True)
    assert site.lisa.does("show", made["id"])["id"] == made["id"]
    assert site.release().exit == 0


def test_two_runs_at_once_and_a_run_after_a_lost_answer_move_the_money_once(site: Site) -> None:
    site.grant()
    both = [site.release("--total", "400EUR") for _ in range(2)]  # neither has seen the other taken up
    assert [answer.exit for answer in both] == [0, 0]
    site.lisa.does("sync")
    assert site.release("--total", "400EUR").json["replayed"] is True
    assert site.meet()["released"]["minor"] == 40_000
    asked = ("--amount", "100EUR", "--request-id", "bonus 1")
    assert site.release(*asked).exit == 0
    assert site.meet()["released"]["minor"] == 50_000
    assert site.release(*asked).json["replayed"] is True, "another machine, an empty home"
    assert site.release("--amount", "101EUR", "--request-id", "bonus 1").exit == 12
    assert site.meet()["released"]["minor"] == 50_000


def test_a_run_does_nothing_but_what_its_grant_allows(site: Site) -> None:
    made = site.grant("--milestone", "1", most="100EUR")
    over = site.release()
    assert (over.exit, over.code, over.data["held"]["minor"]) == (7, "grant.over_cap", 60_000)
    assert site.release("--total", "100.01EUR").code == "grant.over_cap"
    fund(site.lisa, f"{site.deal}/2", "900.00 EUR")
    assert site.release(n=2).code == "grant.other_milestone"
    assert site.ci("fund", f"{site.deal}/2").exit in {0, 7}
    for verb in (
        ("message", site.deal, "hello"), ("grant", "revoke", made["id"]), ("cancel", f"{site.deal}/1"),
        ("changes", f"{site.deal}/1", "more"), ("review", site.deal, "--stars", "5", "--text", "fine"),
        ("grant", "create", "--can", "release", "--deal", site.deal, "--max", "1EUR", "--until", "2026-12-31", "-o",
         str(site.bot.folder / "more.key")),
        ("agent", "move", site.deal),
    ):  # fmt: skip
        assert site.ci(*verb).exit not in (0, 1), verb
    assert not (site.bot.folder / "more.key").exists()
    assert site.release("--total", "100EUR").exit == 0
    assert site.meet()["released"]["minor"] == 10_000
    assert site.verdicts() == [("valid", None)]


def test_an_expired_and_a_revoked_grant_open_nothing(site: Site) -> None:
    site.grant("--until", "2026-11-21T12:00:00Z")
    other = site.lisa.folder / "other.key"
    made = site.grant(key=other)
    site.bot.now = "2026-11-21T12:00:00Z"
    late = site.release("--total", "1EUR")
    assert (late.exit, late.code) == (7, "grant.expired")
    site.bot.now, over = NOON, "active"
    if "://" not in site.where:  # a relay lets nobody in whose clock is a day away, and judges by its own
        site.lisa.now = site.james.now = "2026-11-21T12:00:00Z"
        assert site.release("--total", "1EUR").exit == 0  # its own clock decides nothing: the agent's does
        assert site.verdicts() == [("void", "grant.expired")]
        over = "expired"
    site.lisa.does("grant", "revoke", made["id"])
    gone = site.release(key=other)
    assert (gone.exit, gone.code) == (7, "grant.revoked")
    assert site.meet()["released"]["minor"] == 0
    assert {one["state"] for one in site.lisa.does("grants", site.deal)} == {over, "revoked"}


def test_approvals_are_by_full_ids_of_parties_whatever_others_are_called(site: Site, tmp_path: Path) -> None:
    impostor = Person(tmp_path / "other", "james", role="talent")  # who calls himself like James
    wanted = ("--can", "release", "--deal", site.deal, "--max", "600EUR", "--until", "2026-12-31", "-o", str(site.key))
    refused = ("grant", "create", *wanted, "--approvals")
    assert site.lisa.fails(*refused, "1of:@james").code == "grant.bad_approvals"
    assert site.lisa.fails(*refused, f"1of:{site.james.id[:11]}").code == "usage.full_id"
    assert site.lisa.fails(*refused, f"1of:{impostor.id}").exit in {3, 5}
    assert not site.key.exists()
    made = site.grant("--approvals", f"1of:{site.james.id}")
    denied = site.release()
    assert (denied.exit, denied.code) == (7, "grant.not_approved")
    site.james.does("sync")
    assert (
        site.lisa.fails("grant", "approve", made["id"], "--total", "600EUR", "--milestone", "1").code
        == "deal.not_yours"
    )
    site.james.does("grant", "approve", made["id"], "--total", "600EUR", "--milestone", "1")
    assert site.release().exit == 0
    site.meet()
    assert site.verdicts() == [("valid", None)]


def test_the_talents_run_delivers_what_it_built(site: Site) -> None:
    site.james.does("sync")
    site.grant("--can", "deliver", most="0EUR", by=site.james)
    built = site.bot.folder / "site.tar"
    built.parent.mkdir(exist_ok=True)
    built.write_bytes(b"built" * 1_000)
    answer = site.ci("deliver", f"{site.deal}/1", "--file", str(built), "--note", "build 7")
    assert answer.exit == 0, answer.err
    assert site.meet()["state"] == "delivered"
    fetched = site.lisa.does("files", site.deal, "--fetch", str(site.lisa.folder / "got"))
    assert Path(fetched[0]["path"]).read_bytes() == built.read_bytes()
    assert site.release().code == "deal.not_yours"


def test_what_a_grant_says_of_itself(site: Site) -> None:
    out = ("grant", "create", "--can", "release", "--deal", site.deal, "--max", "600EUR", "--until", "2026-12-31", "-o")
    answer = site.lisa.run(*out, str(site.key), "--json")
    assert any("reads all of" in one for one in answer.json["warnings"])
    assert any("unasked" in one for one in answer.json["warnings"])
    secret = json.loads(site.key.read_bytes())
    for hidden in (secret["key"], secret["box"]):
        assert hidden not in answer.out + answer.err
    assert site.lisa.fails(*out, str(site.key)).code == "grant.file_exists"
    assert site.lisa.fails(*out, str(site.key) + "2", "--per-day", "1USD").code == "escrow.other_currency"
    site.key.write_bytes(site.key.read_bytes().replace(b'"v":1', b'"v":2'))
    assert site.release().code == "grant.bad_file"
    assert site.lisa.run("grants", site.deal).exit == 0


def test_a_run_that_reaches_no_place_ends_with_13_and_moves_nothing(site: Site, where: str | RelayProcess) -> None:
    site.grant()
    if isinstance(where, RelayProcess):
        where.stop()
    else:
        Path(where).rename(f"{where} away")
    lost = site.release()
    assert (lost.exit, lost.code) == (13, "grant.nowhere")
    if isinstance(where, RelayProcess):
        where.start()
    else:
        Path(f"{where} away").rename(where)
    assert site.meet()["held"]["minor"] == 60_000
    assert site.release().exit == 0


def test_a_release_takes_a_relay_few_round_trips(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.grant()
    asked: list[str] = []
    request = web.Link.request

    def counted(self: web.Link, method: str, path: str, *more: Any, **given: Any) -> web.Answer:
        asked.append(path)
        return request(self, method, path, *more, **given)

    monkeypatch.setattr(web.Link, "request", counted)
    assert site.release().exit == 0
    assert len(asked) <= 20, asked
    assert bool(asked) == ("://" in site.where)
