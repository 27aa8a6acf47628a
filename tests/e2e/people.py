"""People at the command line: `lisa.run("post", …)` is what Lisa types in a home of her own.

A run is the whole program but the process: `cli.run` with the arguments, environment, streams and clock of that
person. `exchange` carries everything that two homes may share from each to the other.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest import mock

from chaise_cli import cli, clock
from chaise_cli.ids import public, raw
from chaise_cli.ledger import header
from chaise_cli.ledger.segment import LONGEST, Sealed, Segment
from chaise_cli.session import access, admission, epochs, plaintext
from chaise_cli.session import home as homes
from chaise_cli.session.session import Session
from chaise_cli.store import events

NOON: Final = "2026-11-20T12:00:00Z"
_OURS: Final = ("CHAISE_", "XDG_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLUMNS", "TERM", "EDITOR", "VISUAL")


class Answer(NamedTuple):
    """What one command left: its exit status, both streams, and the parsed object when it was asked for `--json`."""

    exit: int
    out: str
    err: str
    json: dict[str, Any]

    @property
    def data(self) -> Any:
        """`data` of the result."""
        return self.json["data"]

    @property
    def code(self) -> str:
        """`error.code`; empty when the command did what it was asked for."""
        return str(self.json.get("error", {}).get("code", ""))

    @property
    def error(self) -> dict[str, Any]:
        """The error object."""
        found: dict[str, Any] = self.json["error"]
        return found


class Stream(io.TextIOWrapper):
    """A text stream in memory; a terminal if told so."""

    def __init__(self, given: bytes = b"", *, tty: bool = False) -> None:
        super().__init__(io.BytesIO(given), encoding="utf-8", write_through=True)
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty

    def said(self) -> str:
        held = self.buffer
        assert isinstance(held, io.BytesIO)
        return held.getvalue().decode()


class Person:
    """Somebody with a home of their own, made by `init` unless told otherwise. `now` is what their clock says."""

    def __init__(self, folder: Path, handle: str, *, now: str = NOON, **settings: str) -> None:
        self.handle, self.folder, self.home = handle, folder, folder / handle
        self.now: str | None = now
        self.key_file = folder / f"{handle}.key"
        self.recovery_file = folder / f"{handle}.recovery"
        (folder / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
        if settings:
            self.init(**settings)

    def init(self, **settings: str) -> Answer:
        """Make the home: a key file, so that nothing is stretched; `settings` are options of `init`."""
        given = {"handle": self.handle, "name": self.handle.capitalize(), "currency": "EUR", "device_name": "laptop"}
        options = [
            part for name, value in (given | settings).items() for part in (f"--{name.replace('_', '-')}", value)
        ]
        kept = ["--key-file", str(self.key_file), "--recovery-out", str(self.recovery_file)]
        made = self.run("init", *options, *kept, "--json")
        assert made.exit == 0, made.err
        return made

    @property
    def at(self) -> str:
        """How others name this person."""
        return f"@{self.handle}"

    def run(
        self,
        *argv: str,
        stdin: str | bytes = b"",
        typed: Sequence[str] | None = None,
        env: dict[str, str] | None = None,
    ) -> Answer:
        """Run one command in this home.

        typed: sit at a terminal and answer its questions, secrets included, with these lines; None is a script,
        whose standard input is `stdin`. env: more variables.
        """
        given = "".join(f"{line}\n" for line in typed).encode() if typed is not None else stdin
        given = given.encode() if isinstance(given, str) else given
        tty = typed is not None
        streams = Stream(given, tty=tty), Stream(tty=tty), Stream(tty=tty)
        with self._here(env or {}), mock.patch.object(getpass, "getpass", _secret):
            kept = sys.stdin, sys.stdout, sys.stderr
            sys.stdin, sys.stdout, sys.stderr = streams
            try:
                status = cli.run(list(argv))
            finally:
                sys.stdin, sys.stdout, sys.stderr = kept
        out, err = streams[1].said(), streams[2].said()
        return Answer(status, out, err, _parsed(out, err) if "--json" in argv else {})

    def does(self, *argv: str, **more: Any) -> Any:
        """`data` of a command that has to succeed."""
        answer = self.run(*argv, "--json", **more)
        assert answer.exit == 0, answer.err or answer.out
        return answer.data

    def fails(self, *argv: str, **more: Any) -> Answer:
        """The answer to a command that has to fail; stdout is empty unless the status brings its result."""
        answer = self.run(*argv, "--json", **more)
        assert answer.exit, answer.out
        assert bool(answer.out) == (answer.exit in (7, 8, 11, 13)), answer.out
        return answer

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The open home, for what no command does."""
        with self._here({}):
            opened = access.open_session(homes.Home(self.home), access.Keys(), clock.from_environment())
        try:
            yield opened
        finally:
            opened.close()

    @property
    def id(self) -> str:
        """The full identity id."""
        with self.session() as session:
            return public("id", session.me.identity)

    @contextmanager
    def _here(self, env: dict[str, str]) -> Iterator[None]:
        given = {"CHAISE_HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.folder / "run"), "HOME": str(self.folder)}
        given |= {"NO_COLOR": "1", "COLUMNS": "120"} | ({clock.VARIABLE: self.now} if self.now else {}) | env
        mask = os.umask(0o077)
        try:
            with _environment(given):
                yield
        finally:
            os.umask(mask)


@contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    """These variables and no others that Chaise looks at. Only what differs is touched, for this runs very often."""
    kept = {name: os.environ[name] for name in os.environ if name in given or name.startswith(_OURS)}
    for name in kept.keys() - given.keys():
        del os.environ[name]
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given.keys() - kept.keys():
            os.environ.pop(name, None)
        os.environ.update(kept)


def exchange(*people: Person) -> None:
    """Carry everything people may share to one another, until nobody learns anything new."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(one.session()) for one in people]
        while sum(_carry(one, other) for one in sessions for other in sessions if one is not other):
            pass


def _carry(giver: Session, taker: Session) -> bool:
    """Whether the taker learned something."""
    learned = False
    for space in events.spaces(giver.db):
        held = events.find_space(taker.db, space.id)
        if space.kind == "self" or (space.kind == "board" and held is None):
            continue
        chains = [chain for chain in events.chains(giver.db, space.no) if events.find_event(taker.db, chain.id) is None]
        segments = [run for chain in chains for run in _segments(giver, space, chain)]
        segments = [run for run in segments if run.device != raw(taker.me.device)]
        if segments:
            before = _held(taker)
            with taker.writing():
                admission.Admission(taker, space.id).run(segments)
            learned = learned or _held(taker) != before
    return learned


def _held(session: Session) -> tuple[int, int]:
    """How many events were taken in, and how many wait."""
    counts: tuple[int, int] = session.db.execute(
        "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM waiting)"
    ).fetchone()
    return counts


def _segments(session: Session, space: events.Space, chain: events.Chain) -> Iterator[Segment]:
    """A chain as it travels, each piece ending on a signature that is held."""
    prev, first, piece = bytes(32), 0, list[Sealed]()
    before = prev
    for stored in events.read_chain(session.db, chain.no, 0, chain.seq):
        epoch, body = header.NO_EPOCH, stored.body
        if stored.epoch is not None:
            epoch = session.epochs.name(stored.epoch)
            cipher, padded = session.epochs.cipher(stored.epoch), plaintext.pad(stored.body)
            body = epochs.seal(cipher, raw(space.id), chain.device, stored.seq, before, epoch, padded)
        piece.append(Sealed(stored.suite, epoch, body))
        before = stored.id
        if stored.signature is not None and (len(piece) > LONGEST // 2 or stored.seq == chain.seq):
            yield Segment(raw(space.id), chain.device, first, prev, piece, stored.signature)
            prev, first, piece = stored.id, stored.seq + 1, []


def _parsed(out: str, err: str) -> dict[str, Any]:
    lines = [line for line in (out or err).splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _secret(prompt: str = "", stream: Any = None) -> str:
    """A passphrase typed unseen: the next line."""
    (stream or sys.stderr).write(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
