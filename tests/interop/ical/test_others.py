"""What vobject, recurring-ical-events, libical and khal make of our files, against instants worked out by hand."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from chaise_cli.domain import itip, itip_answer
from chaise_cli.domain.booking import BookingCancelled
from chaise_cli.export import answers
from chaise_cli.export.calls import message_of
from chaise_cli.export.ical import Method, calendar
from chaise_cli.ids import IdentityId
from chaise_cli.session.calendars import Shown
from tests.unit.domain.call_story import INVITED, ORGANIZER, Call
from tests.unit.export.calls import CALL, DUE, OFFER
from tests.unit.export.zone_cases import FIRST_PASS, HAND_WORKED, utc

READERS: Final = ("vobject", "recurring-ical-events", "libical")
TRUSTING: Final = ("vobject", "libical")  # the VTIMEZONE of the file, not the name of the zone
HOUR: Final = timedelta(hours=1)
LISA, JAMES = "mailto:lisa@example.com", "mailto:james@example.com"
ADDRESSES: Final = {ORGANIZER: "lisa@example.com", INVITED: "james@example.com"}
Others = Callable[[str, dict[str, bytes]], dict[str, Any]]


@pytest.mark.parametrize("reader", READERS)
def test_every_call_is_at_its_instant(others: Others, reader: str) -> None:
    """The hour after each kind of change, half-hour changes, hours that happen twice, and summers after 2038.

    Each call in a file of its own, with the years around it, and all in one, whose zones begin long before most.
    """
    cases = [(zone, utc(at)) for zone, _, at in HAND_WORKED + FIRST_PASS]
    calls = [CALL._replace(uid=f"u{n}", tz=zone, start=at, end=at + HOUR) for n, (zone, at) in enumerate(cases)]
    files = {"all": calendar(calls, name="Calls")}
    files |= {call.uid: calendar([call], name="Calls") for call in calls}
    found = others(reader, files)
    expected = {call.uid: (call.start.timestamp(), call.end.timestamp()) for call in calls}
    alone = {name: times for name, read in found.items() if name != "all" for times in [instants(read)]}
    assert alone == {uid: {uid: times} for uid, times in expected.items()}
    assert instants(found["all"]) == expected


def instants(read: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Start and end by UID."""
    return {entry["uid"]: (entry["start"], entry["end"]) for entry in read["entries"]}


@pytest.mark.parametrize("reader", READERS)
def test_a_whole_calendar_is_read_as_it_was_meant(others: Others, reader: str) -> None:
    gone = CALL._replace(uid="gone", status="cancelled", sequence=3)
    files = {
        "plain": calendar([CALL, OFFER, gone], [DUE], name="Calls"),
        "feed": calendar([CALL, gone], [DUE._replace(organizer=CALL.organizer)], name="Calls", method="PUBLISH"),
    }
    found = others(reader, files)
    assert (found["plain"]["method"], found["feed"]["method"]) == (None, "PUBLISH")
    plain = {entry["uid"]: entry for entry in found["plain"]["entries"]}
    assert {uid: (entry["status"], entry["sequence"], entry["alarms"]) for uid, entry in plain.items()} == {
        CALL.uid: ("CONFIRMED", 1, 1),
        OFFER.uid: ("TENTATIVE", 0, 1),
        f"{OFFER.uid}-1": ("TENTATIVE", 0, 0),
        f"{OFFER.uid}-2": ("TENTATIVE", 0, 0),
        "gone": ("CANCELLED", 3, 0),
        DUE.uid: ("CONFIRMED", 0, 4),
    }
    assert plain[CALL.uid]["attendees"] == [[JAMES, "ACCEPTED"]]
    feed = {entry["uid"]: entry for entry in found["feed"]["entries"]}
    assert {uid: entry["attendees"] for uid, entry in feed.items()} == {CALL.uid: [], "gone": [], DUE.uid: []}
    assert found["plain"].get("wrong", []) == found["feed"].get("wrong", []) == []


