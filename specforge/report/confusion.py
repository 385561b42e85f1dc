"""`confusion.json` of a run -> the cells of its matrix, and the pairs of classes that are mistaken most.

A row is a true class, a column what it was taken for. The strength of a cell goes with the square root of its share of
the row, so that a mistake of 2% is seen beside 90% that are right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

from pydantic import model_validator

from specforge.report.mistakes import Mistakes, Picture, class_name, pictures
from specforge.report.run import Count, Name, RunFile, read_record

FILE = "confusion.json"
LEVELS = 8
_LABELLED = 20  # classes: so many names fit beside a matrix that is seen as a whole
_MOST = 120  # classes: a larger matrix shows those with the most mistakes
_PAIRS = 10
_LETTERS = 40  # of a name in a hint


class Confusion(RunFile):
    """`matrix[true][predicted]` counts images."""

    classes: tuple[Name, ...]
    matrix: tuple[tuple[Count, ...], ...]

    @model_validator(mode="after")
    def _is_rectangular(self) -> "Confusion":
        widths = {len(row) for row in self.matrix}
        if len(self.matrix) != len(self.classes) or len(widths) != 1 or min(widths) < len(self.classes):
            raise ValueError("a row for each class, and at least as many columns")
        return self


@dataclass(frozen=True, slots=True)
class Cell:
    """A count that is not zero; rows and columns from 1. `level` is 1 to 8."""

    row: int
    column: int
    count: int
    level: int
    right: bool
    hint: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """`rows` and `columns` are names; a `large` one has too many to be read beside the whole. `classes` counts all."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    large: bool
    classes: int


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """`share` is of the true class's images, `reverse` counts the mistakes the other way."""

    true: str
    predicted: str
    count: int
    share: float
    reverse: int
    examples: tuple[Picture, ...]


def read_confusion(folder: Path) -> Confusion | None:
    """None for a run without the file. Raises `RunError` for a damaged one."""
    return read_record(folder / FILE, Confusion)


def build_matrix(confusion: Confusion) -> Matrix:
    """The whole matrix, or of very many classes those that are mistaken most, in the data set's order."""
    shown = _shown(confusion)
    extra = range(len(confusion.classes), len(confusion.matrix[0])) if len(shown) == len(confusion.classes) else ()
    columns = [*shown, *(column for column in extra if any(row[column] for row in confusion.matrix))]
    cells = [
        cell for row, true in enumerate(shown, 1) for cell in _cells(confusion, row, true, columns)
    ]  # fmt: skip
    names = tuple(class_name(confusion.classes, index) for index in columns)
    return Matrix(names[: len(shown)], names, tuple(cells), len(columns) > _LABELLED, len(confusion.classes))


def confused_pairs(confusion: Confusion, mistakes: Mistakes | None) -> tuple[ConfusedPair, ...]:
    """The most frequent mistakes, with examples where the run kept some."""
    kept = {(pair.true, pair.predicted): pair.examples for pair in (mistakes.pairs if mistakes else ())}
    wrong = [
        (count, true, predicted)
        for true, row in enumerate(confusion.matrix)
        for predicted, count in enumerate(row)
        if count and true != predicted
    ]
    found = []
    for count, true, predicted in sorted(wrong, key=lambda pair: (-pair[0], *pair[1:]))[:_PAIRS]:
        names = class_name(confusion.classes, true), class_name(confusion.classes, predicted)
        share = count / sum(confusion.matrix[true])
        reverse = confusion.matrix[predicted][true] if predicted < len(confusion.matrix) else 0
        examples = pictures(kept.get((true, predicted), ()), confusion.classes)
        found.append(ConfusedPair(*names, count, share, reverse, examples))
    return tuple(found)


def _shown(confusion: Confusion) -> list[int]:
    mistaken = [sum(row) - row[true] for true, row in enumerate(confusion.matrix)]
    most = sorted(range(len(mistaken)), key=lambda true: (-mistaken[true], true))[:_MOST]
    return sorted(most)


def _cells(confusion: Confusion, row: int, true: int, columns: Sequence[int]) -> list[Cell]:
    counts = confusion.matrix[true]
    total, name = sum(counts), _short(confusion.classes[true])
    found = []
    for column, predicted in enumerate(columns, 1):
        if count := counts[predicted]:
            said = "right" if predicted == true else f"taken for {_short(class_name(confusion.classes, predicted))}"
            level = min(LEVELS, ceil(LEVELS * sqrt(count / total)))
            hint = f"{name} {said}: {count:,} of {total:,}"
            found.append(Cell(row, column, count, level, predicted == true, hint))
    return found


def _short(name: str) -> str:
    """Thousands of cells repeat it."""
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
