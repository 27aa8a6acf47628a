"""`chaise relay serve` and `chaise relay invite`: the process, its files, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import sys
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chaise_cli.ledger import receipt, relay_invite
from sync.relay import start
from sync.relay.limits import Limits
from tests.e2e.people import Person
from tests.fakes import postgres, relays
from tests.fakes.relay_process import RelayProcess, Visitor
from tests.fakes.relays import door_key, scribble


@pytest.fixture
def operator(tmp_path: Path) -> Person:
    """Somebody without a home of any kind."""
    person = Person.__new__(Person)
    person.handle, person.folder, person.home, person.now = "operator", tmp_path, tmp_path / "none", None
    return person


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'deep' / 'relay.db'}" if request.param == "sqlite" else postgres.database()


def test_a_relay_keeps_what_it_was_given_over_a_stop(tmp_path: Path, store: str) -> None:
    with RelayProcess(tmp_path, store) as first:
        assert first.result["schema"] == "chaise.relay_serve/1"
        assert len(relay_invite.read(first.data["invite"])) == 20
        assert first.data["invite"] in first.log.read_text()
        lisa, board = Visitor(first.url, "lisa").register(first.data["invite"]), relays.board("lisa", 3)
        done = lisa.push(board.run(), door=door_key(board.space).public)
        assert done.receipt
        with ThreadPoolExecutor(1) as threads:
            poll = threads.submit(Visitor(first.url, "lisa").wait, {board.space: done.receipt.head[:8]}, 60)
            while b"polls_waiting 1.0" not in lisa.send("GET", "/metrics", b"", {})[1]:
                assert not poll.done()
            assert first.stop() == 0
            assert poll.result(20) is None
        assert [line["event"] for line in first.lines()][-1] == "stopped"
    with RelayProcess(tmp_path, store, "--quiet") as again:
        assert again.data["relay"] == first.data["relay"]
        assert again.data["invite"] is None
        lisa = Visitor(again.url, "lisa")
        (section,) = lisa.pull()
        assert section.receipt.head == done.receipt.head
        assert receipt.holds(section.receipt)
        done = lisa.push(scribble(board, 1).run(4))
        assert done.first == 5
        assert again.stop(signal.SIGINT) == 0
        assert again.log.read_text() == ""


def test_its_files_are_its_owners_alone(tmp_path: Path) -> None:
    with RelayProcess(tmp_path, f"sqlite:{tmp_path / 'new' / 'relay.db'}"):
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
        for path in (tmp_path / "new").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_invite_can_be_made_while_it_runs(tmp_path: Path, operator: Person, store: str) -> None:
    with RelayProcess(tmp_path, store) as relay:
        made = operator.does("relay", "invite", "--store", store)
        assert made["relay"] == relay.data["relay"]
        Visitor(relay.url, "lisa").register(made["invite"])
        printed = operator.run("relay", "invite", "--store", store)
        Visitor(relay.url, "ada").register(printed.out.split()[-1])


def test_an_invite_that_was_withdrawn_lets_nobody_in(tmp_path: Path, operator: Person, store: str) -> None:
    with RelayProcess(tmp_path, store) as relay:
        lost, kept = (operator.does("relay", "invite", "--store", store) for _ in range(2))
        Visitor(relay.url, "lisa").register(lost["invite"])
        before = operator.does("relay", "invites", "--store", store)
        assert {lost["invite_id"], kept["invite_id"]} < {one["id"] for one in before}
        done = operator.does("relay", "invite", "--withdraw", lost["invite_id"][:6].upper(), "--store", store)
        assert (done["withdrawn"], done["invite"]) == (lost["invite_id"], None)
        after = operator.does("relay", "invites", "--store", store)
        assert [one for one in before if one not in after] == [{"id": lost["invite_id"]}]
        with pytest.raises(AssertionError, match="not_admitted"):
            Visitor(relay.url, "eve").register(lost["invite"])
        Visitor(relay.url, "lisa").register(lost["invite"])  # who was let in stays
        Visitor(relay.url, "ada").register(kept["invite"])
        for unknown in (lost["invite_id"], lost["invite_id"][:3], ""):
            failed = operator.fails("relay", "invite", "--withdraw", unknown, "--store", store)
            assert (failed.code, failed.exit) == ("relay.no_invite", 3)


def test_without_a_store_it_is_below_the_data_folder(tmp_path: Path, operator: Person) -> None:
    answer = operator.run("relay", "invite", "--json", env={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert answer.exit == 0
    assert (tmp_path / "data" / "chaise-relay" / "relay.db").exists()
    assert not (tmp_path / "none").exists()


def test_people_read_where_it_listens(tmp_path: Path, operator: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def listens(_opened: Any, _wanted: Any, listening: Callable[[str], None]) -> None:
        listening("http://127.0.0.1:8787")

    monkeypatch.setattr(start, "serve", listens)
    answer = operator.run("relay", "serve", "--store", "memory:")
    assert answer.out.split() == ["listening", "on:", "http://127.0.0.1:8787"]
    assert answer.err.startswith("invite: ")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("serve", "--store", "mysql://x"), "relay.bad_store"),
        (("serve", "--store", "sqlite:"), "relay.bad_store"),
        (("serve", "--store", "memory:x"), "relay.bad_store"),
        (("invite", "--store", "nothing"), "relay.bad_store"),
        (("serve", "--store", "memory:", "--listen", "8787"), "relay.bad_address"),
        (("serve", "--store", "memory:", "--listen", "host:99999"), "relay.bad_address"),
        (("serve", "--store", "memory:", "--listen", "host:1/x"), "relay.bad_address"),
        (("serve", "--store", "memory:", "--tls-cert", "x.pem"), "relay.half_tls"),
        (("serve", "--store", "postgresql://nobody@127.0.0.1:1/none"), "relay.store_failed"),
        (("serve", "--store", "sqlite:/dev/null/x"), "relay.store_failed"),
    ],
)
def test_what_cannot_be_served_is_said(operator: Person, argv: tuple[str, ...], code: str) -> None:
    answer = operator.fails("relay", *argv)
    assert answer.code == code


def test_a_password_is_not_repeated(operator: Person) -> None:
    answer = operator.fails("relay", "serve", "--store", "mysql://ann:geheim@host/db")
    assert "geheim" not in answer.err
    answer = operator.fails("relay", "serve", "--store", "postgresql://ann:geheim@127.0.0.1:1/db")
    assert "geheim" not in answer.err


def test_a_port_that_is_taken_is_said(operator: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        assert operator.fails("relay", "serve", "--store", "memory:", "--listen", listen).code == "relay.cannot_listen"


def test_a_missing_extra_is_named(operator: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "sync.relay.server", raising=False)
    answer = operator.fails("relay", "serve", "--store", "memory:", "--listen", "127.0.0.1:0")
    assert answer.code == "relay.extra_missing"
    assert "chaise-cli[relay]" in answer.error["hint"]
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "sync.relay.postgres", raising=False)
    answer = operator.fails("relay", "serve", "--store", "postgresql://host/db")
    assert "chaise-cli[postgres]" in answer.error["hint"]


def test_it_speaks_tls(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    with RelayProcess(tmp_path, "memory:", "--tls-cert", str(certificate), "--tls-key", str(key)) as relay:
        assert relay.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"{relay.url}/v1/relay", context=trust, timeout=20) as answer:  # noqa: S310 - https
            assert json.loads(answer.read())["relay"] == relay.data["relay"]


def _certificate(folder: Path) -> tuple[Path, Path]:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    return folder / "cert.pem", folder / "key.pem"


def test_a_relay_opened_and_served_in_this_process(tmp_path: Path) -> None:
    """As the command does it, on a thread that is stopped by closing: what subprocesses hide from coverage."""
    opened = start.open_relay(f"sqlite:{tmp_path / 'relay.db'}", Limits(), lambda: 0)
    assert opened.first_invite
    assert opened.kind == "sqlite"
    assert start.open_relay(f"sqlite:{tmp_path / 'relay.db'}", Limits(), lambda: 0).first_invite is None
    heard: list[str] = []

    def stop(url: str) -> None:
        heard.append(url)
        os.kill(os.getpid(), signal.SIGTERM)

    start.serve(opened, start.Wanted("localhost:0", None, None, quiet=False), stop)
    assert heard[0].startswith("http://")


def test_relays_on_one_database_are_one_relay(tmp_path: Path) -> None:
    """What is pushed at one wakes whoever waits at the other, and either signs with the same key."""
    address = postgres.database()
    with RelayProcess(tmp_path, address) as one, RelayProcess(tmp_path, address) as other:
        assert one.data["relay"] == other.data["relay"]
        assert other.data["invite"] is None
        lisa, board = Visitor(one.url, "lisa").register(one.data["invite"]), relays.board("lisa", 0)
        done = lisa.push(board.run(), door=door_key(board.space).public)
        assert done.receipt
        there = Visitor(other.url, "lisa")
        with ThreadPoolExecutor(1) as threads:
            poll = threads.submit(Visitor(other.url, "lisa").wait, {board.space: done.receipt.head[:8]}, 60)
            while b"polls_waiting 1.0" not in there.send("GET", "/metrics", b"", {})[1]:
                assert not poll.done()
            done = lisa.push(scribble(board, 1).run(1))
            assert poll.result(20)
        (section,) = there.pull()
        assert done.receipt
        assert section.receipt.head == done.receipt.head
        assert section.receipt.relay == done.receipt.relay