class Step(NamedTuple):
    """A message of the story, and what a reader has to find in it."""

    method: Method
    sequence: int
    hour: float  # of 1 December 2026, plus 53 minutes and 20 seconds, UTC
    status: str
    attendees: list[list[str]]


STEPS: Final = (
    Step("REQUEST", 0, 0, "TENTATIVE", [[JAMES, "NEEDS-ACTION"], [LISA, "ACCEPTED"]]),
    Step("COUNTER", 0, 5, "TENTATIVE", [[JAMES, "TENTATIVE"]]),
    Step("REQUEST", 1, 5, "CONFIRMED", [[JAMES, "NEEDS-ACTION"], [LISA, "ACCEPTED"]]),
    Step("REPLY", 1, 5, "CONFIRMED", [[JAMES, "ACCEPTED"]]),
    Step("CANCEL", 2, 5, "CANCELLED", [[JAMES, "ACCEPTED"], [LISA, "ACCEPTED"]]),
)


def played() -> dict[str, bytes]:
    """REQUEST → COUNTER → REQUEST → REPLY → CANCEL, each after the act it tells of; and a counter-offer declined."""
    call, files = Call(), dict[str, bytes]()

    def sends(side: IdentityId, method: Method) -> None:
        facts = itip.message(call.now, itip.permitted(call.now, side, method))
        names = {ORGANIZER: "Lisa", INVITED: "James"}
        people: dict[str, tuple[str, str | None]] = {who: (names[who], ADDRESSES[who]) for who in ADDRESSES}
        shown = Shown("4tq8xm2kcall", facts, "Call: Lisa and James", facts.note, people)
        files[f"{len(files)} {method}"] = message_of(shown, method)

    sends(ORGANIZER, "REQUEST")
    call.offers(5, INVITED)
    sends(INVITED, "COUNTER")
    call.accepts(ORGANIZER)
    sends(ORGANIZER, "REQUEST")
    sends(INVITED, "REPLY")
    call.offers(7, INVITED)
    call.declines(ORGANIZER)
    sends(ORGANIZER, "DECLINECOUNTER")
    call.tell(BookingCancelled(call.id, "ill"), ORGANIZER)
    sends(ORGANIZER, "CANCEL")
    return files


@pytest.mark.parametrize("reader", ["ical.js", *READERS])
def test_each_message_of_a_call_is_read_with_its_revision_and_answer(
    others: Others, icaljs: Callable[[dict[str, Any]], Any], reader: str
) -> None:
    files = {name: data for name, data in played().items() if "DECLINECOUNTER" not in name}
    if reader == "ical.js":
        found = {name: icaljs({"file": data.decode()}) for name, data in files.items()}
    else:
        found = others(reader, files)
    for step, read in zip(STEPS, found.values(), strict=True):
        (entry,) = read["entries"]
        start = utc("2026-12-01T00:53:20Z").timestamp() + step.hour * 3_600
        assert (read["method"], entry["uid"], entry["sequence"], entry["start"]) == (
            step.method,
            "4tq8xm2kcall",
            step.sequence,
            start,
        )
        answers = sorted([one[0], one[-1]] for one in entry["attendees"])
        assert (entry["status"], answers, entry["end"] - entry["start"]) == (step.status, step.attendees, 3_600)
        alarms = entry["triggers"] if reader == "ical.js" else range(entry["alarms"])
        assert len(alarms) == (step.method == "REQUEST")
        assert read.get("wrong", []) == [], "what libical has against it by the tables of the standard"


def test_a_declined_counter_offer_has_no_more_than_it_may(programs: Path, others: Others) -> None:
    (data,) = [data for name, data in played().items() if "DECLINECOUNTER" in name]
    wrong = others("libical-check", {"it": data})["it"]["wrong"]
    # libical's table forgot SEQUENCE, which RFC 5546 wants whenever it is not 0.
    assert [line for line in wrong if "SEQUENCE" not in line] == []


