"""Nobody without the key changes an event, and nobody with one moves what another sealed: bit by bit, place by place.

A sample of the same mutations goes to the second program (tests/interop/verifier).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.crypto import derivation, sealing, signing
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import SpaceId, raw, text
from chaise_cli.ledger import header
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Segment
from chaise_cli.session import epochs
from tests.fakes import homes
from tests.fakes.pen import Pen
from tests.interop import deals
from tests.interop.cases.common import SECRET, flipped
from tests.interop.cases.play import Play
from tests.interop.test_vectors import foreign
from tests.volume import soaking

INVITED: Final[dict[str, object]] = {"note": "come"}
SEQ: Final = 2  # of Lisa's invitation, behind genesis and opening


@pytest.fixture(autouse=True)
def _runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `unlock` keeps lies in the test's own folder."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))


def written() -> Play:
    """A deal of two events of Lisa's and one of James's."""
    play = Play()
    play.do("lisa", "deal.invited", INVITED)
    play.do("james", "message.sent", {"text": "Hi", "files": []})
    return play


def stands(run: Segment | bytes, space: bytes) -> bool:
    """Whether a segment verifies, in the space for which it is offered."""
    try:
        read = segments.unpack(run) if isinstance(run, bytes) else run
        segments.verify(read)
    except ChaiseError:
        return False
    return read.space == space


def bits(data: bytes) -> Iterator[bytes]:
    """`data` with each of its bits changed in turn."""
    return (flipped(data, place, bit) for place in range(len(data)) for bit in range(8))


def test_no_bit_of_a_header_or_its_signature_can_change() -> None:
    lisa = written().pens["lisa"]
    packed = lisa.headers[SEQ]
    signature = lisa.signer.sign(signing.TAGS.event, packed)
    assert signing.verify(lisa.device, signing.TAGS.event, packed, signature)
    assert not any(signing.verify(lisa.device, signing.TAGS.event, other, signature) for other in bits(packed))
    assert not any(signing.verify(lisa.device, signing.TAGS.event, packed, other) for other in bits(signature))
    assert not any(signing.verify(other, signing.TAGS.event, packed, signature) for other in bits(lisa.device))


def test_no_bit_of_a_body_or_of_what_it_is_bound_to_can_change() -> None:
    lisa = written().pens["lisa"]
    head, body = header.unpack(lisa.headers[SEQ]), lisa.events[SEQ].body
    cipher = sealing.BodyCipher(derivation.derive(SECRET, "body"))

    def opens(made: bytes, **other: object) -> bool:
        one = head._replace(**other)  # type: ignore[arg-type]
        try:
            epochs.open_body(cipher, one.space, one.device, one.seq, one.prev, one.epoch, made)
        except sealing.BadSeal:
            return False
        return True

    assert opens(body)
    assert not any(opens(made) for made in bits(body))
    for field in ("space", "device", "prev", "epoch"):
        assert not any(opens(body, **{field: made}) for made in bits(getattr(head, field))), field
    assert not any(opens(body, seq=seq) for seq in (0, 1, 3, 2**32, 2**62))
    assert not any(opens(body[:size]) for size in range(len(body)))
    assert not opens(body + b"\0")


def test_no_bit_of_a_segment_can_change() -> None:
    play = written()
    for run in (play.pens["lisa"].run(SEQ), play.pens["james"].run()):
        packed = segments.pack(run)
        assert stands(packed, play.space)
        assert not any(stands(made, play.space) for made in bits(packed))
        assert not any(stands(packed[:size], play.space) for size in range(len(packed)))


def test_no_segment_moves_to_another_space_device_or_place() -> None:
    play = written()
    lisa, james = play.pens["lisa"], play.pens["james"]
    run, other = lisa.run(SEQ), Play(opener="james").space
    moved: dict[str, list[Any]] = {
        "space": [other, bytes(32)],
        "device": [james.device, bytes(32)],
        "first_seq": [0, 1, SEQ + 1, 2**62],
        "prev": [lisa.ids[SEQ - 1], james.ids[-1], bytes(32)],
        "signature": [lisa.run(1, 2).signature, james.run().signature, bytes(64)],
        "events": [james.run().events, lisa.run(1, 2).events, [*run.events, *run.events], []],
    }
    for field, values in moved.items():
        for value in values:
            made = run._replace(**{field: value})
            assert not stands(made, made.space), field
    assert not stands(run, other)


def test_a_home_takes_in_nothing_of_a_changed_segment(tmp_path: Path) -> None:
    """Through the one door; every third byte, and each in a soak, since each admission is a transaction."""
    (tmp_path / "market").mkdir()
    with homes.market(tmp_path / "market").visit(tmp_path, "lisa", "james") as (lisa, james):
        deal = homes.open_deal(lisa, james.me.identity, client=True)
        homes.carry(lisa, james)
        homes.write(lisa, deal, homes.deals_invite())
        newest = homes.runs(lisa, deal)[-1]
        held = homes.state(james, deal)
        packed = segments.pack(newest)
        for place in range(0, len(packed), 1 if soaking() else 3):
            for made in _read(flipped(packed, place, place % 8)):
                done = homes.deliver(james, deal, [made])
                assert (done.accepted, homes.state(james, deal)) == (0, held), place
        assert homes.deliver(james, deal, [newest]).accepted == 1


def _read(data: bytes) -> list[Segment]:
    try:
        return [segments.unpack(data)]
    except ChaiseError:
        return []


@pytest.mark.parametrize(
    "how", ["another member", "another place", "another predecessor", "another space", "another epoch"]
)
def test_what_was_sealed_in_one_place_says_nothing_in_another(how: str) -> None:
    """Signed anew by a device that may write there: it stays on that chain, and it is void."""
    play = written()
    lisa, james = play.pens["lisa"], play.pens["james"]
    sealed = lisa.events[SEQ]
    secret, copied = SECRET, sealed
    writer: Pen = lisa
    if how == "another member":
        writer = james
    elif how == "another place":
        lisa.tell("taken", {})
    elif how == "another predecessor":
        play.pens["lisa"] = writer = lisa.fork(1)
        writer.tell("deal.opened", _opening(lisa), at=1)
    elif how == "another space":
        play = Play(opener="james")  # of the same epoch secret, as a member of both could arrange
        writer = play.pens["james"]
        copied = sealed._replace(epoch=sealing.epoch_commit(play.space, SECRET)[:8])
    else:
        play = written()
        secret = bytes(32)
        for pen in play.pens.values():
            pen.secret = secret
        play.pens["lisa"] = writer = play.pens["lisa"].fork(1)
        writer.tell("deal.opened", _opening(lisa))
        play.pens["james"] = james.fork(0)
        copied = sealed._replace(epoch=sealing.epoch_commit(play.space, secret)[:8])
    writer.put(copied.body, copied.epoch)
    found = deals.folded(play.space, play.runs(), secret)
    verdicts = {row[0]: row[2] for row in found["events"]}
    assert verdicts[text(writer.ids[-1])] == "body.unopenable"


def _opening(lisa: Pen) -> dict[str, object]:
    """What Lisa said in her opening."""
    cipher = sealing.BodyCipher(derivation.derive(SECRET, "body"))
    head = header.unpack(lisa.headers[1])
    padded = epochs.open_body(cipher, head.space, head.device, 1, head.prev, head.epoch, lisa.events[1].body)
    said: dict[str, object] = json.loads(padded.rstrip(b"\0"))["data"]
    return said


def test_a_second_program_refuses_the_same_changes(tmp_path: Path) -> None:
    play = written()
    packed = segments.pack(play.pens["lisa"].run(SEQ))
    rows = [
        {
            "name": f"bit {place % 8} of byte {place}",
            "kind": "segment",
            "input": {"segment": text(made), "space": text(play.space)},
        }
        for place, made in enumerate(flipped(packed, place, place % 8) for place in range(len(packed)))
    ]
    good = {"name": "as it was", "kind": "segment", "input": {"segment": text(packed), "space": text(play.space)}}
    path = tmp_path / "mutated.json"
    path.write_text(json.dumps([good, *rows]))
    found = foreign("vectors", path)
    assert found[0]["verdict"] == "ok"
    assert {one["verdict"] for one in found[1:]} <= {"envelope.bad_segment", "envelope.bad_header", "envelope.newer"}
    assert len(found) == len(packed) + 1


def test_a_space_id_is_that_of_its_genesis_alone() -> None:
    """No bit of a genesis can change under the id of the space."""
    lisa = Play().pens["lisa"]
    run = lisa.run(0, 1)
    body = run.events[0].body
    changed = (run._replace(events=[run.events[0]._replace(body=made)]) for made in bits(body))
    assert not any(stands(made, lisa.space) for made in changed)
    assert raw(SpaceId(text(lisa.space))) == lisa.ids[1]
