from __future__ import annotations

from chaise_cli.domain.talk import MessageSent
from chaise_cli.ledger import canonical
from chaise_cli.store import content
from chaise_cli.store.events import Stored

MANY = range(300)


def stored(number: int) -> Stored:
    """A message; every few of them a word in clear, of a kind to come, or damaged, and some that count for nothing."""
    others: dict[int, tuple[int, str | None, str | None]] = {
        0: (0, "wrap", None),
        1: (1, "song.sung", "kind.unknown"),
        2: (1, None, "body.malformed"),
    }
    message = (1, "message.sent", "chain.void" if number % 5 == 0 else "deal.not_a_member")
    suite, kind, void = others.get(number % 7, message)
    said = {"at": number, "data": {"text": f"No. {number}", "files": []}, "seen": [["A", number, "B"]], "kind": kind}
    body = canonical.encode(said) if suite and kind else b"\xff["
    identity, grant = (bytes([number % 3]) * 32 if number % 3 else None), (bytes(32) if number % 4 == 0 else None)
    return Stored(1, number, bytes(32), suite, 1, kind, number, None, void, None, body, bytes(32), identity, grant)


def test_events_read_together_are_what_each_is_alone() -> None:
    found = [stored(number) for number in MANY]
    assert list(content.rows(iter(found))) == [content.row(one) for one in found]


def test_what_can_be_read_is_read_and_what_admission_let_pass_has_its_body() -> None:
    for number, row in zip(MANY, content.rows(map(stored, MANY)), strict=True):
        is_read, counts = number % 7 not in {0, 2}, number % 7 > 2 and number % 5 > 0
        assert [tuple(cited) for cited in row.seen] == ([("A", number, "B")] if is_read else [])
        assert row.content == (MessageSent(f"No. {number}", ()) if counts else None)


def test_no_events_are_no_rows() -> None:
    assert list(content.rows([])) == []
