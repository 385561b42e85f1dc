"""A `RunsComparison` -> Markdown for a pull request, with tables that GitHub draws."""

import re
from collections.abc import Iterable, Iterator

from specforge.diagnostics import printable
from specforge.report.compare_runs.architecture import NetworkChange, network_changes
from specforge.report.compare_runs.compared import RunsComparison
from specforge.report.compare_runs.table import Cell, Table
from specforge.report.compare_runs.tables import build_tables

# a fence of ```diff colours lines by their first character
_MARKS = {"added": "", "removed": "", "changed": "", "note": "# ", "plain": "  ", "heading": "@@ "}


def to_markdown(comparison: RunsComparison) -> str:
    """Warnings first, then the tables; long ones are folded."""
    names = " and ".join(_code(run.name) for run in comparison.runs[1:])
    blocks = [f"### {names} compared with {_code(comparison.baseline.name)}"]
    if comparison.cautions:
        blocks.append("\n".join(f"> ⚠ {_text(caution.message)}" for caution in comparison.cautions))
    tables = build_tables(comparison)
    blocks += [_table(table) for table in tables if table.key != "class"]
    blocks += [_network(comparison, change) for change in network_changes(comparison)]
    blocks += [_folded(table.title, _rows(table)) for table in tables if table.key == "class"]
    return "\n\n".join(blocks) + "\n"


def _table(table: Table) -> str:
    notes = "".join(f"\n\n{_text(note)}" for note in table.notes)
    return f"**{_text(table.title)}**\n\n{_rows(table)}{notes}"


def _rows(table: Table) -> str:
    head = [_text(column.header) for column in table.columns]
    rule = ["---:" if column.is_number else "---" for column in table.columns]
    return "\n".join(_line(cells) for cells in (head, rule, *map(_cells, table.rows)))


def _cells(row: tuple[Cell, ...]) -> Iterator[str]:
    return (_text(cell.text) for cell in row)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _network(comparison: RunsComparison, change: NetworkChange) -> str:
    run = comparison.runs[change.run]
    body = [f"{_MARKS[style]}{text}" for style, text in change.lines]
    body = [f"! {text.removeprefix('~ ')}" if text.startswith("~ ") else text for text in body]
    fence = "```"
    while any(fence in text for text in body):
        fence += "`"
    return f"**The network of {_text(run.name)}: {change.headline}**\n\n" + "\n".join([f"{fence}diff", *body, fence])


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{_text(title)}</summary>\n\n{body}\n\n</details>"


def _text(text: str) -> str:
    """Nothing that a run's files hold may become markup or end a cell."""
    escaped = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~@])", r"\\\1", escaped).replace("\n", " ")


def _code(name: str) -> str:
    return f"`{name.replace('`', '')}`"
