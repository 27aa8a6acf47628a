"""Letting one person's further devices in, without anybody sleeping: what one waits for, the other does meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from chaise_cli.session import doors
from tests.e2e.people import Answer, Person


def code_of(person: Person, *options: str) -> str:
    """A new code, with nobody waiting for its use."""
    file = person.folder / "code"
    file.unlink(missing_ok=True)
    person.does("device", "add", "--no-wait", "--code-out", str(file), *options)
    return file.read_text()


def knocks(
    person: Person, name: str | Person, at: Path | str, code: str, pause: Callable[[], object], **more: Any
) -> tuple[Person, Answer]:
    """`device join` in a new home beside the person's; `pause` is what happens while it waits."""
    other = Person(person.folder, name, now=person.now or "") if isinstance(name, str) else name
    original = doors.knock

    def knock(box: Any, joiner: Any, patience: doors.Patience) -> Any:
        return original(box, joiner, patience._replace(sleep=lambda _: _do(pause)))

    keys = ("--key-file", str(other.key_file))
    with mock.patch.object(doors, "knock", knock):
        answer = other.run(
            "device", "join", "-", "--at", str(at), "--name", other.handle, *keys, "--json", stdin=code, **more
        )
    return other, answer


def _do(pause: Callable[[], object]) -> None:
    pause()


def joins(person: Person, name: str, at: Path | str, *options: str) -> Person:
    """A further device of the person, let in at a folder; options: of `device add`."""
    other, answer = knocks(person, name, at, code_of(person, *options), lambda: person.run("sync"))
    assert answer.exit == 0, answer.err
    assert answer.json["warnings"] == []
    return other
