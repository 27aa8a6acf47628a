"""What may reach a terminal: `safe` for every text, and what the terminal at hand can show.

Other people's words arrive through sync. Whatever a terminal would obey or hide (escapes, controls,
right-to-left overrides, invisible characters) is shown as `<U+202E>` instead, everywhere a person reads.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from typing import Final, TextIO

from chaise_cli.errors import Refused

PLAIN_WIDTH: Final = 80  # of a terminal that does not tell
NARROWEST: Final = 40

# Categories Cc, Cf, Cs, Zl and Zp, everything Unicode calls default-ignorable, and non-characters. Written
# out, not asked of `unicodedata`, so that every Python shows the same; a test compares the two. Compiled on first use.
_UNSAFE: Final = (
    "["
    "\x00-\x1f\x7f-\x9f"
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "\U000e0000-\U000e0fff"
    "]"
)


class Unwritable(Refused):
    """The answer could not be written where it should go; what the command did stands."""

    code = "output.unwritable"
    message = "the answer could not be written: {why}"
    hint = "what the command did stands: chaise log shows it, chaise show ID tells it again"
    why: str


def safe(text: str, *, multiline: bool = False) -> str:
    """`text` with every character a terminal would obey or hide replaced by a visible `<U+001B>`.

    multiline: newlines stay, CR LF becomes one, a tab becomes four spaces. Safe text comes back unchanged.
    """
    if multiline:
        text = text.replace("\r\n", "\n").replace("\t", "    ")
        return "\n".join(map(safe, text.split("\n")))
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE, _shown, text)


def one_line(text: str) -> str:
    """`text` on one line and safe, for a cell of a table: every run of white space is one space."""
    return safe(" ".join(text.split()))


def width_of(text: str) -> int:
    """Columns that `text` takes on a terminal; the text has to be safe already."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def cut(text: str, width: int) -> str:
    """`text` within `width` columns; where something had to go, the last is `…`."""
    if width_of(text) <= width:
        return text
    taken, room = "", width - 1
    for char in text:
        room -= _columns(char)
        if room < 0:
            break
        taken += char
    return taken.rstrip() + "…" if width > 0 else ""


def colored(stream: TextIO, environment: Mapping[str, str], *, flag: bool | None = None) -> bool:
    """Whether colour may be written to `stream`.

    In this order: the `--color` flag, a non-empty NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, TERM=dumb. The
    variables choose what a terminal gets; only the flag puts an escape byte into a pipe, for CI systems set
    the variables for every process.
    """
    if flag is not None:
        return flag
    if not stream.isatty() or environment.get("NO_COLOR"):
        return False
    if _wished(environment, "FORCE_COLOR") or _wished(environment, "CLICOLOR_FORCE"):
        return True
    return environment.get("TERM") != "dumb"


def terminal_width(stream: TextIO, environment: Mapping[str, str]) -> int | None:
    """Columns to lay a table out for: COLUMNS, else what the terminal says; None in a pipe, where nothing is cut."""
    told = environment.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told):
        return max(int(told), NARROWEST)
    if not stream.isatty():
        return None
    try:
        return max(os.get_terminal_size(stream.fileno()).columns or PLAIN_WIDTH, NARROWEST)
    except (OSError, ValueError):  # no such file descriptor, or a stream that has none
        return PLAIN_WIDTH


def put(stream: TextIO, text: str) -> None:
    """Write `text`; what the stream's encoding cannot say is written as a backslash escape.

    Nobody listening on stderr stops nothing. Raises Unwritable and BrokenPipeError on other streams.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        if stream is not sys.stderr:
            raise
    except OSError as error:
        if stream is not sys.stderr:
            raise Unwritable(why=error.strerror or "unknown") from error


def put_bytes(stream: TextIO, data: bytes) -> None:
    """Write a file's bytes as they are, whatever the stream's encoding. Raises Unwritable and BrokenPipeError."""
    try:
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(why=error.strerror or "unknown") from error


def _wished(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "0") not in ("", "0", "false")


def _shown(found: re.Match[str]) -> str:
    return f"<U+{ord(found[0]):04X}>"


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
