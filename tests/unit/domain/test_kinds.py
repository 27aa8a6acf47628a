from __future__ import annotations

import re
import typing
from collections.abc import Hashable

from chaise_cli.domain import body as bodies
from chaise_cli.domain import deal_fold, kinds, shape
from chaise_cli.domain.kinds import KINDS


def test_each_kind_names_its_body() -> None:
    for kind, row in KINDS.items():
        cls = kinds.body_class(kind)
        assert (cls.KIND, cls.__name__) == (kind, row.cls)
        assert cls.__doc__, kind
        shape.plan(typing.cast("Hashable", cls))  # every field has a known form


def test_a_body_has_no_defaults_so_that_every_field_is_on_the_wire() -> None:
    for cls in map(kinds.body_class, KINDS):
        assert not [name for name in bodies.fields(cls) if hasattr(cls, name)], cls


def test_a_kind_is_two_words_and_has_a_place_and_an_order() -> None:
    for name, row in KINDS.items():
        assert re.fullmatch(r"taken|[a-z]+\.[a-z_]+", name), name
        assert len(name) <= 64
        assert row.space in {"self", "board", "deal"}
        assert (row.order == "author") == (row.space != "deal")
        assert row.order in {"author", "guarded", "free"}


def test_every_guarded_kind_has_a_rule() -> None:
    guarded = {name for name, row in KINDS.items() if row.order == "guarded"}
    ruled = {name for name in guarded if name in deal_fold.STEPS or name.startswith(("booking.", "review."))}
    assert guarded - ruled == {"taken", "agent.device", "agent.settled", "deal.opened", "deal.device_revoked"}
    assert set(deal_fold.STEPS) <= guarded


def test_free_kinds_move_nothing() -> None:
    assert {name for name, row in KINDS.items() if row.order == "free"} == {
        "message.sent",
        "work.update",
        "contact.shared",
        "slots.shared",
    }
