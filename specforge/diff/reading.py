"""A graph -> its elements, with keys that say which of two networks' elements are alike."""

import json
from collections.abc import Hashable
from itertools import count
from typing import Any, NamedTuple

from specforge.catalog.definition import Item
from specforge.diff.network import (
    INPUT,
    PREVIOUS,
    Element,
    explicit_id,
    is_frozen,
    is_group,
    layers,
    meanings,
    own_fields,
)
from specforge.graph import Graph, GraphNode
from specforge.resolved import arguments_of, plain_value
from specforge.spec import Model


class Network(NamedTuple):
    """The outermost level, and what makes the output where that is not its last layer."""

    level: list[Element]
    end: Element | str | None


class Reader:
    """Reads graphs into elements; graphs read by one reader have comparable keys."""

    def __init__(self, *, initializers: bool):
        self.initializers = initializers
        self.known: dict[Hashable, int] = {}

    def read(self, model: Model, graph: Graph) -> Network:
        return _Reading(self, {id(rule.initializer) for rule in model.init}, written_layers(model)).network(graph)

    def key(self, *parts: Hashable) -> int:
        return self.known.setdefault(parts, len(self.known))


class _Reading:
    """`made` are the elements by the values that they make."""

    def __init__(self, reader: Reader, of_rules: set[int], written: set[int]):
        self.reader, self.of_rules, self.written = reader, of_rules, written
        self.positions = count()
        self.made: dict[int, Element] = {}
        self.by_path: dict[str, Element] = {}

    def network(self, graph: Graph) -> Network:
        return Network(*self.region("", graph.root.children, (0, graph.root.number), 0))

    def region(
        self, path: str, nodes: tuple[GraphNode, ...], ends: tuple[int, int], depth: int
    ) -> tuple[list[Element], Element | str | None]:
        """One level, and what makes the value that it hands on where that is not its last layer.

        `ends` are the numbers of the value that its first layer reads unless it says otherwise, and of the latter.
        """
        level, value = self.level(nodes, ends[0], depth)
        follows = None
        for index, element in enumerate(layers(level)):
            element.region, element.index, element.follows = path, index, follows
            follows = element.path
        return level, None if value == ends[1] else self.read_by(ends[1], ends[0])

    def level(self, nodes: tuple[GraphNode, ...], value: int, depth: int) -> tuple[list[Element], int]:
        """The elements of nodes in a row, and the value behind them."""
        found = []
        for node in nodes:
            element = self.element(node, value)
            element.depth = depth
            found.append(element)
            if is_group(node):
                value = self.look_into_group(element, value)
            else:
                if node.is_composite:
                    self.look_inside(element)
                value = value if node.is_side_branch else node.number
        return found, value

    def look_into_group(self, element: Element, value: int) -> int:
        element.regions[""], value = self.level(element.node.children, value, element.depth)
        self.sum_up(element)
        return value

    def look_inside(self, element: Element) -> None:
        node, arriving = element.node, element.node.reads[0]
        body = tuple(child for child in node.children if child.layer is not None)
        given = arriving if not body else node.joins[0] if node.joins else node.number
        found = {"": (node.path, body, given)}
        found |= {each.name: (each.path, each.children, each.number) for each in node.children if each.layer is None}
        for name, (path, nodes, number) in found.items():
            element.regions[name], end = self.region(path, nodes, (arriving, number), element.depth + 1)
            if end is not None:
                element.ends[name] = end
        self.sum_up(element)

    def sum_up(self, element: Element) -> None:
        """Count what is inside, and make the key of it."""
        for inner in element.inside():
            element.kinds.update(inner.kinds)
            element.keys.update(inner.keys)
            if not inner.is_group:
                element.kinds[inner.node.kind] += 1
                element.keys[inner.key] += 1
        ends = tuple((name, _content(end)) for name, end in element.ends.items())
        inside = tuple((name, *(child.key for child in level)) for name, level in element.regions.items())
        element.key = self.reader.key(element.content, element.id, inside, ends)
        meant = (*((name, *meanings(level)) for name, level in element.regions.items()), ends)
        element.meaning = self.reader.key("meaning", element.content, meant)

    def element(self, node: GraphNode, value: int) -> Element:
        """One element, without what is inside; `value` is the number of the value before it."""
        own_id = explicit_id(node)
        if is_group(node):
            return Element(node, own_id, None, -1, -1, -1, {}, False, (), None)
        assert node.layer is not None
        init = {name: plain_value(i) for name, i in node.initializers.items() if id(i) not in self.of_rules}
        derived = id(node.layer) not in self.written
        own = own_fields(type(node.layer))
        does: Any = {name: value for name, value in arguments_of(node.layer).items() if name in own}
        if derived and not node.is_composite:
            does = None
        reads = tuple(self.read_by(number, value) for number in node.reads)
        if reads == (PREVIOUS,):
            reads = ()
        shares = None if node.shares is None else self.by_path.get(node.shares)
        wiring = [_content(each) for each in (*reads, *((shares,) if shares else ()))]
        starts = init if self.reader.initializers else None
        parts = [node.kind, does, starts, is_frozen(node), wiring, shares is not None]
        content = self.reader.key(json.dumps(parts, sort_keys=True))
        key = self.reader.key(content, own_id)
        found = Element(node, own_id, content, key, content, next(self.positions), init, derived, reads, shares)
        self.made[node.number] = self.by_path[node.path] = found
        return found

    def read_by(self, number: int, before: int) -> "Element | str":
        """What makes a value that is read where `before` is the value before."""
        if number == before:
            return PREVIOUS
        return self.made[number] if number else INPUT


def _content(made: Element | str) -> int | str | None:
    return made if isinstance(made, str) else made.content


def written_layers(model: Model) -> set[int]:
    """The identities of all layers that stand in the spec."""
    found: set[int] = set()
    stack: list[Any] = [model.layers]
    while stack:
        value = stack.pop()
        if isinstance(value, tuple):
            stack.extend(value)
        elif isinstance(value, Item):
            found.add(id(value.layer))
            names = set(type(value.layer).model_fields) - own_fields(type(value.layer))
            stack.extend(getattr(value.layer, name) for name in names)
    return found
