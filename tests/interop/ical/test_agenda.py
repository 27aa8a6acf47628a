"""What ical.js makes of the file that `agenda --ics` writes of a deal as people leave it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.when import read_instant
from tests.e2e.hired import DUE, fund, hired, settle
from tests.e2e.people import Person, exchange

if TYPE_CHECKING:
    from collections.abc import Callable

ALARMS: Final = [-604_800, -259_200, -86_400, -7_200]  # 7 days, 3 days, 24 hours, 2 hours


def funded(folder: Path) -> tuple[Person, Person, str]:
    """Lisa and James, with a deal whose first part has money."""
    lisa = Person(folder, "lisa", role="client", tz="Europe/Berlin", email="lisa@example.org")
    james = Person(folder, "james", role="talent", tz="America/New_York")
    james.does("board", "join", "-", stdin=lisa.does("board", "create", "marketing")["invite"])
    exchange(lisa, james)
    deal = hired(lisa, james)
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    return lisa, james, deal


def test_every_deadline_of_a_deal_arrives_with_what_happens_then(
    icaljs: Callable[[dict[str, Any]], Any], tmp_path: Path
) -> None:
    """A deal that was paid in part, reviewed by one side, and whose second part is to be cancelled; and a post."""
    lisa, james, deal = funded(tmp_path)
    lisa.does("post", "Logo", "--deadline", "2026-12-20")
    fund(lisa, f"{deal}/2", "1400.00 EUR")
    lisa.does("release", f"{deal}/1", "--total", "100EUR", "--confirm", "100.00 EUR to @james")
    lisa.does("review", deal, "--stars", "5", "--text", "Great")
    lisa.does("cancel", f"{deal}/2")
    settle(lisa, james)
    file = tmp_path / "agenda.ics"
    items = lisa.does("agenda", "--ics", str(file))
    assert {item["kind"] for item in items} == {"due", "cancel", "opinion", "deadline"}
    answer = icaljs({"file": file.read_text(encoding="utf-8")})
    entries = {entry["summary"]: entry for entry in answer["entries"]}
    assert {item["consequence"] for item in items} == set(entries)
    assert answer["method"] == "PUBLISH"
    for item in items:
        entry = entries[item["consequence"]]
        assert entry["start"] == entry["end"] == read_instant(item["at"]) // 1000
        assert (entry["status"], entry["triggers"], entry["description"]) == ("CONFIRMED", ALARMS, item["of"])
        assert (entry["organizer"], entry["attendees"]) == ("mailto:lisa@example.org", [])
    assert len({entry["uid"] for entry in entries.values()}) == len(items)
    assert entries["James is to deliver Setup"]["start"] == DUE // 1000


def test_a_deadline_that_moved_keeps_its_uid(icaljs: Callable[[dict[str, Any]], Any], tmp_path: Path) -> None:
    lisa, james, deal = funded(tmp_path)
    file = tmp_path / "agenda.ics"
    found: list[dict[str, Any]] = []
    for now in ("2026-11-20T12:00:00Z", "2026-11-25T12:00:00Z"):
        lisa.now = james.now = now
        if found:
            lisa.does("changes", f"{deal}/1", "not yet")
            settle(lisa, james)
        james.does("deliver", f"{deal}/1", "--note", "done")
        settle(lisa, james)
        lisa.does("agenda", "--kind", "review", "--ics", str(file))
        found += icaljs({"file": file.read_text(encoding="utf-8")})["entries"]
    first, second = found
    assert first["uid"] == second["uid"]
    assert second["start"] - first["start"] == 5 * 86_400
    assert (second["sequence"], second["dtstamp"]) > (first["sequence"], first["dtstamp"])
