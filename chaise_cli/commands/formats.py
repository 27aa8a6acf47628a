"""Which output format a call asks for."""

from __future__ import annotations

from typing import Any

from chaise_cli.errors import Usage


class OneFormat(Usage):
    """Two output formats at once."""

    code = "usage.one_format"
    message = "choose one of {given}"
    hint = "drop all but one of them"
    given: str


def asked(given: dict[str, Any]) -> Any:
    """The format that the common options name, human without one. Raises OneFormat."""
    named = [
        name for name, key in (("json", "json_"), ("ids", "ids_"), ("jsonl", "jsonl"), ("csv", "csv")) if given.get(key)
    ]
    if len(named) > 1:
        raise OneFormat(given=", ".join(f"--{name}" for name in named))
    return named[0] if named else "human"
