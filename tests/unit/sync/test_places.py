from __future__ import annotations

from pathlib import Path

import pytest

from sync import places
from sync.places import BadPlace, PlaceUnsupported
from sync.transports.folder import Folder
from sync.transports.http_peer import WebPeer
from sync.transports.stdio import Program
from sync.web import Insecure
from tests.fakes.replica import Forgetful


def to(where: str) -> object:
    return places.transport(where, Forgetful(), lambda _: None)


@pytest.mark.parametrize(
    "where, path",
    [
        ("/srv/stick", "/srv/stick"),
        ("file:///srv/my%20stick", "/srv/my stick"),
        ("FILE://localhost/srv", "/srv"),
        ("~/Shared", str(Path.home() / "Shared")),
        ("here", str(Path.cwd() / "here")),
        ("-x", str(Path.cwd() / "-x")),
    ],
)
def test_a_folder_is_named_by_its_path_or_a_file_address(where: str, path: str) -> None:
    found = to(where)
    assert isinstance(found, Folder)
    assert found.path == path


def test_an_ssh_address_is_a_program() -> None:
    found = to("ssh://host")
    assert isinstance(found, Program)
    assert found.argv[:3] == ("ssh", "--", "host")


def test_a_command_is_a_program() -> None:
    found = places.program("chaise --home '/srv/a b' sync --stdio", lambda _: None)
    assert isinstance(found, Program)
    assert found.argv == ("chaise", "--home", "/srv/a b", "sync", "--stdio")


def test_a_web_address_is_a_peer_and_not_in_the_clear() -> None:
    assert isinstance(to("https://relay.example/x"), WebPeer)
    assert isinstance(to("http://127.0.0.1:7413"), WebPeer)
    with pytest.raises(Insecure):
        to("http://relay.example")


@pytest.mark.parametrize("where", ["ftp://x", "://"])
def test_what_chaise_cannot_go_to_is_said(where: str) -> None:
    with pytest.raises(PlaceUnsupported) as caught:
        to(where)
    assert caught.value.exit == 2


@pytest.mark.parametrize(
    "where", ["", "file://host/x", "file://", "file:///x?y", "a\0b", "ssh://-x", "~nobody-of-that-name/x"]
)
def test_what_names_no_place_is_refused(where: str) -> None:
    with pytest.raises(BadPlace):
        to(where)
