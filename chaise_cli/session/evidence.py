"""Policies and evidence as files: read once, within bounds, and never from outside their folder.

Nothing is run and no link leads out: what is judged was put there by an earlier job. docs/spec/policies.md, Paths.
"""

from __future__ import annotations

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import signing, sshsig
from chaise_cli.domain import git_tag, policy
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.policy import BadPolicy, Git, Policy
from chaise_cli.domain.verdict import Evidence
from chaise_cli.errors import Corrupt, Usage
from chaise_cli.ids import text
from chaise_cli.session import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNREADABLE: Final = (BadPolicy, policy.HandleInPolicy, policy.BadPath)
EVIDENCE_MOST: Final = 4 << 20
_NAMESPACE: Final = b"git"


class CannotJudge(Usage):
    """A file that a policy names, or the policy, cannot be read as it has to be."""

    code = "policy.unreadable"
    message = "{path!r} cannot be judged: {why}"
    hint = "evidence is a plain file inside its folder, of at most 4 MiB: --evidence DIR"
    path: str
    why: str


class Source(NamedTuple):
    """A policy: what its file is called, its bytes, and what they say."""

    name: str
    content: bytes
    policy: Policy

    @property
    def digest(self) -> str:
        """The hash by which grants pin it."""
        return digest(self.content)


def digest(content: bytes) -> str:
    """SHA-256, as base64url text."""
    return text(sha256(content).digest())


def read_policy(path: Path) -> Source:
    """The policy in a file. Raises CannotJudge, and what `parsed` raises."""
    content = read(path, policy.BYTES_MOST)
    return Source(path.name, content, parsed(content))


def parsed(content: bytes) -> Policy:
    """What the bytes of a policy say. Raises BadPolicy, HandleInPolicy, BadPath."""
    return policy.read(toml(content))


def toml(content: bytes) -> dict[str, Any]:
    """The table in the bytes of a TOML file. Raises BadPolicy."""
    try:
        return tomllib.loads(content.decode())
    except RecursionError as error:
        raise BadPolicy(where="TOML", why="nested too deeply") from error
    except ValueError as error:  # TOML and UTF-8
        raise BadPolicy(where="TOML", why=str(error)[:200]) from error


def gathered(folder: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """The files of these relative paths that are there. Raises CannotJudge."""
    base = folder.resolve()
    found = {}
    for path in paths:
        whole = base / path
        if not whole.resolve().is_relative_to(base):
            raise CannotJudge(path=path, why="a link leads out of the folder")
        if whole.exists():
            found[path] = _read(whole, path, EVIDENCE_MOST)
    return found


def evidence(wanted: Policy, found: Mapping[str, bytes]) -> Evidence:
    """The files with the keys that signed the tags among them."""
    tags = {item.path for rule in wanted.rules for item in rule.require if isinstance(item, Git)}
    signers = {path: key for path in tags & found.keys() if (key := _signer(found[path]))}
    return Evidence(found, signers)


def _signer(content: bytes) -> str | None:
    """The key whose signature a tag carries; None for one that is no key, or where none holds."""
    try:
        tag = git_tag.read(content)
    except git_tag.Unreadable:
        return None
    key = sshsig.signer(tag.armor, tag.payload, _NAMESPACE) if tag.armor else None
    return text(key) if key and _is_sound(key) else None


def _is_sound(key: bytes) -> bool:
    try:
        signing.admit_key(key, torsion=True)
    except signing.BadKey:
        return False
    return True


def public_key(path: Path) -> str:
    """The Ed25519 key in a `.pub` file, as text. Raises CannotJudge, BadKeyLine, BadKey."""
    return key_of(read(path, sshsig.ARMOR_MOST).decode(errors="replace"))


def key_of(line: str) -> str:
    """The Ed25519 key in a line as ssh-keygen writes it. Raises BadKeyLine, BadKey."""
    return text(sshsig.read_public(line))


def read(path: Path, most: int) -> bytes:
    """A file that is no evidence, of at most `most` bytes. Raises CannotJudge."""
    return _read(path, str(path), most)


def _read(path: Path, shown: str, most: int) -> bytes:
    try:
        with files.opened(path) as source:
            content = source.read(most + 1)
    except files.CannotAttach as error:
        raise CannotJudge(path=shown[:80], why=error.why) from error
    except OSError as error:
        raise CannotJudge(path=shown[:80], why=error.strerror or "unknown") from error
    if len(content) > most:
        raise CannotJudge(path=shown[:80], why=f"it has more than {most} bytes")
    return content


class OtherVerdict(Corrupt):
    """The recorded verdict is not what its policy says of its evidence."""

    code = "policy.other_verdict"
    message = "{run} does not hold: {why}"
    hint = "what was judged is attached: chaise files {deal} --fetch DIR; talk to who released: chaise message {deal}"
    run: str
    why: str
    deal: str
