"""Sync over the standard streams of a program: a far `chaise sync --stdio`, reached by ssh or any command.

`Program` leads and owns the child process; `serve` is the far side. Every wait is bounded, and the child is
gone when the exchange is over. Needs `poll` on pipes (POSIX). docs/spec/sync.md.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
from collections.abc import Callable, Sequence
from threading import Thread
from typing import IO, Final
from urllib.parse import unquote

from chaise_cli.errors import ChaiseError, Unreachable, Usage

from .. import pairing, wire
from ..conversation import PeerSilent, converse
from ..engine import Exchange, Progress, Tally, silent
from ..replica import Replica, Signer

IDLE_S: Final = 120.0  # without a byte in either direction; longer than admitting any one batch takes
GRACE_S: Final = 5.0  # for the far program to end by itself
STDERR_LINE: Final = 500
STDERR_LINES: Final = 1_000
_WRITE: Final = select.PIPE_BUF  # a pipe that polls writable takes so much without blocking
_SSH: Final = re.compile(
    r"ssh://(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.+-]*)@)?"
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<home>/.*)?"
)

Lines = Callable[[str], None]


class BadPlace(Usage):
    """The text names no place to sync with."""

    code = "usage.bad_place"
    message = "cannot sync with {given!r}: {why}"
    hint = "a place is a folder, file://FOLDER, or ssh://[user@]host[:port][/home]"
    given: str
    why: str


class PeerUnreachable(Unreachable):
    """The far program could not be started, or ended before it spoke."""

    code = "peer.unreachable"
    message = "the other side did not answer: {why}"
    hint = "check that the command works by hand and that Chaise is installed and unlocked there"
    why: str


class Pipes:
    """Two file descriptors as a `wire.Stream`, with a limit on every wait."""

    def __init__(self, source: int, sink: int, idle_s: float) -> None:
        self._source = source
        self._sink = sink
        self._idle_s = idle_s

    def read(self, size: int) -> bytes:
        """As `wire.Stream`. Raises PeerSilent."""
        self._wait(self._source, select.POLLIN)
        try:
            return os.read(self._source, size)
        except OSError:  # a connection reset is an end like any other
            return b""

    def write(self, data: bytes) -> None:
        """As `wire.Stream`. Raises PeerSilent, PeerClosed."""
        rest = memoryview(data)
        while rest:
            self._wait(self._sink, select.POLLOUT)
            try:
                rest = rest[os.write(self._sink, rest[:_WRITE]) :]
            except OSError as error:
                raise wire.PeerClosed from error

    def _wait(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(self._idle_s * 1000):
            raise PeerSilent(seconds=round(self._idle_s))


def serve(
    replica: Replica,
    signer: Signer,
    source: IO[bytes],
    sink: IO[bytes],
    *,
    progress: Progress = silent,
    idle_s: float = IDLE_S,
    answer: pairing.Answer | None = None,
) -> Exchange:
    """Answer one peer on two streams with file descriptors, which this leaves open; what was exchanged.

    A failure is told to the peer and ends up in the result. answer: lets a device in that comes with a code.
    """
    tally = Tally(progress)
    channel = wire.Channel(Pipes(source.fileno(), sink.fileno(), idle_s))
    try:
        converse(channel, replica, signer, tally, leads=False, answer=answer)
    except ChaiseError as error:
        return tally.exchange(error)
    return tally.exchange()


class Program:
    """A transport: the far side is a program that speaks on its standard streams."""

    def __init__(
        self, argv: Sequence[str], *, on_stderr: Lines, idle_s: float = IDLE_S, grace_s: float = GRACE_S
    ) -> None:
        """on_stderr: gets each line the program writes to stderr, printable and at most 500 characters."""
        self.argv = tuple(argv)
        self._on_stderr = on_stderr
        self._idle_s = idle_s
        self._grace_s = grace_s

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`. Raises PeerUnreachable, PeerSilent, PeerUnproven and what `wire` names."""
        child = _Child(self.argv, self._on_stderr, self._grace_s)
        try:
            converse(child.channel(self._idle_s), replica, signer, tally, leads=True)
        except wire.PeerClosed as error:
            raise child.why(error) from error
        finally:
            child.end()

    def pair(self, mailbox: bytes, message: bytes) -> bytes:
        """What the far program answers to a device that wants to join. Raises as `exchange` does, and PeerFailed."""
        child = _Child(self.argv, self._on_stderr, self._grace_s)
        try:
            return pairing.lead(child.channel(self._idle_s), mailbox, message)
        except wire.PeerClosed as error:
            raise child.why(error) from error
        finally:
            child.end()


