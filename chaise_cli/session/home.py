"""A home on disk: where its files lie, who may read them, how its store key is found.

    store.db   the encrypted store            keys     the key slots (JSON, no secret in clear)
    anchor     this device's newest event     objects/ attachments, encrypted
    config.toml settings                      agent.lock  held by `agent run`

An unlocked store key lies in the user's runtime directory, which the system empties at logout.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from chaise_cli.crypto import storekey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Corrupt, NoKey, Refused

UNLOCK_MS: Final = 8 * 3600 * 1000
_ANCHOR: Final = 8 + 32  # count of own events, id of the newest
_SLOT: Final = _ANCHOR + storekey.MAC_SIZE


class NoHome(NoKey):
    """There is no home at the place."""

    code = "home.missing"
    message = "there is no home at {path} yet"
    hint = "make one: chaise init, or name another with --home DIR"
    path: str


class HomeExists(Refused):
    """A second `init` on a home."""

    code = "home.exists"
    message = "there is a home at {path} already"
    hint = "chaise whoami shows whose it is; --home DIR makes another person's home beside it"
    path: str


class Locked(NoKey):
    """No key is at hand for the home."""

    code = "home.locked"
    message = "the home at {path} is locked"
    hint = "chaise unlock; or name the key with --key-file PATH; last of all: chaise unlock --recovery-file FILE"
    path: str


class KeysDamaged(Corrupt):
    """The file with the key slots is missing or not readable."""

    code = "home.keys_damaged"
    message = "the key slots at {path} cannot be read: {why}"
    hint = "put a copy of the file back; the store itself was not touched"
    path: str
    why: str


class Anchor(NamedTuple):
    """How many events this device has written, and the newest one's id."""

    total: int
    id: bytes

    def is_ahead_of(self, total: int, id_: bytes) -> bool:
        """Whether a store with this many events of the device, `id_` being the newest, is older or of another line."""
        return self.total > total or (self.total == total and self.id != id_)


class Home(NamedTuple):
    """Paths of one home."""

    path: Path

    @property
    def store(self) -> Path:
        """The encrypted store."""
        return self.path / "store.db"

    @property
    def keys(self) -> Path:
        """The key slots."""
        return self.path / "keys"

    @property
    def anchor(self) -> Path:
        """The anchor."""
        return self.path / "anchor"

    @property
    def objects(self) -> Path:
        """The folder of attachments."""
        return self.path / "objects"

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "config.toml"

    @property
    def unlocked(self) -> Path:
        """Where the store key lies while the home is unlocked."""
        name = sha256(str(self.path.resolve()).encode()).hexdigest()[:32]
        return runtime_folder() / f"{name}.key"


def default_folder() -> Path:
    """The home when none is named: by XDG on Linux and the BSDs, by the system's custom elsewhere."""
    if sys.platform in ("win32", "darwin"):
        import platformdirs

        return Path(platformdirs.user_data_dir("chaise", appauthor=False))
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(base) / "chaise"


def runtime_folder() -> Path:
    """The private folder for what should not outlive a login; made 0700 when missing."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    folder = Path(base) / "chaise" if base else _temporary() / f"chaise-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if sys.platform != "win32" and (not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077):
        raise KeysDamaged(path=str(folder), why="the runtime folder belongs to, or is open to, somebody else")
    return folder


def _temporary() -> Path:
    import tempfile  # pulls in half a dozen modules that a home with a runtime directory never needs

    return Path(tempfile.gettempdir())


def write_private(path: Path, data: bytes, *, fresh: bool = False) -> None:
    """Put `data` at `path` with mode 0600, whole or not at all; `fresh` refuses to replace (FileExistsError)."""
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    _write_new(draft, data)
    try:
        if fresh:
            _name(draft, path, data)
        else:
            draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if fresh:
        draft.unlink()
    sync_folder(path.parent)


def _name(draft: Path, path: Path, data: bytes) -> None:
    """Give a draft its name unless something has it. Where a file has one name only, it is written a second time."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        _write_new(path, data)


