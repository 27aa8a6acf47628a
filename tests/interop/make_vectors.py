"""Writes tests/interop/vectors/*.json from fixed seeds: `python -m tests.interop.make_vectors`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tests.interop import verdicts
from tests.interop.cases import comparing, deals, envelopes, forks, grants, keys, market, pairs, thirds, travels
from tests.interop.cases.common import Case

FOLDER: Final = Path(__file__).with_name("vectors")
FILES: Final[dict[str, Callable[[], Iterable[Case]]]] = {
    "envelope.json": envelopes.cases,
    "keys.json": keys.cases,
    "segments.json": travels.of_segments,
    "packs.json": travels.of_packs,
    "wire.json": travels.of_frames,
    "compare.json": comparing.cases,
    "devices.json": pairs.cases,
    "relay.json": travels.of_relays,
    "market.json": market.cases,
    "deals.json": deals.cases,
    "forks.json": forks.cases,
    "thirds.json": thirds.cases,
    "grants.json": grants.cases,
}


class Drifted(Exception):
    """A vector was written down with another verdict than this Chaise gives."""


def vector(one: Case) -> dict[str, Any]:
    """A vector as it stands in its file: the verdict is as the case says, the values are computed."""
    verdict, values = verdicts.judge(one.kind, one.given)
    if verdict != one.expect:
        raise Drifted(f"{one.name}: {verdict} instead of {one.expect}")
    made = {"name": one.name, "page": one.page, "kind": one.kind, "input": one.given, "expect": one.expect}
    return made | ({"values": values} if verdict == "ok" else {})


def content(name: str) -> str:
    """What has to stand in a file, one vector a line."""
    rows = [json.dumps(vector(one), ensure_ascii=False) for one in FILES[name]()]
    return "[\n" + ",\n".join(rows) + "\n]\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in FILES:
        FOLDER.joinpath(name).write_text(content(name), encoding="utf-8")
