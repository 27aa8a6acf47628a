"""A pairing cannot be steered from outside: whatever carries its two messages can only make it fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import checked_text, signing
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import text
from chaise_cli.ledger import certificate
from chaise_cli.session import founding, joining, pairing
from chaise_cli.session import home as home_files
from chaise_cli.session.session import Session
from chaise_cli.store import events, own, selves
from tests.fakes import homes
from tests.fakes.homes import Hands


@pytest.fixture
def waiting(lisa: Session) -> pairing.Pending:
    return pairing.begin(lisa, None, limited=False)


def joiner(code: bytes, seed: str = "phone") -> pairing.Joiner:
    return pairing.ask(code, "phone", homes.seeded(seed))


def settled(tmp_path: Path, one: pairing.Joiner, got: pairing.Granted, name: str = "phone") -> Session:
    plan = joining.Plan(home_files.Home(tmp_path / name), founding.Secrets(None, tmp_path / f"{name}.key"), name)
    return joining.settle(plan, one, got, None, Hands(), homes.seeded(name))


def test_the_code_is_160_bits_as_checked_text() -> None:
    assert checked_text.read(pairing.write_code(bytes(range(20))), "pairing", 20) == bytes(range(20))
    with pytest.raises(pairing.BadCode):
        pairing.read_code("0000")


def test_the_new_device_holds_the_identity_its_box_key_and_the_key_of_self(
    lisa: Session, waiting: pairing.Pending, tmp_path: Path
) -> None:
    one = joiner(waiting.code)
    got = pairing.granted(one, pairing.answer(lisa, waiting.mailbox, one.message))
    phone = settled(tmp_path, one, got)
    space = events.spaces(lisa.db, "self")[0]
    assert phone.me.identity == lisa.me.identity
    assert own.box_seed(phone.db) == own.box_seed(lisa.db)
    homes.deliver(phone, space.id, homes.runs(lisa, space.id))
    assert homes.waiting(phone) == 0
    assert homes.state(phone, space.id)["event"] == homes.state(lisa, space.id)["event"]
    assert {one.name for one in selves.devices(phone.db)} == {"laptop", "phone"}
    assert certificate.check(own.certificates(phone.db))[0].kind == "admin"
    phone.close()


def test_the_same_message_is_answered_alike_and_another_one_not_at_all(lisa: Session, waiting: pairing.Pending) -> None:
    one, other = joiner(waiting.code), joiner(waiting.code, "tablet")
    first = pairing.answer(lisa, waiting.mailbox, one.message)
    before = own.written(lisa.db)
    assert pairing.answer(lisa, waiting.mailbox, one.message) == first
    with pytest.raises(pairing.AlreadyPaired):
        pairing.answer(lisa, waiting.mailbox, other.message)
    assert own.written(lisa.db) == before


def test_a_message_under_another_code_lets_nobody_in(lisa: Session, waiting: pairing.Pending) -> None:
    with pytest.raises(pairing.BrokenPairing):
        pairing.answer(lisa, waiting.mailbox, joiner(bytes(20)).message)
    with pytest.raises(pairing.NoPairing):
        pairing.answer(lisa, pairing.mailbox(bytes(20)), joiner(bytes(20)).message)
    assert len(selves.devices(lisa.db)) == 1


def test_a_code_is_over_after_ten_minutes_and_when_another_is_made(lisa: Session, waiting: pairing.Pending) -> None:
    pairing.begin(lisa, None, limited=True)
    with pytest.raises(pairing.NoPairing):
        pairing.answer(lisa, waiting.mailbox, joiner(waiting.code).message)
    newest = pairing.pending(lisa)
    assert newest is not None
    lisa.clock = Hands(newest.until)
    with pytest.raises(pairing.NoPairing):
        pairing.answer(lisa, newest.mailbox, joiner(newest.code).message)


def test_an_answer_to_somebody_else_is_no_answer(lisa: Session, waiting: pairing.Pending) -> None:
    """The code is known to both, as it is to whoever looked over the shoulder later: what was recorded is useless."""
    one, other = joiner(waiting.code), joiner(waiting.code, "tablet")
    answer = pairing.answer(lisa, waiting.mailbox, one.message)
    for message in (answer, one.message, other.message, b"", bytes(40)):
        with pytest.raises(pairing.BrokenPairing):
            pairing.granted(other, message)


def test_the_self_key_does_not_lie_under_the_code_alone(lisa: Session, waiting: pairing.Pending) -> None:
    """Whoever recorded the messages and learns the code afterwards lacks the new device's box key."""
    one = joiner(waiting.code)
    answer = pairing.answer(lisa, waiting.mailbox, one.message)
    thief = one._replace(box=bytes(32))
    with pytest.raises(pairing.BrokenPairing):
        pairing.granted(thief, answer)


@pytest.fixture(scope="module")
def exchange(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Session, pairing.Pending, pairing.Joiner, bytes]]:
    folder = tmp_path_factory.mktemp("pair")
    folder.chmod(0o700)
    session = homes.found(folder, "ada", "client")
    waiting = pairing.begin(session, None, limited=False)
    one = joiner(waiting.code)
    yield session, waiting, one, pairing.answer(session, waiting.mailbox, one.message)
    session.close()


@given(st.data())
def test_no_bit_of_either_message_may_change(
    exchange: tuple[Session, pairing.Pending, pairing.Joiner, bytes], data: st.DataObject
) -> None:
    _, waiting, one, answer = exchange
    for message, read in (
        (one.message, lambda changed: pairing._read_asked(waiting.code, changed)),
        (answer, lambda changed: pairing.granted(one, changed)),
    ):
        bit = data.draw(st.integers(0, len(message) * 8 - 1))
        changed = bytearray(message)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ChaiseError):
            read(bytes(changed))
        with pytest.raises(ChaiseError):
            read(message[: bit // 8])


@pytest.mark.parametrize("field", ["device", "box", "name", "nonce", "proof", "v"])
def test_what_a_holder_of_the_code_says_wrongly_is_refused(lisa: Session, waiting: pairing.Pending, field: str) -> None:
    """Even with the right code: a key without its proof, a malformed name, another version."""
    one = joiner(waiting.code)
    said = pairing._open(waiting.code, b"join", bytes(32), one.message, pairing._ASKED)
    other = text(signing.Ed25519Signer(bytes(32)).public)
    wrong = {
        "device": other,
        "box": text(bytes(1216)),
        "name": "a\nb",
        "nonce": other[:20],
        "proof": text(bytes(64)),
        "v": 2,
    }
    message = pairing._seal(waiting.code, b"join", bytes(32), {**said, field: wrong[field]}, homes.seeded("x"))
    with pytest.raises(pairing.BrokenPairing):
        pairing.answer(lisa, waiting.mailbox, message)
    assert len(selves.devices(lisa.db)) == 1
