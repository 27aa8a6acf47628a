"""The recovery code as people write and type it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chaise_cli.crypto import recovery
from chaise_cli.crypto.recovery import BadRecoveryCode, RecoveryCode
from chaise_cli.ids import ALPHABET

CODE = RecoveryCode(bytes(range(20)))
TEXT = "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-DDW0"
codes = st.binary(min_size=20, max_size=20).map(RecoveryCode)
symbols = st.sampled_from(ALPHABET.upper())


@given(codes)
def test_a_code_that_was_written_down_can_be_typed(code: RecoveryCode) -> None:
    assert recovery.parse(recovery.write(code)) == code


@given(codes)
def test_capitals_dashes_spaces_and_look_alikes_do_not_matter(code: RecoveryCode) -> None:
    text = recovery.write(code)
    sloppy = text.lower().replace("-", "  ").replace("1", "l").replace("0", "O")
    assert recovery.parse(f" {sloppy}\n") == code
    assert recovery.parse(text.replace("-", "").replace("1", "i")) == code


@given(codes, st.integers(0, 35), symbols)
def test_one_wrong_character_is_noticed(code: RecoveryCode, place: int, symbol: str) -> None:
    chars = recovery.write(code).replace("-", "")
    assume(chars[place] != symbol)
    with pytest.raises(BadRecoveryCode):
        recovery.parse(chars[:place] + symbol + chars[place + 1 :])


@given(codes, st.integers(0, 34))
def test_two_characters_swapped_are_noticed(code: RecoveryCode, place: int) -> None:
    chars = recovery.write(code).replace("-", "")
    a, b = chars[place], chars[place + 1]
    assume(a != b)
    with pytest.raises(BadRecoveryCode):
        recovery.parse(chars[:place] + b + a + chars[place + 2 :])


def test_every_single_slip_in_one_code_is_noticed() -> None:
    chars = TEXT.replace("-", "")
    slips = {chars[:i] + c + chars[i + 1 :] for i in range(len(chars)) for c in ALPHABET.upper()} - {chars}
    swaps = {chars[:i] + chars[i + 1] + chars[i] + chars[i + 2 :] for i in range(len(chars) - 1)} - {chars}
    assert len(slips) == 36 * 31
    for slip in slips | swaps:
        with pytest.raises(BadRecoveryCode):
            recovery.parse(slip)


def test_a_character_that_is_never_used_names_its_group() -> None:
    with pytest.raises(BadRecoveryCode) as caught:
        recovery.parse(TEXT.replace("E209", "EU09"))
    assert caught.value.group == 4
    assert caught.value.sentence().endswith("(group 4)")


@pytest.mark.parametrize("text", ["", TEXT[:-1], TEXT + "0", TEXT[:-5]])
def test_a_code_of_another_length_tells_how_long_it_is(text: str) -> None:
    with pytest.raises(BadRecoveryCode, match="characters instead of 36") as caught:
        recovery.parse(text)
    assert caught.value.group is None


@given(st.text())
def test_any_other_text_is_a_typed_error(text: str) -> None:
    with pytest.raises(BadRecoveryCode):
        recovery.parse(text)


def test_only_letters_of_ascii_are_taken_for_others() -> None:
    """The Kelvin sign is a k to `str.lower`, and to hardly any other program."""
    code = RecoveryCode(bytes(range(40, 60)))
    text = recovery.write(code)
    assert "K" in text
    assert recovery.parse(text.lower()) == code
    with pytest.raises(BadRecoveryCode):
        recovery.parse(text.replace("K", "\u212a", 1))


def test_no_message_repeats_the_code() -> None:
    with pytest.raises(BadRecoveryCode) as caught:
        recovery.parse(TEXT[:-1] + "1")
    assert TEXT[:4] not in caught.value.sentence() + repr(caught.value.details())


def test_the_bytes_are_those_of_the_specification() -> None:
    assert recovery.write(CODE) == TEXT
    assert recovery.root_signing_seed(CODE).hex() == "fd957fb50aedd6468f52a676802f9cd019cbff53ac92187cdc7d2fe877062014"
    assert recovery.root_box_seed(CODE).hex() == "06cd1bfc5f472946ddf6faf10b7bfc46ef04eb0cbad8ab09b78214c3f6592744"
    assert (
        recovery.store_slot_key(CODE, bytes(range(16))).hex()
        == "71a08d70af4351c61068d0f0f010ffe9d0a85f5db9b7d5e522236f4ca26c0403"
    )


def test_a_new_code_takes_160_bits_from_the_random_source() -> None:
    assert recovery.generate(bytes) == bytes(20)
    with pytest.raises(AssertionError):
        recovery.generate(lambda _: b"short")
