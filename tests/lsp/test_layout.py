"""Formatting as one change of the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.diagnostics import Findings
from specforge.formatting import format_text
from specforge.lsp.layout import layout
from specforge.lsp.text import Position, Text


def changed(content: str) -> str:
    """The text after the change, its lines ended as an editor would."""
    text = Text(content)
    edits = layout(text)
    assert len(edits) <= 1
    for edit in edits:
        start, end = (Position(at.line, at.character) for at in (edit.range.start, edit.range.end))
        text = text.changed(start, end, edit.new_text)
    return text.content.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "content", ["a:   1\nb: 2\n", "a: 1\nb:   2", "\n\n\na: 1\n\n\n\nb: 1\n\n", "a:\r\n    b:  1\r\n"]
)
def test_the_change_gives_what_fmt_gives(content: str) -> None:
    assert changed(content) == format_text(content, "x", Findings())


@given(st.lists(st.sampled_from(["a: 1", "b:   [1,2]", "", "  c: 1", "- x", "# c", "d:  # 𝟙\x85"]), max_size=8))
def test_any_text_becomes_what_fmt_makes_of_it_or_stays(lines: list[str]) -> None:
    content = "\n".join(lines)
    formatted = format_text(content, "x", Findings())
    assert changed(content) == (content if formatted is None else formatted)


def test_a_broken_text_stays() -> None:
    assert layout(Text("a: {")) == []


def test_a_byte_order_mark_stays() -> None:
    assert changed("\ufeffa:   1\n") == "\ufeffa: 1\n"
