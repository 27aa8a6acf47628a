from __future__ import annotations

from collections.abc import Callable

import pytest

from chaise_cli.commands import links
from chaise_cli.errors import ChaiseError


def refusal(read: Callable[[str], object], text: str) -> str:
    with pytest.raises(ChaiseError) as refused:
        read(text)
    assert refused.value.exit == 2
    assert refused.value.sentence()
    refused.value.advice()
    return refused.value.code


@pytest.mark.parametrize(
    "url",
    [
        "https://meet.example/x?y=1#z",
        "https://meet.example:8443",
        "https://[2001:db8::1]/x",
        "tel:+49-30-123",
        "sip:lisa@example.org",
        "xmpp:room@example.org?join",
    ],
)
def test_a_call_has_a_link_one_can_open(url: str) -> None:
    assert links.call_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://meet.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "meet.example",
        "https:",
        "https://",
        "https:///x",
        "tel:",
        "https://bank.example@evil.example/",
        "https://meet.example/\r\nX",
        "https://meet.example/a b",
        "https://mëet.example",
        "https://meet.example/\u202e",
        "https://meet.example:port",
        "https://m.example/" + "x" * 2_000,
        'https://m.example/"',
        "",
    ],
)
def test_other_links_are_refused(url: str) -> None:
    assert refusal(links.call_link, url) == "usage.bad_url"


def test_a_page_may_be_http_but_not_a_phone() -> None:
    assert links.web_link("HTTP://lisa.example/work") == "http://lisa.example/work"
    assert refusal(links.web_link, "tel:+4930123") == "usage.bad_url"
