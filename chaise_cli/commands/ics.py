"""A calendar file that a verb writes: to a path, or with `-` to stdout in the place of the verb's own answer."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.commands.formats import OneFormat
from chaise_cli.render.terminal import put, put_bytes, safe

if TYPE_CHECKING:
    from chaise_cli.commands.context import Call
    from chaise_cli.result import Result

_STDOUT: Final = Path("-")
_CALENDARS: Final = "chaise_cli.session.calendars"  # loaded only for a file


def checked(call: Call, path: Path | None) -> None:
    """Raises OneFormat where stdout is to have the file and an answer in some format."""
    if path == _STDOUT and call.options.format != "human":
        raise OneFormat(given=f"--ics -, --{call.options.format}")


def written(call: Call, path: Path, data: bytes, result: Result) -> Result | None:
    """Write the file; what is still to be answered. On stdout the file is all, with warnings beside it on stderr.

    Raises CannotWriteCalendar, Unwritable.
    """
    if path != _STDOUT:
        calendars: Any = import_module(_CALENDARS)
        calendars.write_calendar(path, data)
        return result
    put_bytes(sys.stdout, data)
    for warning in (*call.warnings, *result.warnings):
        put(sys.stderr, f"warning: {safe(warning)}\n")
    return None
