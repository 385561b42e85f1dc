"""Writing to the terminal: styled through rich where colour is wanted, plain text elsewhere."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Literal, TextIO

from specforge.diagnostics import printable

MODES = ("auto", "always", "never")
PROSE = 30  # characters from which a cell with spaces is a sentence
_mode = "auto"
_is_muted = False


def choose_color(mode: str) -> None:
    """What `--color` asked for, for the rest of the process."""
    global _mode
    _mode = mode


def mute(muted: bool = True) -> None:
    """Write nothing from now on, as one of several processes that would all write the same; or do so again."""
    global _is_muted
    _is_muted = muted


def is_colored(stream: TextIO) -> bool:
    """Whether to style what goes to this stream."""
    if _mode != "auto":
        return _mode == "always"
    return "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb" and stream.isatty()


def write(*pieces: str | tuple[str, str], to: TextIO | None = None) -> None:
    """One line of pieces, each a text or (text, rich style)."""
    if _is_muted:
        return
    stream = to or sys.stdout
    pieces = tuple(printable(piece) if isinstance(piece, str) else (printable(piece[0]), piece[1]) for piece in pieces)
    if not is_colored(stream):
        print("".join(piece if isinstance(piece, str) else piece[0] for piece in pieces), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    Console(file=stream, force_terminal=True, highlight=False, soft_wrap=True).print(Text.assemble(*pieces))


def note(*pieces: str | tuple[str, str]) -> None:
    """One line to stderr."""
    write(*pieces, to=sys.stderr)


def error(message: str, hint: str | None = None) -> None:
    """What went wrong, and what to do about it, to stderr."""
    note(("error", "bold red"), f": {message}")
    if hint:
        note(("hint", "bold cyan"), f": {hint}")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int]) -> None:
    """Columns to stdout; those in `numbers` are aligned right."""
    rows = [tuple(map(printable, row)) for row in rows]
    if is_colored(sys.stdout):
        _rich_table(headers, rows, numbers)
        return
    lines = [tuple(headers), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (c.rjust(w) if i in numbers else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        print("  ".join(cells).rstrip())


def _rich_table(headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int]) -> None:
    """Prose is folded into the terminal's width; a path, a word or a number never: rather, the table is wider."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    lines = list(rows)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    needed = 0
    for column, header in enumerate(headers):
        cells = [header, *(line[column] for line in lines)]
        is_prose = any(len(cell) > PROSE and " " in cell for cell in cells)
        needed += 3 + (PROSE if is_prose else max(map(len, cells)))
        justify: Literal["right", "left"] = "right" if column in numbers else "left"
        drawn.add_column(header, justify=justify, overflow="fold", no_wrap=not is_prose)
    for line in lines:
        drawn.add_row(*map(Text, line))
    console = Console(force_terminal=True)
    console.width = max(console.width, needed)
    console.print(drawn)
