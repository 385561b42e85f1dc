"""`$name`, `$(…)` and text that holds them -> values, from params and loop variables alone.

    "$channels"             -> 32           a whole-string expression keeps its type
    "$(channels * 2)"       -> 64
    "stage_$index"          -> "stage_0"    inside text, values are written out
    "$$5"                   -> "$5"

A small walker over Python's expression grammar with its own list of what is allowed, and limits on the size of
numbers, texts and work; `eval` is never used.
"""

import ast
import keyword
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from specforge.source import MAX_NUMBER, MIN_NUMBER

MAX_LENGTH = 1_000
MAX_ITEMS = 10_000  # characters of a text
MAX_LIST = 1_000
MAX_STEPS = 10_000
MAX_LEVELS = 64


class ExpressionError(Exception):
    """What is wrong with an expression, and what to write instead (`hint`); `name` is an unknown name."""

    def __init__(self, message: str, *, hint: str | None = None, name: str | None = None):
        super().__init__(message)
        self.message, self.hint, self.name = message, hint, name


_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, group: item in group,
    ast.NotIn: lambda item, group: item not in group,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "sum": sum,
    "round": round,
    "ceil": math.ceil,
    "floor": math.floor,
    "len": len,
}
_ALLOWED = (
    "use names, numbers, texts, lists, + - * / // % **, comparisons, and/or/not, `a if c else b`, `x[i]`, "
    + " ".join(_FUNCTIONS)
)


def evaluate_text(text: str, names: Mapping[str, Any]) -> Any:
    """The value of a text that may hold expressions; raises `ExpressionError`."""
    if len(text) > MAX_ITEMS:
        raise ExpressionError(f"a text of {len(text):,} characters with `$`", hint="write `$$` for a dollar")
    pieces = _pieces(text)
    if len(pieces) == 1 and pieces[0][0]:
        return evaluate(pieces[0][1], names)
    written = "".join(_written(evaluate(piece, names), piece) if code else piece for code, piece in pieces)
    if len(written) > MAX_ITEMS:
        raise ExpressionError(f"the text is longer than {MAX_ITEMS:,} characters", hint="write a shorter one")
    return written


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """The value of one expression, without its `$`."""
    source = _one_line(expression)
    return _Evaluator(names, source).value(_parse(source).body)


def expressions_in(text: str) -> Iterator[ast.Expression]:
    """The expressions in a text, parsed; raises `ExpressionError` for one that is none."""
    for is_expression, piece in _pieces(text):
        if is_expression:
            yield _parse(_one_line(piece))


def _one_line(expression: str) -> str:
    return expression.replace("\n", " ").strip()


def is_too_large(value: Any) -> str | None:
    """Why a list is more than any expression needs; counts at most to the limit, however deep lists share parts."""
    stack, items = [(value, 0)], 1
    while stack:
        part, level = stack.pop()
        if level > MAX_LEVELS:
            return f"is nested more than {MAX_LEVELS} levels deep"
        if isinstance(part, tuple):
            items += len(part)
            if items > MAX_LIST:
                return f"has more than {MAX_LIST:,} values"
            stack.extend((below, level + 1) for below in part)
    return None


def in_words(value: Any, *, level: int = 0) -> str:
    """A value as users write it, for messages: what is long or deep is cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, tuple):
        if level > 1:
            return "[…]"
        shown = ", ".join(in_words(item, level=level + 1) for item in value[:8])
        return f"[{shown}, …]" if len(value) > 8 else f"[{shown}]"
    if isinstance(value, str):
        return value if len(value) <= 40 else value[:39] + "…"
    return str(value) if isinstance(value, int | float) else "layers"


def _written(value: Any, expression: str) -> str:
    """A value inside a text."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_written(item, expression) for item in value) + "]"
    if value is not None and not isinstance(value, bool | int | float | str):
        message = f"`{expression}` holds layers, which can't stand inside a text"
        raise ExpressionError(message, hint="splice it into a list of layers: `- $x`")
    return value if isinstance(value, str) else in_words(value)


def _pieces(text: str) -> list[tuple[bool, str]]:
    """Split into (is an expression, piece): `stage_$(i + 1)` -> [(False, "stage_"), (True, "i + 1")]."""
    pieces: list[tuple[bool, str]] = []
    literal, position = "", 0
    while position < len(text):
        if text[position] != "$":
            literal, position = literal + text[position], position + 1
        elif text.startswith("$$", position):
            literal, position = literal + "$", position + 2
        else:
            if literal:
                pieces.append((False, literal))
                literal = ""
            piece, position = _expression_at(text, position)
            pieces.append((True, piece))
    if literal or not pieces:
        pieces.append((False, literal))
    return pieces


def _expression_at(text: str, start: int) -> tuple[str, int]:
    name = _NAME.match(text, start)
    if name:
        return name.group(1), name.end()
    if text.startswith("${", start):
        raise ExpressionError("`${` starts no expression", hint="write `$name`, or `$(…)` for more than a name")
    if not text.startswith("$(", start):
        raise ExpressionError("`$` starts a name or `$(…)`", hint="write `$$` for a dollar")
    depth, quote = 0, ""
    for position in range(start + 1, len(text)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            if depth == 0:
                return text[start + 2 : position], position + 1
    raise ExpressionError(
        f"`$(` is not closed in `{text}`",
        hint='add a `)`; inside `{…}` and `[…]` a comma or bracket ends the text, so quote it there: "$(…)"',
    )


@lru_cache(maxsize=1_000)
def _parse(expression: str) -> ast.Expression:
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(expression):,} characters", hint=f"at most {MAX_LENGTH:,}")
    if keyword.iskeyword(expression) and expression not in ("True", "False", "None"):
        raise ExpressionError(f"`{expression}` is a reserved word, not a name", hint="rename the param")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on odd escapes and numbers
            return ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"`{expression}` is not an expression", hint=_ALLOWED) from None


