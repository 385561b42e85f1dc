"""Expansion: a spec's tree as written -> the tree that says everything out, without `extends`, params and blocks.

Passes, in order: `extends` (merge parents), `overrides` (`--set`), `params` (evaluate), `substitution` (expressions),
`items` (blocks, `repeat`, `when`, splices). Every node keeps the span of the text that wrote it.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from specforge.diagnostics import Findings, define
from specforge.expand.blocks import Block, Signatures, define_blocks
from specforge.expand.extends import Load, resolve_extends
from specforge.expand.items import ItemExpander
from specforge.expand.overrides import apply_settings
from specforge.expand.substitution import (
    BROKEN,
    MAX_PARAMS,
    Budget,
    LayerValue,
    Scope,
    TooLarge,
    evaluated,
    name_problem,
    substitute,
    value_of,
)
from specforge.source import Entry, Mapping, Node, Scalar

NOT_A_SPEC = define(
    "SF211", "not-a-spec", "A spec is a mapping whose first key is `specforge: 1`, the version of the language."
)
BAD_PARAM = define(
    "SF212",
    "bad-param",
    "`params:` is a mapping of names to values. A name is an identifier; a later param may use earlier ones.",
)

DEFINITIONS = ("params", "blocks")
Choices = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Expanded:
    """A tree without anything left to resolve, and what it was written with: its `params` and `blocks`."""

    tree: Mapping
    definitions: dict[str, Entry]
    blocks: dict[str, Block]
    used_blocks: frozenset[str]


def expand(
    root: Node,
    *,
    file: Path,
    load: Load,
    settings: tuple[str, ...],
    choices: Choices,
    signature: Signatures,
    findings: Findings,
) -> Expanded | None:
    """Resolve everything that a spec says by reference.

    `load` reads a parent file; `choices` are the paths that hold one word of a family, such as `train.optimizer`;
    `signature` knows the catalogue's layers. Returns None, with findings, when nothing sensible is left.
    """
    if not isinstance(root, Mapping):
        found = "a list" if not isinstance(root, Scalar) else f"`{root.text}`"
        findings.add(NOT_A_SPEC, root.span, f"a spec is a mapping, found {found}", "start with `specforge: 1`")
        return None
    try:
        written = resolve_extends(root, file, load, choices, findings)
        written = apply_settings(written, settings, choices, findings)
        return _expanded(written, signature, findings)
    except TooLarge:
        return None


def _expanded(written: Mapping, signature: Signatures, findings: Findings) -> Expanded:
    scope = _params(written.get("params"), Budget(findings), findings)
    blocks = define_blocks(written.get("blocks"), signature, findings)
    expander = ItemExpander(blocks, signature, findings)
    entries = {
        key: Entry(entry.key, _section(key, entry.value, scope, expander, findings))
        for key, entry in written.entries.items()
        if key not in DEFINITIONS
    }
    definitions = {key: entry for key, entry in written.entries.items() if key in DEFINITIONS}
    return Expanded(Mapping(written.span, entries), definitions, blocks, frozenset(expander.used))


def _section(key: str, node: Node, scope: Scope, expander: ItemExpander, findings: Findings) -> Node:
    if key == "model" and isinstance(node, Scalar):
        value = evaluated(node, scope, findings)
        if isinstance(value, LayerValue):
            return _section(key, value.node, value.scope, expander, findings)
    if key != "model" or not isinstance(node, Mapping):
        return substitute(node, scope, findings)
    entries = {
        name: Entry(
            entry.key,
            expander.expand(entry.value, scope) if name == "layers" else substitute(entry.value, scope, findings),
        )
        for name, entry in node.entries.items()
    }
    return Mapping(node.span, entries)


def _params(node: Node | None, budget: Budget, findings: Findings) -> Scope:
    """The scope of all text outside blocks."""
    scope = Scope(budget, "the params above", "a param sees only those above it: move `NAME` up, or define it")
    if node is not None and not isinstance(node, Mapping) and not (isinstance(node, Scalar) and node.value is None):
        findings.add(BAD_PARAM, node.span, "`params` is a mapping of names to values", "write `params: {width: 32}`")
    if isinstance(node, Mapping) and len(node.entries) > MAX_PARAMS:
        budget.stop(node.span, f"more than {MAX_PARAMS:,} params", "use lists")
    for name, entry in node.entries.items() if isinstance(node, Mapping) else ():
        problem = name_problem(name)
        if problem is not None:
            findings.add(BAD_PARAM, entry.key, *problem)
        value = value_of(entry.value, scope, findings)
        scope = scope.with_values({name: BROKEN if problem else value})
    return replace(scope, place="`params`", advice="define it: `params: {NAME: …}`")
