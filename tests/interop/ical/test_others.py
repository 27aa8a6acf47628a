"""What vobject, recurring-ical-events, libical and khal make of our files, against instants worked out by hand."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
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
from tests.unit.export.calls import CALL, CHECKINS, DUE, OFFER, WEEKLY
from tests.unit.export.zone_cases import FIRST_PASS, HAND_WORKED, utc

READERS: Final = ("vobject", "recurring-ical-events", "libical")
HOUR: Final = timedelta(hours=1)
LISA, JAMES = "mailto:lisa@example.com", "mailto:james@example.com"
# The hour after each kind of change, and the first pass of hours that happen twice; and deadlines at the same instants.
PLACED: Final = tuple(
    CALL._replace(uid=f"u{n}", tz=zone, start=utc(at), end=utc(at) + HOUR)
    for n, (zone, _, at) in enumerate(HAND_WORKED + FIRST_PASS)
)
DEADLINES: Final = tuple(DUE._replace(uid=call.uid, at=call.start, tz=call.tz) for call in PLACED)
ADDRESSES: Final = {ORGANIZER: "lisa@example.com", INVITED: "james@example.com"}
Others = Callable[[str, dict[str, bytes]], dict[str, Any]]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Every form of file, by name; each reader is started once for all."""
    gone = CALL._replace(uid="gone", status="cancelled", sequence=3)
    series = [entry for entry, _ in CHECKINS]
    return {
        "all": calendar(PLACED, name="Calls"),
        **{call.uid: calendar([call], name="Calls") for call in PLACED},
        "plain": calendar([CALL, OFFER, gone], [DUE], name="Calls"),
        "feed": calendar(
            [CALL, gone, WEEKLY], [DUE._replace(organizer=CALL.organizer)], name="Calls", method="PUBLISH"
        ),
        "checkins": calendar(series, name="Calls"),
        "deadlines": calendar([], DEADLINES, name="Deadlines"),
        "invited to a check-in": calendar([WEEKLY], name="", method="REQUEST"),
        "a check-in is off": calendar([WEEKLY._replace(status="cancelled", sequence=2)], name="", method="CANCEL"),
        **played(),
    }


@pytest.fixture(scope="module", params=["ical.js", *READERS])
def found(
    files: dict[str, bytes], others: Others, icaljs: Callable[[dict[str, Any]], Any], request: pytest.FixtureRequest
) -> dict[str, dict[str, Any]]:
    """What a reader finds in each; of a check-in an entry for each of its times."""
    if request.param == "recurring-ical-events":  # it expands, and there is nothing to expand without a time
        files = {name: data for name, data in files.items() if "DECLINECOUNTER" not in name}
    if request.param != "ical.js":
        return others(request.param, files)
    answer = icaljs({"files": {name: data.decode() for name, data in files.items()}})
    for read in answer.values():
        read["entries"] = [
            {
                **entry,
                "start": start,
                "end": end,
                "attendees": sorted([one[0], one[-1]] for one in entry["attendees"]),
                "alarms": len(entry["triggers"]),
            }
            for entry in read["entries"]
            for start, end in entry.get("occurrences") or [(entry.get("start"), entry.get("end"))]
        ]
    return dict(answer)


