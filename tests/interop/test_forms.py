"""Every kind of body, with each of its fields at and beyond its edges: both programs say the same of all of them."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from chaise_cli.domain import kinds, shape
from chaise_cli.domain.body import fields, is_body
from chaise_cli.ids import text
from tests.interop import verdicts
from tests.interop.test_vectors import foreign

# Something for each pattern that a Form may ask for.
EXAMPLES: Final = (
    *("EUR", "UTC", "seo", "https://x", "a@b", "2026-12-01T15:00:00", "A" * 22),
    *("manual", "client", "hour", "closed", "withdrawn", "allow", "deliver", "2026-12-24"),
)
NUMBERS: Final = (
    *(0, 5, 100, 180, 366, 720, 1_000, 1_440, 3_650, 10_000, 43_200),
    *(31_622_400_000, 315_360_000_000, 253_370_764_799_999),
)
LENGTHS: Final = (40, 64, 120, 128, 200, 500, 2_000, 6_000)
LISTS: Final = (0, 3, 4, 5, 10, 19, 20, 30)
EDGES: Final[tuple[Any, ...]] = (
    *(None, True, -1, 1, 2**53 - 1, {}, [None], [""], [{}], ["x" * 500], ["x" * 501]),
    *(number + more for number in NUMBERS for more in (0, 1)),
    *("x" * (length + more) for length in LENGTHS for more in (0, 1)),
    *(["x"] * (length + more) for length in LISTS for more in (0, 1)),
    *(
        "",
        "a b",
        "x\ny",
        "x\ry",
        "\t",
        "\x7f",
        "\x80",
        "ü",
        "\u2028",
        "https://x",
        "http://x",
        "tel:1",
        "client",
        "talent",
        "allow",
        "deny",
        "wait",
    ),
    *(
        "withdrawn",
        "expired",
        "filled",
        "release",
        ["fund"] * 4,
        ["refund"] * 5,
        "EUR",
        "A" * 22,
        "2026-12-01T15:00:00",
        "2026-12-01T15:00:60",
    ),
    *(text(bytes(size)) for size in (16, 31, 32, 33, 64)),
)


def sample(hint: Any) -> Any:
    """The smallest JSON value that fits a field's type."""
    if typing.get_origin(hint) is Annotated:
        base, *markers = typing.get_args(hint)
        many = next((marker for marker in markers if isinstance(marker, shape.Many)), None)
        if many is not None:
            return [sample(typing.get_args(base)[0])] * many.least
        return next(value for value in _values() if all(_fits(marker, value) for marker in markers))
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return None
    if typing.get_origin(hint) is tuple:
        return []
    if is_body(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return {name: sample(hints[name]) for name in fields(hint)}
    assert hint is bool, f"a field of the type {hint}"
    return False


def _values() -> Iterator[Any]:
    yield from ("", "x", 0, 1, 5, *EXAMPLES)
    yield from (text(bytes(size)) for size in (8, 16, 32, 64, 1216))


def _fits(marker: Any, value: Any) -> bool:
    try:
        marker.check(value)
    except ValueError:
        return False
    return True


def bodies() -> Iterator[dict[str, Any]]:
    """A sample of each kind, then with each field in turn, and each inside an object, as something else."""
    for kind, row in kinds.KINDS.items():
        whole = sample(kinds.body_class(kind))
        for number, data in enumerate(_changed(whole)):
            body = {"kind": kind, "v": 1, "data": data}
            yield {"name": f"{kind} {number}", "kind": "body form", "input": {"space": row.space, "body": body}}


def _changed(value: Any) -> Iterator[Any]:
    yield value
    for name, held in value.items():
        for edge in EDGES:
            yield value | {name: edge}
        if isinstance(held, dict):
            yield from (value | {name: inner} for inner in _changed(held))
        if isinstance(held, list) and held and isinstance(held[0], dict):
            yield from (value | {name: [inner]} for inner in _changed(held[0]))


def test_both_programs_know_the_same_forms_of_every_kind(tmp_path: Path) -> None:
    rows = list(bodies())
    path = tmp_path / "bodies.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = foreign("vectors", path)
    said = [verdicts.judge(row["kind"], row["input"])[0] for row in rows]
    differing = {
        row["name"]: (verdict, one["verdict"])
        for row, verdict, one in zip(rows, said, found, strict=True)
        if verdict != one["verdict"]
    }
    assert not differing
    fitting = {row["input"]["body"]["kind"] for row, verdict in zip(rows, said, strict=True) if verdict == "ok"}
    assert fitting == set(kinds.KINDS)
