from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.render.document import SHORTEST_FLEX, Block, Column, Fields, Prose, Table, fit, laid_out
from chaise_cli.render.plain import text_of
from chaise_cli.render.terminal import width_of

WORDS = st.text(alphabet="abc 日\x1b", max_size=60)


def test_columns_line_up_and_numbers_stand_right() -> None:
    table = Table([Column("NAME"), Column("N", right=True)], [["a", "1"], ["bbb", "200"]], "Title")
    assert text_of([table], None) == "Title\nNAME    N\na       1\nbbb   200\n"


def test_wide_characters_line_up() -> None:
    table = Table([Column("NAME"), Column("N")], [["日本", "1"], ["a", "2"]])
    assert text_of([table], None) == "NAME  N\n日本  1\na     2\n"


def test_a_flexible_column_gives_way_first() -> None:
    table = Table([Column("A"), Column("B", flex=True)], [["x" * 20, "y" * 50]])
    assert text_of([table], 50).splitlines()[1] == "x" * 20 + "  " + "y" * 27 + "…"


def test_a_wrapping_column_goes_on_below() -> None:
    table = Table([Column("A"), Column("B", wrap=True)], [["x", "one two three four"]])
    assert text_of([table], 16).splitlines()[1:] == ["x  one two three", "   four"]


def test_columns_are_left_out_by_rank() -> None:
    columns = [Column("A"), Column("B", drop=1), Column("C", drop=2)]
    table = Table(columns, [["a" * 10, "b" * 10, "c" * 10]])
    assert fit(table, 40).shown == [0, 1, 2]
    assert fit(table, 30).shown == [0, 1]
    assert fit(table, 12).shown == [0]


@given(st.lists(st.tuples(WORDS, WORDS), max_size=4), st.integers(30, 60))
def test_flexible_columns_always_fit(rows: list[tuple[str, str]], width: int) -> None:
    table = Table([Column("CUT", flex=True), Column("WRAP", wrap=True)], rows)
    layout = fit(table, width)
    assert sum(layout.widths) + 2 <= width
    assert min(layout.widths) >= 0
    for row in rows:
        for lines, size in zip(laid_out(table, row, layout), layout.widths, strict=True):
            assert all(width_of(line) <= size for line in lines)


@given(WORDS)
def test_wrapping_loses_no_word_that_fits(text: str) -> None:
    table = Table([Column("A", wrap=True)], [[text]])
    layout = fit(table, SHORTEST_FLEX)
    kept = " ".join(laid_out(table, [text], layout)[0])
    for word in text.split():
        if word.isascii() and word.isprintable() and len(word) <= SHORTEST_FLEX:
            assert word in kept


def test_fields_leave_out_what_is_empty_and_go_on_below() -> None:
    fields = Fields([("name", "a"), ("nothing", ""), ("with", "b\nc")])
    assert text_of([fields, Prose("Text", "x\n\n  y\n")], 80) == "name: a\nwith: b\n      c\n\nText\n  x\n\n    y\n"


def test_no_block_writes_an_escape() -> None:
    bad = "\x1b[31m"
    blocks: list[Block] = [Table([Column("A")], [[bad]], bad), Fields([("a", bad)], bad), Prose(bad, bad)]
    assert "\x1b" not in text_of(blocks, 80)


def test_a_column_without_a_word_goes_before_others_are_cut() -> None:
    table = Table([Column("A", flex=True), Column("NOTHING HERE")], [["x" * 38, ""]])
    assert fit(table, 40).shown == [0]
    assert fit(table, 60).shown == [0, 1]
    assert fit(table, None).shown == [0, 1]
