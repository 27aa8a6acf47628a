"""No plaintext where it does not belong: words, names, amounts and keys leave the encrypted store only sealed."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import pytest

from tests.fakes import homes, warm

CANARY: Final = "canary-zaunkönig-7f3a"
PARTS: Final = tuple(
    f"{CANARY}-{what}" for what in ("handle", "name", "board", "title", "brief", "skill", "cover", "message", "file")
)
MONEY: Final = "7316.42"
ROOT: Final = Path(__file__).parents[2]


def forms(text: str) -> Iterator[bytes]:
    """How text might be spelt in a file: as it is, escaped, in UTF-16, in base64 at any offset, in hexadecimal."""
    data = text.encode()
    yield data
    yield text.encode("ascii", "backslashreplace")
    yield text.encode("utf-16-le")
    yield data.hex().encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data)
        yield coded[4 if shift else 0 : -4]
        yield coded[4 if shift else 0 : -4].replace(b"+", b"-").replace(b"/", b"_")


def found_in(folder: Path, needles: list[bytes]) -> list[str]:
    """Files below `folder` whose name or content shows a needle."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert paths, "nothing was written at all"
    held = [(path, str(path.relative_to(folder)).encode() + path.read_bytes()) for path in paths]
    return [f"{path.name}: {needle!r}" for path, content in held for needle in needles if needle in content]


def chaise(home: Path, *argv: str, stdin: str = "") -> tuple[str, str]:
    """What a command that has to succeed writes to its two streams."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CHAISE_", "XDG_"))}
    run = home.parent / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    env = clean | {"CHAISE_HOME": str(home), "XDG_RUNTIME_DIR": str(run)}
    with TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        command = warm.Command(warm.Start(argv, env, home.parent), stdin=given)
        out, err = (told.decode() for told in command.communicate())
    assert command.returncode in {0, 8}, err
    return out, err


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home and a synced folder after everything with words in it was said once."""
    folder = tmp_path_factory.mktemp("canary")
    home, shared = folder / "home", folder / "shared"
    shared.mkdir()
    errors = []

    def say(*argv: str) -> str:
        out, err = chaise(home, *argv)
        errors.append(err)
        return out

    say("init", "--handle", "canary", "--name", PARTS[1], "--role", "client", "--currency", "EUR", "--tz", "UTC",
        "--key-file", str(folder / "key"), "--recovery-out", str(folder / "code"))  # fmt: skip
    say("board", "create", PARTS[2], "--at", str(shared))
    post = say("post", PARTS[3], "--brief", PARTS[4], "--budget", f"{MONEY}EUR", "--skill", PARTS[5].lower(), "--ids")
    invite = json.loads(say("board", "invite", "--json"))["data"]["invite"]
    _answer(folder / "other", post.strip(), invite)
    (folder / "errors").write_text("".join(errors))
    say("sync")
    return folder


def _answer(home: Path, post: str, invite: str) -> None:
    """Somebody else proposes, writes and attaches a file, so that the folder carries a deal too."""
    secrets = ("--key-file", str(home.parent / "other.key"), "--recovery-out", str(home.parent / "other.code"))
    chaise(home, "init", "--handle", "other", "--name", PARTS[1], "--role", "talent", "--tz", "UTC", *secrets)
    chaise(home, "board", "join", "-", stdin=invite)
    deal = chaise(home, "propose", post, "--price", f"{MONEY}EUR", "--cover", PARTS[6], "--ids")[0].strip()
    attached = home.parent / f"{PARTS[8]}.txt"
    attached.write_text(PARTS[8] * 100)
    chaise(home, "message", deal, PARTS[7], "--file", str(attached))
    attached.unlink()


NEEDLES: Final = [form for part in (*PARTS, MONEY, MONEY.replace(".", "")) for form in forms(part) if len(form) > 5]


def test_the_needles_would_be_found(tmp_path: Path) -> None:
    for part in PARTS:
        (tmp_path / "leak").write_bytes(b"xx" + part.encode() + b"yy")
        assert found_in(tmp_path, NEEDLES)
        (tmp_path / "leak").write_bytes(base64.urlsafe_b64encode(b"x" + part.encode() + b"yy"))
        assert found_in(tmp_path, NEEDLES)


def test_no_word_stands_in_either_home(told: Path) -> None:
    assert found_in(told / "home", NEEDLES) == []
    assert found_in(told / "other", NEEDLES) == []
    assert list((told / "home" / "objects").iterdir()), "the attachment has arrived, sealed"


def test_no_word_stands_in_the_log_of_an_open_store(tmp_path: Path) -> None:
    """The write-ahead log holds pages that no checkpoint has moved yet."""
    tmp_path.chmod(0o700)
    session = homes.found(tmp_path, "canary", "client")
    made = homes.boards.create(session, PARTS[2], None, None)
    assert made
    board = homes.events.spaces(session.db, "board")[0].id
    homes.post(session, board, homes.replace(homes.POST, title=PARTS[3], brief=PARTS[4]))
    assert (tmp_path / "canary" / "store.db-wal").stat().st_size > 0
    assert found_in(tmp_path / "canary", NEEDLES) == []
    session.close()


def test_no_word_stands_in_the_synced_folder(told: Path) -> None:
    assert found_in(told / "shared", NEEDLES) == []


def test_no_word_stands_in_what_is_told_on_stderr(told: Path) -> None:
    assert [form for form in NEEDLES if form in (told / "errors").read_bytes()] == []


def test_no_key_stands_in_the_home_or_the_folder(told: Path) -> None:
    """Neither in bytes nor spelt out: the key file's key, the store key, the device's seed, box keys, epoch secrets."""
    session = homes.reopen(homes.homes.Home(told / "home"), told / "key")
    keys = [bytes(session.key), bytes(session.key[:32])]
    keys += [row[0] for row in session.db.execute("SELECT secret FROM epoch").fetchall()]
    rows = session.db.execute("SELECT name, value FROM own").fetchall()
    keys += [bytes(value) for name, value in rows if name.startswith("seed ") or name == "device_box"]
    keys += [homes.raw(bytes(value).decode()) for name, value in rows if name.startswith("box ")]
    session.close()
    assert len(keys) >= 6
    spelt = [form for key in keys for form in (key, key.hex().encode(), base64.urlsafe_b64encode(key).rstrip(b"="))]
    spelt += [word.encode() for word in ((told / "key").read_text().split()[1], (told / "code").read_text().split()[0])]
    for where in ("home", "shared"):
        assert found_in(told / where, spelt) == []