def _write_new(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _write_all(handle, data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _write_all(handle: int, data: bytes) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder durable."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_keys(home: Home) -> dict[str, Any]:
    """The slots file: `{"v", "slots": […], "key_file": path or null}`. Raises NoHome, KeysDamaged."""
    if not home.path.is_dir() or not any(home.path.iterdir()):
        raise NoHome(path=str(home.path))
    try:
        value = json.loads(home.keys.read_bytes())
    except OSError as error:
        raise KeysDamaged(path=str(home.keys), why=error.strerror or "unreadable") from error
    except (ValueError, RecursionError) as error:
        raise KeysDamaged(path=str(home.keys), why="not JSON") from error
    if not isinstance(value, dict) or value.get("v") != 1 or not isinstance(value.get("slots"), list):
        raise KeysDamaged(path=str(home.keys), why="unknown form")
    if not all(isinstance(slot, dict) for slot in value["slots"]) or not isinstance(value.get("key_file"), str | None):
        raise KeysDamaged(path=str(home.keys), why="unknown form")
    return value


def write_keys(home: Home, slots: list[dict[str, object]], key_file: str | None) -> None:
    """Replace the slots file."""
    value = {"v": 1, "slots": slots, "key_file": key_file}
    write_private(home.keys, json.dumps(value, indent=1).encode() + b"\n")


def keep_unlocked(home: Home, key: storekey.StoreKey, until: int, key_file: Path | None = None) -> None:
    """Let commands open the home without a secret until `until` (ms), or while `key_file` is there if it is named."""
    named = str(key_file.resolve()).encode() if key_file else b""
    write_private(home.unlocked, until.to_bytes(8, "big") + key + named)


def keeps_cache() -> bool:
    """Whether what lies in the runtime directory is gone at logout, so that a key found in a file may be kept there."""
    return bool(os.environ.get("XDG_RUNTIME_DIR"))


def unlocked_key(home: Home, now: int) -> tuple[storekey.StoreKey, int] | None:
    """The store key kept by `unlock`, and until when; None once that is over, or its key file is gone."""
    try:
        data = home.unlocked.read_bytes()
    except OSError:
        return None
    until, key, key_file = int.from_bytes(data[:8], "big"), data[8 : 8 + storekey.SIZE], data[8 + storekey.SIZE :]
    if len(key) != storekey.SIZE or now >= until or (key_file and not os.access(key_file, os.R_OK)):
        home.unlocked.unlink(missing_ok=True)
        return None
    return storekey.StoreKey(key), until


def lock(home: Home) -> bool:
    """Forget the unlocked key; whether there was one."""
    try:
        home.unlocked.unlink()
    except FileNotFoundError:
        return False
    return True


def read_anchor(home: Home, key: storekey.StoreKey) -> Anchor | None:
    """The newest intact record of the anchor; None when the file is missing or neither record is intact."""
    try:
        data = home.anchor.read_bytes()
    except FileNotFoundError:
        return None
    records = [data[:_SLOT], data[_SLOT : 2 * _SLOT]]
    sound = [
        Anchor(int.from_bytes(record[:8], "big"), record[8:_ANCHOR])
        for record in records
        if len(record) == _SLOT and storekey.anchor_holds(key, record[:_ANCHOR], record[_ANCHOR:])
    ]
    return max(sound, default=None)


def write_anchor(home: Home, key: storekey.StoreKey, anchor: Anchor) -> None:
    """Note this device's newest event. Two records take turns, so a torn write leaves the other one.

    Not flushed to disk: after a power cut the store may be ahead of its anchor, which is harmless; never behind.
    """
    record = anchor.total.to_bytes(8, "big") + anchor.id
    record += storekey.anchor_mac(key, record)
    handle = os.open(home.anchor, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        os.lseek(handle, anchor.total % 2 * _SLOT, os.SEEK_SET)
        os.write(handle, record)
    finally:
        os.close(handle)
