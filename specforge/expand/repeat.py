"""`repeat`: `times:` or `for:` -> the loop variables of every iteration.

times: 2                                  ->    {index: 0}, {index: 1}
for: {channels: [32, 64]}                 ->    {index: 0, channels: 32}, {index: 1, channels: 64}
for: [[channels, stride], [32, 1]]        ->    {index: 0, channels: 32, stride: 1}
"""

from typing import Any

from specforge.diagnostics import Findings, Span, define, did_you_mean, nearest
from specforge.expand.substitution import BROKEN, LayerValue, Scope, evaluated, name_problem, substitute, value_of
from specforge.expand.words import Signature, Signatures
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

KEYS = ("times", "for", "index", "layers")
MAX_TIMES = 10_000

REPEAT = define(
    "SF207",
    "bad-repeat",
    """
`repeat` takes `layers` and either `times: n`, or `for:` with lists of equal length that are walked together
(`for: {channels: [32, 64], stride: [1, 2]}`) or rows whose first row is the header
(`for: [[channels, stride], [32, 1], [64, 2]]`). `$index` counts from 0; `index: i` renames it.""",
)

Row = dict[str, Any]


def as_written(signature: Signatures) -> Signatures:
    """Signatures that know `repeat` as users write it, beside `iterations`, the form that the catalogue has."""

    def known(word: str) -> Signature | None:
        found = signature(word)
        if word != "repeat" or found is None:
            return found
        return Signature(found.arguments | set(KEYS), frozenset({"layers"}), found.lists)

    return known


def iterations(node: Node, at: Span, scope: Scope, findings: Findings) -> list[Row] | None:
    """The loop variables of each iteration of a `repeat` with these arguments; None after a finding."""
    if not isinstance(node, Mapping):
        message = "`repeat` needs `layers` and `times` or `for`"
        findings.add(REPEAT, scope.located(node.span), message, "write `repeat: {times: 2, layers: […]}`")
        return None
    unknown = [name for name in node.entries if name not in KEYS]
    for name in unknown:
        span = scope.located(node.entries[name].key)
        findings.add(REPEAT, span, f"`repeat` has no `{name}`", did_you_mean(name, KEYS))
    layers = node.get("layers")
    if layers is None and not any(nearest(name, KEYS) == "layers" for name in unknown):
        findings.add(REPEAT, at, "`repeat` needs `layers`", "add `layers: […]`")
    rows = _rows(node, at, scope, findings, misspelt=bool(unknown))
    if rows is None or layers is None:
        return None
    name = _index_name(node.get("index"), scope, findings)
    return [{name: number, **row} for number, row in enumerate(rows)]


def _rows(node: Mapping, at: Span, scope: Scope, findings: Findings, *, misspelt: bool) -> list[Row] | None:
    times, loop = node.get("times"), node.get("for")
    if times is not None and loop is not None:
        span = scope.located(node.entries["for"].key)
        message = "`repeat` has `times` and `for`, which say the same thing twice"
        findings.add(REPEAT, span, message, "keep one of them: the lists of `for` say how often")
        return None
    if times is not None:
        return _times(times, scope, findings)
    if loop is not None:
        return _columns(loop, scope, findings)
    if not misspelt:
        hint = "add `times: 2` or `for: {channels: [32, 64]}`"
        findings.add(REPEAT, at, "`repeat` needs `times` or `for`", hint)
    return None


def _index_name(node: Node | None, scope: Scope, findings: Findings) -> str:
    if node is None:
        return "index"
    name = node.value if isinstance(node, Scalar) else None
    problem: tuple[str, str] | None = ("`index` takes the name of a variable", "write `index: i`")
    if isinstance(name, str):
        problem = name_problem(name)
    if problem is not None:
        findings.add(REPEAT, scope.located(node.span), *problem)
        return "index"
    return str(name)


def _times(node: Node, scope: Scope, findings: Findings) -> list[Row] | None:
    value = substitute(node, scope, findings)
    if isinstance(value, Scalar) and value.broken:
        return None
    count = value.value if isinstance(value, Scalar) else None
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_TIMES:
        hint = "write `times: 3`, or use `for:` to walk over values"
        findings.add(REPEAT, value.span, f"`times` must be a whole number from 0 to {MAX_TIMES:,}", hint)
        return None
    return [{}] * count


def _columns(node: Node, scope: Scope, findings: Findings) -> list[Row] | None:
    """`for:` in one of its two forms."""
    if isinstance(node, Scalar):
        value = evaluated(node, scope, findings)
        if value is BROKEN:
            return None
        if isinstance(value, LayerValue):
            return _columns(value.node, value.scope, findings)
        if isinstance(value, tuple):
            rows = [(row, scope.located(node.span)) for row in value]
            return _table(rows, scope.located(node.span), findings)
    if isinstance(node, Sequence):
        rows = [(value_of(row, scope, findings), scope.located(row.span)) for row in node.items]
        return None if any(row is BROKEN for row, _ in rows) else _table(rows, scope.located(node.span), findings)
    if not isinstance(node, Mapping) or not node.entries:
        message = "`for` names lists to walk over"
        findings.add(REPEAT, scope.located(node.span), message, "write `for: {channels: [32, 64]}`")
        return None
    return _walk(node, scope, findings)


def _table(rows: list[tuple[Any, Any]], span: Any, findings: Findings) -> list[Row] | None:
    """Rows of values below a header of names, each with its span."""
    header = rows[0][0] if rows else None
    if not isinstance(header, tuple) or not all(isinstance(name, str) for name in header):
        findings.add(REPEAT, span, "the first row of `for` names the variables", "`[[channels, stride], [32, 1]]`")
        return None
    problems = [problem for name in header if (problem := name_problem(name))]
    if len(set(header)) < len(header):
        problems.append(("the header of `for` names a variable twice", "give each column its own name"))
    for problem in problems[:1]:
        findings.add(REPEAT, rows[0][1], *problem)
        return None
    for row, row_span in rows[1:]:
        if not isinstance(row, tuple) or len(row) != len(header):
            message = f"this row must have {len(header)} values, as the header has"
            findings.add(REPEAT, row_span, message, f"its columns are {', '.join(header)}")
            return None
    return [dict(zip(header, row, strict=True)) for row, _ in rows[1:]]


def _walk(node: Mapping, scope: Scope, findings: Findings) -> list[Row] | None:
    """Lists of equal length, walked together."""
    columns = {name: _column(name, entry, scope, findings) for name, entry in node.entries.items()}
    lists = {name: column for name, column in columns.items() if column is not None}
    if len(lists) < len(columns):
        return None
    if len({len(column) for column in lists.values()}) > 1:
        found = ", ".join(f"`{name}` has {len(column)}" for name, column in lists.items())
        message = f"the lists of `for` differ in length: {found}"
        findings.add(REPEAT, scope.located(node.span), message, "they are walked together: give each as many values")
        return None
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _column(name: str, entry: Entry, scope: Scope, findings: Findings) -> tuple[Any, ...] | None:
    problem = name_problem(name)
    if problem is not None:
        findings.add(REPEAT, scope.located(entry.key), *problem)
        return None
    node = entry.value
    if isinstance(node, Scalar):
        value = evaluated(node, scope, findings)
        if value is BROKEN:
            return None
        if isinstance(value, tuple):
            return value
        if isinstance(value, LayerValue):
            node, scope = value.node, value.scope
    if isinstance(node, Sequence):
        return tuple([value_of(item, scope, findings) for item in node.items])
    findings.add(REPEAT, scope.located(node.span), f"`{name}` must be a list", f"write `for: {{{name}: [32, 64]}}`")
    return None
