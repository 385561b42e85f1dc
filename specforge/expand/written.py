"""One item as written -> the layer that it is, its arguments, and the item keys beside it.

{id: stem, conv: {out_channels: 8}}          conv, {out_channels: 8}, {id: stem}
{$unit: {channels: 64}}                      bottleneck, {groups: 32} and {channels: 64}
                                             where the param `unit` holds {bottleneck: {groups: 32}}
"""

from collections.abc import Mapping as Names
from typing import Any, NamedTuple

from specforge.diagnostics import Findings, Span, define, nearest
from specforge.expand.blocks import Block
from specforge.expand.expressions import in_words
from specforge.expand.substitution import BROKEN, LayerValue, Scope, evaluated, substitute
from specforge.expand.words import ITEM_KEYS, Signatures, is_null
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

_NO_KEYS: Names[str, Entry] = {}
MAX_NESTING = 24  # four levels of YAML each in the resolved spec, which must be readable again

ITEM = define(
    "SF205",
    "bad-item",
    """
An item of `layers:` is one layer, written `relu`, `dropout: 0.5` or `conv: {out_channels: 32, kernel_size: 3}`, with
any of the item keys `id`, `from`, `when`, `shared`, `init`, `trainable` beside it: `{id: stem, conv: {…}}`. A param may
hold the layer: `$x`, or `$x: {…}` with more arguments for it.""",
)


class WrittenItem(NamedTuple):
    """An item: its layer's word, where that stands, its arguments, and the keys beside it.

    `arguments` are one for an item that names its layer; before them come those of a layer that a param holds. Each
    has the scope that its expressions belong to, `scope` is the one that the layer is used in.
    """

    kind: str
    at: Span
    arguments: tuple[LayerValue, ...]
    scope: Scope
    keys: Names[str, Entry] = _NO_KEYS


