"""A key for automation, used in an empty home: through a folder and through a relay."""

from __future__ import annotations

import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.hired import fund
from tests.e2e.people import Answer, Person
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
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | RelayProcess]:
    if request.param == "folder":
        (tmp_path / "shared").mkdir()
        yield str(tmp_path / "shared")
        return
    relay = RelayProcess(tmp_path / "relay")
    yield relay
    relay.stop(signal.SIGKILL)


@pytest.fixture
def site(lisa: Person, james: Person, where: str | RelayProcess, tmp_path: Path) -> Site:
    url = where if isinstance(where, str) else where.url
    if isinstance(where, RelayProcess):
        lisa.does("peer", "add", url, "--invite-file", "-", stdin=where.invite())
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
    return Site(lisa, james, Person(tmp_path / "ci", "bot"), deal, url)


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
