"""Lines of code with their comments -> text, with comments that stood in a column still in one."""

from dataclasses import dataclass, field

from specforge.formatting.gaps import LINE_BREAK, Comment

DISTANCE = 2  # spaces before a comment behind code


@dataclass(slots=True, eq=False)
class Line:
    """Code (its last line is `width` wide) and the comment behind it.

    A comment that goes on in a line of its own, below one behind code, has that line as `leader`.
    """

    code: str
    width: int = 0
    comment: Comment | None = None
    leader: "Line | None" = None
    end: str = "\n"
    comment_column: int = 0

    @property
    def is_blank(self) -> bool:
        return not self.code and self.comment is None and self.end == "\n"


@dataclass(slots=True)
class Page:
    """What is written so far; `fresh` says that nothing stands on the current line."""

    lines: list[Line] = field(default_factory=list)
    fresh: bool = True
    column: int = 0
    _parts: list[str] = field(default_factory=list)

    def start(self, column: int) -> None:
        """Begin a line at this column."""
        self._parts, self.column, self.fresh = [" " * column], column, False

    def write(self, text: str) -> None:
        self._parts.append(text)
        lines = LINE_BREAK.split(text)
        self.column = len(lines[-1]) + (self.column if len(lines) == 1 else 0)

    def end(self, comment: Comment | None = None) -> Line:
        """End the current line with the comment behind it."""
        line = Line("".join(self._parts), self.column, comment)
        self.lines.append(line)
        self._parts, self.column, self.fresh = [], 0, True
        return line

    def blank(self) -> None:
        """A blank line, where there is text above and not already one."""
        if self.lines and not self.lines[-1].is_blank:
            self.lines.append(Line(""))

    def comment(self, column: int, comment: Comment) -> None:
        """A comment on a line of its own."""
        self.lines.append(Line(" " * column + comment.text))

    def continuation(self, leader: Line, comment: Comment) -> None:
        """A comment on a line of its own that goes on with the one behind `leader`."""
        self.lines.append(Line("", comment=comment, leader=leader))

    def verbatim(self, text: str) -> None:
        """Lines that are content, with their line ends."""
        self.lines.append(Line(text, end=""))

    def text(self) -> str:
        """All lines, comments in their columns, no blank line at the end."""
        while self.lines and self.lines[-1].is_blank:
            self.lines.pop()
        align([line for line in self.lines if line.comment and line.leader is None])
        return "".join(map(_written, self.lines))


def align(lines: list[Line]) -> None:
    """Choose the column of every comment behind code.

    Several in one column stay in one, moved right together when one of the lines needs it; a column is meant where
    somebody put more spaces than needed. Any other comment keeps its distance from the code.
    """
    columns: dict[int, list[tuple[Line, Comment]]] = {}
    for line in lines:
        assert line.comment is not None
        columns.setdefault(line.comment.column, []).append((line, line.comment))
    for column, members in columns.items():
        meant = len(members) > 1 and any(comment.distance > DISTANCE for _, comment in members)
        together = max(column, *(line.width + DISTANCE for line, _ in members)) if meant else 0
        for line, comment in members:
            line.comment_column = together or line.width + max(DISTANCE, comment.distance)


def _written(line: Line) -> str:
    if line.comment is None:
        return line.code + line.end
    column = line.leader.comment_column if line.leader else line.comment_column
    return line.code + " " * (column - line.width) + line.comment.text + line.end
