"""Columns of values -> variables: as few names as say what differs.

    in_channels   64, 64, 128        in_channels
    out_channels  64, 128, 256       channels            named as the spec names it
    num_features  64, 128, 256       channels            the same column
    hidden        256, 512, 1024     4 * channels        a multiple of one

A formula is used only where it holds for every use.
"""

import keyword
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

from specforge.emit.python.terms import (
    ABSENT,
    Comprehension,
    Formula,
    Hole,
    Literal,
    Reference,
    Term,
    Variable,
    mapped,
    parts_of,
)

Column = tuple[Any, ...]
LARGEST_FACTOR = 64
NEXT = "next_"  # begins the name of what only the iterations after the first have
# what the code of a class says itself
TAKEN = frozenset(
    (
        *("self", "x", "y", "nn", "torch", "Tensor", "functional", "OrderedDict", "path", "index"),
        *("super", "range", "enumerate", "int", "float", "bool", "str", "tuple", "dict", "type"),
    )
)
# what constructors call things, the worst names last; what is not here comes before these
_NAMES = (
    *("channels", "out_channels", "out_features", "in_channels", "in_features", "num_features", "num_channels"),
    *("normalized_shape", "groups"),
)
_BETTER = {"num_features": "channels", "num_channels": "channels", "normalized_shape": "width", "groups": "channels"}


class Variables:
    """The variables of one place: a class, or a loop. `taken` are names that they can't have."""

    def __init__(self, taken: Iterable[str] = ()):
        self.all: list[Variable] = []
        self.derived: list[tuple[Formula, Column]] = []
        self.taken = {*TAKEN, *taken}

    def settle(self, *terms: Term) -> list[Term]:
        """The terms with every hole filled by a value, a variable or a formula.

        Holes inside formulas come later, so that names are those of what stands alone; deciding ones come last.
        """
        found = [mapped(term, lambda part: self._outside_formulas(part)) for term in terms]
        found = [mapped(term, lambda part: self._place(part) if _is_value(part) else part) for term in found]
        found = [mapped(term, lambda part: self._decide(part) if isinstance(part, Hole) else part) for term in found]
        for variable in sorted(self.all, key=lambda one: not one.hints):
            variable.name = self._name(variable)
        return found

    def _outside_formulas(self, part: Term) -> Term:
        if isinstance(part, Formula):
            return replace(part)  # another object, into which `mapped` does not look
        return self._place(part) if _is_value(part) else part

    def _place(self, hole: Term) -> Term:
        assert isinstance(hole, Hole)
        values = defined(hole.column)
        if not values or all(same(value, values[0]) for value in values):
            for variable in self.all:
                if hole.argument in variable.arguments and _agree(variable.column, hole.column):
                    variable.column = _merged(variable.column, hole.column)
                    return self._called(variable, hole)
            return Literal(values[0] if values else ABSENT, hole.hint)
        for variable in self.all:
            if _agree(variable.column, hole.column):
                variable.column = _merged(variable.column, hole.column)
                return self._called(variable, hole)
        for variable in self.all:
            template = _relation(variable.column, hole.column)
            if template is not None:
                self.derived.append((Formula(template, (Reference(variable),)), hole.column))
                return self.derived[-1][0]
        self.all.append(Variable(hole.column))
        return self._called(self.all[-1], hole)

    def _called(self, variable: Variable, hole: Hole) -> Term:
        if hole.hint:
            variable.hints.append(hole.hint)
        variable.arguments.append(hole.argument)
        variable.is_size |= hole.is_size
        return Reference(variable)

    def _decide(self, hole: Hole) -> Term:
        values = defined(hole.column)
        if all(values) or not any(values):
            return Literal(bool(values and values[0]))
        known = [(Reference(variable), variable.column) for variable in self.all]
        for template, terms in _conditions([*known, *self.derived]) if hole.decides == "shortcut" else ():
            if _says(template, [column for _, column in terms], hole.column):
                return Formula(template, tuple(term for term, _ in terms))
        for variable in self.all:
            if all((value is not ABSENT) == there for value, there in zip(variable.column, hole.column, strict=True)):
                variable.column = tuple(None if value is ABSENT else value for value in variable.column)
            if [value is not None for value in variable.column] == list(hole.column):
                return Formula("{} is not None", (Reference(variable),))
        return self._place(hole)

    def _name(self, variable: Variable) -> str:
        """What the spec calls it most often, else the constructors."""
        wishes = [max(variable.hints, key=variable.hints.count)] if variable.hints else _called_by(variable.arguments)
        good = [wish for wish in wishes if _is_good(wish)] or ["value"]
        name = next((wish for wish in good if wish not in self.taken), None) or unused(good[0], self.taken)
        self.taken.add(name)
        return name


