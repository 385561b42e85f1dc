"""A graph as what matters when two are compared: levels of elements with keys for what they do.

    sequential, repeat and blocks are groups: they only hold layers, and one side may write without them;
    a residual sum does something itself, with a level for its body and one for its shortcut.

Equal keys mean: the same layer with the same arguments, initial weights, readings and `id`; for what holds layers,
inside too.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from specforge.binding import held
from specforge.catalog.definition import Layer
from specforge.catalog.layers.composition import Branches
from specforge.catalog.layers.pretrained import Pretrained
from specforge.diff.difference import Place
from specforge.graph import GraphNode
from specforge.resolved import arguments_of

INPUT = "input"
PREVIOUS = "previous"


@dataclass(slots=True, eq=False)
class Element:
    """A layer that computes, a composite that does more than hold layers, or a group; the last two have `regions`.

    `content` is what it does, `meaning` adds what is inside, `key` its `id` too (None: not written); `own_init` are
    its initialisers but those of the model's rules. A `derived` layer was not written: its composite made it up from
    the shapes, as a projection shortcut is. `reads` are what makes the values that it reads (the network's input, or
    just the value before it, as words), empty for the value before it alone; `shares` is whose weights it uses.
    `ends` are what makes the values that its regions hand on, where that is not their last layer. `region` is the path
    of its level, `index` its place there without groups, `follows` what stands before it there, `depth` how many
    composites it lies in.
    """

    node: GraphNode
    id: str | None
    content: int | None
    key: int
    meaning: int
    position: int
    own_init: dict[str, Any]
    derived: bool
    reads: "tuple[Element | str, ...]"
    shares: "Element | None"
    region: str = ""
    depth: int = 0
    index: int = 0
    follows: str | None = None
    ends: "dict[str, Element | str]" = field(default_factory=dict)
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
        return is_frozen(self.node)

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

    def end(self, region: str) -> "Element | str":
        """What makes the value that a region hands on."""
        return self.ends.get(region) or last(self.regions.get(region, []))

    def arguments(self) -> dict[str, Any]:
        """What its item says, but for the layers in it: of branches, their number."""
        node = self.node
        assert node.layer is not None
        own = own_fields(type(node.layer))
        arguments = {name: value for name, value in arguments_of(node.layer).items() if name in own}
        arguments.pop("published", None)  # follows from the name of the network
        if isinstance(node.layer, Branches):
            arguments["paths"] = len(node.layer.paths)
        if self.own_init:
            arguments["init"] = self.own_init
        if self.is_frozen:
            arguments["trainable"] = False
        if self.reads:
            arguments["from"] = list(node.sources or self.read_paths())
        if node.shared is not None:
            arguments["shared"] = node.shared
        return arguments

    def place(self, group: str | None = None) -> Place:
        node = self.node
        parameters = node.parameter_count(trainable=True) + node.parameter_count(trainable=False)
        return Place(
            path=node.path, kind=node.kind, arguments=self.arguments(), output=node.output, parameters=parameters,
            macs=node.macs, span=node.span if node.span.file else None, is_start=isinstance(node.layer, Pretrained),
            follows=self.follows, group=group, region=self.region, index=self.index, depth=self.depth,
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
    return node.is_composite and not (node.joins or node.is_side_branch or isinstance(node.layer, Pretrained))


def last(level: Sequence[Element]) -> Element | str:
    """What makes the value behind a level in which nothing says otherwise."""
    made = [element for element in layers(level) if not element.node.is_side_branch]
    return made[-1] if made else PREVIOUS


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


def is_frozen(node: GraphNode) -> bool:
    return bool(node.parameters) and not node.trainable


def explicit_id(node: GraphNode) -> str | None:
    """The name that was given to it: not one that is counted, as a repeat's iterations are too."""
    return None if re.fullmatch(rf"({re.escape(node.kind)}_)?\d+", node.name) else node.name
