"""Chaise as a process of its own, out of a program that has loaded it already: a start takes a tenth of the time.

The standard library's server of forks loads all of Chaise once a test process and forks for every command, which has
arguments, environment, folder, streams and session of its own and runs `cli.main` to its end. What it leaves out is
the start of an interpreter and the loading of modules; tests/e2e/test_startup.py and whatever the guide gives a shell
to do start the real thing.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pkgutil
import signal
import socket
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.reduction import DupFd
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, TimeoutExpired
from tempfile import TemporaryFile
from typing import IO, Any, Final, NamedTuple, Self, TypeAlias
from unittest import mock

ROOT: Final = Path(__file__).parents[2]
Stream: TypeAlias = int | IO[bytes]
PATIENCE_S: Final = 120.0
_SET_PTRACER, _ANYBODY = 0x59616D61, -1  # <linux/prctl.h>


class Start(NamedTuple):
    """What a command begins with.

    session: lead a session, as what runs on a terminal of its own does. held: wait just before the first step until
    `Command.go`; whoever wants to may trace it.
    """

    argv: Sequence[str]
    environment: dict[str, str]
    folder: Path
    session: bool = False
    held: bool = False


class Command:
    """A command that runs, as far as tests need it what `subprocess.Popen` is. It is killed when this process ends.

    The streams are descriptors or files, which stay open here, or what `subprocess` calls PIPE, DEVNULL and STDOUT.
    What is written to a stream that nobody gave is kept for `communicate`.
    """

    def __init__(
        self, begin: Start, *, stdin: Stream = DEVNULL, stdout: Stream | None = None, stderr: Stream | None = None
    ) -> None:
        self._kept = [self._keep() if one is None else None for one in (stdout, stderr)]
        streams = [stdin, *(kept or one for kept, one in zip(self._kept, (stdout, stderr), strict=True))]
        ours, theirs = list[IO[bytes] | None](), list[int]()
        with ExitStack() as later:
            for stream, mode in zip(streams, ("wb", "rb", "rb"), strict=True):
                mine, number = (None, theirs[1]) if stream == STDOUT else _opened(stream, mode, later)
                ours.append(mine)
                theirs.append(number)
            self._gate, gate = socket.socketpair()
            later.callback(gate.close)
            weakref.finalize(self, self._gate.close)
            given = [_Copied(one) for one in theirs], _Copied(gate.fileno())
            self._process = _context().Process(target=_run, args=(begin, *given), daemon=True)
            self._process.start()
        if begin.held:
            self._gate.recv(1)
        self.stdin, self.stdout, self.stderr = ours
        assert self._process.pid is not None, "started"
        self.pid: int = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()

    def go(self) -> None:
        """Let a command that is held begin."""
        self._gate.sendall(b".")

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative where a signal ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        return self.returncode

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Its exit status; raises TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutExpired(self._process.name, timeout)
        return self.returncode

    def communicate(self, timeout: float = PATIENCE_S) -> tuple[bytes, bytes]:
        """What it wrote to the two streams that nobody gave, once it has ended; raises TimeoutExpired."""
        self.wait(timeout)
        out, err = (os.pread(kept, os.fstat(kept).st_size, 0) if kept else b"" for kept in self._kept)
        return out, err

    def _keep(self) -> int:
        """A file without a name, which is closed with this object."""
        with TemporaryFile() as file:
            number = os.dup(file.fileno())
        weakref.finalize(self, os.close, number)
        return number

    def send_signal(self, how: int) -> None:
        """Send it a signal, if it still runs."""
        if self.returncode is None:
            os.kill(self.pid, how)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _opened(stream: Stream | None, mode: str, later: ExitStack) -> tuple[IO[bytes] | None, int]:
    """Of a pipe the end that stays here; the descriptor for the other process, which `later` closes here."""
    assert stream is not None, "made or given"
    if stream == PIPE:
        read, write = os.pipe()
        mine, given = (write, read) if mode == "wb" else (read, write)
        later.callback(os.close, given)
        return os.fdopen(mine, mode), given
    if stream == DEVNULL:
        given = os.open(os.devnull, os.O_RDWR)
        later.callback(os.close, given)
        return None, given
    return None, stream if isinstance(stream, int) else stream.fileno()


@cache
def _context() -> ForkServerContext:
    """The server, running, with everything loaded that its forks need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_modules(), __name__])
    with mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT)}):
        forkserver.ensure_running()
    return context


def _modules() -> list[str]:
    """All of Chaise but its entry; what cannot be imported here is passed over by the server."""
    found = [
        one.name
        for package in ("chaise_cli", "sync")
        for one in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
    ]
    return ["chaise_cli.cli", *(name for name in found if not name.endswith("__main__"))]


class _Copied:
    """A descriptor that a fork gets a copy of; there it is a number again."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        return _received, (DupFd(self._number),)


def _received(copy: Any) -> int:
    number: int = copy.detach()
    return number


def _run(begin: Start, streams: Sequence[int], gate: int) -> None:
    """What the fork does: become the command. Does not return."""
    if begin.session:
        os.setsid()
    os.chdir(begin.folder)
    os.environ.clear()
    os.environ.update(begin.environment)
    time.tzset()
    for number, given in enumerate(streams):
        os.dup2(given, number)
        os.close(given)
    sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    if begin.held:
        sys.dont_write_bytecode = True  # so that it makes the same calls each time
        ctypes.CDLL(None).prctl(_SET_PTRACER, _ANYBODY, 0, 0, 0)
        os.write(gate, b".")
        os.read(gate, 1)
    os.close(gate)
    from chaise_cli import cli

    cli.main(begin.argv)
