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

from specforge.diagnostics import Findings, Span, Use
from specforge.expand.block_use import OWN_PARAMS, block_values
from specforge.expand.blocks import RECURSION, Block
from specforge.expand.expressions import in_words
from specforge.expand.ids import check_unique, segment
from specforge.expand.pretrained import ExpandZoo, with_layers
from specforge.expand.repeat import iterations
from specforge.expand.substitution import BROKEN, LayerValue, Scope, as_node, evaluated, substitute
from specforge.expand.words import Signature, Signatures, named
from specforge.expand.written import ITEM, MAX_NESTING, ItemReader, WrittenItem
from specforge.source import Entry, Mapping, Node, Scalar, Sequence

MAX_LAYERS = 20_000


class ItemExpander:
    """Expands lists of items with one spec's blocks; `used` collects the names of the blocks met."""

    def __init__(self, blocks: dict[str, Block], signature: Signatures, expand_zoo: ExpandZoo, findings: Findings):
        self.blocks, self.signature, self.expand_zoo, self.findings = blocks, signature, expand_zoo, findings
        self.reader = ItemReader(blocks, signature, findings)
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
            item = self._item(node, where, counts, seen)
            if item is not None:
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

    def _item(self, node: Node, scope: Scope, counts: Counter[str], seen: dict[str, Scalar]) -> Mapping | None:
        """One item as a mapping with `id` and its layer key; None when it is broken or `when` leaves it out.

        `counts` are its siblings by kind so far, `seen` those with their segments.
        """
        self._count(node, scope)
        item = self.reader.read(node, scope)
        if item is None:
            return None
        number = counts[item.kind] = counts[item.kind] + 1
        entries: dict[str, Entry] = {}
        if item.keys:
            if not self._wanted(item.keys.get("when"), scope):
                return None
            entries = self._beside(item, scope)
        given = entries.get("id")
        name = segment(given, f"{item.kind}_{number}", self.findings)
        own = Scalar(item.at if given is None else given.value.span, name, name)
        entries["id"] = Entry(item.at, own)
        arguments = self._layer(item)
        if arguments is None:
            return None
        entries["sequential" if item.kind in self.blocks else item.kind] = Entry(item.at, arguments)
        check_unique(own, seen, self.findings)
        return Mapping(scope.located(node.span), entries)

    def _beside(self, item: WrittenItem, scope: Scope) -> dict[str, Entry]:
        """The keys beside an item's layer that outlive expansion."""
        return {
            name: Entry(scope.located(entry.key), substitute(entry.value, scope, self.findings))
            for name, entry in item.keys.items()
            if name != "when"
        }

    def _layer(self, item: WrittenItem) -> Node | None:
        """The arguments of an item's layer, expanded."""
        if item.kind in self.blocks:
            return self._use_block(self.blocks[item.kind], item)
        if item.kind == "repeat":
            return self._repeat(item)
        signature = self.signature(item.kind)
        arguments: Node | None
        if len(item.arguments) == 1:
            arguments = self._arguments(item.arguments[0].node, signature, item.arguments[0].scope)
        else:
            parts = [self._arguments(part.node, signature, part.scope) for part in item.arguments]
            arguments = self._merged(item, parts, signature)
        if item.kind != "pretrained" or arguments is None or signature is None:
            return arguments
        return with_layers(signature.named(arguments) or arguments, item.at, self.expand_zoo, self.findings)

    def _merged(self, item: WrittenItem, parts: list[Node], signature: Signature | None) -> Node | None:
        """The arguments of a layer that a param holds, and those given beside it, which win."""
        entries: dict[str, Entry] = {}
        for part in parts:
            arguments = named(part, None) if signature is None else signature.named(part)
            if isinstance(part, Scalar) and part.broken:
                return None
            if arguments is None:
                message = f"`{item.kind}` has no main argument, so these have no name"
                self.findings.add(ITEM, part.span, message, f"name them: `{item.kind}: {{…: …}}`")
                return None
            entries |= arguments.entries
        return Mapping(parts[-1].span, entries)

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
            found = as_node(value, scope.located(node.span), scope, self.findings)
            if not isinstance(found, Sequence):
                return found
            node = found
        if signature is None or not (signature.layers or signature.lists):
            return substitute(node, scope, self.findings)
        if isinstance(node, Sequence):
            node = signature.named(node) or node
        if not isinstance(node, Mapping):
            return substitute(node, scope, self.findings)
        entries = {}
        for name, entry in node.entries.items():
            if name in signature.lists:
                value = self._lists(entry.value, scope)
            elif name in signature.layers and (isinstance(entry.value, Sequence) or _is_expression(entry.value)):
                value = self.expand(entry.value, scope)
            else:
                value = substitute(entry.value, scope, self.findings)
            entries[name] = Entry(scope.located(entry.key), value)
        return Mapping(scope.located(node.span), entries)

    def _lists(self, node: Node, scope: Scope) -> Node:
        """Lists of lists of layers, which a param may hold as a whole or one by one."""
        if isinstance(node, Scalar) and "$" in node.text:
            value = evaluated(node, scope, self.findings)
            if isinstance(value, LayerValue):
                return self._lists(value.node, value.scope)
            node = as_node(value, scope.located(node.span), scope, self.findings)
        if not isinstance(node, Sequence):
            return substitute(node, scope, self.findings)
        return Sequence(scope.located(node.span), tuple([self.expand(item, scope) for item in node.items]))

    def _use_block(self, block: Block, item: WrittenItem) -> Node | None:
        """The body of a block for these arguments, as the arguments of `sequential`."""
        name, scope = block.name, item.scope
        self.used.add(name)
        if name in scope.inside:  # through a param that holds layers: other circles were found in the definitions
            chain = " -> ".join((*scope.inside[scope.inside.index(name) :], name))
            hint = "use `repeat` to stack layers"
            self.findings.add(RECURSION, item.at, f"block `{name}` uses itself: {chain}", hint)
            return None
        values = block_values(block, item.at, item.arguments, scope, self.findings)
        if values is None or block.layers is None:
            return None
        use = Use(name, item.at)
        empty = Scope(scope.budget, f"block `{name}`", OWN_PARAMS, use=use, inside=(*scope.inside, name))
        inner = empty.with_values(values)
        span = inner.located(block.layers.span)
        return Mapping(span, {"layers": Entry(span, self.expand(block.layers, inner))})

    def _repeat(self, item: WrittenItem) -> Node | None:
        """`repeat` with its layers written out, once for each iteration."""
        parts = [self._resolved(part) for part in item.arguments]
        node, scope = parts[-1].node, parts[-1].scope
        if isinstance(node, Scalar) and node.broken:
            return None
        if len(parts) > 1:
            node, scope = self._joined(parts)
        if isinstance(node, Mapping) and "iterations" in node.entries:
            return self._arguments(node, self.signature("repeat"), scope)
        rows = iterations(node, item.at, scope, self.findings)
        if rows is None or not isinstance(node, Mapping):
            return None
        layers = node.entries["layers"].value
        lists = []
        for row in rows:
            self._count(layers, scope)
            lists.append(self.expand(layers, scope.with_values(row)))
        span = scope.located(node.span)
        return Mapping(span, {"iterations": Entry(span, Sequence(span, tuple(lists)))})

    def _resolved(self, part: LayerValue) -> LayerValue:
        """Arguments that a param holds as a whole."""
        if not _is_expression(part.node):
            return part
        assert isinstance(part.node, Scalar)
        value = evaluated(part.node, part.scope, self.findings)
        if isinstance(value, LayerValue):
            return self._resolved(value)
        return LayerValue(as_node(value, part.scope.located(part.node.span), part.scope, self.findings), part.scope)

    def _joined(self, parts: list[LayerValue]) -> tuple[Node, Scope]:
        """The arguments of a `repeat` that a param holds, and those given beside it, in the scope of its layers."""
        entries: dict[str, Entry] = {}
        scope = parts[0].scope
        for part in parts:
            if not isinstance(part.node, Mapping):
                return part.node, part.scope  # no arguments of a `repeat`, which is told as if it stood alone
            for name, entry in part.node.entries.items():
                if name == "layers":
                    entries[name], scope = entry, part.scope
                else:
                    entries[name] = Entry(entry.key, substitute(entry.value, part.scope, self.findings))
        return Mapping(parts[-1].node.span, entries), scope


def _is_expression(node: Node) -> bool:
    return isinstance(node, Scalar) and "$" in node.text
