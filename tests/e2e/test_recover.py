"""A home brought back by its recovery code and a copy of its events, as people type it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chaise_cli.crypto import boxes, recovery
from chaise_cli.domain import own as bodies
from chaise_cli.ids import IdentityId, raw
from chaise_cli.ledger.segment import Segment, links
from chaise_cli.session import replica as replicas
from chaise_cli.session import syncing
from sync.replica import SpaceInfo
from tests.e2e.people import Person
from tests.fakes.pen import Pen


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that Lisa and James sync through."""
    made = tmp_path / "shared"
    made.mkdir()
    return made


@pytest.fixture
def pair(lisa: Person, james: Person, place: Path) -> tuple[Person, Person, str]:
    """Lisa and James in a deal with terms under way, all of it in the folder; the deal's id."""
    made = lisa.does("board", "create", "marketing", "--at", str(place))
    james.does("board", "join", "-", "--at", str(place), stdin=made["invite"])
    post = lisa.does("post", "Campaign", "--budget", "1500..2500EUR")
    james.does("sync")
    deal = james.does("propose", post["id"], "--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=1400EUR")
    lisa.does("sync")
    lisa.does("shortlist", deal["id"])
    lisa.does("message", deal["id"], "Hello James")
    lisa.does("sync")
    return lisa, james, str(deal["id"])


def lost(person: Person) -> None:
    """The machine falls into the sea."""
    shutil.rmtree(person.home)
    person.key_file.unlink()


def recover(person: Person, place: Path, code: Path | None = None) -> list[str]:
    keys = ("--key-file", str(person.key_file))
    return ["init", "--recover", "--from", str(place), "--recovery-file", str(code or person.recovery_file), *keys]


def test_everything_comes_back(pair: tuple[Person, Person, str], place: Path) -> None:
    lisa, james, deal = pair
    before = [lisa.does(*verb) for verb in (("deals",), ("posts",), ("boards",), ("talents",), ("messages", deal))]
    old = lisa.does("whoami")
    lost(lisa)
    answer = lisa.run(*recover(lisa, place), "--device-name", "new one", "--json")
    assert answer.exit == 0, answer.err
    new = answer.data
    assert {key: new[key] for key in ("id", "handle", "name", "role", "tz", "currency")} == {
        key: old[key] for key in ("id", "handle", "name", "role", "tz", "currency")
    }
    assert new["device"]["id"] != old["device"]["id"]
    assert new["device"]["name"] == "new one"
    assert any("revokes" in warning for warning in answer.json["warnings"])
    after = [lisa.does(*verb) for verb in (("deals",), ("posts",), ("boards",), ("talents",), ("messages", deal))]
    assert _unmarked(after) == _unmarked(before)
    assert lisa.does("verify")["problems"] == []
    lisa.does("message", deal, "It is me again")
    james.does("sync")
    assert [one["text"] for one in james.does("messages", deal)][:1] == ["It is me again"]
    assert james.does("verify")["problems"] == []


def _unmarked(lists: list[list[dict[str, object]]]) -> list[list[dict[str, object]]]:
    """Without what is of one machine: what was read."""
    return [[{key: value for key, value in one.items() if key != "unread"} for one in each] for each in lists]


def test_the_talent_comes_back_too(pair: tuple[Person, Person, str], place: Path) -> None:
    _lisa, james, deal = pair
    lost(james)
    james.does(*recover(james, place))
    assert [one["id"] for one in james.does("deals")] == [deal]
    assert james.does("messages", deal)[0]["text"] == "Hello James"


def test_a_recovered_home_can_be_lost_again(pair: tuple[Person, Person, str], place: Path, tmp_path: Path) -> None:
    lisa, _james, deal = pair
    for _ in range(2):
        lost(lisa)
        lisa.does(*recover(lisa, place))
    lisa.does("backup", str(tmp_path / "b"))
    shutil.rmtree(lisa.home)
    lisa.does("restore", str(tmp_path / "b"), "--key-file", str(lisa.key_file))
    assert [one["id"] for one in lisa.does("deals")] == [deal]
    assert lisa.does("verify")["problems"] == []


