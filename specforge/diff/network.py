"""A graph as what matters when two are compared: levels of elements with keys for what they do.

    sequential, repeat and blocks are groups: they only hold layers, and one side may write without them;
    a residual sum does something itself, with a level for its body and one for its shortcut.

Equal keys mean: the same layer with the same arguments, initial weights, readings and `id`; for what holds layers,
inside too.
"""

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

from specforge.binding import held
from specforge.catalog.definition import Item, Layer
from specforge.diff.difference import Place
from specforge.graph import Graph, GraphNode
from specforge.resolved import arguments_of, plain_value
from specforge.spec import Model

INPUT = "input"
PREVIOUS = "previous"


@dataclass(slots=True, eq=False)
class Element:
    """A layer that computes, a composite that does more than hold layers, or a group; the last two have `regions`.

    `content` is what it does, `meaning` adds what is inside, `key` its `id` too (None: not written); `own_init` are
    its initialisers but those of the model's rules. A `derived` layer was not written: its composite made it up from
    the shapes, as a projection shortcut is. `reads` are what makes the values that it reads (the network's input, or
    just the value before it, as words), empty for the value before it alone; `shares` is whose weights it uses.
    `region` is the path of its level, `index` its place there without groups, `depth` how
    many composites it lies in.
    """

    node: GraphNode
    id: str | None
    content: int | None
    key: int
    meaning: int
    position: int
    own_init: dict[str, Any]
    derived: bool
    follows: str | None
    reads: "tuple[Element | str, ...]"
    shares: "Element | None"
    region: str = ""
    depth: int = 0
    index: int = 0
    regions: "dict[str, list[Element]]" = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    keys: Counter[int] = field(default_factory=Counter)

    @property
    def is_composite(self) -> bool:
        return self.node.is_composite

    @property
    def is_group(self) -> bool:
        """Whether it only holds layers."""
        return is_group(self.node)

    @property
    def is_frozen(self) -> bool:
        """Whether it has weights that are not trained."""
        return _is_frozen(self.node)

    @property
    def path(self) -> str:
        return self.node.path

    def inside(self) -> "Iterator[Element]":
        """What stands in it, groups as they are."""
        for region in self.regions.values():
            yield from region

    def read_paths(self) -> tuple[str, ...]:
        """What it reads, by paths; empty for just the value before it."""
        return tuple(each if isinstance(each, str) else each.path for each in self.reads)

    def place(self, group: str | None = None) -> Place:
        node = self.node
        assert node.layer is not None
        own = own_fields(type(node.layer))
        arguments = {name: value for name, value in arguments_of(node.layer).items() if name in own}
        if self.own_init:
            arguments["init"] = self.own_init
        if self.is_frozen:
            arguments["trainable"] = False
        if self.reads:
            arguments["from"] = list(node.sources or self.read_paths())
        if node.shared is not None:
            arguments["shared"] = node.shared
        parameters = node.parameter_count(trainable=True) + node.parameter_count(trainable=False)
        return Place(
            path=node.path, kind=node.kind, arguments=arguments, output=node.output, parameters=parameters,
            macs=node.macs, span=node.span, follows=self.follows, group=group, region=self.region, index=self.index,
            depth=self.depth,
            reads=self.read_paths(), shares=self.shares.path if self.shares else None,
            holds={
                f"{node.path}.{name}" if name else node.path: tuple(each.path for each in layers(level))
                for name, level in self.regions.items()
            },
        )  # fmt: skip


def meanings(level: Sequence[Element]) -> tuple[int, ...]:
    """What a level does, whatever its layers are called and grouped into."""
    return tuple(element.meaning for element in layers(level))


def is_group(node: GraphNode) -> bool:
    """Whether a node only holds layers: sequential, repeat, a use of a block, a sum that is none."""
    return node.is_composite and not node.joins and not node.is_side_branch


def layers(level: Sequence[Element]) -> Iterator[Element]:
    """The layers and composites of a level, groups opened."""
    for element in level:
        if element.is_group:
            yield from layers(list(element.inside()))
        else:
            yield element


