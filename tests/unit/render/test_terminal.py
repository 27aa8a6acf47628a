from __future__ import annotations

import io
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.render import terminal
from chaise_cli.render.terminal import colored, cut, one_line, put, put_bytes, safe, terminal_width, width_of

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Invisible, or joined to what stands before: fillers, variation selectors, the blank braille pattern.
HIDDEN_TOO = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0}
SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_of_every_code_point_a_terminal_gets_only_what_it_shows() -> None:
    wrong = []
    chars = [chr(point) for point in range(sys.maxunicode + 1)]
    for char, shown in zip(chars, safe("|".join(chars)).replace("|||", "|pipe|").split("|"), strict=True):
        point, kind = ord(char), unicodedata.category(char)
        replaced = shown == f"<U+{point:04X}>"
        must = kind in HIDDEN or point in HIDDEN_TOO or point in SELECTORS
        may = must or kind == "Cn"  # not assigned, or a non-character
        if (must and not replaced) or (replaced and not may) or (not replaced and shown not in {char, "pipe"}):
            wrong.append(f"{point:04X} {kind}")
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]52;c;aGk=\x07",
        "\x1b[2J",
        "\x9b31m",
        "a\u202eb",
        "\u2066x\u2069",
        "a\u200bb",
        "\U000e0041",
        "\udc80",
        "a\rb",
        "\x85",
        "\ufffe",
    ],
)
def test_attacks_come_out_visible(text: str) -> None:
    for shown in (safe(text), safe(text, multiline=True), one_line(text)):
        assert shown.isprintable()


def test_a_text_of_several_lines_keeps_its_lines_alone() -> None:
    assert safe("a\r\nb\n\tc\rd\u2028e\x1b", multiline=True) == "a\nb\n    c<U+000D>d<U+2028>e<U+001B>"
    assert safe("a\nb") == "a<U+000A>b"


def test_a_cell_is_one_line() -> None:
    assert one_line("  a\n\tb \x1b c ") == "a b <U+001B> c"


@given(st.text())
def test_safe_text_stays_as_it_is(text: str) -> None:
    for shown in (safe(text), safe(text, multiline=True)):
        assert safe(shown, multiline=True) == shown


@given(st.text(max_size=40), st.integers(1, 30))
def test_what_is_cut_fits(text: str, width: int) -> None:
    shown = one_line(text)
    assert width_of(cut(shown, width)) <= width
    assert cut(shown, width_of(shown)) == shown


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("é", 1), ("", 0)])
def test_width_counts_columns(text: str, columns: int) -> None:
    assert width_of(text) == columns


def test_wide_characters_are_cut_whole() -> None:
    assert cut("日本語", 4) == "日…"
    assert cut("abc", 0) == ""


@pytest.mark.parametrize(
    ("variables", "flag", "shown"),
    [
        ({}, None, True),
        ({"NO_COLOR": "1"}, None, False),
        ({"NO_COLOR": ""}, None, True),
        ({"NO_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, None, False),
        ({"TERM": "dumb"}, None, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, None, True),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "1"}, None, True),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "0"}, None, False),
    ],
)
def test_the_flag_comes_before_no_color_before_force_before_the_terminal(
    variables: dict[str, str], flag: bool | None, shown: bool
) -> None:
    assert colored(Tty(), variables, flag=flag) is shown


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "PY_COLORS"])
def test_no_variable_brings_colour_into_a_pipe(name: str) -> None:
    assert not colored(io.StringIO(), {name: "1", "TERM": "xterm-256color"})
    assert colored(io.StringIO(), {}, flag=True)  # asked for in so many words


def test_a_pipe_has_no_width_and_columns_sets_one() -> None:
    assert terminal_width(io.StringIO(), {}) is None
    assert terminal_width(io.StringIO(), {"COLUMNS": "100"}) == 100
    assert terminal_width(io.StringIO(), {"COLUMNS": "5"}) == terminal.NARROWEST
    assert terminal_width(io.StringIO(), {"COLUMNS": "wide"}) is None
    assert terminal_width(Tty(), {}) == terminal.PLAIN_WIDTH


def test_what_an_encoding_cannot_say_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    put(stream, "a…ü")
    stream.flush()
    assert raw.getvalue() == b"a\\u2026\\xfc"


def test_the_bytes_of_a_file_pass_as_they_are_behind_what_was_said_before() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\r\n")
    stream.write("before\n")
    put_bytes(stream, b"\xc3\xbc\r\nand\n")
    assert raw.getvalue() == b"before\r\n\xc3\xbc\r\nand\n"


class Refusing(io.BytesIO):
    """A stream that takes nothing."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, _data: object) -> int:
        raise self._error


@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError(28, "No space left on device"), terminal.Unwritable), (BrokenPipeError(), BrokenPipeError)],
)
def test_a_file_that_stdout_does_not_take_is_an_error_unless_nobody_reads_on(
    error: OSError, told: type[Exception]
) -> None:
    with pytest.raises(told):
        put_bytes(io.TextIOWrapper(Refusing(error)), b"BEGIN:VCALENDAR")
