"""Expansion: a spec's tree as written -> the tree that says everything out, without `extends`, params and blocks.

Passes, in order: `extends` (merge parents, each with its `include` and `edit`), `overrides` (`--set`), `params`
(evaluate), `substitution` (expressions), `items` (blocks, `repeat`, `when`, splices), `stages`. Every node keeps
the span of the text that wrote it.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from specforge.diagnostics import Findings, define
from specforge.expand.blocks import Block, define_blocks
from specforge.expand.edit import Addressed
from specforge.expand.extends import resolve_extends
from specforge.expand.files import Load
from specforge.expand.items import ItemExpander
from specforge.expand.overrides import apply_settings
from specforge.expand.pretrained import PRETRAINED, ExpandZoo, with_defaults
from specforge.expand.repeat import as_written
from specforge.expand.stages import lay_over
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
from specforge.expand.variation import is_evaluated_later
from specforge.expand.words import Choices, Signatures
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

NOT_A_SPEC = define(
    "SF211",
    "not-a-spec",
    "A spec is a mapping that says `specforge: 1`, the version of the language, first of all keys by custom.",
)
BAD_PARAM = define(
    "SF212",
    "bad-param",
    "`params:` is a mapping of names to values. A name is an identifier; a later param may use earlier ones.",
)

DEFINITIONS = ("params", "blocks")


@dataclass(frozen=True, slots=True)
class Expanded:
    """A tree without anything left to resolve, its `params` and `blocks`, and what was `written` before settings.

    `root` is what was written with the settings, files merged and nothing evaluated. `addressed` are the places of the
    layers that each `at` of an edit led to, by its own place.
    """

    tree: Mapping
    written: Mapping
    root: Mapping
    definitions: dict[str, Entry]
    blocks: dict[str, Block]
    used_blocks: frozenset[str]
    addressed: Addressed = field(default_factory=dict)


def expand(
    root: Node,
    *,
    file: Path,
    load: Load,
    settings: tuple[str, ...],
    choices: Choices,
    signature: Signatures,
    recipe: frozenset[str],
    findings: Findings,
) -> Expanded | None:
    """Resolve everything that a spec says by reference.

    `load` reads another file; `recipe` are the keys of `train` that its stages take over; `choices` are the paths that
    hold one word of a family, such as `train.optimizer`, with what knows a word's main argument; `signature` knows the
    catalogue's layers. Returns None, with findings, when nothing sensible is left.
    """
    if not isinstance(root, Mapping):
        found = "a list" if not isinstance(root, Scalar) else f"`{root.text}`"
        findings.add(NOT_A_SPEC, root.span, f"a spec is a mapping, found {found}", "start with `specforge: 1`")
        return None
    addressed: Addressed = {}
    try:
        written = resolve_extends(root, file, load, choices, as_written(signature), findings, addressed)
    except TooLarge:
        return None
    if written is None:
        return None
    tree = apply_settings(written, settings, choices, findings)
    expanded = expand_merged(tree, load=load, choices=choices, signature=signature, recipe=recipe, findings=findings)
    return None if expanded is None else replace(expanded, written=written, addressed=addressed)


def expand_merged(
    tree: Mapping,
    *,
    load: Load,
    choices: Choices,
    signature: Signatures,
    recipe: frozenset[str],
    findings: Findings,
) -> Expanded | None:
    """The rest of `expand`, of a tree whose files are merged and whose settings are made."""
    signature = as_written(signature)
    try:
        expanded = _expanded(tree, signature, _Zoo(load, choices, signature, findings).network, findings)
    except TooLarge:
        return None
    train = expanded.tree.entries.get("train")
    if train is None:
        return expanded
    complete = Entry(train.key, lay_over(train.value, recipe, choices))
    return replace(expanded, tree=expanded.tree.with_entry("train", complete))


@dataclass(frozen=True, slots=True)
class _Zoo:
    """Networks that `pretrained` names. No closure, which would hold itself and with it, until the garbage collector
    runs, all that was made of a spec."""

    load: Load
    choices: Choices
    signature: Signatures
    findings: Findings

    def network(self, path: Path, reference: Scalar) -> tuple[Node | None, Node | None]:
        """The expanded layers of a file of the zoo, and its `weights`."""
        network = self.load(path, reference, PRETRAINED)
        if not isinstance(network, Mapping):  # other mistakes were found before
            return None, None
        found = resolve_extends(network, path, self.load, self.choices, self.signature, self.findings)
        if found is None:
            return None, None
        model = _expanded(found, self.signature, self.network, self.findings).tree.get("model")
        if not isinstance(model, Mapping) or "layers" not in model.entries:
            return None, None
        layers = with_defaults(model.entries["layers"].value, model.get("defaults"), self.signature)
        return layers, found.get("weights")


def _expanded(tree: Mapping, signature: Signatures, expand_zoo: ExpandZoo, findings: Findings) -> Expanded:
    scope = _params(tree.get("params"), Budget(findings), findings)
    blocks = define_blocks(tree.get("blocks"), signature, findings)
    expander = ItemExpander(blocks, signature, expand_zoo, findings)
    entries = {
        key: Entry(entry.key, _section(key, entry.value, scope, expander, findings))
        for key, entry in tree.entries.items()
        if key not in DEFINITIONS
    }
    for name in blocks.keys() - expander.used:
        expander.reader.check(blocks[name].layers or Sequence(tree.span, ()), scope)
    definitions = {key: entry for key, entry in tree.entries.items() if key in DEFINITIONS}
    return Expanded(Mapping(tree.span, entries), tree, tree, definitions, blocks, frozenset(expander.used))


def _section(key: str, node: Node, scope: Scope, expander: ItemExpander, findings: Findings) -> Node:
    if key == "model" and isinstance(node, Scalar):
        value = evaluated(node, scope, findings)
        if isinstance(value, LayerValue):
            return _section(key, value.node, value.scope, expander, findings)
    if key == "search" and isinstance(node, Mapping):
        return _search(node, scope, findings)
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


def _search(node: Mapping, scope: Scope, findings: Findings) -> Mapping:
    """The `search` section; values for places that know other names are left as they are written."""
    space = node.get("space")
    if not isinstance(space, Mapping):
        evaluated_now = substitute(node, scope, findings)
        assert isinstance(evaluated_now, Mapping)
        return evaluated_now
    entries = {
        path: entry if is_evaluated_later(path) else Entry(entry.key, substitute(entry.value, scope, findings))
        for path, entry in space.entries.items()
    }
    rest = substitute(node.without("space"), scope, findings)
    assert isinstance(rest, Mapping)
    return rest.with_entry("space", Entry(node.entries["space"].key, Mapping(space.span, entries)))


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
