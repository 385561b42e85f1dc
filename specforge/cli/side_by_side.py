"""A comparison of runs -> the terminal: tables that are divided by runs where they are wider than it."""

import io
import shutil
import sys
from textwrap import wrap

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table as Drawn
from rich.text import Text

from specforge.cli import console
from specforge.diagnostics import printable
from specforge.report.compare_runs import RunsComparison, Table, build_tables, divided, network_changes

# columns where there is no terminal, what lies between two columns of a table, and what one may take before it folds
_WIDTH, _GAP, _WIDEST = 120, 2, 36
_LINES = {"added": "green", "removed": "red", "changed": "yellow", "note": "dim", "plain": ""}
_CELLS = {"better": "green", "worse": "red", "soft": "dim", "": ""}


def show(found: RunsComparison) -> None:
    """Warnings, results, what differs in the specs, the networks, the classes."""
    for caution in found.cautions:
        _print(Text.assemble(("warning", "bold yellow"), f": {printable(caution.message)}"))
    if found.cautions:
        console.write()
    tables = build_tables(found)
    for table in tables:
        if table.key != "class":
            _show_table(table)
    for change in network_changes(found):
        console.write((f"The network of {found.runs[change.run].name}: {change.headline}", "bold"))
        for style, line in change.lines:
            for part in wrap(line, _width(), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False):
                console.write((part, _LINES[style]))
        console.write()
    for table in tables:
        if table.key == "class":
            _show_table(table)


def _show_table(table: Table) -> None:
    console.write((table.title, "bold"))
    widths = []
    for at, column in enumerate(table.columns):
        texts = [column.header, *(row[at].text for row in table.rows)]
        widths.append(min(_WIDEST, max(map(cell_len, texts))) + _GAP)
    for part in divided(table, widths, _width() + _GAP):
        _print(_drawn(part))
        console.write()
    for note in table.notes:
        _print(Text(printable(note), "dim"))
    if table.notes:
        console.write()


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for column in table.columns:
        justify = "right" if column.is_number else "left"
        drawn.add_column(Text(printable(column.header)), justify=justify, overflow="fold", max_width=_WIDEST)  # type: ignore[arg-type]
    for row in table.rows:
        drawn.add_row(*(Text(printable(cell.text), _CELLS[cell.style]) for cell in row))
    return drawn


def _print(content: RenderableType) -> None:
    """In lines of the terminal's width, without styles where colour is not wanted."""
    colored = console.is_colored(sys.stdout)
    lines = io.StringIO()
    Console(
        file=lines, width=_width(), force_terminal=colored, no_color=not colored, highlight=False, legacy_windows=False
    ).print(content)
    print("\n".join(line.rstrip() for line in lines.getvalue().splitlines()))


def _width() -> int:
    return shutil.get_terminal_size((_WIDTH, 24)).columns
