"""Calendar servers on loopback: one that can be told to misbehave, and Radicale in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Protocol
from xml.sax.saxutils import escape

USER: Final = "lisa"
PASSWORD: Final = "correct horse"
_LOGIN: Final = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_SERVE: Final = Path(__file__).parents[1] / "interop" / "caldav" / "serve_radicale.py"


class CalendarServer(Protocol):
    """A server with an account. base: the address below which its user makes calendars."""

    base: str


class Visitor:
    """Another program of the calendar's owner: it writes as it likes, without asking what was there before."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"http://([^/]+)(/.*)", url)
        assert found is not None
        self._host, self._path = found[1], found[2]

    def ask(self, method: str, name: str = "", body: str = "", **headers: str) -> tuple[int, str]:
        """One request; status and body of the answer."""
        link = HTTPConnection(self._host, timeout=60)
        try:
            link.request(method, self._path + name, body.encode(), {"Authorization": _LOGIN} | headers)
            with link.getresponse() as answer:
                return answer.status, answer.read().decode()
        finally:
            link.close()

    def entries(self) -> dict[str, str]:
        """Every entry by its resource's name."""
        _, listing = self.ask("PROPFIND", Depth="1")
        names = re.findall(r"/([^/<]+\.ics)</", listing)
        return {name: self.ask("GET", name)[1] for name in names}

    def entry(self, uid: str) -> str:
        """One entry."""
        status, body = self.ask("GET", f"{uid}.ics")
        assert status == 200, status
        return body

    def edit(self, uid: str, pattern: str, by: str) -> None:
        """Change an entry as its owner would with some calendar program."""
        old = self.entry(uid).replace("\r\n", "\n")
        new = re.sub(pattern, by, old, flags=re.MULTILINE)
        assert new != old, old
        body = new.replace("\n", "\r\n")
        status, _ = self.ask("PUT", f"{uid}.ics", body, **{"Content-Type": "text/calendar"})
        assert status in {200, 201, 204}, status

    def add(self, name: str, uid: str) -> None:
        """Put an entry of one's own into the calendar."""
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//else//EN", "BEGIN:VEVENT", f"UID:{uid}",
                 "DTSTAMP:20261101T000000Z", "DTSTART:20261201T080000Z", "DTEND:20261201T090000Z", "SUMMARY:Dentist",
                 "END:VEVENT", "END:VCALENDAR", ""]  # fmt: skip
        status, _ = self.ask("PUT", name, "\r\n".join(lines), **{"Content-Type": "text/calendar"})
        assert status in {201, 204}, status

    def delete(self, uid: str) -> None:
        """Delete an entry."""
        assert self.ask("DELETE", f"{uid}.ics")[0] in {200, 204}