class _Child:
    """The running program."""

    def __init__(self, argv: Sequence[str], on_stderr: Lines, grace_s: float) -> None:
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)  # noqa: S603 (the user's own command, no shell)
        except (OSError, ValueError) as error:
            raise PeerUnreachable(why=wire.printable(f"{argv[0]}: {_reason(error)}", STDERR_LINE)) from error
        self._on_stderr = on_stderr
        self._grace_s = grace_s
        self._last = ""
        self._spoke = False
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def channel(self, idle_s: float) -> wire.Channel:
        """Frames to and from the program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pipes = Pipes(self._process.stdout.fileno(), self._process.stdin.fileno(), idle_s)
        return wire.Channel(_Noticing(pipes, self))

    def heard(self) -> None:
        """The program has written something to its standard output."""
        self._spoke = True

    def why(self, closed: wire.PeerClosed) -> ChaiseError:
        """The error for a stream that ended: how the program ended, when it never spoke."""
        if self._spoke:
            return closed
        self.end()
        return PeerUnreachable(why=self._last or f"it ended with status {self._process.returncode}")

    def end(self) -> None:
        """Close the streams and see the program gone: by itself, else asked, else killed."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        for insist in (None, self._process.terminate, self._process.kill):
            if insist is not None:
                insist()
            try:
                self._process.wait(self._grace_s)
                break
            except subprocess.TimeoutExpired:
                continue
        self._listener.join(self._grace_s)
        if self._process.stderr is not None and not self._listener.is_alive():
            self._process.stderr.close()

    def _listen(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        for count, line in enumerate(iter(lambda: stderr.readline(STDERR_LINE), b"")):
            text = wire.printable(line.decode("utf-8", "replace").rstrip("\r\n"), STDERR_LINE)
            self._last = text or self._last
            if count < STDERR_LINES:  # the rest is read, so that the program does not block, and dropped
                self._on_stderr(text)


class _Noticing:
    """A stream that tells the child when the first byte has come."""

    def __init__(self, stream: wire.Stream, child: _Child) -> None:
        self._stream = stream
        self._child = child

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        if data:
            self._child.heard()
        return data

    def write(self, data: bytes) -> None:
        self._stream.write(data)


def _reason(error: Exception) -> str:
    return error.strerror or "cannot be started" if isinstance(error, OSError) else "cannot be started"


def command(text: str) -> Sequence[str]:
    """The argument list of `--exec COMMAND`: split like a shell does, run without one. Raises BadPlace."""
    try:
        argv = shlex.split(text)
    except ValueError as error:
        raise BadPlace(given=text[:200], why="a quotation is not closed") from error
    if not argv:
        raise BadPlace(given=text[:200], why="the command is empty")
    return argv


def ssh(address: str) -> Sequence[str]:
    """The argument list that runs Chaise at `ssh://[user@]host[:port][/home]`. Raises BadPlace.

    The path is the far home: `/~/…` lies in the user's folder there, everything else is absolute.
    """
    found = _SSH.fullmatch(address)
    if found is None:
        raise BadPlace(given=address[:200], why="not of the form ssh://[user@]host[:port][/home]")
    port = int(found["port"] or 22)
    if not 0 < port < 65536:
        raise BadPlace(given=address[:200], why="a port lies between 1 and 65535")
    host = found["host"].strip("[]")
    target = f"{found['user']}@{host}" if found["user"] else host
    ports = ["-p", found["port"]] if found["port"] else []
    return ["ssh", *ports, "--", target, *_far(address, unquote(found["home"] or ""))]


def _far(address: str, home: str) -> Sequence[str]:
    """What the far shell is given, word by word; ssh joins them with spaces, so each is quoted for it."""
    if not home.isprintable():
        raise BadPlace(given=address[:200], why="the path holds characters that cannot be printed")
    if home in ("", "/"):
        return ["chaise", "sync", "--stdio"]
    if home.startswith("/~/"):
        return ["chaise", "--home", '"$HOME"/' + shlex.quote(home[3:]), "sync", "--stdio"]
    return ["chaise", "--home", shlex.quote(home), "sync", "--stdio"]
