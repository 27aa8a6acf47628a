"""What the client of the sim makes of answers that no sim gives."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest

from chaise_cli.rails.https import BadUrl
from chaise_cli.rails.rail import Declined, Key, KeyReused, NoStatement, NotSent, Succeeded, Unknown
from chaise_cli.rails.sim import Sim
from tests.fakes.authority import certificate, serving
from tests.fakes.rails import LISA, eur, intent

KEY, ASKED = Key("chaise-k"), intent(LISA, eur("6.00"))
GOOD: Final[dict[str, Any]] = {
    "ref": "sim-000001",
    "reference": KEY,
    "amount": {"minor": 600, "currency": "EUR"},
    "fee": {"minor": 0, "currency": "EUR"},
    "state": "succeeded",
    "code": None,
    "action": None,
    "reversible_until": None,
}
LINE: Final[dict[str, Any]] = {
    "at": 5, "ref": "sim-000001", "reference": KEY, "kind": "hold", "amount": GOOD["amount"], "fee": GOOD["fee"],
}  # fmt: skip


class Liar:
    """A server that answers everything with the same."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.status, self.body, self.headers = 200, b"", {"Content-Length": ""}
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Nothing."""

            def do_POST(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                self.send_response(liar.status)
                for name, value in liar.headers.items():
                    self.send_header(name, value or str(len(liar.body)))
                self.end_headers()
                self.wfile.write(liar.body)

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def says(self, value: object, status: int = 200) -> None:
        self.status = status
        self.body = value if isinstance(value, bytes) else json.dumps(value).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def liar() -> Iterator[Liar]:
    made = Liar()
    yield made
    made.close()


@pytest.fixture
def rail(liar: Liar) -> Iterator[Sim]:
    made = Sim(liar.url)
    yield made
    made.close()


GARBLED: Final[dict[str, tuple[int, object]]] = {
    "no JSON": (200, b"<html>welcome</html>"),
    "nothing": (200, b""),
    "a list": (200, [GOOD]),
    "nested beyond all measure": (200, b"[" * 100_000),
    "another payment": (200, GOOD | {"reference": "chaise-x"}),
    "another amount": (200, GOOD | {"amount": {"minor": 601, "currency": "EUR"}}),
    "another currency": (200, GOOD | {"amount": {"minor": 600, "currency": "USD"}}),
    "no currency in use": (200, GOOD | {"fee": {"minor": 0, "currency": "XXX"}}),
    "a fee below zero": (200, GOOD | {"fee": {"minor": -1, "currency": "EUR"}}),
    "a fee that is a float": (200, GOOD | {"fee": {"minor": 0.0, "currency": "EUR"}}),
    "a fee that is true": (200, GOOD | {"fee": {"minor": True, "currency": "EUR"}}),
    "no ref": (200, {name: value for name, value in GOOD.items() if name != "ref"}),
    "a ref that is a number": (200, GOOD | {"ref": 7}),
    "an empty ref": (200, GOOD | {"ref": ""}),
    "a state that is none": (200, GOOD | {"state": "maybe"}),
    "declined without a code": (200, GOOD | {"state": "declined"}),
    "a redirect": (302, GOOD),
    "somebody else's 404": (404, b"<html>not here</html>"),
    "a 404 of the sim, to an order": (404, {"error": {"code": "no_such_path", "message": ""}}),
    "a 400 of somebody else": (400, {"message": "bad"}),
    "a 400 whose code is none": (400, {"error": {"code": 4}}),
    "a 409 of somebody else": (409, {"error": {"code": "conflict"}}),
    "a 500": (500, GOOD),
    "a 503 of the sim": (503, {"error": {"code": "store_failed", "message": ""}}),
}


@pytest.mark.parametrize("what", GARBLED)
def test_of_an_answer_that_is_none_nobody_knows(liar: Liar, rail: Sim, what: str) -> None:
    status, value = GARBLED[what]
    liar.says(value, status)
    told = rail.hold(ASKED, KEY)
    assert isinstance(told, Unknown)
    assert told.our_reference == KEY
    assert told.why


@pytest.mark.parametrize("what", GARBLED)
def test_a_look_up_answered_so_proves_nothing(liar: Liar, rail: Sim, what: str) -> None:
    status, value = GARBLED[what]
    if what not in {"another amount", "another currency"}:  # whoever only has the key cannot tell
        liar.says({"payments": [value]} if status == 200 and isinstance(value, dict) else value, status)
        assert isinstance(rail.find(KEY), Unknown)
    if not what.startswith("another"):
        liar.says(value, status)
        assert isinstance(rail.fetch("sim-000001"), Unknown)
    assert isinstance(rail.fetch("sim-000002"), Unknown)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b'{"ok": 1}'),  # an answer that ends with the connection may be half of one
        ({"Content-Length": "9999999"}, b"{}"),
        ({"Content-Length": ""}, b" " * (1 << 20) + b"{}"),
    ],
)
def test_an_answer_that_may_not_be_whole_is_none(liar: Liar, rail: Sim, headers: dict[str, str], body: bytes) -> None:
    liar.headers = headers
    liar.says(body)
    assert isinstance(rail.hold(ASKED, KEY), Unknown)


def test_what_a_sim_says_is_understood(liar: Liar, rail: Sim) -> None:
    liar.says(GOOD)
    assert rail.hold(ASKED, KEY) == Succeeded("sim-000001", eur("6.00"), eur("0"), None)
    liar.says({"error": {"code": "bad_party", "message": ""}}, 400)
    assert rail.hold(ASKED, KEY) == Declined("bad_party")
    liar.says({"error": {"code": "key_reused", "message": ""}}, 409)
    with pytest.raises(KeyReused):
        rail.hold(ASKED, KEY)
    liar.says({"payments": [GOOD | {"state": "declined", "code": "no"}, GOOD]})
    assert isinstance(rail.find(KEY), Succeeded)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"lines": [LINE]},
        {"lines": [LINE | {"at": "now"}], "next": None},
        {"lines": [LINE | {"amount": {"minor": 2**53, "currency": "EUR"}}], "next": None},
        {"lines": [LINE], "next": 0},  # it would be asked for ever
    ],
)
def test_half_a_statement_is_none(liar: Liar, rail: Sim, value: object) -> None:
    liar.says(value)
    with pytest.raises(NoStatement):
        rail.statement(0, 10)
    liar.says({"lines": [LINE], "next": None})
    assert [line.kind for line in rail.statement(0, 10)] == ["hold"]


def test_a_rail_elsewhere_proves_who_it_is_before_a_byte_is_sent(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    liar = Liar(serving(own))
    liar.says(GOOD)
    try:
        stranger, friend = Sim(liar.url), Sim(liar.url, context=ssl.create_default_context(cafile=str(own)))
        assert isinstance(friend.hold(ASKED, KEY), Succeeded)
        friend.close()
        told = stranger.hold(ASKED, KEY)
        assert isinstance(told, NotSent)
        assert "certificate" in told.why
    finally:
        liar.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://rail.example/", "http://10.0.0.1:8899", "http://localhost.example", "ftp://127.0.0.1", "127.0.0.1:8899",
        "https://", "https://me:secret@rail.example", "https://rail.example/?a=1", "https://rail.example/#a",
        "https://rail.example:0", "https://rail.example:99999", "https://räil.example", "https://a b",
        "http://[::1", "",
    ],
)  # fmt: skip
def test_a_rail_is_asked_by_https_or_on_this_machine(url: str) -> None:
    with pytest.raises(BadUrl):
        Sim(url)


@pytest.mark.parametrize(
    "url", ["https://rail.example", "http://127.0.0.1:8899/a/", "http://[::1]:1", "http://LOCALHOST"]
)
def test_such_addresses_are_taken(url: str) -> None:
    Sim(url).close()
