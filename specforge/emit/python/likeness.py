"""Several uses of the same code -> one term with holes where they differ.

    nn.Conv2d(3, 32, kernel_size=3)
    nn.Conv2d(32, 64, kernel_size=3)    ->    nn.Conv2d(□, □, kernel_size=3)

Layers that only some uses have become `Maybe`, iterations of a repeat a `Comprehension`. Uses that have too little in
common are `NotAlike`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from typing import Literal as Either

from specforge.emit.python.alignment import Children, NotAlike, Use, Uses, aligned
from specforge.emit.python.columns import Variables, names_in, unused
from specforge.emit.python.folding import fold
from specforge.emit.python.terms import (
    ABSENT,
    Absent,
    Comprehension,
    Formula,
    Group,
    Held,
    Hole,
    Literal,
    Loop,
    Make,
    Maybe,
    Name,
    Reference,
    Term,
    Tuple,
    Variable,
    mapped,
    parts_of,
)

# layers that do nothing with this argument, so that they can stand where a use has none
_IDLE = {"StochasticDepth": ("p", 0.0), "nn.Dropout": ("p", 0.0)}
LONGEST_TUPLE = 3


def unify(uses: Uses, hint: str | None = None, argument: str = "value") -> Term:
    """The term of uses, of which at least one is not absent."""
    live = [use for use in uses if not isinstance(use, Absent)]
    first = live[0]
    if any(type(use) is not type(first) for use in live):
        raise NotAlike
    if isinstance(first, Literal):
        return _literals(uses, argument)
    if isinstance(first, Make):
        return _calls(uses, live)
    if isinstance(first, Group):
        children = [use.children if isinstance(use, Group) else None for use in uses]
        return Group(tuple(unify_children(children)))
    if isinstance(first, Loop):
        return _loops(uses)
    if isinstance(first, Held) and all(isinstance(use, Held) and use.join == first.join for use in live):
        return Held(unify([use.group if isinstance(use, Held) else ABSENT for use in uses]), first.join)
    raise NotAlike


def _literals(uses: Uses, argument: str) -> Term:
    values = tuple(use.value if isinstance(use, Literal) else ABSENT for use in uses)
    hints = {use.hint for use in uses if isinstance(use, Literal)}
    hint = hints.pop() if len(hints) == 1 else None
    live = [value for value in values if value is not ABSENT] or [ABSENT]
    is_whole = len(live) == len(values)  # what only some uses have may be a variable that others set in another way
    if all(repr(value) == repr(live[0]) for value in live) and (is_whole or live[0] is ABSENT):
        return Literal(live[0], hint)
    return Hole(values, hint, argument)


def _split(uses: Uses, argument: str) -> Term:
    """As `_literals`, of tuples entry by entry where they are short and equally long."""
    values = [use.value for use in uses if isinstance(use, Literal) and use.value is not ABSENT] or [None]
    lengths = {len(value) for value in values if isinstance(value, tuple)}
    if len(lengths) == 1:  # a default is one number for all axes
        values = [(value,) * min(lengths) if isinstance(value, int) else value for value in values]
        uses = [
            Literal((use.value,) * min(lengths), use.hint)
            if isinstance(use, Literal) and isinstance(use.value, int)
            else use
            for use in uses
        ]
    first = values[0]
    if (
        not all(isinstance(value, tuple) and len(value) == len(first) for value in values)
        or not 0 < len(first) <= LONGEST_TUPLE
    ):
        return _literals(uses, argument)
    entries = []
    for number in range(len(first)):
        entry = [
            Literal(use.value[number], use.hint) if isinstance(use, Literal) and use.value is not ABSENT else ABSENT
            for use in uses
        ]
        entries.append(_literals(entry, argument))
    if all(isinstance(entry, Literal) for entry in entries):
        return _literals(uses, argument)
    return Tuple(tuple(entries))


def _calls(uses: Uses, live: list[Term]) -> Term:
    makes = [use for use in live if isinstance(use, Make)]
    first = makes[0]
    if any(make.target != first.target for make in makes):
        if not all(make.is_plain and not make.arguments and isinstance(make.target, str) for make in makes):
            raise NotAlike
        targets = tuple(Name(str(use.target)) if isinstance(use, Make) else ABSENT for use in uses)
        role = first.role if all(make.role == first.role for make in makes) else "layer"
        return Make(Hole(targets, None, role), is_plain=True, role=role)
    names = list(dict.fromkeys(name for make in makes for name, _ in make.arguments))
    if any(len(make.arguments) != len(names) for make in makes):
        order = list(first.defaults)
        names.sort(key=lambda name: order.index(name) if name in order else -1)
    arguments = []
    for name in names:
        column: list[Use] = [ABSENT if isinstance(use, Absent) else _argument(use, name) for use in uses]
        values = [value for value in column if not isinstance(value, Absent)]
        is_split = isinstance(first.target, str) and not first.is_own and not first.target.startswith("nn.")
        if is_split and all(isinstance(value, Literal) for value in values):
            arguments.append((name, _split(column, name)))
        else:
            found = unify(column, argument=name)
            if isinstance(found, Hole) and name in first.sizes:
                found = replace(found, is_size=True)
            arguments.append((name, found))
    return replace(first, arguments=tuple(arguments))


def _argument(use: Term, name: str) -> Term:
    assert isinstance(use, Make)
    for given, value in use.arguments:
        if given == name:
            return value
    if name not in use.defaults:
        raise NotAlike
    return Literal(use.defaults[name])


def unify_children(uses: Sequence[Children | None]) -> list[tuple[str, Term]]:
    """Children in order, each with its name; None where a use is absent itself."""
    live = [children for children in uses if children is not None]
    places = aligned(live)
    found: list[tuple[str, Term]] = []
    few = 0
    for name, chosen in places:
        waiting = iter(chosen)
        column: list[Use] = [ABSENT if children is None else next(waiting) for children in uses]
        missing = [isinstance(use, Absent) and children is not None for use, children in zip(column, uses, strict=True)]
        if not any(missing):
            found.append((name, unify(column)))
            continue
        idle = _idle(column)
        if idle is not None:
            found.append(
                (name, unify([idle if is_missing else use for use, is_missing in zip(column, missing, strict=True)]))
            )
            continue
        few += 1
        present = tuple(
            ABSENT if children is None else not isinstance(use, Absent)
            for use, children in zip(column, uses, strict=True)
        )
        decides: Either["layer", "shortcut"] = "shortcut" if name == "shortcut" else "layer"
        found.append((name, Maybe(Hole(present, None, f"has_{name}", decides), unify(column))))
    if 2 * few > len(found):
        raise NotAlike
    return found


def _idle(column: Uses) -> Make | None:
    """A layer that does nothing, where that is all that some uses lack."""
    makes = [use for use in column if isinstance(use, Make)]
    target = makes[0].target if makes else None
    if not isinstance(target, str) or target not in _IDLE or any(make.target != target for make in makes):
        return None
    name, value = _IDLE[target]
    first = makes[0]
    arguments = tuple((key, Literal(value, _hint(term)) if key == name else term) for key, term in first.arguments)
    return Make(target, arguments, first.defaults, is_plain=True, role=first.role)


def _hint(term: Term) -> str | None:
    return term.hint if isinstance(term, Literal) else None


def _loops(uses: Uses) -> Term:
    loops = [use.iterations if isinstance(use, Loop) else None for use in uses]
    counts = {len(iterations) for iterations in loops if iterations is not None}
    if counts == {0}:
        return Group(())
    try:
        return _comprehension(loops)
    except NotAlike:
        if len(counts) > 1:
            raise
    count = counts.pop()
    each = [[ABSENT if iterations is None else iterations[n] for iterations in loops] for n in range(count)]
    return Group(tuple((str(n), unify(column)) for n, column in enumerate(each)))


def _comprehension(loops: list[tuple[Term, ...] | None]) -> Term:
    flat = [(owner, term) for owner, iterations in enumerate(loops) for term in iterations or ()]
    owners = [owner for owner, _ in flat]
    body = unify([term for _, term in flat])
    hidden = names_in([body])
    index = unused("index", hidden)
    variables = Variables(hidden)
    (body,) = variables.settle(body)
    if any(isinstance(part, Maybe) for part in parts_of(body)) and len(loops) == 1 and len(flat) < 3:
        raise NotAlike  # two iterations of which one has more are two things
    folded: dict[int, Term] = {}
    tabled: list[Variable] = []
    for variable in variables.all:
        term = fold(variable, owners, len(loops), index)
        if term is None:
            tabled.append(variable)
        else:
            folded[id(variable)] = term
    if tabled and len(loops) == 1:  # then also what needs no table is read more easily there
        tabled = [v for v in variables.all if not isinstance(folded.get(id(v)), Hole)]
    for variable in tabled:
        folded[id(variable)] = Formula(variable.name)
    body = mapped(body, lambda part: folded[id(part.variable)] if isinstance(part, Reference) else part)
    numbers = tuple(ABSENT if iterations is None else len(iterations) for iterations in loops)
    if set(numbers) - {ABSENT} == {1} and not tabled:
        return Group((("0", body),))
    says_index = any(isinstance(part, Formula) and f"{index} " in f"{part.template} " for part in parts_of(body))
    rows = _rows(tabled, owners, loops) if tabled else None
    names = tuple(variable.name for variable in tabled)
    count: Term = Literal(None) if tabled else Hole(numbers, None, "depth")
    return Comprehension(count, body, names, rows, index if says_index else None)


def _rows(variables: list[Variable], owners: list[int], loops: list[tuple[Term, ...] | None]) -> Hole:
    """The table of a loop: a row for each iteration, which is a value where one variable is enough."""
    rows: list[list[Any]] = [[] for _ in loops]
    for owner, row in zip(owners, zip(*[_complete(v.column) for v in variables], strict=True), strict=True):
        rows[owner].append(row if len(variables) > 1 else row[0])
    name = f"{variables[0].name}s" if len(variables) == 1 else "settings"
    column = tuple(ABSENT if of is None else tuple(row) for row, of in zip(rows, loops, strict=True))
    return Hole(column, None, name)


def _complete(column: tuple[Any, ...]) -> list[Any]:
    """What is never looked at is None."""
    return [None if value is ABSENT else value for value in column]
