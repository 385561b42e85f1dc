"""Places in a text: spans count code points, clients count code units, and they disagree about lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.diagnostics import Span
from specforge.lsp.text import At, Encoding, Position, Text

ODD = "a𝟙b: é\r\nc\u2028d\n\n𝟙𝟙x"


@pytest.mark.parametrize(
    ("encoding", "offset", "position"),
    [
        ("utf-16", 2, Position(0, 3)),
        ("utf-8", 2, Position(0, 5)),
        ("utf-32", 2, Position(0, 2)),
        ("utf-16", 6, Position(0, 7)),
        ("utf-8", 6, Position(0, 10)),
        ("utf-16", 10, Position(1, 2)),  # U+2028 ends no line of a client
        ("utf-16", 15, Position(3, 4)),
    ],
)
def test_an_offset_is_a_position_in_code_units(encoding: Encoding, offset: int, position: Position) -> None:
    text = Text(ODD, encoding)
    assert text.position(offset) == position
    assert text.offset(position) == offset


def test_spans_count_lines_as_the_parser_does() -> None:
    text = Text(ODD)
    assert text.at(10) == At(3, 1)
    assert text.offset_at(At(3, 1)) == 10
    assert text.range(Span("x", 3, 1, 3, 2)) == (Position(1, 2), Position(1, 3))


def test_a_byte_order_mark_is_no_column() -> None:
    text = Text("\ufeffspecforge: 1\n")
    assert text.range(Span("x", 1, 1, 1, 10)) == (Position(0, 1), Position(0, 10))
    assert text.range(Span("x", 2, 1, 2, 1)) == (Position(1, 0), Position(1, 0))


@pytest.mark.parametrize("position", [Position(99, 0), Position(4, 99), Position(3, 99)])
def test_a_position_beyond_the_end_is_the_end(position: Position) -> None:
    assert Text(ODD).offset(position) == len(ODD)


def test_a_position_beyond_a_line_is_its_end_and_half_a_character_counts_as_none() -> None:
    text = Text(ODD)
    assert text.offset(Position(0, 99)) == 6
    assert text.offset(Position(0, 2)) == 1
    assert text.offset(Position(-1, -5)) == 0


def test_a_range_does_not_run_over_the_end_of_its_line() -> None:
    """An absent value is marked one character behind its key, where the line may be over."""
    assert Text("a:\nb: 1\n").range(Span("x", 1, 3, 1, 4)) == (Position(0, 2), Position(0, 2))


def test_a_change_replaces_a_range() -> None:
    text = Text("one\n𝟙two\n").changed(Position(0, 3), Position(1, 2), " ")
    assert text.content == "one two\n"
    assert text.changed(Position(9, 9), Position(9, 9), "end").content == "one two\nend"


@given(st.text("a𝟙é:\r\n\u2028\x0b", max_size=30), st.data(), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_offsets_survive_both_ways_of_counting(content: str, data: st.DataObject, encoding: Encoding) -> None:
    text = Text(content, encoding)
    offset = data.draw(st.integers(0, len(content)))
    assert text.offset_at(text.at(offset)) == offset
    if content[offset - 1 : offset + 1] != "\r\n":  # no place is between them
        assert text.offset(text.position(offset)) == offset
