"""Settings of one run: a flag, else a CHAISE_ variable, else config.toml. `doctor` shows each with its origin.

Variables name things and hold no secret: CHAISE_PASSPHRASE_FILE is the path of a file with the passphrase.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import NoKey, Usage

NAMES: Final = ("home", "key_file", "passphrase_file", "grant", "no_input", "rail_sim_url")
_WRITTEN: Final = {"rail.sim.url": "rail_sim_url"}  # in the file, where a rail's settings stand in a table of its own


class BadConfig(Usage):
    """config.toml cannot be understood."""

    code = "config.bad"
    message = "{path}: {why}"
    hint = "settings are: home, key_file, passphrase_file, grant, no_input, rail.sim.url"
    path: str
    why: str


class NoPassphraseFile(NoKey):
    """The file that should hold the passphrase cannot be read."""

    code = "key.no_passphrase_file"
    message = "the passphrase file {path} cannot be read"
    hint = "CHAISE_PASSPHRASE_FILE names a file whose first line is the passphrase"
    path: str


class Setting(NamedTuple):
    """A value and where it came from: flag, variable, file or default."""

    value: str
    origin: str


class Settings(NamedTuple):
    """What holds for this run; an empty value is an unset one."""

    home: Setting
    key_file: Setting
    passphrase_file: Setting
    grant: Setting
    no_input: Setting
    rail_sim_url: Setting  # where the sim is asked


def read(home: Path | None) -> Settings:
    """The settings, `home` being the flag's value. Raises BadConfig."""
    named = str(home) if home else os.environ.get("CHAISE_HOME", "")
    path = Path(named) / "config.toml" if named else _folder() / "config.toml"
    stored = _file(path) if path.exists() else {}
    found = {name: _setting(name, stored, path) for name in NAMES}
    if home is not None:
        found["home"] = Setting(str(home), "--home")
    return Settings(**found)


def passphrase(settings: Settings) -> str | None:
    """The passphrase from the file that the settings name, if they do. Raises NoPassphraseFile."""
    if not settings.passphrase_file.value:
        return None
    try:
        return Path(settings.passphrase_file.value).read_text(encoding="utf-8").split("\n", 1)[0]
    except (OSError, ValueError) as error:
        raise NoPassphraseFile(path=settings.passphrase_file.value) from error


def _setting(name: str, stored: dict[str, Any], path: Path) -> Setting:
    variable = f"CHAISE_{name.upper()}"
    if given := os.environ.get(variable):
        return Setting(given, variable)
    if name in stored:
        return Setting(str(stored[name]) if stored[name] is not False else "", str(path))
    return Setting("", "default")


def _folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "chaise"


def _file(path: Path) -> dict[str, Any]:
    tomllib: Any = import_module("tomllib")  # loaded only where a file exists
    try:
        value: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfig(path=str(path), why=str(error)) from error
    found = dict(_flat(value))
    if unknown := sorted(found.keys() - (set(NAMES) - set(_WRITTEN.values())) - _WRITTEN.keys()):
        raise BadConfig(path=str(path), why=f"unknown setting {unknown[0]!r}")
    return {_WRITTEN.get(name, name): one for name, one in found.items()}


def _flat(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting by its dotted name."""
    for name, one in table.items():
        if isinstance(one, dict):
            yield from _flat(one, f"{before}{name}.")
        else:
            yield f"{before}{name}", one
