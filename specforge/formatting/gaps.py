"""What stands between two tokens -> the comment behind the first, and the lines down to the second.

`  # behind a`, ``, `# above b`, ``    ->    Gap(trailing=Comment("# behind a"), lines=(None, Comment("# above b")))
"""

import re
from dataclasses import dataclass

# where the parser starts a new line
LINE_BREAK = re.compile("(\r\n|[\r\n\x85\u2028\u2029])")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its `#` on, the column (from 0) where it stood, and the white space before it on its line."""

    text: str
    column: int
    distance: int


@dataclass(frozen=True, slots=True)
class Gap:
    """`lines` are the lines between, None for a blank one; `breaks` says that what follows starts a line."""

    trailing: Comment | None
    lines: tuple[Comment | None, ...]
    breaks: bool


def gap_of(text: str, *, column: int, fresh: bool, last: bool) -> Gap:
    """The gap that holds this text. It begins at `column`, or as a line when it is `fresh`; `last` ends the file."""
    pieces = LINE_BREAK.split(text)[::2]
    trailing = None if fresh else comment_of(pieces[0], column)
    between = pieces[0 if fresh else 1 : None if last else -1]
    lines = tuple(comment_of(piece, 0) for piece in between)
    return Gap(trailing, lines, fresh or len(pieces) > 1)


def comment_of(piece: str, column: int) -> Comment | None:
    """The comment in a piece of a line that begins at `column`; it may have white space around it."""
    text = piece.strip(" \t")
    distance = len(piece) - len(piece.lstrip(" \t"))
    return Comment(text, column + distance, distance) if text else None
