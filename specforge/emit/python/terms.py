"""What constructor code is made of: terms, in which values may differ from one use to the next.

    Make("nn.Conv2d", (("in_channels", Literal(3)), ("out_channels", Literal(64))))    nn.Conv2d(3, 64)

Terms of several uses that differ in values alone become one term, with a `Hole` where they differ: it has a column of
values, one for each use. `ABSENT` is the value of a use that does not have the place at all. Columns then become
variables (`Reference`) and formulas of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from typing import Literal as Literal_

from specforge.catalog.definition import Call


class Absent(Enum):
    absent = "ABSENT"


ABSENT = Absent.absent
# arguments that say how large a layer is
SIZES = frozenset(
    ("in_channels", "out_channels", "in_features", "out_features", "channels", "num_features", "normalized_shape")
)


class Term:
    """A piece of constructor code."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Name:
    """A value that is code, such as `nn.ReLU`."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal(Term):
    """A number, text, truth value, None, a `Name`, or a tuple of these. `hint` is what the spec calls it."""

    value: Any
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Hole(Term):
    """A value that differs. `hint` is what the spec calls it, `argument` what the constructor calls it.

    One that `decides` whether there is a layer is true or false, and best said by something that is known: by sizes
    that differ for a `shortcut`, else by a value that only those with the layer have.
    """

    column: tuple[Any, ...]
    hint: str | None = None
    argument: str = "value"
    decides: Literal_["layer", "shortcut"] | None = None
    is_size: bool = False


@dataclass(eq=False, slots=True)
class Variable:
    """What differs under a name: a parameter of a class, or what a loop goes through.

    `hints` and `arguments` are what it is called where it is used; the name is chosen when all are known. A size is one
    of what arrives or leaves: no setting of which one value is usual.
    """

    column: tuple[Any, ...]
    hints: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    is_size: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reference(Term):
    """The value of a variable."""

    variable: Variable


@dataclass(frozen=True, slots=True)
class Formula(Term):
    """An expression of other terms, which stand in its braces."""

    template: str
    parts: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuple(Term):
    entries: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Make(Term):
    """A call of a constructor. `defaults` are the values of arguments that are not given.

    `target` is a term where uses construct different things; `is_plain` has no tensors, `is_own` is a class of the
    emitted file; `role` is what a name for it says. The keys of `defaults` are in the constructor's order; `sizes` are
    the arguments that say how large it is.
    """

    target: str | Term
    arguments: tuple[tuple[str, Term], ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    is_plain: bool = False
    is_own: bool = False
    role: str = "layer"
    sizes: frozenset[str] = SIZES


@dataclass(frozen=True, slots=True)
class Group(Term):
    """`nn.Sequential` with these children."""

    children: tuple[tuple[str, Term], ...]


@dataclass(frozen=True, slots=True)
class Held(Term):
    """Layers of a composite whose work is done by the class that holds it: a sum with the input, or a join of paths."""

    group: Term
    join: Call | None = None


@dataclass(frozen=True, slots=True)
class Loop(Term):
    """`nn.Sequential` with the children "0", "1", …, as a repeat makes it."""

    iterations: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Comprehension(Term):
    """A loop whose iterations are alike: `count` times `body`; `rows` are the values of the `variables`.

    `index` is the name of the iteration's number where the body says it.
    """

    count: Term
    body: Term
    variables: tuple[str, ...] = ()
    rows: Term | None = None
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Maybe(Term):
    """A layer that only some uses have: those for which `present` is true."""

    present: Term
    term: Term


def mapped(term: Term, change: Callable[[Term], Term]) -> Term:
    """The term with `change` applied to it and, where it gives that back as it is, to what it is made of."""
    changed = change(term)
    if changed is not term:
        return changed
    if isinstance(term, Formula):
        return replace(term, parts=tuple(mapped(part, change) for part in term.parts))
    if isinstance(term, Tuple):
        return Tuple(tuple(mapped(entry, change) for entry in term.entries))
    if isinstance(term, Make):
        target = term.target if isinstance(term.target, str) else mapped(term.target, change)
        arguments = tuple((name, mapped(value, change)) for name, value in term.arguments)
        return replace(term, target=target, arguments=arguments)
    if isinstance(term, Group):
        return Group(tuple((name, mapped(child, change)) for name, child in term.children))
    if isinstance(term, Held):
        return replace(term, group=mapped(term.group, change))
    if isinstance(term, Comprehension):
        body = mapped(term.body, change)
        rows = None if term.rows is None else mapped(term.rows, change)
        return replace(term, body=body, rows=rows, count=mapped(term.count, change))
    if isinstance(term, Maybe):
        return Maybe(mapped(term.present, change), mapped(term.term, change))
    return term


def parts_of(term: Term) -> list[Term]:
    """The term and all that it is made of, outermost first."""
    found: list[Term] = []

    def note(part: Term) -> Term:
        found.append(part)
        return part

    mapped(term, note)
    return found
