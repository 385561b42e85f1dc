"""A document's text -> places in it, between three ways of counting.

line and column     of spans and the YAML parser: from 1, in code points; U+0085, U+2028 and U+2029 end a line too
position            of LSP: from 0, in code units of the encoding that was negotiated; lines end with LF, CRLF or CR
offset              from 0, in code points of the text: what the two others are converted through

"# 𝟙: x" with UTF-16: the `x` is column 6, character 6 and offset 5, since the 𝟙 has two units.
"""

import re
from bisect import bisect_right
from functools import cached_property
from typing import Literal, NamedTuple

from specforge.diagnostics import Span

Encoding = Literal["utf-8", "utf-16", "utf-32"]
_CLIENT_BREAK = re.compile("\r\n|[\r\n]")
_SPAN_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_BYTE_ORDER_MARK = "\ufeff"


class Position(NamedTuple):
    """A place as the client counts, from 0."""

    line: int
    character: int


class At(NamedTuple):
    """A place as spans count, from 1."""

    line: int
    column: int


class Text:
    """A text that does not change."""

    def __init__(self, content: str, encoding: Encoding = "utf-16"):
        self.content, self.encoding = content, encoding

    @cached_property
    def _client_lines(self) -> list[int]:
        return [0, *(found.end() for found in _CLIENT_BREAK.finditer(self.content))]

    @cached_property
    def _span_lines(self) -> list[int]:
        """Where lines start; columns of the first do not count a byte order mark."""
        first = 1 if self.content.startswith(_BYTE_ORDER_MARK) else 0
        return [first, *(found.end() for found in _SPAN_BREAK.finditer(self.content))]

    @cached_property
    def lines(self) -> list[str]:
        """The lines as spans count them, without what ends them."""
        return _SPAN_BREAK.split(self.content.removeprefix(_BYTE_ORDER_MARK))

    def offset(self, position: Position) -> int:
        """The offset of a position; one beyond the end of a line or of the text is that end."""
        starts = self._client_lines
        if position.line >= len(starts):
            return len(self.content)
        start = starts[max(position.line, 0)]
        end = _CLIENT_BREAK.search(self.content, start)
        line = self.content[start : end.start() if end else len(self.content)]
        return start + self._characters(line, max(position.character, 0))

    def _characters(self, line: str, units: int) -> int:
        """How many characters of a line `units` code units are; half a character counts as none."""
        if self.encoding == "utf-32" or line.isascii():
            return min(units, len(line))
        passed = 0
        for number, character in enumerate(line):
            passed += self._units(character)
            if passed > units:
                return number
        return len(line)

    def _units(self, piece: str) -> int:
        if self.encoding == "utf-32" or piece.isascii():
            return len(piece)
        if self.encoding == "utf-8":
            return len(piece.encode(errors="surrogatepass"))
        return len(piece) + sum(character > "\uffff" for character in piece)

    def position(self, offset: int) -> Position:
        line = bisect_right(self._client_lines, offset) - 1
        return Position(line, self._units(self.content[self._client_lines[line] : offset]))

    def at(self, offset: int) -> At:
        """The line and column of an offset."""
        line = max(bisect_right(self._span_lines, offset) - 1, 0)
        return At(line + 1, max(offset - self._span_lines[line], 0) + 1)

    def offset_at(self, at: At) -> int:
        """The offset of a line and column; what lies beyond the text is its end."""
        starts = self._span_lines
        if at.line > len(starts):
            return len(self.content)
        end = starts[at.line] if at.line < len(starts) else len(self.content)
        return min(starts[max(at.line, 1) - 1] + at.column - 1, end)

    def range(self, span: Span) -> tuple[Position, Position]:
        """From where to where a span lies; what lies behind a line's last character has no width."""
        first = self.offset_at(At(span.line, span.column))
        last = max(self.offset_at(At(span.end_line, span.end_column)), first)
        if last > first and self.content[first:last].endswith(("\n", "\r")):
            last = first + len(self.content[first:last].rstrip("\r\n"))
        return self.position(first), self.position(last)

    def changed(self, first: Position, last: Position, replacement: str) -> "Text":
        """The text after an editor's change of a range."""
        start, end = self.offset(first), self.offset(last)
        content = self.content[:start] + replacement + self.content[max(start, end) :]
        return Text(content, self.encoding)
