"""Tables of words, and how one is divided where it is wider than the page.

Columns belong to a run or to none, so that a narrow terminal can divide a table by runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Style = Literal["", "better", "worse", "soft"]


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    style: Style = ""


@dataclass(frozen=True, slots=True)
class Column:
    """`run` is the number of the run that the column is about, None for one that every part of the table needs."""

    header: str
    run: int | None = None
    is_number: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`key` names it; `notes` are sentences on how to read it."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def divided(table: Table, widths: Sequence[int], room: int) -> list[Table]:
    """The table in parts that fit into `room`, each with the columns of no run and of the baseline.

    `widths` are those of the columns, with what lies between them.
    """
    numbers = list(dict.fromkeys(column.run for column in table.columns if column.run))
    kept = [at for at, column in enumerate(table.columns) if not column.run]
    if not numbers or sum(widths) <= room:
        return [table]
    parts: list[list[int]] = []
    left = 0
    for number in numbers:
        mine = [at for at, column in enumerate(table.columns) if column.run == number]
        needed = sum(widths[at] for at in mine)
        if not parts or needed > left:
            parts.append([*kept])
            left = room - sum(widths[at] for at in kept)
        parts[-1] += mine
        left -= needed
    return [_part(table, sorted(part)) for part in parts]


def _part(table: Table, chosen: Sequence[int]) -> Table:
    """The table with these columns alone; settings that don't differ among them are left out."""
    rows = [tuple(row[at] for at in chosen) for row in table.rows]
    if table.key == "settings":
        rows = [row for row in rows if any(cell.style != "soft" for cell in row[2:])]
    return replace(table, columns=tuple(table.columns[at] for at in chosen), rows=tuple(rows))
