"""What a CalDAV server makes of our entries: it stores each one, and its free and busy time is that of our calls."""

from __future__ import annotations

import http.client
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from chaise_cli.export.ical import Entry, calendar
from tests.unit.export.calls import CALL, CHECKINS, DUE, OFFER
from tests.unit.export.zone_cases import utc

HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)
LATER: Final = utc("2026-11-27T14:00Z")
CASES: Final = (
    ("Africa/Casablanca", "2026-03-22T11:00Z"),
    ("America/Santiago", "2026-09-06T04:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
    ("Europe/Berlin", "2026-10-25T02:00Z"),
    ("America/New_York", "2027-03-14T07:00Z"),
    ("Australia/Lord_Howe", "2027-04-03T14:45Z"),
    ("Europe/Berlin", "2041-07-01T10:00Z"),
)
# Run by the Python of an environment that has Radicale: its application behind a port of the loopback that is free.
SERVER: Final = """
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
from radicale import Application, config
class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass
settings = config.load()
settings.update({
    "auth": {"type": "none"}, "logging": {"level": "critical"},
    "storage": {"filesystem_folder": sys.argv[1]},
}, "tests")
server = make_server("127.0.0.1", 0, Application(settings), handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""
LISA: Final = "Basic bGlzYTp4"  # lisa, whose passphrase nobody asks for
QUERY: Final = """<?xml version="1.0"?>
<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">
<C:time-range start="{}" end="{}"/></C:free-busy-query>"""


class Server:
    """Radicale, with a calendar of this name."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.calendar = port, name
        assert self.asks("MKCALENDAR", "")[0] == 201

    def asks(self, method: str, name: str, body: bytes = b"", kind: str = "text/calendar") -> tuple[int, str]:
        """Status and text of an answer about the calendar, or a resource of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": kind, "Authorization": LISA}
        try:
            connection.request(method, f"/lisa/{self.calendar}/{name}", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def keeps(self, entry: Entry) -> int:
        """The status of putting the entry where its UID says."""
        return self.asks("PUT", f"{entry.uid}.ics", calendar([entry], name="Calls"))[0]

    def busy(self, start: str, end: str) -> list[str]:
        """Every busy period in between as the server writes it, with what kind of busy it is, by time."""
        query = QUERY.format(start, end).encode()
        status, text = self.asks("REPORT", "", query, "text/xml")
        assert status == 200, text
        found = re.findall(r"^FREEBUSY;(\S*)\r?$", text.replace("\r\n ", ""), re.MULTILINE)
        return sorted(found, key=lambda period: period.partition(":")[2])


@pytest.fixture(scope="module")
def port(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where the server listens, until the tests are over."""
    command = [str(programs / "python"), "-c", SERVER, str(tmp_path_factory.mktemp("radicale"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture
def radicale(port: int, request: pytest.FixtureRequest) -> Server:
    """The server, with a calendar of this test's own."""
    return Server(port, request.node.name)


def test_each_call_is_kept_under_its_uid_and_busy_at_its_instant(radicale: Server) -> None:
    """Radicale trusts the VTIMEZONE of the file. Half hours after changes, in a repeated hour, and of a far summer."""
    calls = [
        CALL._replace(uid=f"u{n}", tz=zone, start=utc(at), end=utc(at) + HALF) for n, (zone, at) in enumerate(CASES)
    ]
    assert [radicale.keeps(call) for call in calls] == [201] * len(calls)
    assert radicale.busy("20260101T000000Z", "20420101T000000Z") == [
        "FBTYPE=BUSY:20260322T110000Z/20260322T113000Z",
        "FBTYPE=BUSY:20260906T040000Z/20260906T043000Z",
        "FBTYPE=BUSY:20261003T153000Z/20261003T160000Z",
        "FBTYPE=BUSY:20261025T020000Z/20261025T023000Z",
        "FBTYPE=BUSY:20270314T070000Z/20270314T073000Z",
        "FBTYPE=BUSY:20270403T144500Z/20270403T151500Z",
        "FBTYPE=BUSY:20410701T100000Z/20410701T103000Z",
    ]


def test_every_checkin_is_kept_and_busy_at_its_instants(radicale: Server) -> None:
    """Each on its own, for what touches is told as one: over changes, with a time that is off, without a rule."""
    for entry, instants in CHECKINS:
        assert radicale.keeps(entry) == 201
        found = radicale.busy("20260801T000000Z", "20270601T000000Z")
        assert found == [f"FBTYPE=BUSY:{utc(at):%Y%m%dT%H%M%SZ}/{utc(at) + HALF:%Y%m%dT%H%M%SZ}" for at in instants]
        assert radicale.asks("DELETE", f"{entry.uid}.ics")[0] == 200


def test_offers_are_tentative_and_what_is_cancelled_or_a_deadline_takes_no_time(radicale: Server) -> None:
    window = ("20261101T000000Z", "20270101T000000Z")
    for entry in (CALL, OFFER._replace(start=LATER, end=LATER + HALF, extra=()), CALL._replace(uid="other")):
        assert radicale.keeps(entry) == 201
    assert radicale.asks("PUT", "due.ics", calendar([], [DUE], name="Calls"))[0] == 201
    assert radicale.busy(*window) == [
        "FBTYPE=BUSY:20261125T140000Z/20261125T143000Z",
        "FBTYPE=BUSY-TENTATIVE:20261127T140000Z/20261127T143000Z",
    ]
    moved = CALL._replace(sequence=2, start=LATER + HOUR, end=LATER + HOUR + HALF)
    for entry in (moved, CALL._replace(uid="other", status="cancelled", sequence=2)):
        assert radicale.keeps(entry) in {201, 204}, "the same resource again"
    assert radicale.busy(*window) == [
        "FBTYPE=BUSY-TENTATIVE:20261127T140000Z/20261127T143000Z",
        "FBTYPE=BUSY:20261127T150000Z/20261127T153000Z",
    ]
