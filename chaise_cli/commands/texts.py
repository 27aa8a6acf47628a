"""Texts of any length: from an option, from stdin, from a file, or written in the editor. Read strictly, with limits.

Specified in docs/spec/results.md, texts.
"""

from __future__ import annotations

import importlib
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Usage

TEXT_LIMIT: Final = 64 * 1024  # bytes of UTF-8
LINE_LIMIT: Final = 200  # characters of a title, a headline, a reference

_EDITOR: Final = "chaise_cli.render.editor"  # loaded only for who writes in it


class NotText(Usage):
    """Bytes that are not UTF-8, or characters that nobody could see."""

    code = "usage.not_text"
    message = "{where} is not plain UTF-8 text"
    hint = "control characters are refused, except line breaks and tabs in longer texts"
    where: str


class TooLong(Usage):
    """A text beyond its limit."""

    code = "usage.too_long"
    message = "{where} is longer than {limit} {unit}"
    where: str
    limit: int
    unit: str


class Missing(Usage):
    """A text that has to be given was not."""

    code = "usage.missing_text"
    message = "a text is missing"
    hint = "give {flags}"
    flags: str


class TwoTexts(Usage):
    """A text was given twice."""

    code = "usage.two_texts"
    message = "the text is given twice"
    hint = "give only one of {flags}"
    flags: str


class Unopenable(Usage):
    """A file that cannot be read."""

    code = "usage.unreadable_file"
    message = "{path!r} cannot be read: {why}"
    path: str
    why: str


class TextSource(NamedTuple):
    """Where a text may come from: the option's value, its file, and the flags that an error names.

    may_ask: a person is at the terminal, so a missing text opens the editor, with `below` as a reminder.
    """

    value: str | None
    file: Path | None
    flags: str
    may_ask: bool = False
    below: str = ""


def text(source: TextSource, most: int = TEXT_LIMIT) -> str | None:
    """The text a source gives, `-` being stdin; None when it gives none and nobody may be asked.

    Line breaks come out as LF. most: bytes of UTF-8. Raises TwoTexts, NotText, TooLong, Unopenable, and what
    the editor raises.
    """
    if source.value is not None and source.file is not None:
        raise TwoTexts(flags=source.flags)
    if source.file is not None:
        return _decoded(file_bytes(source.file, most), str(source.file)[:80], most)
    if source.value == "-":
        return _decoded(sys.stdin.buffer.read(most + 1), "stdin", most)
    if source.value is not None:
        # Undecodable bytes of a command line arrive as surrogates; as such they go on to the check.
        return _decoded(source.value.encode("utf-8", "surrogatepass"), "the text", most)
    return _written_in_editor(source, most) if source.may_ask else None


def needed_text(source: TextSource, most: int = TEXT_LIMIT) -> str:
    """As `text`, where there has to be one. Raises Missing as well."""
    read = text(source, most)
    if read is None or not read.strip():
        raise Missing(flags=source.flags)
    return read


def recovery_code(file: Path | None) -> str | None:
    """What stands in the file of a recovery code; None where none is named. Raises NotText, TooLong, Unopenable."""
    code = text(TextSource(None, file, "--recovery-file FILE"), 200) if file else None
    return code.strip() if code else None


def one_line(text: str, where: str, most: int = LINE_LIMIT) -> str:
    """A text on one line without white space around it; `where` names it. Raises Missing, NotText, TooLong."""
    line = text.strip()
    if not line:
        raise Missing(flags=where)
    if not _plain(line, allowed=""):
        raise NotText(where=where)
    if len(line) > most:
        raise TooLong(where=where, limit=most, unit="characters")
    return line


def _written_in_editor(source: TextSource, most: int) -> str:
    edit = cast(
        "Callable[..., str]",
        getattr(importlib.import_module(_EDITOR), "edit"),  # noqa: B009, a module known by name
    )
    return _decoded(edit(source.flags, below=source.below).encode(), "the text", most)


def file_bytes(path: Path, most: int) -> bytes:
    """What a file holds, and of a larger one a byte more than `most`. Raises Unopenable."""
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise Unopenable(path=str(path)[:80], why=error.strerror or "unknown") from error


def _decoded(data: bytes, where: str, most: int) -> str:
    if len(data) > most:
        raise TooLong(where=where, limit=most, unit="bytes")
    try:
        read = data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise NotText(where=where) from error
    if not _plain(read, allowed="\n\t"):
        raise NotText(where=where)
    return read.rstrip()


def _plain(given: str, allowed: str) -> bool:
    """No control character and no lone surrogate but what is allowed."""
    return all(char in allowed or unicodedata.category(char) not in ("Cc", "Cs") for char in given)