class ItemReader:
    """Reads items of one spec, whose `blocks` and layers (`signature`) tell which key of several is meant."""

    def __init__(self, blocks: dict[str, Block], signature: Signatures, findings: Findings):
        self.blocks, self.signature, self.findings = blocks, signature, findings

    def read(self, node: Node, scope: Scope, level: int = 0) -> WrittenItem | None:
        """None, with a finding, for what is no item."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value not in ITEM_KEYS:
            span = scope.located(node.span)
            return WrittenItem(node.value, span, (LayerValue(Scalar(span, None, ""), scope),), scope)
        kind = self._layer_key(node, scope)
        if kind is None or not isinstance(node, Mapping):
            return None
        entry = node.entries[kind]
        keys: Names[str, Entry] = _NO_KEYS
        if len(node.entries) > 1:
            keys = {key: other for key, other in node.entries.items() if key != kind}
        given = LayerValue(entry.value, scope)
        if "$" not in kind:
            return WrittenItem(kind, scope.located(entry.key), (given,), scope, keys)
        return self._held(kind, entry.key, given, keys, level)

    def check(self, layers: Node, scope: Scope) -> None:
        """Whether a list that is expanded nowhere holds items, at any depth."""
        for node in layers.items if isinstance(layers, Sequence) else ():
            is_held = isinstance(node, Mapping) and any("$" in key for key in node.entries)
            item = None if is_held or _is_expression(node) else self.read(node, scope)
            known = None if item is None else self.signature(item.kind)
            arguments = None if item is None or known is None else known.named(item.arguments[0].node)
            if known is not None and arguments is not None:
                for _, _, inner in known.inside(arguments):
                    self.check(inner, scope)

    def _held(self, text: str, key: Span, given: LayerValue, keys: Names[str, Entry], level: int) -> WrittenItem | None:
        """An item whose key is an expression: a layer that a param holds, with more arguments."""
        scope, at = given.scope, given.scope.located(key)
        if level > MAX_NESTING:
            scope.budget.stop(at, f"params hold each other more than {MAX_NESTING} levels deep", "write them flat")
        value = evaluated(Scalar(key, text, text), scope, self.findings)
        more = () if is_null(given.node) else (given,)
        # as for a splice: what a param holds was written elsewhere, so it is in no block yet
        free = Scope(scope.budget, scope.place, scope.advice, scope.values, scope.use, (), scope.broken)
        if isinstance(value, str) and value not in ITEM_KEYS:
            return WrittenItem(value, at, (given,), free, keys)
        if isinstance(value, LayerValue) and isinstance(value.node, Mapping):
            held = self.read(value.node, value.scope, level + 1)
            if held is None:
                return None
            beside = {
                name: Entry(entry.key, substitute(entry.value, value.scope, self.findings))
                for name, entry in held.keys.items()
            }
            return WrittenItem(held.kind, at, (*held.arguments, *more), free, {**beside, **keys})
        if value is not BROKEN:
            self.findings.add(ITEM, at, *_not_one_layer(text, value))
        return None

    def _layer_key(self, node: Node, scope: Scope) -> str | None:
        """The key of an item's mapping that is its layer."""
        span = scope.located(node.span)
        if not isinstance(node, Mapping):
            if not (isinstance(node, Scalar) and node.broken):
                self.findings.add(ITEM, span, *_no_layer(node))
            return None
        kinds = [key for key in node.entries if key not in ITEM_KEYS]
        if not kinds:
            hint = "add one beside its keys, as in `{id: stem, relu: }`"
            self.findings.add(ITEM, span, "this item has no layer", hint)
            return None
        if len(kinds) > 1:
            self._report_several(node, kinds, scope)
            return None
        return kinds[0]

    def _report_several(self, node: Mapping, kinds: list[str], scope: Scope) -> None:
        """An item with several keys that could be its layer: say which one is meant and what the others are."""
        known = [kind for kind in kinds if kind in self.blocks or self.signature(kind) is not None]
        if len(known) != 1:
            message = f"this item has {len(kinds)} layers: " + ", ".join(f"`{kind}`" for kind in kinds)
            hint = "start each layer with `- `; arguments go inside the layer's own `{…}`"
            self.findings.add(ITEM, scope.located(node.entries[(known or kinds)[1]].key), message, hint)
            return
        layer, other = known[0], next(kind for kind in kinds if kind != known[0])
        span = scope.located(node.entries[other].key)
        found = self.signature(layer)
        arguments = found.arguments if found is not None else frozenset(self.blocks[layer].params)
        if other in arguments:
            message, inside = f"`{other}` stands beside `{layer}`, not inside it", f"`{layer}: {{{other}: …}}`"
            self.findings.add(ITEM, span, message, f"indent it deeper than `{layer}`, or write {inside}")
            return
        value = node.entries[layer].value
        if isinstance(value, Scalar) and value.text.startswith("(") and other.endswith(")"):
            written = ", ".join([value.text, *kinds[kinds.index(layer) + 1 :]]).strip("()")
            message = f"`({written})` is cut at its comma: a list stands in square brackets"
            self.findings.add(ITEM, scope.located(value.span), message, f"write `{layer}: [{written}]`")
            return
        close = "id" if other == "name" else nearest(other, (*ITEM_KEYS, *arguments))
        advice = f"did you mean `{close}`?" if close else f"its keys are {', '.join(ITEM_KEYS)}"
        self.findings.add(ITEM, span, f"an item has no `{other}`", advice)


def _is_expression(node: Node) -> bool:
    return isinstance(node, Scalar) and "$" in node.text


def _no_layer(node: Sequence | Scalar) -> tuple[str, str]:
    """What an item that is neither a word nor a mapping is, and what to write instead."""
    if isinstance(node, Sequence):
        return "an item is one layer, found a list", "remove one pair of brackets or dashes"
    if node.value is None:
        return "an item is one layer, found nothing", "write a layer after the `-`, or remove it"
    found = node.text or in_words(node.value)
    if node.value in ITEM_KEYS:
        return f"`{found}` is no layer but a key beside one", f"write it as in `{{{found}: …, relu: }}`"
    return f"an item is one layer, found `{found}`", f"write the layer's name before it, as in `linear: {found}`"


def _not_one_layer(text: str, value: Any) -> tuple[str, str]:
    """What a param that can't be given arguments holds."""
    if isinstance(value, LayerValue | tuple):
        return f"`{text}` is a list, and arguments belong to one layer", f"write `- {text}` to put the list here"
    hint = "a param with arguments holds a layer: its name, or `{name: {…}}`"
    return f"`{text}` is {in_words(value)}, not a layer", hint
