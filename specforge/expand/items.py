"""`layers:` as written -> items with every block, `repeat`, `when` and splice resolved, and every path segment named.

    - conv_unit: {channels: 32}       - {id: conv_unit_1, sequential: {layers: [
                                ->        {id: conv_1, conv: {out_channels: 32, kernel_size: 3}}, {id: relu_1, …}]}}
    - repeat: {times: 2, layers: [    - {id: repeat_1, repeat: {iterations: [
        linear: 10]}                      [{id: linear_1, linear: 10}], [{id: linear_1, linear: 10}]]}}

An item's segment is its `id`, else `kind_n`, counted from 1 among siblings of its kind as written, items that `when`
leaves out included, so that switching one on renames nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from specforge.diagnostics import Findings, Span, Use, define, nearest
from specforge.expand.blocks import OWN_PARAMS, RECURSION, Block, Signature, Signatures, block_values
from specforge.expand.expressions import in_words
from specforge.expand.ids import check_unique, segment
from specforge.expand.repeat import KEYS as REPEAT_KEYS
from specforge.expand.repeat import iterations
from specforge.expand.substitution import BROKEN, LayerValue, Scope, as_node, evaluated, substitute
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

ITEM_KEYS = ("id", "from", "when", "shared", "init", "trainable")
MAX_LAYERS = 20_000
MAX_NESTING = 64

ITEM = define(
    "SF205",
    "bad-item",
    """
