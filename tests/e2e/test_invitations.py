"""Calls by mail: what each side may send, and what comes back from another calendar."""

from __future__ import annotations

import shlex
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cast import Cast
from tests.e2e.people import Person, exchange
from tests.unit.export.ical_lines import Component, read

AT = "2026-11-25 15:00"


@pytest.fixture
def james(cast: Cast, tmp_path: Path) -> Person:
    """The talent, who has an address."""
    made = Person(tmp_path, "james")
    settings = {"role": "talent", "tz": "America/New_York", "email": "james@example.net"}
    cast.at("james with an address", made, play=lambda: made.init(**settings).out)
    return made


@pytest.fixture
def call(lisa: Person, james: Person, board: str) -> str:
    """Lisa has offered two times; both know it, and each has the other's address."""
    made = lisa.does("message", "@james", "Hello James")
    exchange(lisa, james)
    james.does("message", str(made["deal"]), "Hello Lisa")
    made = lisa.does(
        "book", str(made["deal"]), "--at", AT, "--at", "2026-11-26 15:00", "--url", "https://meet.example/x"
    )
    exchange(lisa, james)
    return str(made["id"])


def entry(path: Path) -> tuple[str, Component]:
    """METHOD and the one entry of a calendar file, or of the calendar in a mail."""
    data = path.read_bytes()
    if not data.startswith(b"BEGIN"):
        mail = message_from_bytes(data, policy=default)
        found = mail.get_payload(decode=True)
        assert isinstance(found, bytes)
        data = found
        assert mail.get_content_type() == "text/calendar"
        assert mail.get_param("method") == read(data).value("METHOD")
    root = read(data)
    (event,) = root.kinds("VEVENT")
    return root.value("METHOD"), event