class Fake:
    """A server of calendars that does as it is told.

    asked: every request as `METHOD path`. tokens, etags: whether it knows such things. cut: after so many writes it
    does what it is asked, and hangs up without an answer. stall: after so many it answers no more, and sets `stalled`;
    with `late` it does nothing either. piece: it lists no more than so many changes at a time. says: this instead of
    any answer.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens = self.etags = True
        self.cut: int | None = None
        self.stall: int | None = None
        self.late = False
        self.stalled, self.goes_on = Event(), Event()
        self.piece = 1_000
        self.says: tuple[int, dict[str, str], str] | None = None
        self.calendars: dict[str, dict[str, tuple[int, str]]] = {}  # by path: name → version, text; "" text: gone
        self.version = self.oldest = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}/{USER}/"

    @contextmanager
    def serving(self) -> Iterator[Fake]:
        """It answers while the block runs."""
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.goes_on.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def forget_tokens(self) -> None:
        """No token given so far means anything any more."""
        self.version += 1
        self.oldest = self.version

    def answer(self, method: str, path: str, headers: Any, body: str) -> tuple[int, dict[str, str], str]:
        """What a request comes to: status, headers, body."""
        if self.says is not None:
            return self.says
        if headers["Authorization"] != _LOGIN:
            return 401, {"WWW-Authenticate": "Basic"}, ""
        folder, _, name = path.rpartition("/")
        held = self.calendars.get(folder)
        if method == "MKCALENDAR":
            self.calendars[folder] = {}
            return 201, {}, ""
        if held is None:
            return (409 if method == "PUT" else 404), {}, ""
        if method == "PROPFIND":
            there = [(one, version) for one, (version, text) in held.items() if text]
            return 207, {}, _multistatus(folder, [(one, version, True) for one, version in there], None)
        if method == "REPORT":
            return self._report(folder, held, body)
        return self._one(method, held, name, headers, body)

    def _report(self, folder: str, held: dict[str, tuple[int, str]], body: str) -> tuple[int, dict[str, str], str]:
        if "free-busy-query" in body:
            return 403, {}, '<error xmlns="DAV:"><supported-report/></error>'
        if "calendar-query" in body:
            said = [f"<C:calendar-data>{escape(text)}</C:calendar-data>" for _, text in held.values() if text]
            told = "".join(f"<response><href>{folder}/x</href>{_propstat(one)}</response>" for one in said)
            return 207, {}, f'<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{told}</multistatus>'
        if not self.tokens:
            return 501, {}, ""
        token_given = re.search(r"<sync-token>(\d+)</sync-token>", body)
        since = int(token_given[1]) if token_given else None
        if since is not None and since < self.oldest:
            return 403, {}, '<error xmlns="DAV:"><valid-sync-token/></error>'
        news = sorted((version, one, bool(text)) for one, (version, text) in held.items() if version > (since or -1))
        news = [row for row in news if since is not None or row[2]]
        piece = news[: self.piece]
        token = piece[-1][0] if len(piece) < len(news) else self.version
        rows = [(one, version, there) for version, one, there in piece]
        return 207, {}, _multistatus(folder, rows, token, cut=len(piece) < len(news))

    def _one(
        self, method: str, held: dict[str, tuple[int, str]], name: str, headers: Any, body: str
    ) -> tuple[int, dict[str, str], str]:
        version, text = held.get(name, (0, ""))
        told = {"ETag": f'"{version}"'} if self.etags else {}
        if method == "GET":
            return (200, {"ETag": f'"{version}"'}, text) if text else (404, {}, "")
        wanted, absent = headers["If-Match"], headers["If-None-Match"] == "*"
        if (absent and text) or (wanted is not None and (not text or wanted != f'"{version}"')):
            return 412, {}, ""
        if method == "DELETE" and not text:
            return 404, {}, ""
        self.version += 1
        held[name] = (self.version, body if method == "PUT" else "")
        told = {"ETag": f'"{self.version}"'} if self.etags and method == "PUT" else {}
        return (201 if absent else 204), told, ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                fake.asked.append(f"{self.command} {self.path}")
                writes = self.command in {"PUT", "DELETE"}
                if fake.stall is not None and writes:
                    fake.stall -= 1
                    if fake.stall < 0:
                        if not fake.late:
                            fake.answer(self.command, self.path, self.headers, body)
                        fake.stalled.set()
                        fake.goes_on.wait(60)
                        self.close_connection = True
                        return
                status, headers, said = fake.answer(self.command, self.path, self.headers, body)
                if fake.cut is not None and writes:
                    fake.cut -= 1
                    if fake.cut < 0:
                        self.close_connection = True
                        return
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(said.encode()))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.encode())

            do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = do_MKCALENDAR = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _multistatus(folder: str, rows: list[tuple[str, int, bool]], token: int | None, *, cut: bool = False) -> str:
    kind = "<resourcetype><collection/><C:calendar/></resourcetype>"
    found = [f"<response><href>{folder}/</href>{_propstat(kind)}</response>"] if token is None else []
    for name, version, there in rows:
        says = _propstat(f"<getetag>&quot;{version}&quot;</getetag>") if there else "<status>HTTP/1.1 404 Gone</status>"
        found.append(f"<response><href>{escape(folder)}/{escape(name)}</href>{says}</response>")
    if cut:
        found.append(f"<response><href>{folder}/</href><status>HTTP/1.1 507 More</status></response>")
    end = "" if token is None else f"<sync-token>{token}</sync-token>"
    inside = "".join(found) + end
    return f'<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{inside}</multistatus>'


def _propstat(prop: str) -> str:
    return f"<propstat><prop>{prop}</prop><status>HTTP/1.1 200 OK</status></propstat>"


def radicale_python() -> Path | None:
    """The Python of an environment that has Radicale."""
    found = Path(os.environ.get("CHAISE_CALENDARS") or ".foreign/calendars").absolute() / "bin" / "python"
    return found if found.is_file() else None


class Radicale:
    """Radicale with one account."""

    def __init__(self, python: Path, folder: Path) -> None:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("RADICALE_", "PYTHON"))}
        self.process = subprocess.Popen(
            [python, "-I", str(_SERVE), str(folder), USER, PASSWORD], stdout=subprocess.PIPE, env=clean
        )
        assert self.process.stdout
        port = self.process.stdout.readline().decode().strip()
        assert port, self.process.wait(60)
        self.base = f"http://127.0.0.1:{port}/{USER}/"

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(60)
        assert self.process.stdout
        self.process.stdout.close()
