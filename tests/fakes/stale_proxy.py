"""An HTTP proxy that lets answers to look-ups overtake one another: each is the one that was true a while ago."""

from __future__ import annotations

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final, Self

TIMEOUT_S: Final = 30


class StaleProxy:
    """In front of a server on a port of this machine. A look-up is answered by what was said to the one before it."""

    def __init__(self, port: int) -> None:
        before: dict[str, tuple[int, bytes]] = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Nothing."""

            def do_GET(self) -> None:
                fresh = self._passed_on()
                self._say(*before.get(self.path, fresh))
                before[self.path] = fresh

            def do_POST(self) -> None:
                self._say(*self._passed_on())

            def _passed_on(self) -> tuple[int, bytes]:
                link = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                link.request(self.command, self.path, body or None, dict(self.headers.items()))
                with link.getresponse() as answer:
                    said = answer.status, answer.read()
                link.close()
                return said

            def _say(self, status: int, text: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False  # who keeps a connection open is not waited for
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
