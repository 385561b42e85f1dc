"""Replaces the expressions in a node tree by their values, in one scope.

A scope holds the params and loop variables that a text may name. Values that hold layers stay closures
(`LayerValue`): they are expanded where they are spliced in, with the names of the place that wrote them.
"""

import keyword
from collections.abc import Mapping as Names
from dataclasses import dataclass, field
from operator import is_
from typing import Any, NoReturn

from specforge.diagnostics import Findings, Rule, Span, Use, define, nearest
from specforge.expand.expressions import ExpressionError, evaluate_text, is_too_large
from specforge.source import LIMIT, MAX_DEPTH, Entry, Mapping, Node, Scalar, Sequence

EXPRESSION = define(
    "SF201",
    "bad-expression",
    """
An expression can't be evaluated. Expressions are `$name` and `$(…)`: names of params and loop variables, numbers,
texts, lists, `+ - * / // % **`, comparisons, `and or not`, `a if c else b`, indexing, and the functions
`min max sum round ceil floor len`. They never see shapes. `$$` is a dollar.
Inside `{…}` and `[…]`, quote an expression that holds `,`, `[` or `]`.""",
)
UNKNOWN_NAME = define(
    "SF202",
    "unknown-name",
    """
An expression names a param or loop variable that does not exist here. Text outside blocks sees `params:`; a block's
text sees only that block's own params, so pass values on as arguments. Loop variables are seen in their `repeat`.""",
)


MAX_VALUES = 500_000
MAX_PARAMS = 1_000


class TooLarge(Exception):
    """Ends expansion after a finding: what is written here would never be a network."""


@dataclass(slots=True)
class Budget:
    """How much one spec may expand to; shared by all of its scopes."""

    findings: Findings
    values: int = 0
    depth: int = 0

    def spend(self, span: Span) -> None:
        self.values += 1
        if self.values > MAX_VALUES:
            hint = "check how they multiply"
            self.stop(span, f"blocks, repeats and params expand to more than {MAX_VALUES:,} values", hint)

    def enter(self, span: Span) -> None:
        """One level deeper, until `leave`: in the tree that comes out, since values nest through params."""
        self.depth += 1
        if self.depth > 2 * MAX_DEPTH:
            self.stop(span, f"params nest values more than {2 * MAX_DEPTH} levels deep", "write them flat")

    def leave(self) -> None:
        self.depth -= 1

    def stop(self, span: Span, message: str, hint: str) -> NoReturn:
        self.findings.add(LIMIT, span, message, hint)
        raise TooLarge


class Broken:
    """The value of a text whose mistake has been reported."""


BROKEN = Broken()


@dataclass(frozen=True, slots=True)
class LayerValue:
    """A layer or a list of layers held by a param, with the scope that its expressions belong to."""

    node: Node
    scope: "Scope"


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that a text may use.

    `place` is said in errors, `advice` is the hint for a name that resembles none. `use` is the block use that the
    text came by, `inside` are the blocks whose text it is. `broken` names have a value that was reported.
    """

    budget: Budget
    place: str
    advice: str
    values: Names[str, Any] = field(default_factory=dict)
    use: Use | None = None
    inside: tuple[str, ...] = ()
    broken: frozenset[str] = frozenset()

    def located(self, span: Span) -> Span:
        if self.use is None:
            return span
        return Span(span.file, span.line, span.column, span.end_line, span.end_column, self.use)

    def with_values(self, values: Names[str, Any]) -> "Scope":
        """The scope with more names, which hide those of the same name."""
        good = {name: value for name, value in values.items() if value is not BROKEN}
        kept = {name: value for name, value in self.values.items() if name not in values}
        broken = (self.broken - good.keys()) | (values.keys() - good.keys())
        return Scope(self.budget, self.place, self.advice, {**kept, **good}, self.use, self.inside, broken)


def name_problem(name: str) -> tuple[str, str] | None:
    """Why a word can't name a value in expressions, and what to write instead; None for a good name."""
    if keyword.iskeyword(name):
        return f"`{name}` is a reserved word, not a name", f"write `{name}_`, or another word"
    if not name.isidentifier():
        return f"`{name}` is not a name", "a name has letters, digits and `_`, and starts with no digit"
    return None


