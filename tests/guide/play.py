"""Plays the transcripts of docs/guide: each `lisa$` or `james$` line is typed at a terminal, its output compared.

The chapters of one folder build on one another. `phone$` is Lisa's second machine, `relay$` a server's operator, `ada$`
an escrow agent, `ci$` a machine without any home; a line that ends in ` &` runs beside what follows: of a server is
shown what it prints up to its address, of a device that lets another in nothing, once its code is there. The addresses
127.0.0.1:8787 and 127.0.0.1:8899 stand for free ones.

In a transcript, ids stand for ids: the first time `post-4tq8` is printed it is bound to the id that was really
printed there, and from then on it means that one. `…` stands for anything, alone on a line for any lines.
A comment `<!-- now: 2026-11-20T09:00:00Z -->` sets the clock of the commands after it. What follows `[y/N]`
on an expected line is what is typed there.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from tests.fakes import warm

GUIDE: Final = Path(__file__).parents[2] / "docs" / "guide"
PASSPHRASE: Final = "correct horse battery staple"
PEOPLE: Final = ("lisa", "james", "phone", "relay", "ada", "ci")
ADDRESSES: Final = ("127.0.0.1:8787", "127.0.0.1:8899")
ALONE: Final = re.compile(r"(?:exec )?((?:\w+=[\w.:/-]+ )*)chaise((?: [^|&;<>()$`*~\\]+)?)")  # no work for a shell
ID: Final = re.compile(r"\b(id|dev|board|post|deal|book|msg|rev|svc|op|grant|run)-([0-9a-z]{4,26})\b")
SECONDS: Final = 60  # one command may take


Program: TypeAlias = warm.Command | subprocess.Popen[bytes]


class Step(NamedTuple):
    """One typed line and what it should print."""

    who: str
    command: str
    expected: list[str]
    now: str
    line: int


def steps(text: str) -> Iterator[Step]:
    """The steps of one chapter, in order."""
    now, inside = "", False
    step: Step | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"<!-- now: (\S+) -->", line):
            now = found[1]
        if line.startswith("```"):
            if step:
                yield step
            inside, step = line == "```console", None
        elif inside and (found := re.match(rf"({'|'.join(PEOPLE)})\$ (.*)", line)):
            if step:
                yield step
            step = Step(found[1], found[2], [], now, number)
        elif inside and step and step.command.endswith("\\") and not step.expected:
            step = step._replace(command=step.command[:-1].rstrip() + " " + line.strip())
        elif inside and step:
            step.expected.append(line)


class Stage:
    """People, each with a home, on one machine with a shared folder. Servers run until `close`.

    forked: a line that calls `chaise` once and needs no shell runs in a fork of a loaded program (tests/fakes/warm.py).
    """

    def __init__(self, folder: Path, *, forked: bool = False) -> None:
        self.folder, self._forked = folder, forked
        self._ids: dict[str, str] = {}
        self._servers: list[Program] = []
        self._addresses = {told: f"127.0.0.1:{_free_port()}" for told in ADDRESSES}
        programs = folder / "bin"
        programs.mkdir()
        program = programs / "chaise"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m chaise_cli "$@"\n')
        program.chmod(0o755)
        (folder / "Shared").mkdir()
        (folder / "run").mkdir(mode=0o700)
        for person in PEOPLE:
            (folder / person).mkdir()

    def play(self, step: Step) -> str:
        """Type one line at a terminal; everything it printed, as the terminal showed it."""
        if step.command.endswith(" &"):
            return self._serve(step)
        if step.command == "^C":
            return self._stop()
        answers = [line.rpartition("[y/N] ")[2] for line in step.expected if "[y/N] " in line]
        return self._told(_at_terminal(partial(self._begin, step), answers))

    def _begin(self, step: Step, **streams: Any) -> Program:
        """Start what was typed, as the leader of a session."""
        command, folder, environment = self._real(step.command), self.folder / step.who, self._environment(step)
        alone = ALONE.fullmatch(command) if self._forked else None
        if alone:
            given = dict(word.split("=", 1) for word in alone[1].split())
            begin = warm.Start(shlex.split(alone[2]), environment | given, folder, session=True)
            return warm.Command(begin, **streams)
        argv = ["/bin/sh", "-c", command]
        return subprocess.Popen(argv, env=environment, cwd=folder, start_new_session=True, **streams)

    def _told(self, shown: str) -> str:
        """What was printed, with the addresses that the guide names."""
        for told, real in self._addresses.items():
            shown = shown.replace(real, told)
        return shown

    def close(self) -> None:
        """Stop the servers."""
        while self._servers:
            self._stop()

    def _serve(self, step: Step) -> str:
        """Start something that stays; of a server what it printed up to the line that names its address."""
        server = self._begin(
            step._replace(command=f"exec {step.command[:-2]}"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._servers.append(server)
        if found := re.search(r"--code-out (\S+)", step.command):
            code = self.folder / step.who / found[1]
            while not code.exists() and server.poll() is None:
                time.sleep(0.05)
            return ""
        assert server.stdout, "a pipe was asked for"
        printed = b""
        for line in server.stdout:
            printed += line
            if any(real.encode() in line for real in self._addresses.values()):
                break
        return self._told(printed.decode(errors="replace"))

    def _stop(self) -> str:
        """Interrupt the newest server and wait for its end; nothing is shown of it."""
        server = self._servers.pop()
        server.send_signal(signal.SIGINT)
        server.wait(SECONDS)
        assert server.stdout, "a pipe was asked for"
        server.stdout.close()
        return ""

    def _environment(self, step: Step) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "CHAISE_HOME": str(self.folder / f".{step.who}"),
            "CHAISE_NOW": step.now,
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "PYTHONPATH": str(GUIDE.parents[1]),
            "TERM": "dumb",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
        }

    def _real(self, text: str) -> str:
        """The ids of the guide replaced by those they stand for."""
        text = ID.sub(lambda found: self._ids.get(found[0], found[0]), text)
        for told, real in self._addresses.items():
            text = text.replace(told, real)
        return text

    def differs(self, step: Step, output: str) -> str | None:
        """Why what was printed is not what the guide says; None when it is. Binds new ids on the way."""
        expected = [line.rstrip() for line in step.expected]
        printed = [line.rstrip() for line in output.replace("\r\n", "\n").splitlines()]
        while expected and not expected[-1]:
            expected.pop()
        while printed and not printed[-1]:
            printed.pop()
        if self._match(expected, printed, {}):
            return None
        return (
            f"guide line {step.line}: {step.who}$ {step.command}\n--- guide\n"
            + "\n".join(expected)
            + "\n--- printed\n"
            + "\n".join(printed)
        )

    def _match(self, expected: list[str], printed: list[str], bound: dict[str, str]) -> bool:
        if not expected:
            if not printed:
                self._ids |= bound
                return True
            return False
        if expected[0] == "…":
            return any(self._match(expected[1:], printed[skip:], dict(bound)) for skip in range(len(printed) + 1))
        if not printed:
            return False
        again = self._line(expected[0], printed[0], bound)
        return again is not None and self._match(expected[1:], printed[1:], again)

    def _line(self, expected: str, printed: str, bound: dict[str, str]) -> dict[str, str] | None:
        """The bindings after one line, None when it does not fit. Runs of spaces count as one."""
        names: list[str] = []
        pattern = ""
        for part in re.split(rf"({ID.pattern.replace('(', '(?:')}|…| +)", expected):
            if part == "…":
                pattern += ".*?"
            elif part.startswith(" ") and not part.strip():
                pattern += " +"
            elif ID.fullmatch(part):
                names.append(part)
                pattern += rf"({part.partition('-')[0]}-[0-9a-z]{{4,26}})"
            else:
                pattern += re.escape(part)
        found = re.fullmatch(pattern, printed)
        if found is None:
            return None
        bound = dict(bound)
        for name, real in zip(names, found.groups(), strict=True):
            known = self._ids.get(name) or bound.setdefault(name, real)
            if not (known.startswith(real) or real.startswith(known)):
                return None
            if len(real) > len(known):
                bound[name] = real
        return bound


def _free_port() -> int:
    """A port of the loopback address on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _at_terminal(begin: Callable[..., Program], answers: list[str]) -> str:
    """Run a program on a terminal of its own, answering its questions; what the terminal showed."""
    ours, theirs = pty.openpty()
    process = begin(stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown, answered = b"", 0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([ours], [], [], 1.0)
        if not ready:
            continue
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the terminal's other side is closed: the program ended
            break
        if not piece:
            break
        shown += piece
        reply = _reply(shown[answered:].decode(errors="replace"), answers)
        if reply is not None:
            answered = len(shown)
            os.write(ours, f"{reply}\n".encode())
    else:
        process.kill()
        raise TimeoutError(begin)
    os.close(ours)
    process.wait(SECONDS)
    return shown.decode(errors="replace")


def _reply(fresh: str, answers: list[str]) -> str | None:
    """What to type at the prompt that `fresh` ends with, if it ends with one."""
    if fresh.endswith("[y/N] "):
        return answers.pop(0) if answers else "n"
    if re.search(r"[Pp]assphrase[^\n]*: $", fresh):
        return PASSPHRASE
    return None


def parts() -> list[list[Path]]:
    """The chapters of each part of the guide, in order; every part begins with empty homes."""
    return [sorted(folder.glob("[0-9]*.md")) for folder in (GUIDE, GUIDE / "machines", GUIDE / "escrow")]
