"""A command under strace: which calls it makes to change files, and what becomes of it when one of them goes wrong.

Linux alone. A call is named by its kind and how many of that kind came before it, which is how strace counts too; the
same command from the same state makes the same calls.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.fakes import warm

CHANGING: Final = (
    *("write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate", "fchmod", "link", "linkat"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "openat"),
)
_LINE: Final = re.compile(r"(\d+) +(\w+)\((.*)")


class Syscall(NamedTuple):
    """One call of a run: its name, its number among those of that name from 1, and what it was about."""

    name: str
    number: int
    about: str


class Ended(NamedTuple):
    """How a run ended; a negative status is a signal's."""

    status: int
    out: str
    err: str


class NoLeaveError(Exception):
    """This system lets strace trace nothing."""


@cache
def _works() -> bool:
    strace = shutil.which("strace")
    if sys.platform != "linux" or strace is None:
        return False
    try:
        return _run(["--version"], ["-o", os.devnull, "-e", "inject=write:signal=SIGKILL"], ["write"]).status < 0
    except NoLeaveError:
        return False


def wanted() -> None:
    """Skip where there is no strace that may trace; fail in the full check, which has installed it."""
    if _works():
        return
    if sys.platform == "linux" and os.environ.get("CHAISE_FOREIGN_REQUIRED") == "1":
        pytest.fail("strace is required, and is not here or may not trace")
    pytest.skip("needs strace on Linux, and leave to trace")


def calls(argv: Sequence[str], folder: Path, log: Path) -> tuple[Ended, list[Syscall]]:
    """Run a command; the calls with which it changed files in `folder`, in order."""
    ended = _run(argv, ["-y", "-o", str(log)])
    found, counts = [], Counter[tuple[str, str]]()
    for line in log.read_text(errors="replace").splitlines():
        read = _LINE.match(line)
        if read is None:
            continue
        thread, name, about = read.groups()
        counts[thread, name] += 1
        if str(folder) in about and (name != "openat" or "O_CREAT" in about):
            found.append(Syscall(name, counts[thread, name], about[:160]))
    return ended, found


def killed(argv: Sequence[str], call: Syscall) -> Ended:
    """Run a command that is killed as it makes a call."""
    return _run(argv, ["-o", os.devnull, "-e", f"inject={call.name}:signal=SIGKILL:when={call.number}"], [call.name])


def failing(argv: Sequence[str], call: Syscall, error: str) -> Ended:
    """Run a command one call of which fails."""
    return _run(argv, ["-o", os.devnull, "-e", f"inject={call.name}:error={error}:when={call.number}"], [call.name])


def _run(argv: Sequence[str], options: Sequence[str], trace: Sequence[str] = CHANGING) -> Ended:
    """Run under strace from the first step on. Each call traced costs time, so where one name will do no others are."""
    command = warm.Command(warm.Start(argv, dict(os.environ), Path.cwd(), held=True))
    try:
        with _traced(command.pid, ["-e", f"trace={','.join(trace)}", *options]):
            command.go()
            out, err = command.communicate()
    finally:
        command.kill()
    return Ended(command.wait(), out.decode(), err.decode())


@contextmanager
def _traced(pid: int, options: Sequence[str]) -> Iterator[None]:
    """strace, attached to a process that is held; at the end it has ended with it."""
    argv = ["strace", "-f", *options, "-p", str(pid)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as strace:
        assert strace.stderr, "a pipe was asked for"
        said = strace.stderr.readline()
        if b"attached" not in said:
            raise NoLeaveError(said)
        yield
