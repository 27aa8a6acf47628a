from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import engine, wire
from sync.conversation import PeerSilent
from sync.transports import stdio
from sync.transports.stdio import BadPlace, PeerUnreachable, Pipes, Program
from tests.fakes.replica import Device, MemoryReplica

LISA = Device("lisa")
ROOT = str(Path(__file__).parents[3])


@pytest.fixture
def lisa(monkeypatch: pytest.MonkeyPatch) -> MemoryReplica:
    monkeypatch.chdir(ROOT)
    replica = MemoryReplica(LISA)
    deal = replica.open("deal", [LISA.identity, Device("james").identity])
    for _ in range(3):
        replica.write(deal, b"text")
    return replica


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every program started, so that a test can see it gone."""
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        started.append(real(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return started


def far(how: str, lines: list[str] | None = None, *, idle_s: float = 30, grace_s: float = 30) -> Program:
    heard = lines if lines is not None else []
    argv = [sys.executable, "-m", "tests.fakes.far", how]
    return Program(argv, on_stderr=heard.append, idle_s=idle_s, grace_s=grace_s)


def test_a_program_is_synced_with_and_gone_afterwards(
    lisa: MemoryReplica, children: list[subprocess.Popen[bytes]]
) -> None:
    lines: list[str] = []
    exchange = engine.exchange(lisa, LISA, far("serve", lines))
    assert (exchange.failure, exchange.sent) == (None, 6)
    assert lines == ["\N{REPLACEMENT CHARACTER}[31mhello from afar\N{REPLACEMENT CHARACTER}[0m", "received 6"]
    assert [child.returncode for child in children] == [0]


def test_a_program_that_ends_before_it_speaks_is_told_by_its_last_words(
    lisa: MemoryReplica, children: list[subprocess.Popen[bytes]]
) -> None:
    exchange = engine.exchange(lisa, LISA, far("fail"))
    assert isinstance(exchange.failure, PeerUnreachable)
    assert exchange.failure.why == "chaise: the home is locked"
    assert [child.returncode for child in children] == [4]


def test_a_program_that_chatters_on_stderr_does_not_block(lisa: MemoryReplica) -> None:
    lines: list[str] = []
    exchange = engine.exchange(lisa, LISA, far("chatter", lines))
    assert exchange.failure is None
    assert len(lines) == stdio.STDERR_LINES
    assert max(map(len, lines)) == stdio.STDERR_LINE


def test_a_banner_on_stdout_is_not_taken_for_the_protocol(lisa: MemoryReplica) -> None:
    exchange = engine.exchange(lisa, LISA, far("banner"))
    assert isinstance(exchange.failure, wire.PeerProtocol)


@pytest.mark.parametrize("how, status", [("silent", 0), ("stubborn", -15)])
def test_a_program_that_says_nothing_is_given_up_and_ended(
    lisa: MemoryReplica, children: list[subprocess.Popen[bytes]], how: str, status: int
) -> None:
    grace_s = 30 if how == "silent" else 0.01
    exchange = engine.exchange(lisa, LISA, far(how, idle_s=0.01, grace_s=grace_s))
    assert isinstance(exchange.failure, PeerSilent)
    assert [child.wait() for child in children] == [status]


@pytest.mark.parametrize("argv", [["/no/such/program"], ["bad\0name"], [ROOT]])
def test_a_program_that_cannot_be_started_is_unreachable(lisa: MemoryReplica, argv: list[str]) -> None:
    exchange = engine.exchange(lisa, LISA, Program(argv, on_stderr=lambda _: None))
    assert isinstance(exchange.failure, PeerUnreachable)
    assert exchange.failure.exit == 13


def test_a_program_that_is_no_peer_and_says_nothing_is_told_by_its_status(lisa: MemoryReplica) -> None:
    true = shutil.which("true")
    assert true is not None
    exchange = engine.exchange(lisa, LISA, Program([true], on_stderr=lambda _: None))
    assert isinstance(exchange.failure, PeerUnreachable)
    assert exchange.failure.why == "it ended with status 0"


def test_a_reader_that_does_not_read_is_not_waited_for_for_ever() -> None:
    source, sink = os.pipe()
    try:
        with pytest.raises(PeerSilent):
            Pipes(source, sink, 0.01).write(bytes(1 << 20))
        os.close(source)
        with pytest.raises(wire.PeerClosed):
            Pipes(-1, sink, 0.01).write(b"x")
    finally:
        os.close(sink)


def test_a_connection_that_breaks_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    source, sink = os.pipe()
    os.write(sink, b"x")

    def reset(*_: object) -> bytes:
        raise OSError(errno.ECONNRESET, "reset")

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", reset)
        assert Pipes(source, sink, 1).read(1) == b""
    os.close(source)
    os.close(sink)


@pytest.mark.parametrize(
    "address, argv",
    [
        ("ssh://host", ["ssh", "--", "host", "chaise", "sync", "--stdio"]),
        ("ssh://host/", ["ssh", "--", "host", "chaise", "sync", "--stdio"]),
        (
            "ssh://james@host.example:2222",
            ["ssh", "-p", "2222", "--", "james@host.example", "chaise", "sync", "--stdio"],
        ),
        ("ssh://[fe80::1%eth0]", ["ssh", "--", "fe80::1%eth0", "chaise", "sync", "--stdio"]),
        ("ssh://host/srv/x", ["ssh", "--", "host", "chaise", "--home", "/srv/x", "sync", "--stdio"]),
        ("ssh://host/a%20b", ["ssh", "--", "host", "chaise", "--home", "'/a b'", "sync", "--stdio"]),
        ("ssh://host/a;rm", ["ssh", "--", "host", "chaise", "--home", "'/a;rm'", "sync", "--stdio"]),
        ("ssh://host/~/x y", ["ssh", "--", "host", "chaise", "--home", "\"$HOME\"/'x y'", "sync", "--stdio"]),
    ],
)
def test_an_ssh_address_becomes_a_command(address: str, argv: list[str]) -> None:
    assert list(stdio.ssh(address)) == argv


@pytest.mark.parametrize(
    "address",
    [
        "ssh://",
        "ssh:///home",
        "ssh://-oProxyCommand=x",
        "ssh://-l@host",
        "ssh://user@-host",
        "ssh://ho st",
        "ssh://host:0",
        "ssh://host:65536",
        "ssh://host:22x",
        "ssh://a@b@host",
        "ssh://host?x",
        "ssh://h\nost",
        "ssh://host/a%0Ab",
        "ssh://host/\x1b[2J",
        "ssh://$(x)",
    ],
)
def test_an_address_that_could_be_an_option_or_worse_is_refused(address: str) -> None:
    with pytest.raises(BadPlace):
        stdio.ssh(address)


@given(st.text(st.sampled_from("ab ;&|$`'\"\\*?<>(){}~#!=-é"), min_size=1, max_size=20))
def test_the_far_shell_sees_the_home_as_one_word(home: str) -> None:
    *_, option, word, _, _ = stdio.ssh(f"ssh://host/{home}")
    assert option == "--home"
    shell = subprocess.run(["sh", "-c", f"printf '<%s>' {word}"], capture_output=True, check=True, env={"HOME": "/h"})
    there = f"/h/{home[2:]}" if home.startswith("~/") else f"/{home}"
    assert shell.stdout.decode() == f"<{there}>"


def test_a_command_is_split_like_a_shell_does() -> None:
    assert list(stdio.command("docker exec -i 'my box' chaise sync --stdio")) == [
        *("docker", "exec", "-i", "my box", "chaise", "sync", "--stdio")
    ]
    for bad in ("", "  ", "'open"):
        with pytest.raises(BadPlace):
            stdio.command(bad)
