"""Whatever the OpenAPI document of a relay allows, and much that it does not, is answered as it says: never 5xx."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from sync import request_signing
from sync.relay import desk, openapi
from sync.relay.limits import Limits
from sync.relay.refusal import STATUS
from sync.relay.sqlite import Sqlite
from tests.fakes import relays
from tests.fakes.pen import signer
from tests.fakes.relay_process import Visitor
from tests.fakes.served import served
from tests.volume import costly

CHECKS: Final = [not_a_server_error, status_code_conformance, response_schema_conformance]
DOCUMENT: Final[dict[str, Any]] = json.loads(openapi.document())
OPERATIONS: Final = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
ODD: Final = (404, 405)  # whatever the path is, it is refused alike


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    limits = Limits(requests=10**9, sources=10**9, mailboxes=10**9)
    relay = relays.relay(Sqlite(tmp_path_factory.mktemp("relay") / "relay.db"), limits)
    relay.clock = lambda: time.time_ns() // 1_000_000
    with served(relay) as (base, _server):
        Visitor(base, "lisa").register(relay.new_invite())
        yield base
    relay.store.close()


def signed(asked: requests.PreparedRequest) -> requests.PreparedRequest:
    """The same request, rightly signed by a registered device, without a wait."""
    body = asked.body if isinstance(asked.body, bytes) else str(asked.body or "").encode()
    parts = urlsplit(asked.url or "")
    if parts.path == "/v1/summary" and len(body) == 162:
        body = body[:160] + b"\0\0"
        asked.body = body
    if asked.method == "POST":
        key = signer("lisa")
        made = request_signing.sign("POST", parts.netloc, parts.path, body, key, int(time.time()))
        asked.headers.update(made)
    return asked


@pytest.mark.filterwarnings("ignore")  # what libraries of the tests' have to say about one another
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_no_request_makes_it_fail(url: str, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    operation = schema[path][method.upper()]
    session = requests.Session()

    @settings(costly(12), suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        for sign in (False, True):
            asked = session.prepare_request(requests.Request(**_plain(case.as_transport_kwargs(base_url=url))))
            if path == "/v1/mailbox/get" and isinstance(asked.body, bytes) and len(asked.body) == 35:
                asked.body = asked.body[:33] + b"\0\0"
            answer = session.send(signed(asked) if sign else asked, timeout=20)
            if answer.status_code not in ODD:
                case.validate_response(answer, checks=CHECKS)

    try:
        ask()
    finally:
        session.close()


def _plain(given_: dict[str, Any]) -> dict[str, Any]:
    """What makes a request, of what schemathesis hands to its own transport."""
    names = ("method", "url", "headers", "files", "data", "params", "auth", "cookies", "json")
    return {name: value for name, value in given_.items() if name in names}


def test_the_document_names_every_path_and_code() -> None:
    served_paths = (
        set(desk._SIGNED) | set(desk._OPEN) | {desk.REGISTER, desk.ABOUT, "/health", "/metrics", "/openapi.json"}
    )
    assert set(DOCUMENT["paths"]) == served_paths
    page = Path("docs/spec/relay.md").read_text(encoding="utf-8")
    told = {code for code in STATUS if f"`{code}`" in page}
    assert told == set(STATUS)
    assert set(DOCUMENT["components"]["schemas"]["refusal"]["properties"]["code"]["enum"]) == set(STATUS)
