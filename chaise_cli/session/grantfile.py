"""The file of a grant: all that an empty home needs to act under it. docs/spec/grants.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import boxes, derivation, signing
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, NoKey, Usage
from chaise_cli.ids import EventId, SpaceId, raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import home as homes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ledger.certificate import Certificate

_KEYS: Final = {"box", "certificates", "check", "grant", "key", "places", "space", "v"}
_LARGEST: Final = 64 * 1024


class FileExists(Usage):
    """The file for the key is there already."""

    code = "grant.file_exists"
    message = "{path} exists, and nothing is written over it"
    hint = "name a new file with -o"
    path: str


class NoFolder(Usage):
    """The file is to be made in a folder that is not there, or may not be written."""

    code = "grant.no_folder"
    message = "the file {path} cannot be made: {why}"
    hint = "name a file in a folder of yours with -o"
    path: str
    why: str


class BadFile(NoKey):
    """What CHAISE_GRANT names is no grant's file, or not as it was written."""

    code = "grant.bad_file"
    message = "{path} opens no grant: {why}"
    hint = "CHAISE_GRANT names a file that chaise grant create has written, mode 0600 and unchanged"
    path: str
    why: str


class GrantFile(NamedTuple):
    """What stands in it. key and box: seeds; certificates: the grant's first, the root-signed one last."""

    grant: EventId
    space: SpaceId
    key: bytes
    box: bytes
    certificates: Sequence[Certificate]
    places: Sequence[str]


def pack(made: GrantFile) -> bytes:
    """The bytes of the file."""
    value: dict[str, object] = {
        "box": text(made.box),
        "certificates": [one.value() for one in made.certificates],
        "grant": made.grant,
        "key": text(made.key),
        "places": list(made.places),
        "space": made.space,
        "v": 1,
    }
    return canonical.encode(value | {"check": _check(value)}) + b"\n"


def reserve(path: Path) -> None:
    """Make the file, empty, so that nothing can take its name. Raises FileExists, NoFolder."""
    try:
        homes.write_private(path, b"", fresh=True)
    except FileExistsError as error:
        raise FileExists(path=str(path)) from error
    except OSError as error:
        raise NoFolder(path=str(path), why=error.strerror or "the system refuses") from error


def read(path: Path) -> GrantFile:
    """A grant's file, its keys checked against their certificates. Raises BadFile."""
    try:
        if sys.platform != "win32" and path.stat().st_mode & 0o077:
            raise BadFile(path=str(path), why="others may read it; chmod 600")
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadFile(path=str(path), why=error.strerror or "unreadable") from error
    try:
        return _checked(data)
    except (ChaiseError, ValueError, TypeError, AttributeError) as error:
        raise BadFile(path=str(path), why="it is damaged, or was edited") from error


def _checked(data: bytes) -> GrantFile:
    value: Any = canonical.decode(data.removesuffix(b"\n"))
    if len(data) > _LARGEST or set(value) != _KEYS or value["v"] != 1:
        raise ValueError(data[:1])
    if value.pop("check") != _check(value) or not all(isinstance(place, str) for place in value["places"]):
        raise ValueError(value["v"])
    chain = certificate.check(value["certificates"])
    own, key, box = chain[0], raw(value["key"]), raw(value["box"])
    if own.kind != "grant" or own.space != value["space"] or len(box) != boxes.SEED_SIZE:
        raise ValueError(own.kind)
    if text(signing.Ed25519Signer(key).public) != own.device or len(raw(value["grant"])) != len(raw(own.space)):
        raise ValueError(own.device)
    return GrantFile(EventId(value["grant"]), SpaceId(own.space), key, box, chain, value["places"])


def _check(value: dict[str, object]) -> str:
    return text(derivation.tagged_hash("grant-file", canonical.encode(value)))


def drop(path: Path) -> None:
    """Take away a file that was reserved for nothing."""
    path.unlink(missing_ok=True)
