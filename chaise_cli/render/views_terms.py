"""Terms as people read them before they sign, and what they change. Text, without colour."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import when
from chaise_cli.render.document import Column, Fields, Table
from chaise_cli.render.eye import Eye, handle, named, shortener
from chaise_cli.render.plain import text_of

if TYPE_CHECKING:
    from chaise_cli.render.document import Block
    from chaise_cli.render.emit import OutputOptions

_STEPS: Final = [
    Column("N", right=True),
    Column("TITLE", wrap=True),
    Column("AMOUNT", right=True),
    Column("DUE"),
    Column("CHANGES", right=True),
    Column("CRITERIA", wrap=True),
]
_DIFFERENCE: Final = [Column("TERMS"), Column("BEFORE", wrap=True), Column("AFTER", wrap=True)]
WIDTH: Final = 100


def text(terms: Mapping[str, Any], options: OutputOptions) -> str:
    """The whole contract: who, what, for how much, until when, and what happens if nobody acts."""
    eye = Eye(options.tz, shortener(json.dumps(terms)))
    rows = [
        [
            str(step["n"]),
            step["title"],
            step["amount"]["text"],
            eye.due(step["due"], step.get("tz")),
            "any" if step["revisions"] is None else str(step["revisions"]),
            "; ".join(step["criteria"]),
        ]
        for step in terms["milestones"]
    ]
    blocks: list[Block] = [Fields(_pairs(terms, eye), "Terms"), Table(_STEPS, rows, "Milestones")]
    return text_of(blocks, WIDTH)


def _pairs(terms: Mapping[str, Any], eye: Eye) -> list[tuple[str, str]]:
    secured = terms["agent"]["id"] not in {terms["client"]["id"], terms["talent"]["id"]}
    after = "released by itself" if terms["auto_release"] else "still held"
    if not secured:
        after += "; not enforceable, for the client holds the money"
    review = when.duration_text(terms["review_ms"])
    rail = "" if terms["rail"] == "manual" else f", on the rail {terms['rail']}"
    return [
        ("state", f"{terms['state']} by {handle(terms['by'])}" if terms["state"] == "offered" else terms["state"]),
        ("client", named(terms["client"], eye)),
        ("talent", named(terms["talent"], eye)),
        ("total", terms["total"]["text"]),
        ("money", f"held by {handle(terms['agent'])}{rail}" if secured else "held by the client, not secured"),
        ("review", f"{review} after delivery, then {after}"),
        ("cancelling", f"a request unanswered for {when.duration_text(terms['cancel_ms'])} counts as agreed"),
        ("client's fee", _percent(terms["client_fee"])),
        ("talent's fee", _percent(terms["talent_fee"])),
        ("law", terms["law"] or ""),
        ("hash", terms["hash"]),
    ]


def _percent(points: int) -> str:
    return f"{points // 100}.{points % 100:02d} %" if points else ""


def difference(shown: Mapping[str, Any], options: OutputOptions) -> str:
    """What the terms change, a line for each field."""
    eye = Eye(options.tz, shortener(json.dumps(shown)))
    rows = [
        [change["field"].replace("_", " "), _value(change["before"], eye), _value(change["after"], eye)]
        for change in shown["terms_diff"]
    ]
    if not rows:
        return "the terms say what was proposed\n"
    return text_of([Table(_DIFFERENCE, rows)], WIDTH)


def _value(value: Any, eye: Eye) -> str:
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return str(value.get("text") or handle(value))  # type: ignore[arg-type]
    if isinstance(value, list):
        return "; ".join(value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return eye.ids(str(value))