def test_where_nothing_of_the_identity_lies_no_home_is_made(
    pair: tuple[Person, Person, str], place: Path, tmp_path: Path
) -> None:
    lisa, _james, _deal = pair
    lost(lisa)
    (tmp_path / "empty").mkdir()
    before = sorted(path.name for path in place.rglob("*"))
    ada = Person(tmp_path, "ada", role="client")
    for where, code in ((tmp_path / "empty", lisa.recovery_file), (place, ada.recovery_file)):
        answer = lisa.run(*recover(lisa, where, code), "--json")
        assert (answer.exit, answer.code) == (3, "recover.nothing_found")
        assert not lisa.home.exists()
        assert not lisa.key_file.exists()
    assert sorted(path.name for path in place.rglob("*")) == before
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_wrong_code_or_place_makes_no_home(pair: tuple[Person, Person, str], place: Path, tmp_path: Path) -> None:
    lisa, _james, _deal = pair
    lost(lisa)
    (tmp_path / "code").write_text("0000-1111")
    answer = lisa.run(*recover(lisa, place, tmp_path / "code"), "--json")
    assert (answer.exit, answer.code) == (4, "key.bad_recovery_code")
    answer = lisa.run(*recover(lisa, tmp_path / "gone"), "--json")
    assert (answer.exit, answer.code) == (13, "place.unreachable")
    answer = lisa.run("init", "--recover", "--from", str(place), "--json")
    assert (answer.exit, answer.code) == (2, "usage.needs_input")
    answer = lisa.run(*recover(lisa, place), "--name", "Other", "--json")
    assert (answer.exit, answer.code) == (2, "recover.has_settings")
    answer = lisa.run("init", "--from", str(place), "--json")
    assert (answer.exit, answer.code) == (2, "recover.not_asked")
    assert not lisa.home.exists()


def test_nothing_is_recovered_over_a_home(pair: tuple[Person, Person, str], place: Path) -> None:
    lisa, _james, _deal = pair
    assert lisa.run(*recover(lisa, place), "--json").code == "home.exists"


def test_at_a_terminal_place_code_and_passphrase_are_asked_for(
    pair: tuple[Person, Person, str], place: Path, tmp_path: Path
) -> None:
    lisa, _james, deal = pair
    code = lisa.recovery_file.read_text().strip()
    lost(lisa)
    answer = lisa.run("init", "--recover", "--json", typed=[str(place), code, "sesame", "sesame"])
    assert answer.exit == 0, answer.err
    assert [one["id"] for one in lisa.does("deals")] == [deal]


@pytest.mark.parametrize("how", ["of a stranger's device", "wrapped to another key", "without certificates"])
def test_a_false_self_space_is_not_taken(pair: tuple[Person, Person, str], place: Path, how: str) -> None:
    """Anybody can write a space that names Lisa; hers opens with the root box key, made by a device it certified."""
    lisa, james, _deal = pair
    code = recovery.parse(lisa.recovery_file.read_text())
    with lisa.session() as session:
        me = session.me.identity
    root = boxes.BoxKey(recovery.root_box_seed(code)).public
    stranger = boxes.BoxKey(bytes(32)).public
    pen = Pen("eve", secret=bytes(range(32))).genesis("self", creator=me)
    pen.wrap([(me, stranger if how == "wrapped to another key" else root)])
    pen.say(
        bodies.SelfSettings("eve", "Eve", "client", "EUR", "UTC", None),
        cert=None if how == "without certificates" else "own",
    )
    put(james, place, pen.run(), me)
    lost(lisa)
    answer = lisa.run(*recover(lisa, place), "--json")
    assert answer.exit == 0, answer.err
    assert answer.data["handle"] == "lisa"
    assert not any("self spaces" in warning for warning in answer.json["warnings"])
    assert lisa.does("verify")["problems"] == []


def put(giver: Person, place: Path, run: Segment, names: IdentityId) -> None:
    """Let somebody's software leave a space of one chain in the folder."""

    class Only:
        def __init__(self, inner: replicas.HomeReplica) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

        def spaces(self) -> list[object]:
            return [SpaceInfo(run.space, "self", frozenset({raw(names)}))]

        def heads(self, space: bytes) -> list[object]:
            return [replicas.Head(run.device, run.last_seq, links(run)[-1].id)] if space == run.space else []

        def common(self, *_: object) -> None:
            return None

        def read(self, _space: bytes, _head: object, first: int, _limit: int) -> Segment | None:
            return run if first == 0 else None

        def objects_of(self, _space: bytes) -> list[bytes]:
            return []

    with giver.session() as session:
        done = syncing.look_at(session, str(place), Only(replicas.HomeReplica(session)), lambda *_: None)  # type: ignore[arg-type]
        assert done.failure is None
        assert done.sent == len(run.events)
