"""A graph as what matters when two are compared: levels of elements with keys for what they do.

    sequential, repeat and blocks only group layers: they are looked through, their layers stand in their place;
    a residual sum is an element of its own, with a level for its body and one for its shortcut.

Equal keys mean: the same layer with the same arguments, initial weights and `id`; for a composite, inside too.
"""

import json
import re
from collections.abc import Hashable, Iterator
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


@dataclass(slots=True, eq=False)
class Element:
    """A layer that computes, or a composite that does more than hold layers (then it has `regions`).

    `content` is what it does, `key` adds its `id` (None: not written) and what is inside; `own_init` are its
    initialisers but those of the model's rules. A `derived` layer was not written: its composite made it up from the
    shapes, as a projection shortcut is.
    """

    node: GraphNode
    id: str | None
    content: Hashable
    key: int
    position: int
    own_init: dict[str, Any]
    derived: bool
    follows: str | None
    regions: "dict[str, list[Element]]" = field(default_factory=dict)

    @property
    def is_composite(self) -> bool:
        return self.node.is_composite

    def inside(self) -> "Iterator[Element]":
        for region in self.regions.values():
            yield from region

    def place(self, group: str | None = None) -> Place:
        node = self.node
        assert node.layer is not None
        own = own_fields(type(node.layer))
        arguments = {name: value for name, value in arguments_of(node.layer).items() if name in own}
        if self.own_init:
            arguments["init"] = self.own_init
        if node.parameters and not node.trainable:
            arguments["trainable"] = False
        parameters = node.parameter_count(trainable=True) + node.parameter_count(trainable=False)
        return Place(
            path=node.path, kind=node.kind, arguments=arguments, output=node.output, parameters=parameters,
            macs=node.macs, follows=self.follows, group=group,
        )  # fmt: skip


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
        reading = _Reading(self, {id(rule.initializer) for rule in model.init}, written_layers(model))
        return reading.level(graph.root.children)

    def key(self, *parts: Hashable) -> int:
        return self.known.setdefault(parts, len(self.known))


class _Reading:
    def __init__(self, reader: Reader, of_rules: set[int], written: set[int]):
        self.reader, self.of_rules, self.written = reader, of_rules, written
        self.positions = count()
        self.last: str | None = None

    def level(self, nodes: tuple[GraphNode, ...]) -> list[Element]:
        return [element for node in nodes for element in self.elements(node)]

    def elements(self, node: GraphNode) -> list[Element]:
        if node.is_composite and not node.joins and not node.is_side_branch:
            return self.level(node.children)
        element = self.element(node)
        if not node.is_composite:
            self.last = node.path
            return [element]
        element.regions = {"": self.level(tuple(child for child in node.children if child.layer is not None))}
        for region in node.children:
            if region.layer is None:
                element.regions[region.name] = self.level(region.children)
        inside = tuple((name, *(child.key for child in level)) for name, level in element.regions.items())
        element.key = self.reader.key(element.content, element.id, inside)
        return [element]

    def element(self, node: GraphNode) -> Element:
        assert node.layer is not None
        init = {name: plain_value(i) for name, i in node.initializers.items() if id(i) not in self.of_rules}
        derived = id(node.layer) not in self.written
        own = own_fields(type(node.layer))
        does: Any = {name: value for name, value in arguments_of(node.layer).items() if name in own}
        if node.is_composite:
            does = [does, bool(node.joins)]
        elif derived:
            does = None
        frozen = bool(node.parameters) and not node.trainable
        wiring = [node.sources, node.shared]
        parts = [node.kind, does, init if self.reader.initializers else None, frozen, wiring]
        content = json.dumps(parts, sort_keys=True)
        own_id = _explicit_id(node)
        key = self.reader.key(content, own_id)
        return Element(node, own_id, content, key, next(self.positions), init, derived, self.last)


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


def _explicit_id(node: GraphNode) -> str | None:
    return None if re.fullmatch(rf"{re.escape(node.kind)}_\d+", node.name) else node.name
