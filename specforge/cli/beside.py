"""Two networks next to each other in a wide terminal, the layers that are as before folded."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from specforge.cli import console
from specforge.diagnostics import printable
from specforge.diff import Difference, Side
from specforge.diff.difference import Place
from specforge.diff.phrases import word
from specforge.diff.rows import Fold, Row, folded, rows
from specforge.shapes import spelled

MOST = 60
_STYLES = {"same": "dim", "changed": "yellow", "consequence": "", "added": "green", "removed": "red", "moved": "cyan"}
_MARKS = {"same": " ", "changed": "~", "consequence": " ", "added": "+", "removed": "-", "moved": ">"}


def show_beside(before: Side, after: Side, difference: Difference) -> None:
    """Both networks, where they differ; nothing for more than `MOST` rows, as many new iterations of a repeat have."""
    found = list(folded(rows(before, after, difference)))
    if len(found) <= MOST and not difference.architecture.is_only_renamed:
        console.write()
        _print(_table(before, after, found))


def _table(before: Side, after: Side, found: Sequence[Row | Fold]) -> Table:
    drawn = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, expand=True, header_style="bold")
    drawn.add_column("", width=1)
    drawn.add_column(printable(f"{before.name} (A)"), ratio=1, overflow="fold")
    drawn.add_column(printable(f"{after.name} (B)"), ratio=1, overflow="fold")
    for row in found:
        if isinstance(row, Fold):
            drawn.add_row("", Text(f"… {len(row.rows)} layers as before", "dim"), "")
        else:
            drawn.add_row(_MARKS[row.status], *(_cell(place, row) for place in (row.before, row.after)))
    return drawn


def _cell(place: Place | None, row: Row) -> Text:
    if place is None:
        return Text()
    shape = "" if place.output is None else spelled(place.output)
    size = f"{place.parameters:,}" if place.parameters else ""
    parts = (place.path, word(place), shape, size)
    return Text("  " * place.depth + printable("  ".join(part for part in parts if part)), _STYLES[row.status])


def _print(drawn: Table) -> None:
    colored = console.is_colored(sys.stdout)
    Console(force_terminal=colored, no_color=not colored, highlight=False).print(drawn)
