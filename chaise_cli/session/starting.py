"""`init`: a new home, its recovery code put where its owner wants it. All is checked before anything is made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from chaise_cli import clock
from chaise_cli.domain import handle as handles
from chaise_cli.domain import own as bodies
from chaise_cli.domain import shape
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Refused, Usage
from chaise_cli.session import founding, machine
from chaise_cli.session import home as homes
from chaise_cli.store.own import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.session.session import Session


class FileExists(Usage):
    """The file for the recovery code is there already."""

    code = "home.recovery_file_exists"
    message = "{path} exists, and nothing is written over it"
    hint = "name a new file; one that a command which was cut off has left there is of no use"
    path: str


class InsideHome(Usage):
    """A key or the recovery code would lie beside what it opens."""

    code = "home.key_inside"
    message = "{path} lies inside the home that it opens"
    hint = "keep it elsewhere, best on another disk: whoever copies the home would copy its key"
    path: str


class NoFolder(Usage):
    """A file is to be made in a folder that is not there."""

    code = "home.no_folder"
    message = "there is no folder {path}"
    hint = "make it first: mkdir -p {path}"
    path: str


class NoSuchRole(Usage):
    """The role is neither of the two."""

    code = "usage.no_such_role"
    message = "{given!r} is not a role"
    hint = "roles are client and talent; rights come from the deal, whatever the role"
    given: str


class PassphrasesDiffer(Usage):
    """A new passphrase was typed in two ways."""

    code = "key.passphrases_differ"
    message = "these are two different passphrases"
    hint = "run it again; nothing was made"


class Unwritable(Refused):
    """The disk did not take the new home."""

    code = "home.unwritable"
    message = "the home could not be made: {why}"
    hint = "fix that and run it again; nothing is left over"
    why: str


class Plan(NamedTuple):
    """What `init` is to make. recovery_out: the file for the recovery code; None has it shown."""

    home: homes.Home
    settings: Settings
    secrets: founding.Secrets
    device_name: str
    recovery_out: Path | None


def settings(name: str, role: str, currency: str, handle: str | None, tz: str | None, email: str | None) -> Settings:
    """The settings of a new home; the handle follows from the name and the zone from the machine. Raises BadHandle."""
    chosen = handles.read(handle) if handle is not None else handles.from_name(name)
    return Settings(chosen, name, role, currency, tz or machine.zone(), email)


def check_free(home: homes.Home) -> None:
    """Return only if nothing is at the home's place. Raises HomeExists."""
    if home.path.exists() and any(home.path.iterdir()):
        raise homes.HomeExists(path=str(home.path))


def check(plan: Plan) -> None:
    """Refuse a plan that cannot be carried out, before anything is made.

    Raises HomeExists, BadField, FileExists, InsideHome, NoFolder.
    """
    shape.check(bodies.SelfSettings(**plan.settings._asdict()))
    check_paths(plan.home, plan.secrets.key_file, plan.recovery_out)
    if plan.recovery_out is not None and os.path.lexists(plan.recovery_out):
        raise FileExists(path=str(plan.recovery_out))


def check_paths(place: homes.Home, *files: Path | None) -> None:
    """Return only if a home may be made here with these files elsewhere. Raises HomeExists, InsideHome, NoFolder."""
    check_free(place)
    home = place.path.resolve()
    for path in filter(None, files):
        if home in path.resolve().parents:
            raise InsideHome(path=str(path))
        if not path.resolve().parent.is_dir():
            raise NoFolder(path=str(path.resolve().parent))


def start(
    plan: Plan,
    now: clock.Clock,
    show: Callable[[str], None],
    random: Callable[[int], bytes] = clock.random_bytes,
) -> Session:
    """Make the home. Raises what `check` and `founding.found` raise, and Unwritable; then nothing is left over.

    show: is given the recovery code where no file is named. It is shown, or in its file, before there is a home: one
    whose code could not be kept is none.
    """
    check(plan)
    new_key = plan.secrets.key_file if plan.secrets.key_file and not plan.secrets.key_file.exists() else None
    made: list[Path] = [new_key] if new_key else []

    def keep(code: str) -> None:
        if plan.recovery_out is None:
            show(code)
            return
        homes.write_private(plan.recovery_out, f"{code}\n".encode(), fresh=True)
        made.append(plan.recovery_out)

    try:
        return founding.found(plan.home, plan.settings, plan.secrets, plan.device_name, now, random, keep).session
    except BaseException as error:
        for path in made:
            path.unlink(missing_ok=True)
        if isinstance(error, FileExistsError) and plan.recovery_out is not None:
            raise FileExists(path=str(plan.recovery_out)) from error
        if isinstance(error, OSError):
            raise Unwritable(why=f"{error.filename or plan.home.path}: {error.strerror}") from error
        raise