def substitute(node: Node, scope: Scope, findings: Findings) -> Node:
    """The tree with every expression replaced; a broken one is reported and leaves a broken scalar.

    What has none and stands in no block, most of a large spec, is the node itself.
    """
    if isinstance(node, Scalar):
        if "$" in node.text:
            return as_node(evaluated(node, scope, findings), scope.located(node.span), scope, findings)
        scope.budget.spend(node.span)
        if scope.use is None:
            return node
        return Scalar(scope.located(node.span), node.value, node.text, node.plain, node.broken)
    scope.budget.spend(node.span)
    scope.budget.enter(node.span)
    before = node.items if isinstance(node, Sequence) else [entry.value for entry in node.entries.values()]
    after = [substitute(value, scope, findings) for value in before]
    scope.budget.leave()
    if scope.use is None and all(map(is_, before, after)):
        return node
    if isinstance(node, Sequence):
        return Sequence(scope.located(node.span), tuple(after))
    keys = [(key, scope.located(entry.key)) for key, entry in node.entries.items()]
    entries = {key: Entry(span, value) for (key, span), value in zip(keys, after, strict=True)}
    return Mapping(scope.located(node.span), entries)


def value_of(node: Node, scope: Scope, findings: Findings) -> Any:
    """What a param holds: a plain value, a `LayerValue` for a mapping or a list with one, or `BROKEN`."""
    if isinstance(node, Scalar):
        return evaluated(node, scope, findings)
    if isinstance(node, Mapping) or not _is_data(node):
        return LayerValue(node, scope)
    values = tuple([value_of(item, scope, findings) for item in node.items])
    if BROKEN in values:
        return BROKEN
    problem = is_too_large(values)
    if problem is not None:
        findings.add(EXPRESSION, scope.located(node.span), f"the list {problem}", "write a shorter one")
        return BROKEN
    return values


def _is_data(node: Sequence) -> bool:
    """A list of plain values, or of lists of them, is data, not layers with arguments."""
    return all(isinstance(item, Scalar) or (isinstance(item, Sequence) and _is_data(item)) for item in node.items)


def evaluated(node: Scalar, scope: Scope, findings: Findings) -> Any:
    """The value of a scalar's text in its scope, `BROKEN` after a finding."""
    if node.broken:
        return BROKEN
    if "$" not in node.text:
        return node.value
    try:
        return evaluate_text(node.text, scope.values)
    except ExpressionError as error:
        if error.name in scope.broken or node.text[1:] in scope.broken:
            return BROKEN
        rule: Rule = EXPRESSION
        message, hint = error.message, error.hint
        if error.name is not None:
            rule, message = UNKNOWN_NAME, f"unknown name `{error.name}` in {scope.place}"
            close = nearest(error.name, scope.values)
            hint = f"did you mean `{close}`?" if close else scope.advice.replace("NAME", error.name)
        findings.add(rule, scope.located(node.span), message, hint)
        return BROKEN


def as_node(value: Any, span: Span, scope: Scope, findings: Findings) -> Node:
    """A value as a node that stands at `span`. Its text is empty: it is never evaluated again."""
    scope.budget.spend(span)
    if isinstance(value, tuple | LayerValue):
        scope.budget.enter(span)
        if isinstance(value, tuple):
            node: Node = Sequence(span, tuple([as_node(item, span, scope, findings) for item in value]))
        else:
            node = substitute(value.node, value.scope, findings)
        scope.budget.leave()
        return node
    if value is BROKEN:
        return Scalar(span, None, "", plain=False, broken=True)
    return Scalar(span, value, "", plain=False)