def _called_by(arguments: list[str]) -> list[str]:
    """Names for what constructors have these names for, the best first."""
    if {"in_channels", "out_channels"} <= set(arguments):  # between layers
        return ["channels", "hidden_channels"]
    ranks = {name: number for number, name in enumerate(_NAMES)}
    wish = min(arguments, key=lambda name: len(ranks) if name.startswith(NEXT) else ranks.get(name, -1))
    return [_BETTER.get(wish, wish)]


def _is_good(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("__")


def _is_value(part: Term) -> bool:
    return isinstance(part, Hole) and not part.decides


def unused(wish: str, taken: Iterable[str]) -> str:
    """The name, with a number behind it where it is taken."""
    if wish not in taken:
        return wish
    number = 2
    while f"{wish}_{number}" in taken:
        number += 1
    return f"{wish}_{number}"


def usual(variable: Variable) -> Any:
    """The value that most uses of a class give; ABSENT where none is usual."""
    counts = Counter(map(repr, variable.column))
    value, count = max(((value, counts[repr(value)]) for value in variable.column), key=lambda pair: pair[1])
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return value if is_plain and 5 * count >= 3 * len(variable.column) > 6 else ABSENT


def names_in(terms: Iterable[Term]) -> set[str]:
    """The names of loops' variables, which would hide others."""
    found = set[str]()
    for term in terms:
        for part in parts_of(term):
            if isinstance(part, Comprehension):
                found |= {*part.variables, *([part.index] if part.index else [])}
    return found


def _relation(known: Column, wanted: Column) -> str | None:
    """How to compute a column from another, of whole numbers; None where no factor does."""
    pairs = [(a, b) for a, b in zip(known, wanted, strict=True) if b is not ABSENT]
    if any(not is_number(a) or not is_number(b) or a <= 0 or b <= 0 for a, b in pairs):
        return None
    if len({a for a, _ in pairs}) < 2:
        return None
    first_known, first_wanted = pairs[0]
    factor = first_wanted // first_known
    if 1 < factor <= LARGEST_FACTOR and all(b == factor * a for a, b in pairs):
        return f"{factor} * {{}}"
    for factor in (2, first_known // first_wanted):
        if 1 < factor <= LARGEST_FACTOR and all(b == a // factor for a, b in pairs):
            return f"{{}} // {factor}"
    return None


def _conditions(terms: list[tuple[Term, Column]]) -> Iterator[tuple[str, tuple[tuple[Term, Column], ...]]]:
    """Comparisons that may say whether a shortcut or a sum is there, the simplest first."""
    for term in terms:
        if all(isinstance(value, bool) for value in term[1]):
            yield "{}", (term,)
            yield "not {}", (term,)
    numbers = [term for term in terms if all(is_number(value) or value is ABSENT for value in term[1])]
    pairs = list(combinations(numbers, 2))
    for template in ("{} != {}", "{} == {}"):
        yield from ((template, pair) for pair in pairs)
    for template in ("{} > 1", "{} == 1"):
        yield from ((template, (number,)) for number in numbers)
    for template in ("{} > 1 or {} != {}", "{} == 1 and {} == {}"):
        yield from ((template, (number, *pair)) for pair in pairs for number in numbers if number not in pair)


def _says(template: str, columns: list[Column], wanted: Column) -> bool:
    """Whether a comparison is true exactly where it should be."""
    for row, value in zip(zip(*columns, strict=True), wanted, strict=True):
        if value is not ABSENT and (ABSENT in row or _COMPARISONS[template](*row) != value):
            return False
    return True


_COMPARISONS: dict[str, Any] = {
    "{}": lambda a: a,
    "not {}": lambda a: not a,
    "{} > 1": lambda a: a > 1,
    "{} == 1": lambda a: a == 1,
    "{} != {}": lambda a, b: a != b,
    "{} == {}": lambda a, b: a == b,
    "{} > 1 or {} != {}": lambda s, a, b: s > 1 or a != b,
    "{} == 1 and {} == {}": lambda s, a, b: s == 1 and a == b,
}


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # True is not 1, and 1 not 1.0


def _agree(one: Column, other: Column) -> bool:
    """Whether two columns are the same where both have values, of which there is at least one."""
    both = [(a, b) for a, b in zip(one, other, strict=True) if a is not ABSENT and b is not ABSENT]
    return bool(both) and all(same(a, b) for a, b in both)


def _merged(one: Column, other: Column) -> Column:
    return tuple(b if a is ABSENT else a for a, b in zip(one, other, strict=True))


def defined(column: Iterable[Any]) -> list[Any]:
    return [value for value in column if value is not ABSENT]


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