def countered(uid: str, sequence: int = 0, stamp: str = "20261120T130000Z") -> bytes:
    """What James's calendar program made of the invitation when he asked for another time."""
    lines = [
        "BEGIN:VCALENDAR", "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN", "VERSION:2.0", "METHOD:COUNTER",
        "BEGIN:VEVENT", f"UID:{uid}", f"SEQUENCE:{sequence}", f"DTSTAMP:{stamp}",
        "DTSTART;TZID=America/New_York:20261127T100000", "DTEND;TZID=America/New_York:20261127T104500",
        "ORGANIZER;CN=Lisa:mailto:lisa@example.org",
        "ATTENDEE;PARTSTAT=TENTATIVE;CN=James:mailto:James@Example.net",
        "COMMENT:`reboot`; $(reboot) 'and \\; friends'", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def asked(person: Person, data: bytes) -> tuple[str, str]:
    """The command that a message asks for, or why there is none."""
    path = person.folder / "answer.ics"
    path.write_bytes(data)
    answer = person.run("bookings", "--read", str(path), "--json")
    assert answer.exit == 0, answer.err
    command = "".join(step["command"] for step in answer.json["next"])
    return command, "" if command else answer.json["warnings"][0]


def types(person: Person, command: str) -> Any:
    """What a person who types that command gets."""
    return person.does(*shlex.split(command)[1:])


def test_an_invitation_is_countered_adopted_answered_and_cancelled(
    lisa: Person, james: Person, call: str, tmp_path: Path
) -> None:
    """REQUEST → COUNTER → REQUEST → REPLY → CANCEL, with the counter-offer from another program."""
    path = tmp_path / "out.eml"
    written = lisa.run("show", call, "--ics", str(path), "--eml", "--json")
    assert (written.exit, written.err) == (0, "written as REQUEST; chaise sends nothing\n")
    method, event = entry(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (method, event.value("SEQUENCE"), event.value("STATUS")) == ("REQUEST", "0", "TENTATIVE")
    assert event.value("SUMMARY") == "Call: Lisa and James"
    uid = event.value("UID")

    command, _ = asked(james, countered(uid))
    assert command == f"chaise book {call} --at 2026-11-27T15:00:00Z --tz America/New_York --for 45m"
    made = types(james, command)
    assert (made["turn"], made["start"], made["end"]) == ("client", "2026-11-27T15:00:00Z", "2026-11-27T15:45:00Z")
    james.does("show", call, "--ics", str(path), "--method", "counter")
    method, event = entry(path)
    assert (method, event.value("SEQUENCE"), event.value("DTSTART")) == ("COUNTER", "0", "20261127T100000")
    assert event.value("ATTENDEE") == "mailto:james@example.net"
    exchange(lisa, james)

    command, _ = asked(lisa, countered(uid))
    assert command == f"chaise accept {call} --slot 1"
    assert types(lisa, command)["state"] == "confirmed"
    lisa.does("show", call, "--ics", str(path), "--method", "request", "--eml")
    method, event = entry(path)
    assert (method, event.value("SEQUENCE")) == ("REQUEST", "1")
    assert any("PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:james" in line for line in event.lines)
    exchange(lisa, james)

    james.does("show", call, "--ics", str(path), "--method", "reply", "--eml")
    method, event = entry(path)
    assert (method, event.value("SEQUENCE"), event.children) == ("REPLY", "1", [])
    assert "PARTSTAT=ACCEPTED" in event.line("ATTENDEE")
    assert asked(lisa, path.read_bytes()) == ("", f"{call} is agreed for that time already")

    lisa.does("cancel", call, "--reason", "ill")
    lisa.does("show", call, "--ics", str(path), "--eml")
    assert lisa.run("show", call, "--ics", "-", "--eml").out.encode() == path.read_bytes()
    method, event = entry(path)
    assert (method, event.value("SEQUENCE"), event.value("STATUS"), event.value("COMMENT")) == (
        "CANCEL",
        "2",
        "CANCELLED",
        "ill",
    )
    assert asked(james, path.read_bytes())[0] == f"chaise cancel {call}"
    exchange(lisa, james)
    assert asked(james, path.read_bytes()) == ("", f"{call} is over already")


def test_no_message_is_written_in_the_other_sides_name_or_beside_a_file(
    lisa: Person, james: Person, call: str, tmp_path: Path
) -> None:
    path = str(tmp_path / "out.ics")
    refused = james.fails("show", call, "--ics", path, "--method", "cancel")
    assert (refused.code, refused.exit) == ("calendar.not_yours_to_send", 5)
    assert "reply, publish" in refused.error["hint"]
    assert james.fails("show", call, "--ics", path, "--method", "add").code == "usage.not_a_choice"
    for options in (["--eml"], ["--method", "reply"], ["--ics", path, "--private", "--eml"]):
        assert james.fails("show", call, *options).code == "usage.not_for_this"
    assert not (tmp_path / "out.ics").exists()
    james.does("show", call, "--ics", path, "--method", "publish")
    method, event = entry(tmp_path / "out.ics")
    assert (method, event.values("ATTENDEE")) == ("PUBLISH", [])


def test_without_an_address_nothing_is_invented(lisa: Person, tmp_path: Path) -> None:
    james = Person(tmp_path, "jim", role="talent", tz="America/New_York")
    james.does("board", "join", "-", stdin=lisa.does("board", "create", "marketing")["invite"])
    exchange(lisa, james)
    call = lisa.does("book", "@jim", "--at", AT)["id"]
    path = tmp_path / "out.ics"
    for options in (["--method", "request"], ["--eml"]):
        assert lisa.fails("show", call, "--ics", str(path), *options).code == "calendar.no_address"
    lisa.does("show", call, "--ics", str(path), "--method", "publish")
    assert entry(path)[0] == "PUBLISH"
    other = james.does("book", "@lisa", "--at", AT)["id"]
    exchange(lisa, james)
    refused = lisa.fails("show", other, "--ics", str(path), "--method", "publish")
    assert refused.code == "calendar.no_address", "PUBLISH names the organizer, and James has no address"
    assert "of the organizer" in refused.error["message"]


def test_an_answer_to_nothing_of_ours_is_refused(lisa: Person, call: str, tmp_path: Path) -> None:
    path = tmp_path / "answer.ics"
    uid = lisa.does("show", call)["uid"]
    for data, code, status in (
        (countered("nobody"), "calendar.no_such_call", 3),
        (countered(uid, sequence=1), "calendar.other_revision", 6),
        (countered(uid, stamp="20261120T115959Z"), "calendar.outdated", 6),
        (countered(uid).replace(b"lisa@", b"mallory@"), "calendar.other_sender", 5),
        (countered(uid).replace(b"COUNTER", b"REQUEST"), "calendar.not_an_answer", 2),
        (countered(uid).replace(b"BEGIN:VEVENT", b"BEGIN:VTODO"), "calendar.unreadable", 2),
    ):
        path.write_bytes(data)
        refused = lisa.fails("bookings", "--read", str(path))
        assert (refused.code, refused.exit) == (code, status)
    assert lisa.fails("bookings", "--read", str(path), "--since", "today").code == "usage.not_for_this"
    assert lisa.fails("bookings", "--read", str(tmp_path / "none")).code == "usage.unreadable_file"