def test_the_answer_of_another_program_to_our_invitation_is_a_yes(others: Others) -> None:
    """It writes the time zone its own way, and folds, quotes and orders as it likes."""
    answer = others("vobject-answer", {"it": played()["0 REQUEST"]})["it"]["text"].encode()
    said = answers.read(answer)
    start = int(utc("2026-12-01T00:53:20Z").timestamp() * 1_000)
    assert (said.method, said.uid, said.start, said.zone) == ("REPLY", "4tq8xm2kcall", start, "Europe/Berlin")
    assert itip_answer.draft(Call().now, INVITED, said, ADDRESSES) == itip_answer.Draft("accept", slot=1)


def test_khal_imports_a_call_and_replaces_it_by_its_next_revision(programs: Path, tmp_path: Path) -> None:
    khal = Khal(programs, tmp_path)
    day = timedelta(days=1)
    khal.imports(calendar([CALL, OFFER], [DUE], name="Calls"))
    assert khal.lists() == {
        CALL.uid: ("2026-11-25 14:00", "2026-11-25 14:30", "CONFIRMED"),
        OFFER.uid: ("2026-11-25 14:00", "2026-11-25 14:30", "TENTATIVE"),
        f"{OFFER.uid}-1": ("2026-11-26 14:00", "2026-11-26 14:30", "TENTATIVE"),
        f"{OFFER.uid}-2": ("2026-11-24 14:00", "2026-11-24 14:30", "TENTATIVE"),
        DUE.uid: ("2026-12-15 22:59", "2026-12-15 23:59", "CONFIRMED"),  # khal's own rule: without an end, an hour
    }
    moved = CALL._replace(sequence=2, start=CALL.start + day, end=CALL.end + day)
    gone = OFFER._replace(sequence=1, status="cancelled", extra=())
    khal.imports(calendar([moved, gone], name="Calls"))
    found = khal.lists()
    assert found[CALL.uid] == ("2026-11-26 14:00", "2026-11-26 14:30", "CONFIRMED")
    assert found[OFFER.uid][2] == "CANCELLED"


class Khal:
    """The program, with a calendar of its own whose clock is UTC."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.program, self.folder = programs / "khal", folder
        (folder / "ours").mkdir()
        forms = "".join(f"{name}format = %Y-%m-%d %H:%M\n" for name in ("datetime", "longdatetime"))
        days = "".join(f"{name}format = %Y-%m-%d\n" for name in ("date", "longdate"))
        (folder / "config").write_text(
            f"[calendars]\n[[ours]]\npath = {folder / 'ours'}\n[sqlite]\npath = {folder / 'db'}\n"
            f"[locale]\nlocal_timezone = UTC\ndefault_timezone = UTC\ntimeformat = %H:%M\n{forms}{days}"
        )

    def runs(self, *words: str) -> str:
        where = {f"XDG_{name}_HOME": str(self.folder) for name in ("CONFIG", "CACHE", "DATA")}
        command = [str(self.program), "-c", str(self.folder / "config"), *words]
        done = subprocess.run(command, env={**os.environ, **where}, check=True, stdout=subprocess.PIPE)
        return done.stdout.decode()

    def imports(self, data: bytes) -> None:
        (self.folder / "in.ics").write_bytes(data)
        self.runs("import", "--batch", str(self.folder / "in.ics"))

    def lists(self) -> dict[str, tuple[str, str, str]]:
        """Start, end and status by UID, from 20 November on."""
        keys = ("uid", "start", "end", "status")
        options = [part for key in keys for part in ("--json", key)]
        days = [json.loads(line) for line in self.runs("list", *options, "2026-11-20", "30d").splitlines()]
        return {one["uid"]: (one["start"], one["end"], one["status"]) for day in days for one in day}
