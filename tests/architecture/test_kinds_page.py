from __future__ import annotations

import re
from hashlib import sha256

from chaise_cli.domain import kinds
from chaise_cli.domain.body import fields
from chaise_cli.store import connection
from tests.architecture.tree import ROOT

ROWS = [line for line in (ROOT / "docs/spec/kinds.md").read_text().splitlines() if line.startswith("| ")]


def test_the_page_has_a_row_for_each_kind_with_its_order_and_every_field() -> None:
    """A second implementation is written from that page, so nothing may be missing on it."""
    for kind, made in kinds.KINDS.items():
        rows = " ".join(row for row in ROWS if re.search(rf"(?<![\w.]){re.escape(kind)}(?![\w.])", row))
        assert rows, f"no row names {kind}"
        assert made.order in rows, kind
        told_elsewhere = re.search(r"fields of |, as |: as |\bas \w+\.\w+", rows)
        missing = [field for field in fields(kinds.body_class(kind)) if f"`{field}`" not in rows]
        assert not missing or told_elsewhere, (kind, missing)


def test_the_page_names_no_kind_that_does_not_exist() -> None:
    named = {kind for row in ROWS for kind in re.findall(r"(?<![\w.`])([a-z]+\.[a-z_]+)(?![\w.])", row.split("|")[1])}
    assert named - set(kinds.KINDS) == set()


def test_a_change_of_kinds_is_a_new_edition_of_the_rules() -> None:
    """Or stores would keep what an older Chaise made of such events: raise `connection.RULES`, and note the digest."""
    kept = [(kind, row.space, row.order, sorted(fields(kinds.body_class(kind)))) for kind, row in kinds.KINDS.items()]
    digest = sha256(repr(sorted(kept)).encode()).hexdigest()[:16]
    assert (connection.RULES, digest) == (2, "62ba3308288e714f")
