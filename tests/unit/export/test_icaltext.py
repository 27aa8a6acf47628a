from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar.parser import Contentline

from chaise_cli.export.icaltext import address, clean, label, line, link, text, written


@given(st.text())
@example("a\r\nb\rc\u2028d\x85e")
@example("\x1b]0;title\x07\u202egnp.exe\u2066\ufeff\ud800\U000e0041")
def test_clean_text_holds_no_control_character_but_the_newline(foreign: str) -> None:
    kept = clean(foreign)
    assert not [c for c in kept if c != "\n" and unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not [
        c
        for c in kept
        if unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    ]
    assert clean(kept) == kept
    kept.encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_plain_text_is_left_alone(plain: str) -> None:
    assert clean(plain) == plain


@given(st.text())
@example("C:\\New; a, b\nc")
def test_escaped_text_reads_back_as_it_was(foreign: str) -> None:
    escaped = text(foreign)
    assert "\n" not in escaped
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,n])*", escaped)
    assert re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], escaped) == clean(foreign)


def test_every_line_end_becomes_one_newline() -> None:
    assert clean("a\r\nb\rc\u2028d\x85e\tf") == "a\nb\nc\nd\ne f"


def test_a_label_is_one_line() -> None:
    assert label("  Anna\r\n of\tBerlin ") == "Anna of Berlin"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("https://meet.example/x?a=1&b=%20#c", "https://meet.example/x?a=1&b=%20#c"),
        (" HTTPS://meet.example/ü\u202e ", "HTTPS://meet.example/%C3%BC%E2%80%AE"),
        ('https://meet.example/"<a>\\', "https://meet.example/%22%3Ca%3E%5C"),
        ("tel:+49-30-1234", "tel:+49-30-1234"),
        ("sip:james@example.com", "sip:james@example.com"),
        ("xmpp:room@example.com?join", "xmpp:room@example.com?join"),
        ("http://meet.example/", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://meet.example/\r\nATTENDEE:mailto:x@example.com", None),
        ("https://meet.example/a b", None),
        ("https:", None),
        ("", None),
        (None, None),
    ],
)
def test_only_links_to_a_call_are_kept(given: str | None, written: str | None) -> None:
    assert link(given) == written


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("james@example.com", "mailto:james@example.com"),
        (" j+a@example.com ", "mailto:j+a@example.com"),
        ("jörg&co?x@exämple.com", "mailto:j%C3%B6rg%26co%3Fx@ex%C3%A4mple.com"),
        ("james", None),
        ("a@b@c", None),
        ("a@b\r\nX:y", None),
        ("a@b, c@d", None),
        ("", None),
        (None, None),
    ],
)
def test_only_one_whole_address_is_kept(given: str | None, written: str | None) -> None:
    assert address(given) == written


def test_a_line_has_its_value_as_it_is_and_its_parameters_encoded() -> None:
    assert line("URL", "a;b") == "URL:a;b"
    assert line("X", "a", VALUE="URI", FEATURE=("AUDIO", "VIDEO")) == "X;VALUE=URI;FEATURE=AUDIO,VIDEO:a"
    assert line("X", "a", CN='L"i;s\na') == 'X;CN="L^\'i;s^na":a'


def test_lines_are_folded_at_75_octets_and_never_inside_a_character() -> None:
    data = written(["X:" + "\u00e4" * 100, "Y:short"])
    assert all(len(part) <= 75 for part in data.split(b"\r\n"))
    assert data.decode().replace("\r\n ", "") == "X:" + "\u00e4" * 100 + "\r\nY:short\r\n"


@given(
    st.text(st.sampled_from("ab\\^;\u00e4\u20ac\U0001f600"), max_size=300)
    | st.text(st.sampled_from("a\\^"), max_size=300)
)
def test_the_library_folds_every_line_alike(value: str) -> None:
    library: Any = Contentline
    assert written([f"X:{value}"]) == library(f"X:{value}").to_ical() + b"\r\n"


@pytest.mark.parametrize("value", ["a\r\nATTENDEE:mailto:x@example.org", "a\nb", "a\rb"])
def test_no_value_begins_a_line_of_its_own(value: str) -> None:
    with pytest.raises(AssertionError):
        line("SUMMARY", value)
