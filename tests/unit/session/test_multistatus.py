from __future__ import annotations

import pytest

from chaise_cli.session import caldav, multistatus
from chaise_cli.session.multistatus import Found, NotXml

HEAD = '<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'


def body(inside: str) -> bytes:
    return f"{HEAD}{inside}</multistatus>".encode()


def test_resources_are_read_with_their_etags_and_what_is_gone() -> None:
    said = multistatus.read(
        body(
            "<response><href>https://h.example/cal%20a/</href><propstat><prop><resourcetype><collection/><C:calendar/>"
            "</resourcetype><getetag/></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
            "<response><href>/cal%20a/x.ics</href><propstat><prop><getetag>&quot;é 1&quot;</getetag></prop>"
            "<status>HTTP/1.1 200 OK</status></propstat></response>"
            "<response><href>/cal%20a/y.ics</href><status>HTTP/1.1 404 Not Found</status></response>"
            "<sync-token>urn:x&amp;y</sync-token>"
        )
    )
    assert said.found == [
        Found("/cal a/", 200, None, calendar=True),
        Found("/cal a/x.ics", 200, '"é 1"', calendar=False),
        Found("/cal a/y.ics", 404, None, calendar=False),
    ]
    assert said.token == "urn:x&y"


def test_a_calendar_of_another_namespace_is_none() -> None:
    said = multistatus.read(
        body(
            "<response><href>/a/</href><propstat><prop><resourcetype><calendar/></resourcetype></prop></propstat></response>"
        )
    )
    assert not said.found[0].calendar


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no XML",
        b"<html/>",
        b'<multistatus xmlns="other:"/>',
        b'<!DOCTYPE m [<!ENTITY a "b">]><multistatus xmlns="DAV:">&a;</multistatus>',
        b'<?xml version="1.0" encoding="klingon"?><multistatus xmlns="DAV:"/>',
        body("<response>" * 30 + "</response>" * 30),
        body(f"<response><href>{'x' * 10_000}</href></response>"),
        body("<response><href>//[/</href></response>"),
        body("<response><href>/a</href>"),
    ],
)
def test_what_is_no_list_or_beyond_its_bounds_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        multistatus.read(data)
    assert isinstance(refused.value, NotXml)


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multistatus, "_MOST_ELEMENTS", 10)
    with pytest.raises(NotXml, match="too many"):
        multistatus.read(body("<response/>" * 10))


def test_a_text_stands_in_a_request_as_it_is() -> None:
    said = multistatus.request("C:mkcalendar", multistatus.text("<&>")).decode()
    assert said.endswith(
        '<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">&lt;&amp;&gt;</C:mkcalendar>'
    )


UID = "0123456789abcdefghjkmnpqrstvwxyz"


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        (f"{UID}.ics", UID),
        (f"{UID}-2.ics", f"{UID}-2"),
        (UID, ""),
        (f"{UID}-.ics", ""),
        (f"{UID}-x.ics", ""),
        (f"{UID}x.ics", ""),
        (f"{UID[1:]}i.ics", ""),
        ("dentist.ics", ""),
        ("", ""),
    ],
)
def test_our_entries_are_told_by_their_names(name: str, uid: str) -> None:
    assert caldav.uid_in(name) == uid
