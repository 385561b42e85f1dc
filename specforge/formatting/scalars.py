"""Texts over several lines, moved to another indentation without changing what they say."""

import re
from dataclasses import dataclass

from specforge.formatting.gaps import LINE_BREAK, Comment, comment_of

_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass(frozen=True, slots=True)
class BlockScalar:
    """A text behind `|` or `>`: its header, the comment behind that, its lines without their indentation but with
    their line ends, and how many characters of the source they are. Blank lines that say nothing are not among them.
    """

    header: str
    comment: Comment | None
    lines: tuple[str, ...]
    length: int

    def body(self, column: int) -> str:
        """The lines, indented to this column."""
        return "".join(line if line == "\n" else " " * column + line for line in self.lines)


def block_scalar(source: str, *, column: int, parent: int) -> BlockScalar:
    """Take a block scalar apart. Its header stood at `column`, in a collection indented to `parent` (-1: in none)."""
    lines = _lines(source)
    first, opening = lines[0]
    found = _HEADER.match(first)
    assert found is not None
    header = found.group()
    comment = comment_of(first[found.end() :], column + found.end())
    indentation = _indentation(header, [content for content, _ in lines[1:]], parent)
    content = [_without(line, indentation) for line, _ in lines[1:]]
    count = _last(content) if "+" not in header else len(content)
    length = len(first) + len(opening) + sum(len(line) + len(end) for line, end in lines[1 : count + 1])
    if count and content[count - 1] and not lines[count][1]:
        # the file ends within the text, so it has no line end, and gets one now: `-` says that it does not count
        header = header.replace("+", "").replace("-", "") + "-"
    header = re.sub(r"\d", "2", header)
    ended = [line + _line_feed(end) for line, (_, end) in zip(content[:count], lines[1:], strict=False)]
    return BlockScalar(header, comment, tuple(ended), length)


def _lines(source: str) -> list[tuple[str, str]]:
    """Every line with its end, which the last one may lack."""
    parts = [*LINE_BREAK.split(source), ""]
    lines = list(zip(parts[::2], parts[1::2], strict=True))
    return lines if lines[-1][0] or len(lines) == 1 else lines[:-1]


def _line_feed(end: str) -> str:
    """Line ends that YAML reads as LF, as LF; U+2028 and U+2029 are kept in the value."""
    return end if end in ("\u2028", "\u2029") else "\n"


def _indentation(header: str, lines: list[str], parent: int) -> int:
    """How far the text is indented: as its header says, else as its first line, or a blank one before, is."""
    said = re.search(r"\d", header)
    if said:
        return max(parent, 0) + int(said.group())
    deepest = 0
    for line in lines:
        spaces = len(line) - len(line.lstrip(" "))
        deepest = max(deepest, spaces)
        if spaces < len(line):
            break
    return max(deepest, parent + 1, 1)


def _without(line: str, indentation: int) -> str:
    spaces = len(line) - len(line.lstrip(" "))
    return line[min(spaces, indentation) :]


def _last(content: list[str]) -> int:
    """How many lines there are up to the last that holds something."""
    return max((number for number, line in enumerate(content, start=1) if line), default=0)


def moved(source: str, column: int) -> str:
    """A text over several lines, quoted or not, whose later lines begin at this column."""
    lines = _lines(source)
    if len(lines) == 1:
        return source
    written = []
    for number, (line, end) in enumerate(lines):
        last = number == len(lines) - 1
        inside = line if number == 0 else line.lstrip(" \t")
        inside = inside if last else _trimmed(inside, quoted=source[0] == '"')
        written.append(" " * (column if number and inside else 0) + inside + ("" if last else _line_feed(end)))
    return "".join(written)


def _trimmed(line: str, *, quoted: bool) -> str:
    """Without the white space at its end; an escaped blank in a double-quoted text is none."""
    bare = line.rstrip(" \t")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return line[: len(bare) + 1] if quoted and backslashes % 2 else bare