class _Evaluator:
    """Walks an expression; every node costs a step, every result is checked for size."""

    def __init__(self, names: Mapping[str, Any], source: str):
        self.names, self.source = names, source
        self.steps = self.depth = 0

    def value(self, node: ast.expr) -> Any:
        self.steps += 1
        self.depth += 1
        if self.steps > MAX_STEPS or self.depth > MAX_LEVELS:
            raise ExpressionError("the expression is too deep or takes too long", hint="make it simpler")
        method = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.refused(node)
        try:
            result = self.bounded(method(node), node)
        except (TypeError, ArithmeticError, IndexError, ValueError) as error:
            raise ExpressionError(self.failure(node, error), hint=self.known(node)) from None
        self.depth -= 1
        return result

    def text(self, node: ast.expr) -> str:
        """The part of the expression that a node was written as."""
        return ast.get_source_segment(self.source, node) or self.source

    def refused(self, node: ast.expr) -> ExpressionError:
        return ExpressionError(f"`{self.text(node)}` is not part of the language of expressions", hint=_ALLOWED)

    def failure(self, node: ast.expr, error: Exception) -> str:
        """Why an operation failed, in words that do not change with Python's version."""
        text = self.text(node)
        if isinstance(error, ZeroDivisionError):
            return f"`{text}` divides by zero"
        if isinstance(error, IndexError):
            return f"`{text}` lies outside of the list"
        if isinstance(error, OverflowError):
            return f"`{text}` is too large"
        return f"`{text}` can't be computed from these values"

    def known(self, node: ast.expr) -> str | None:
        used = sorted({n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & set(self.names))
        return "here " + ", ".join(f"`{name}` is {in_words(self.names[name])}" for name in used) if used else None

    def bounded(self, value: Any, node: ast.expr) -> Any:
        if isinstance(value, complex):
            raise ExpressionError(f"`{self.text(node)}` is a complex number", hint="only real numbers")
        if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
            what = "not a number" if value != value else "larger than 10^18"
            raise ExpressionError(f"`{self.text(node)}` is {what}", hint=self.known(node) or "write a smaller one")
        if isinstance(value, float) and 0 < abs(value) < MIN_NUMBER:
            hint = self.known(node) or "write 0"
            raise ExpressionError(f"`{self.text(node)}` is smaller than 10^-37 and not 0", hint=hint)
        if isinstance(value, str) and len(value) > MAX_ITEMS:
            raise ExpressionError(f"`{self.text(node)}` has {len(value):,} characters", hint=f"at most {MAX_ITEMS:,}")
        problem = is_too_large(value) if isinstance(value, tuple) else None
        if problem is not None:
            raise ExpressionError(f"`{self.text(node)}` {problem}", hint="write a shorter list")
        return value

    def on_constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, bool | int | float | str):
            return node.value
        raise self.refused(node)

    def on_name(self, node: ast.Name) -> Any:
        if node.id in self.names:
            return self.names[node.id]
        if node.id in ("true", "false"):
            return node.id == "true"
        if node.id == "null":
            return None
        raise ExpressionError(f"unknown name `{node.id}`", name=node.id)

    def on_list(self, node: ast.List) -> tuple[Any, ...]:
        return tuple([self.value(item) for item in node.elts])

    def on_unaryop(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Invert):
            raise self.refused(node)
        operand = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not operand
        return -operand if isinstance(node.op, ast.USub) else +operand

    def on_binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if type(node.op) not in _BINARY:
            raise self.refused(node)
        if isinstance(node.op, ast.Pow) and abs(right) > 64:
            raise ExpressionError(f"`{self.text(node)}` has an exponent over 64", hint="write the number itself")
        if isinstance(node.op, ast.Mult):
            for group, times in ((left, right), (right, left)):
                most = MAX_LIST if isinstance(group, tuple) else MAX_ITEMS
                if isinstance(group, str | tuple) and isinstance(times, int) and len(group) * times > most:
                    raise ExpressionError(f"`{self.text(node)}` is too long", hint=f"at most {most:,} values")
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            raise ExpressionError(f"`{self.text(node)}`: texts can't be formatted", hint="write `text_$name`")
        return _BINARY[type(node.op)](left, right)

    def on_boolop(self, node: ast.BoolOp) -> Any:
        result: Any = None
        for operand in node.values:
            result = self.value(operand)
            if bool(result) is isinstance(node.op, ast.Or):
                return result
        return result

    def on_compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for op, operand in zip(node.ops, node.comparators, strict=True):
            right = self.value(operand)
            if type(op) not in _COMPARE:
                raise ExpressionError(f"`{self.text(node)}` is not a comparison here", hint="compare with `==`")
            if not _COMPARE[type(op)](left, right):
                return False
            left = right
        return True

    def on_ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def on_subscript(self, node: ast.Subscript) -> Any:
        group = self.value(node.value)
        if not isinstance(group, str | tuple):
            raise ExpressionError(f"`{self.text(node.value)}` is not a list", hint=self.known(node.value))
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            return group[slice(*(None if bound is None else self.value(bound) for bound in bounds))]
        return group[self.value(node.slice)]

    def on_call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.refused(node)
        if node.func.id not in _FUNCTIONS:
            raise ExpressionError(f"`{node.func.id}` is not a function here", hint=f"functions: {' '.join(_FUNCTIONS)}")
        return _FUNCTIONS[node.func.id](*[self.value(argument) for argument in node.args])