def instants(read: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Every start and end by UID. A set: libical tells a first time twice that is among the RDATEs as well."""
    pairs = {(entry["uid"], entry["start"], entry["end"]) for entry in read["entries"]}
    return {uid: sorted(pair[1:] for pair in pairs if pair[0] == uid) for uid, _, _ in pairs}


def times(start: datetime, length: timedelta = HOUR) -> tuple[float, float]:
    return start.timestamp(), (start + length).timestamp()


def test_every_call_is_at_its_instant(found: dict[str, Any]) -> None:
    """The hour after each kind of change, half-hour changes, hours that happen twice, and summers after 2038.

    Each call in a file of its own, with the years around it, and all in one, whose zones begin long before most.
    """
    expected = {call.uid: [times(call.start)] for call in PLACED}
    assert {uid: instants(found[uid])[uid] for uid in expected} == expected
    assert instants(found["all"]) == expected


def test_every_checkin_takes_place_at_its_instants(found: dict[str, Any]) -> None:
    """Over changes of the clock, with a time that is off, and at instants that no rule tells."""
    expected = {entry.uid: [times(utc(at), HOUR / 2) for at in instants] for entry, instants in CHECKINS}
    assert instants(found["checkins"]) == expected
    for file in ("feed", "invited to a check-in", "a check-in is off"):
        assert instants(found[file])[WEEKLY.uid] == expected[WEEKLY.uid]


def test_every_deadline_is_at_its_instant_and_takes_no_time(found: dict[str, Any]) -> None:
    assert instants(found["deadlines"]) == {due.uid: [times(due.at, 0 * HOUR)] for due in DEADLINES}
    said = {(entry["status"], entry["transparent"], entry["alarms"]) for entry in found["deadlines"]["entries"]}
    assert said == {("CONFIRMED", True, 4)}


def test_a_whole_calendar_is_read_as_it_was_meant(found: dict[str, Any]) -> None:
    assert (found["plain"]["method"], found["feed"]["method"]) == (None, "PUBLISH")
    plain = {entry["uid"]: entry for entry in found["plain"]["entries"]}
    said = {uid: (one["status"], one["sequence"], one["alarms"], one["transparent"]) for uid, one in plain.items()}
    assert said == {
        CALL.uid: ("CONFIRMED", 1, 1, False),
        OFFER.uid: ("TENTATIVE", 0, 1, False),
        f"{OFFER.uid}-1": ("TENTATIVE", 0, 0, False),
        f"{OFFER.uid}-2": ("TENTATIVE", 0, 0, False),
        "gone": ("CANCELLED", 3, 0, True),
        DUE.uid: ("CONFIRMED", 0, 4, True),
    }
    assert plain[CALL.uid]["attendees"] == [[JAMES, "ACCEPTED"]]
    assert {(entry["organizer"], *entry["attendees"]) for entry in found["feed"]["entries"]} == {(LISA,)}


def test_each_form_is_as_the_tables_of_the_standard_want_it(found: dict[str, Any]) -> None:
    """What libical has against a file, which is the one that looks; of a refused counter-offer see below."""
    wrong = {name: read.get("wrong", []) for name, read in found.items() if "DECLINECOUNTER" not in name}
    assert {name: lines for name, lines in wrong.items() if lines} == {}


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


def test_each_message_of_a_call_is_read_with_its_revision_and_answer(found: dict[str, Any]) -> None:
    messages = [name for name in found if name[:1].isdigit() and "DECLINECOUNTER" not in name]
    for step, name in zip(STEPS, messages, strict=True):
        (entry,) = found[name]["entries"]
        start = utc("2026-12-01T00:53:20Z").timestamp() + step.hour * 3_600
        said = (found[name]["method"], entry["uid"], entry["sequence"], entry["start"], entry["organizer"])
        assert said == (step.method, "4tq8xm2kcall", step.sequence, start, LISA)
        answers = (entry["status"], entry["attendees"], entry["end"] - entry["start"])
        assert answers == (step.status, step.attendees, 3_600)
        assert entry["alarms"] == (step.method == "REQUEST")


def test_messages_about_a_checkin_say_whether_it_takes_place(found: dict[str, Any]) -> None:
    for file, said in (
        ("invited to a check-in", ("REQUEST", "CONFIRMED", 1, 1)),
        ("a check-in is off", ("CANCEL", "CANCELLED", 2, 0)),
    ):
        entries = found[file]["entries"]
        assert len(entries) == 3
        assert {(found[file]["method"], one["status"], one["sequence"], one["alarms"]) for one in entries} == {said}
        assert all(one["attendees"] == [[JAMES, "ACCEPTED"]] for one in entries)


def test_a_declined_counter_offer_has_no_more_than_it_may(found: dict[str, Any]) -> None:
    for name in [name for name in found if "DECLINECOUNTER" in name]:
        (entry,) = found[name]["entries"]
        said = (found[name]["method"], entry["uid"], entry["sequence"], entry["organizer"], entry["attendees"])
        assert said == ("DECLINECOUNTER", "4tq8xm2kcall", 1, LISA, [])
        assert entry.get("start") is None
        # libical's table forgot SEQUENCE, which RFC 5546 wants whenever it is not 0.
        assert [line for line in found[name].get("wrong", []) if "SEQUENCE" not in line] == []


def test_the_answer_of_another_program_to_our_invitation_is_a_yes(others: Others) -> None:
    """It writes the time zone its own way, and folds, quotes and orders as it likes."""
    answer = others("vobject-answer", {"it": played()["0 REQUEST"]})["it"]["text"].encode()
    said = answers.read(answer)
    start = int(utc("2026-12-01T00:53:20Z").timestamp() * 1_000)
    assert (said.method, said.uid, said.start, said.zone) == ("REPLY", "4tq8xm2kcall", start, "Europe/Berlin")
    assert itip_answer.draft(Call().now, INVITED, said, ADDRESSES) == itip_answer.Draft("accept", slot=1)


def test_khal_imports_calls_and_replaces_them_by_their_next_revision(programs: Path, tmp_path: Path) -> None:
    khal = Khal(programs, tmp_path)
    day = timedelta(days=1)
    khal.imports(calendar([CALL, OFFER, *(entry for entry, _ in CHECKINS)], [DUE], name="Calls"))
    listed = khal.lists()
    assert {row for row in listed if not row[0].startswith("5ek")} == {
        (CALL.uid, "2026-11-25 14:00", "2026-11-25 14:30", "CONFIRMED"),
        (OFFER.uid, "2026-11-25 14:00", "2026-11-25 14:30", "TENTATIVE"),
        (f"{OFFER.uid}-1", "2026-11-26 14:00", "2026-11-26 14:30", "TENTATIVE"),
        (f"{OFFER.uid}-2", "2026-11-24 14:00", "2026-11-24 14:30", "TENTATIVE"),
        (DUE.uid, "2026-12-15 22:59", "2026-12-15 23:59", "CONFIRMED"),  # khal's own rule: without an end, an hour
    }
    checkins = {row[:3] for row in listed if row[0].startswith("5ek")}
    assert checkins == {row(entry.uid, utc(at)) for entry, instants in CHECKINS for at in instants}
    moved = CALL._replace(sequence=2, start=CALL.start + day, end=CALL.end + day)
    gone = OFFER._replace(sequence=1, status="cancelled", extra=())
    # The check-ins are a day later, and the third of them is off as well.
    starts = tuple(start + day for start in WEEKLY.starts)
    later = WEEKLY._replace(sequence=2, start=starts[0], end=WEEKLY.end + day, starts=starts, skipped=starts[1:3])
    khal.imports(calendar([moved, gone, later], name="Calls"))
    listed = khal.lists()
    assert {row for row in listed if row[0] in {CALL.uid, OFFER.uid, WEEKLY.uid}} == {
        (CALL.uid, "2026-11-26 14:00", "2026-11-26 14:30", "CONFIRMED"),
        (OFFER.uid, "2026-11-25 14:00", "2026-11-25 14:30", "CANCELLED"),
        (WEEKLY.uid, "2027-03-16 08:00", "2027-03-16 08:30", "CONFIRMED"),
        (WEEKLY.uid, "2027-04-06 07:00", "2027-04-06 07:30", "CONFIRMED"),
    }


def row(uid: str, start: datetime) -> tuple[str, str, str]:
    """Half an hour as khal lists it."""
    return uid, f"{start:%Y-%m-%d %H:%M}", f"{start + HOUR / 2:%Y-%m-%d %H:%M}"


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

    def lists(self) -> set[tuple[str, str, str, str]]:
        """UID, start, end and status of everything from September 2026 on."""
        keys = ("uid", "start", "end", "status")
        options = [part for key in keys for part in ("--json", key)]
        days = [json.loads(line) for line in self.runs("list", *options, "2026-09-01", "240d").splitlines()]
        return {(one["uid"], one["start"], one["end"], one["status"]) for day in days for one in day}
