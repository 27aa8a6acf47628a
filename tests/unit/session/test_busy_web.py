"""Calendars on the web, fetched from a server on this machine that answers as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from chaise_cli.session import busy_web
from chaise_cli.session.busy_web import Answer, Failed

CALENDAR = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


class Web(ThreadingHTTPServer):
    """Answers by path: a status, headers, a body. Remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.dripped = Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        status, headers, body = self.server.pages.get(self.path, (404, {}, b""))
        if headers.get("ETag") and headers["ETag"] == self.headers.get("If-None-Match"):
            status, body = 304, b""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as the library calls it
        """Nothing."""


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_calendar_comes_once_and_then_is_known_by_its_tag(web: Web) -> None:
    web.pages["/a.ics?key=x"] = (200, {"ETag": '"1"'}, CALENDAR)
    assert busy_web.fetch(web.url("/a.ics?key=x"), None) == Answer(CALENDAR, '"1"')
    assert busy_web.fetch(web.url("/a.ics?key=x"), '"1"') == Answer(None, '"1"')
    web.pages["/a.ics?key=x"] = (200, {"ETag": '"2"'}, CALENDAR + b"\r\n")
    assert busy_web.fetch(web.url("/a.ics?key=x"), '"1"') == Answer(CALENDAR + b"\r\n", '"2"')
    (_, headers), *_ = web.asked
    assert headers["Accept-Encoding"] == "identity"


def test_redirects_are_followed_but_not_for_ever(web: Web) -> None:
    web.pages |= {f"/{n}": (302, {"Location": f"{n + 1}"}, b"") for n in range(9)}
    web.pages["/5"] = (200, {}, CALENDAR)
    assert busy_web.fetch(web.url("/0"), None).body == CALENDAR
    del web.pages["/5"]
    web.pages["/5"] = (307, {"Location": "/0"}, b"")
    with pytest.raises(Failed, match="too often"):
        busy_web.fetch(web.url("/0"), None)
    assert len(web.asked) == 6 + 6


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://example.org/a", "not encrypted"),
        ("file:///etc/passwd", "no host"),
        ("https://me:secret@example.org/", "a name or password"),
        ("https://[::1", "not of the form"),
    ],
)
def test_a_redirect_is_looked_at_like_an_address_that_is_typed(web: Web, target: str, why: str) -> None:
    web.pages["/"] = (301, {"Location": target}, b"")
    with pytest.raises(Failed, match=why) as told:
        busy_web.fetch(web.url("/"), None)
    assert "secret" not in str(told.value)


def test_nobody_is_led_from_the_open_net_into_a_private_one(web: Web) -> None:
    web.pages["/"] = (200, {}, CALENDAR)
    with pytest.raises(Failed, match="private network"):
        busy_web._ask(busy_web._Hop(web.url("/"), private=False), None, None)
    assert web.asked == []


def test_nobody_is_led_to_where_nothing_is_encrypted(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy_web, "_ask", lambda *_: (True, web.url("/")))
    with pytest.raises(Failed, match="nothing is encrypted"):
        busy_web.fetch("https://calendar.example/a", None)


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ((404, {}, b""), "it answers 404"),
        ((302, {}, b""), "it answers 302"),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "packed"),
        ((200, {"Content-Length": "90"}, CALENDAR), "broke off|Incomplete|took too long"),
        ((200, {}, b"x" * (busy_web.LIMIT + 1)), "more than 5242880 bytes"),
    ],
)
def test_an_answer_that_is_no_calendar_fails(
    web: Web, page: tuple[int, dict[str, str], bytes], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy_web, "DEADLINE_S", 2.0)
    web.pages["/"] = page
    with pytest.raises(Failed, match=why):
        busy_web.fetch(web.url("/"), None)


def test_a_server_that_drips_is_left(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy_web, "DEADLINE_S", 0.3)

    def drip(self: Handler) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"BEGIN:VCALENDAR\n")
                self.wfile.flush()
                web.dripped.wait(0.05)
        except OSError:
            web.dripped.set()

    monkeypatch.setattr(Handler, "do_GET", drip)
    with pytest.raises(Failed, match="too long"):
        busy_web.fetch(web.url("/"), None)


def test_nobody_there_is_told(web: Web) -> None:
    with pytest.raises(Failed, match="refused"):
        busy_web.fetch("http://127.0.0.1:1/", None)