@cache
def own_fields(kind: type[Layer]) -> frozenset[str]:
    """The arguments of a layer that are not layers themselves."""
    fields = kind.model_fields.items()
    return frozenset(name for name, each in fields if not any(arm.kind == "items" for arm in held(each.annotation)))


class Reader:
    """Reads graphs into elements; graphs read by one reader have comparable keys."""

    def __init__(self, *, initializers: bool):
        self.initializers = initializers
        self.known: dict[Hashable, int] = {}

    def read(self, model: Model, graph: Graph) -> list[Element]:
        return _Reading(self, {id(rule.initializer) for rule in model.init}, written_layers(model)).network(graph)

    def key(self, *parts: Hashable) -> int:
        return self.known.setdefault(parts, len(self.known))


class _Reading:
    """`made` are the elements by the values that they make, `last` is the layer before in the order of execution."""

    def __init__(self, reader: Reader, of_rules: set[int], written: set[int]):
        self.reader, self.of_rules, self.written = reader, of_rules, written
        self.positions = count()
        self.last: str | None = None
        self.made: dict[int, Element] = {}
        self.by_path: dict[str, Element] = {}

    def network(self, graph: Graph) -> list[Element]:
        return self.region("", graph.root.children, 0, 0)

    def region(self, path: str, nodes: tuple[GraphNode, ...], arriving: int, depth: int) -> list[Element]:
        """One level; `arriving` is the number of the value that its first layer reads unless it says otherwise."""
        level, _ = self.level(nodes, arriving, depth)
        for index, element in enumerate(layers(level)):
            element.region, element.index = path, index
        return level

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
                else:
                    self.last = node.path
                value = value if node.is_side_branch else node.number
        return found, value

    def look_into_group(self, element: Element, value: int) -> int:
        element.regions[""], value = self.level(element.node.children, value, element.depth)
        self.sum_up(element)
        return value

    def look_inside(self, element: Element) -> None:
        node = element.node
        body = tuple(child for child in node.children if child.layer is not None)
        element.regions = {"": self.region(node.path, body, node.reads[0], element.depth + 1)}
        for region in node.children:
            if region.layer is None:
                element.regions[region.name] = self.region(
                    region.path, region.children, node.reads[0], element.depth + 1
                )
        self.sum_up(element)

    def sum_up(self, element: Element) -> None:
        """Count what is inside, and make the key of it."""
        for inner in element.inside():
            element.kinds.update(inner.kinds)
            element.keys.update(inner.keys)
            if not inner.is_group:
                element.kinds[inner.node.kind] += 1
                element.keys[inner.key] += 1
        inside = tuple((name, *(child.key for child in level)) for name, level in element.regions.items())
        element.key = self.reader.key(element.content, element.id, inside)
        meant = tuple((name, *meanings(level)) for name, level in element.regions.items() if level)
        element.meaning = self.reader.key("meaning", element.content, meant)

    def element(self, node: GraphNode, value: int) -> Element:
        """One element, without what is inside; `value` is the number of the value before it."""
        own_id = _explicit_id(node)
        if is_group(node):
            return Element(node, own_id, None, -1, -1, -1, {}, False, self.last, (), None)
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
        wiring = [each if isinstance(each, str) else each.content for each in (*reads, *((shares,) if shares else ()))]
        starts = init if self.reader.initializers else None
        parts = [node.kind, does, starts, _is_frozen(node), wiring, shares is not None]
        content = self.reader.key(json.dumps(parts, sort_keys=True))
        key = self.reader.key(content, own_id)
        found = Element(
            node, own_id, content, key, content, next(self.positions), init, derived, self.last, reads, shares
        )
        self.made[node.number] = self.by_path[node.path] = found
        return found

    def read_by(self, number: int, before: int) -> "Element | str":
        """What makes a value that is read where `before` is the value before."""
        if number == before:
            return PREVIOUS
        return self.made[number] if number else INPUT


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


def _is_frozen(node: GraphNode) -> bool:
    return bool(node.parameters) and not node.trainable


def _explicit_id(node: GraphNode) -> str | None:
    """The name that was given to it: not one that is counted, as a repeat's iterations are too."""
    return None if re.fullmatch(rf"({re.escape(node.kind)}_)?\d+", node.name) else node.name
