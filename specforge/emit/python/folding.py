"""The values of a loop's iterations -> how one follows from its number.

    in_channels   64, 128, 128, 128      64 if index == 0 else 128
    in_channels   64, 96, 128            64 + 32 * index
    shift         0, 3, 0, 3             3 * (index % 2)

Loops that stand in one class are said in one way: their numbers may differ, which then are columns of their own.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from specforge.emit.python.columns import NEXT, defined, is_number, same
from specforge.emit.python.terms import ABSENT, Formula, Hole, Term, Variable


def fold(variable: Variable, owners: list[int], count: int, index: str) -> Term | None:
    """The column of a loop's variable as a term of the uses that the loop stands in; None where only a table says it.

    `owners` are the uses that iterations belong to, `index` is the name of an iteration's number.
    """
    rows: list[list[Any]] = [[] for _ in range(count)]
    for owner, value in zip(owners, variable.column, strict=True):
        rows[owner].append(value)
    hint = variable.name if variable.hints else None
    whole = Hole((), hint, variable.name, is_size=variable.is_size)
    if all(_is_constant(row) for row in rows):
        return replace(whole, column=tuple(_first(row) for row in rows))
    if (count == 1 and len(rows[0]) < 3) or any(isinstance(value, tuple) for row in rows for value in row):
        return None
    return _first_differs(rows, index, whole) or _alternating(rows, index, whole) or _growing(rows, index, whole)


def _first_differs(rows: list[list[Any]], index: str, whole: Hole) -> Term | None:
    """All iterations but the first are the same."""
    if not all(_is_constant(row[1:]) for row in rows):
        return None
    firsts, rest = tuple(_first(row[:1]) for row in rows), tuple(_first(row[1:]) for row in rows)
    for first, comparison in ((True, "=="), (False, ">")):
        if set(firsts) <= {first, ABSENT} and set(rest) <= {not first, ABSENT} and _are_bool([*firsts, *rest]):
            return Formula(f"{index} {comparison} 0")
    later = replace(whole, column=rest, hint=None, argument=f"{NEXT}{whole.argument}")
    return Formula(f"{{}} if {index} == 0 else {{}}", (replace(whole, column=firsts), later))


def _alternating(rows: list[list[Any]], index: str, whole: Hole) -> Term | None:
    """0 and a number take turns."""
    if not all(is_number(value) for row in rows for value in row) or max(map(len, rows)) < 3:
        return None
    odd = [row[1] if len(row) > 1 else 0 for row in rows]
    if any(value != by * (n % 2) for row, by in zip(rows, odd, strict=True) for n, value in enumerate(row)):
        return None
    return Formula(f"{{}} * ({index} % 2)", (replace(whole, column=tuple(odd)),))


def _growing(rows: list[list[Any]], index: str, whole: Hole) -> Term | None:
    """Each is larger than the one before by the same."""
    if not all(is_number(value) for row in rows for value in row) or max(map(len, rows)) < 3:
        return None
    steps = [row[1] - row[0] if len(row) > 1 else 0 for row in rows]
    if any(value != row[0] + n * by for row, by in zip(rows, steps, strict=True) for n, value in enumerate(row)):
        return None
    known = tuple(by if len(row) > 1 else ABSENT for row, by in zip(rows, steps, strict=True))
    starts = replace(whole, column=tuple(_first(row[:1]) for row in rows))
    return Formula(f"{{}} + {{}} * {index}", (starts, Hole(known, None, "growth")))


def _are_bool(values: Iterable[Any]) -> bool:
    return all(isinstance(value, bool) or value is ABSENT for value in values)


def _is_constant(row: list[Any]) -> bool:
    values = defined(row)
    return all(same(value, values[0]) for value in values)


def _first(row: list[Any]) -> Any:
    return next(iter(defined(row)), ABSENT)
