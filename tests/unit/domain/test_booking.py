from __future__ import annotations

import json
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import record, shape
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking import NONE, Booking, BookingBody, Bookings, Slot, uid
from chaise_cli.session import border
from tests.unit.domain.deal_cast import CLIENT, SPACE, TALENT, Told, event, offer, slot

BODIES = typing.get_args(BookingBody)


@pytest.mark.parametrize("cls", BODIES)
def test_the_form_of_every_body_can_be_checked_by_both_readers(cls: Any) -> None:
    assert shape.plan(cls)
    assert border.adapter(cls.KIND).json_schema()["type"] == "object"


def test_an_offer_survives_the_wire() -> None:
    body = offer(slot(0), slot(3))
    shape.check(body)
    data = shape.to_data(body)
    assert shape.from_data(type(body), data) == body
    assert border.read(body.KIND, shape.to_data(body)) == body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wall", "2026-12-01 15:00"),
        ("zone", "Europe/Ber lin"),
        ("start", -1),
        ("start", 253_370_764_799_999),
        ("minutes", 0),
        ("minutes", 1441),
        ("tzdata", ""),
    ],
)
def test_a_slot_outside_its_limits_is_refused(field: str, value: object) -> None:
    with pytest.raises(shape.BadField):
        shape.check(replace(slot(0), **{field: value}))


def test_an_offer_has_one_to_five_slots_and_a_link_a_call_can_use() -> None:
    for bad in (
        replace(offer(), slots=()),
        offer(*(slot(n) for n in range(6))),
        replace(offer(), url="javascript:alert(1)"),
        replace(offer(), url="http://meet.example/x"),
    ):
        with pytest.raises(shape.BadField):
            shape.check(bad)


@given(st.integers(-3_000, 3_000), st.integers(1, 1440), st.integers(1, 1440))
def test_slots_overlap_exactly_when_they_share_a_minute(apart: int, first: int, second: int) -> None:
    one, other = slot(0, first), slot(apart / 60, second)
    minutes = set(range(first)) & set(range(apart, apart + second))
    assert one.overlaps(other) == other.overlaps(one) == bool(minutes)


def test_a_call_may_begin_when_another_ends() -> None:
    assert not slot(0, 60).overlaps(slot(1))


def test_the_uid_is_for_life_and_alike_everywhere() -> None:
    text = uid(SPACE, event("call"))
    assert text == "3trac8mwkx30q94qs17kjcn4krrvyf3f"  # by RFC 4648 base32, re-spelled
    assert len(text) == 32
    assert text.isalnum()
    assert text == text.lower()
    assert text != uid(event("call"), SPACE)
    assert text != uid(SPACE, event("another call"))


def test_the_state_survives_json() -> None:
    told = Told(NONE)
    told.agree(TALENT, slot(0), slot(4), pick=2)
    told.tell(offer(slot(9)), CLIENT)
    assert record.load(Bookings, json.loads(record.dump(told.bookings))) == told.bookings
    assert all(isinstance(booking, Booking) for booking in told.bookings.by_id.values())
    assert isinstance(next(iter(told.bookings.by_id.values())).entry, Slot)
