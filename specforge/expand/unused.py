"""Params and blocks that nothing in a spec uses -> warnings.

    params: {width: 32, dropout: 0.5}
    model: {input: [3], layers: [linear: $width]}        `dropout` is used by nothing

Only what the spec's own file says is looked at, before settings: a base, a library or a parent serves others too, and
what `--set` replaces is used without it. A name counts as used wherever it is written, even where `when` leaves it out.
"""

import ast
from collections.abc import Iterator

from specforge.diagnostics import Findings, define
from specforge.expand.expressions import ExpressionError, expressions_in
from specforge.source import Mapping, Node, Scalar, Sequence

UNUSED_PARAM = define(
    "SF215",
    "unused-param",
    "A param that no expression names: to change it changes nothing. Params of a spec are used as `$name` outside of "
    "blocks, those of a block inside it.",
    severity="warning",
)
UNUSED_BLOCK = define(
    "SF216", "unused-block", "A block that no layer of the spec and no other block uses.", severity="warning"
)


def report_unused(spec: Mapping, file: str, used_blocks: frozenset[str], findings: Findings) -> None:
    """Report what `file` defines in vain; a spec without layers is a base or a library, which others use."""
    model = spec.get("model")
    if model is None or (isinstance(model, Mapping) and "layers" not in model.entries):
        return
    params, blocks = spec.get("params"), spec.get("blocks")
    if params is None and blocks is None:
        return
    names: set[str] = set()
    words: set[str] = set(used_blocks)
    for key, entry in spec.entries.items():
        if key != "blocks":
            _collect(entry.value, names, words if key in ("model", "params") else set())
    for name, entry in blocks.entries.items() if isinstance(blocks, Mapping) else ():
        inside: set[str] = set()
        _collect(entry.value, set(), inside)
        words |= inside - {name}
    for name, entry in params.entries.items() if isinstance(params, Mapping) else ():
        if name not in names and entry.key.file == file:
            hint = "remove it, or pass it to the block that needs it" if blocks is not None else "remove it"
            findings.add(UNUSED_PARAM, entry.key, f"param `{name}` is used nowhere", hint)
    for name, entry in blocks.entries.items() if isinstance(blocks, Mapping) else ():
        if name not in words and entry.key.file == file:
            findings.add(UNUSED_BLOCK, entry.key, f"block `{name}` is used nowhere", "remove it")
        elif entry.key.file == file:
            _report_params_of(name, entry.value, findings)


def _report_params_of(block: str, body: Node, findings: Findings) -> None:
    """The params that a block takes and does nothing with."""
    params = body.get("params") if isinstance(body, Mapping) else None
    names: set[str] = set()
    _collect(body, names, set())
    for name, entry in params.entries.items() if isinstance(params, Mapping) else ():
        if name not in names:
            message = f"param `{name}` of block `{block}` is used nowhere in it"
            findings.add(UNUSED_PARAM, entry.key, message, f"remove it here and at every use of `{block}`")


def _collect(node: Node, names: set[str], words: set[str]) -> None:
    """Add the names in all expressions of a tree, and every text that may be a block's name."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, Scalar):
            _collect_text(part.text, names, words)
        elif isinstance(part, Sequence):
            stack.extend(part.items)
        else:
            for key, entry in part.entries.items():
                _collect_text(key, names, words)
                stack.append(entry.value)


def _collect_text(text: str, names: set[str], words: set[str]) -> None:
    if "$" not in text:
        words.add(text)
        return
    for node in _nodes(text):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)


def _nodes(text: str) -> Iterator[ast.AST]:
    """Every part of the expressions in a text; what is none has been reported where it is evaluated."""
    try:
        for expression in expressions_in(text):
            yield from ast.walk(expression)
    except ExpressionError:
        return
