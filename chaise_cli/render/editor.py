"""A longer text, written in the person's editor.

The file lies in a folder only its owner can enter and is removed afterwards. What stands below the cut
line is a reminder and is not read; a text left empty means to give up.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from chaise_cli.errors import Usage
from chaise_cli.render.emit import environment
from chaise_cli.render.terminal import safe

CUT: Final = "# ---------------- below this line nothing is kept ----------------"
FALLBACK: Final = "vi"  # what POSIX promises


class EditorFailed(Usage):
    """The editor could not be started, or ended with a failure."""

    code = "usage.editor_failed"
    message = "the editor {editor!r} did not end well: {why}"
    hint = "set VISUAL or EDITOR, or give {flag}"
    editor: str
    why: str
    flag: str


class EmptyText(Usage):
    """The text was left empty; nothing was done."""

    code = "usage.empty_text"
    message = "the text is empty; nothing was done"
    hint = "give {flag}"
    flag: str


def edit(flag: str, *, start: str = "", below: str = "") -> str:
    """The text the person wrote, without white space around it.

    start: what the editor opens with. below: shown as comments under the cut line, such as the other side's
    last words. Raises EditorFailed, EmptyText; both name `flag`, which gives the text without an editor.
    """
    with tempfile.TemporaryDirectory(prefix="chaise-") as folder:  # made 0700
        path = Path(folder) / "text.md"
        path.touch(mode=0o600)
        path.write_text(_template(start, below), encoding="utf-8")
        _run(path, flag)
        try:
            written = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EditorFailed(editor=_command(), why="its file is not UTF-8 text", flag=flag) from error
    text = written.partition(CUT)[0].strip()
    if not text:
        raise EmptyText(flag=flag)
    return text


def _template(start: str, below: str) -> str:
    comments = "".join(f"# {line}".rstrip() + "\n" for line in safe(below, multiline=True).splitlines())
    return f"{start}\n\n{CUT}\n{comments}"


def _command() -> str:
    return environment().get("VISUAL") or environment().get("EDITOR") or FALLBACK


def _run(path: Path, flag: str) -> None:
    command = _command()
    try:
        # The person's own setting; split as a shell would, never given to one.
        done = subprocess.run([*shlex.split(command, posix=os.name == "posix"), str(path)], check=False)  # noqa: S603
    except (OSError, ValueError) as error:
        raise EditorFailed(editor=command, why="it could not be started", flag=flag) from error
    if done.returncode:
        raise EditorFailed(editor=command, why=f"exit status {done.returncode}", flag=flag)