An item of `layers:` is one layer, written `relu`, `dropout: 0.5` or `conv: {out_channels: 32, kernel_size: 3}`, with
any of the item keys `id`, `from`, `when`, `shared`, `init`, `trainable` beside it: `{id: stem, conv: {…}}`.""",
)


class ItemExpander:
    """Expands lists of items with one spec's blocks; `used` collects the names of the blocks met."""

    def __init__(self, blocks: dict[str, Block], signature: Signatures, findings: Findings):
        self.blocks, self.signature, self.findings = blocks, signature, findings
        self.used: set[str] = set()
        self.layers = self.depth = 0

    def expand(self, node: Node, scope: Scope) -> Node:
        """A list of items, expanded. What is no list is left to binding, which says what it should be."""
        if isinstance(node, Sequence):
            return self._list(self._spliced(node, scope), scope.located(node.span), scope)
        if isinstance(node, Mapping):
            return substitute(node, scope, self.findings)
        value = evaluated(node, scope, self.findings)
        if isinstance(value, LayerValue):
            return self.expand(value.node, value.scope)
        if isinstance(value, tuple):
            return self._list(self._splice(value, node, scope), scope.located(node.span), scope)
        return as_node(value, scope.located(node.span), scope, self.findings) if "$" in node.text else node

    def _list(self, written: Iterable[tuple[Node, Scope]], span: Span, scope: Scope) -> Node:
        self.depth += 1
        if self.depth > MAX_NESTING:
            scope.budget.stop(span, f"layers nested more than {MAX_NESTING} levels deep", "nest fewer blocks")
        counts: Counter[str] = Counter()
        seen: dict[str, Scalar] = {}
        items: list[Node] = []
        for node, where in written:
            item = self._item(node, where, counts)
            if item is not None:
                check_unique(item, seen, self.findings)
                items.append(item)
        self.depth -= 1
        return Sequence(span, tuple(items))

    def _spliced(self, node: Sequence, scope: Scope, level: int = 0) -> Iterator[tuple[Node, Scope]]:
        """The list's items, `$x` replaced by the layer or layers that the param `x` holds."""
        for item in node.items:
            if isinstance(item, Scalar) and "$" in item.text:
                yield from self._splice(evaluated(item, scope, self.findings), item, scope, level)
            else:
                yield item, scope

    def _splice(self, value: Any, item: Scalar, scope: Scope, level: int = 0) -> Iterator[tuple[Node, Scope]]:
        """What stands for one `$x`; null stands for no layer."""
        span = scope.located(item.span)
        if level > MAX_NESTING:
            scope.budget.stop(span, f"params splice each other more than {MAX_NESTING} levels deep", "write them flat")
        if isinstance(value, LayerValue) and isinstance(value.node, Sequence):
            yield from self._spliced(value.node, value.scope, level + 1)
        elif isinstance(value, LayerValue):
            yield value.node, value.scope
        elif isinstance(value, tuple):
            for part in value:
                yield from self._splice(part, item, scope, level + 1)
        elif isinstance(value, str):
            yield Scalar(span, value, ""), replace(scope, use=None, inside=())  # located already, written elsewhere
        elif value is not None and value is not BROKEN:
            message = f"`{item.text}` is {in_words(value)}, not a layer"
            self.findings.add(ITEM, span, message, "a param that is spliced in holds a layer or a list of layers")

    def _count(self, node: Node, scope: Scope) -> None:
        self.layers += 1
        if self.layers > MAX_LAYERS:
            hint = "check how `repeat`s and blocks multiply"
            scope.budget.stop(scope.located(node.span), f"more than {MAX_LAYERS:,} layers", hint)

    def _item(self, node: Node, scope: Scope, counts: Counter[str]) -> Mapping | None:
        """One item as a mapping with `id` and its layer key; None when it is broken or `when` leaves it out."""
        self._count(node, scope)
        parts = self._split(node, scope)
        if parts is None:
            return None
        kind, key, keys = parts
        counts[kind] += 1
        if not self._wanted(keys.get("when"), scope):
            return None
        entries = {
            name: Entry(scope.located(entry.key), substitute(entry.value, scope, self.findings))
            for name, entry in keys.items()
            if name != "when"
        }
        name = segment(entries.get("id"), f"{kind}_{counts[kind]}", self.findings)
        entries["id"] = Entry(key.key, Scalar(entries["id"].value.span if "id" in entries else key.key, name, name))
        layer, arguments = self._layer(kind, key, scope)
        if arguments is None:
            return None
        entries[layer] = Entry(key.key, arguments)
        return Mapping(scope.located(node.span), entries)

    def _layer(self, kind: str, key: Entry, scope: Scope) -> tuple[str, Node | None]:
        """The layer that a word stands for, with its arguments expanded."""
        if kind in self.blocks:
            return "sequential", self._use_block(self.blocks[kind], key, scope)
        if kind == "repeat":
            return kind, self._repeat(key, key.value, scope)
        return kind, self._arguments(key.value, self.signature(kind), scope)

    def _split(self, node: Node, scope: Scope) -> tuple[str, Entry, dict[str, Entry]] | None:
        """Kind, its located key with its arguments, and the item keys beside it."""
        span = scope.located(node.span)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value, Entry(span, Scalar(span, None, "")), {}
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
        entry = node.entries[kinds[0]]
        keys = {key: other for key, other in node.entries.items() if key in ITEM_KEYS}
        return kinds[0], Entry(scope.located(entry.key), entry.value), keys

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
        arguments = found.arguments if found is not None else frozenset(self.blocks[layer].defaults)
        arguments |= frozenset(REPEAT_KEYS if layer == "repeat" else ())
        if other in arguments:
            message, inside = f"`{other}` stands beside `{layer}`, not inside it", f"`{layer}: {{{other}: …}}`"
            self.findings.add(ITEM, span, message, f"indent it deeper than `{layer}`, or write {inside}")
            return
        close = "id" if other == "name" else nearest(other, (*ITEM_KEYS, *arguments))
        advice = f"did you mean `{close}`?" if close else f"its keys are {', '.join(ITEM_KEYS)}"
        self.findings.add(ITEM, span, f"an item has no `{other}`", advice)

    def _wanted(self, when: Entry | None, scope: Scope) -> bool:
        if when is None:
            return True
        node = substitute(when.value, scope, self.findings)
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        if not (isinstance(node, Scalar) and node.broken):
            hint = "write `true`, `false` or a comparison, as in `$(depth > 2)`"
            self.findings.add(ITEM, node.span, "`when` must be true or false", hint)
        return False

    def _arguments(self, node: Node, signature: Signature | None, scope: Scope) -> Node:
        """A layer's arguments with expressions replaced and lists of layers expanded."""
        if isinstance(node, Scalar) and "$" in node.text:
            value = evaluated(node, scope, self.findings)
            if isinstance(value, LayerValue):
                return self._arguments(value.node, signature, value.scope)
            return as_node(value, scope.located(node.span), scope, self.findings)
        if not isinstance(node, Mapping) or signature is None or not signature.layers | signature.lists:
            return substitute(node, scope, self.findings)
        entries = {}
        for name, entry in node.entries.items():
            if name in signature.lists and isinstance(entry.value, Sequence):
                lists = tuple([self.expand(item, scope) for item in entry.value.items])
                value = Sequence(scope.located(entry.value.span), lists)
            elif name in signature.layers and (isinstance(entry.value, Sequence) or _is_expression(entry.value)):
                value = self.expand(entry.value, scope)
            else:
                value = substitute(entry.value, scope, self.findings)
            entries[name] = Entry(scope.located(entry.key), value)
        return Mapping(scope.located(node.span), entries)

    def _use_block(self, block: Block, key: Entry, scope: Scope) -> Node | None:
        """The body of a block for these arguments, as the arguments of `sequential`."""
        name = block.name
        self.used.add(name)
        if name in scope.inside:  # through a param that holds layers: other circles were found in the definitions
            chain = " -> ".join((*scope.inside[scope.inside.index(name) :], name))
            hint = "use `repeat` to stack layers"
            self.findings.add(RECURSION, key.key, f"block `{name}` uses itself: {chain}", hint)
            return None
        values = block_values(block, key, key.value, scope, self.findings)
        if values is None or block.layers is None:
            return None
        use = Use(name, key.key)
        empty = Scope(scope.budget, f"block `{name}`", OWN_PARAMS, use=use, inside=(*scope.inside, name))
        inner = empty.with_values(values)
        span = inner.located(block.layers.span)
        return Mapping(span, {"layers": Entry(span, self.expand(block.layers, inner))})

    def _repeat(self, key: Entry, node: Node, scope: Scope) -> Node | None:
        """`repeat` with its layers written out, once for each iteration."""
        if isinstance(node, Scalar) and "$" in node.text:
            value = evaluated(node, scope, self.findings)
            if isinstance(value, LayerValue):
                return self._repeat(key, value.node, value.scope)
            node = as_node(value, scope.located(node.span), scope, self.findings)
        if isinstance(node, Mapping) and "iterations" in node.entries:
            return self._arguments(node, self.signature("repeat"), scope)
        if isinstance(node, Scalar) and node.broken:
            return None
        rows = iterations(node, key, scope, self.findings)
        if rows is None or not isinstance(node, Mapping):
            return None
        layers = node.entries["layers"].value
        lists = []
        for row in rows:
            self._count(layers, scope)
            lists.append(self.expand(layers, scope.with_values(row)))
        span = scope.located(node.span)
        return Mapping(span, {"iterations": Entry(span, Sequence(span, tuple(lists)))})


def _no_layer(node: Sequence | Scalar) -> tuple[str, str]:
    """What an item that is neither a word nor a mapping is, and what to write instead."""
    if isinstance(node, Sequence):
        return "an item is one layer, found a list", "remove one pair of brackets or dashes"
    if node.value is None:
        return "an item is one layer, found nothing", "write a layer after the `-`, or remove it"
    found = node.text or in_words(node.value)
    return f"an item is one layer, found `{found}`", f"write the layer's name before it, as in `linear: {found}`"


def _is_expression(node: Node) -> bool:
    return isinstance(node, Scalar) and "$" in node.text
