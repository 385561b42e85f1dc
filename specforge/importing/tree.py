"""Layers as a tree, between a flat network and the text of a spec.

A node is a layer, a composite (`residual`, `branches`, `auxiliary`, `repeat`), the use of a block, or a `group`: what a
foreign module computes, of which folding makes a block, a repeat, or nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from specforge.importing.network import Operation
from specforge.shapes import Shape

GROUP = "group"


@dataclass(frozen=True, slots=True)
class Node:
    """One item of `layers`.

    `regions` are the lists of layers inside: `layers` and `shortcut`, or the paths `0`, `1` and so on. `keys` are those
    that stand beside the layer: `id`, `from`, `shared`, `when`. `operations` are the numbers of what it computes, in
    the order of its layers. `place` is the foreign module that it comes from, `kind` that module's class for a group.
    """

    word: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    regions: Mapping[str, tuple["Node", ...]] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    kind: str = ""
    operation: int = 0
    input: Shape = ()
    output: Shape = ()

    @property
    def is_leaf(self) -> bool:
        return not self.regions

    def walk(self) -> Iterator["Node"]:
        """This node and all inside it, in the order of the text."""
        yield self
        for items in self.regions.values():
            for item in items:
                yield from item.walk()

    def layers(self) -> tuple["Node", ...]:
        return self.regions["layers"]

    def mapped(self, change: Callable[[tuple["Node", ...]], tuple["Node", ...]]) -> "Node":
        """The node with each of its regions changed."""
        return replace(self, regions={name: change(items) for name, items in self.regions.items()})


Nodes = tuple[Node, ...]


def leaf(operation: Operation, number: int, input: Shape) -> Node:
    """An operation as a node."""
    keys = {} if operation.shared is None else {"shared": operation.shared.replace(".", "_")}
    return Node(operation.word, operation.arguments, {}, keys, operation.place, "", number, input, operation.shape)


def grouped(run: Nodes, kind: str, place: str) -> Node | None:
    """Nodes as one group; None where a part of it is wired, other than what the first reads and how the last is called.

    These two are said of the group then.
    """
    first, last = run[0], run[-1]
    own: list[set[str]] = [set() for _ in run]
    own[0] |= {"from"} if isinstance(first.keys.get("from", ""), str) else set()  # a block reads one value
    own[-1] |= {"id"}
    if any(set(node.keys) & {"id", "from"} - allowed for node, allowed in zip(run, own, strict=True)):
        return None
    keys = {key: node.keys[key] for key, node in (("id", last), ("from", first)) if key in node.keys}
    bare = tuple(replace(node, keys={k: v for k, v in node.keys.items() if k not in keys}) for node in run)
    return Node(GROUP, {}, {"layers": bare}, keys, place, kind, 0, first.input, last.output)


def everything(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield from node.walk()


def common_place(places: Sequence[str]) -> str:
    """The path that all begin with."""
    parts = [place.split(".") if place else [] for place in places]
    length = 0
    while all(len(each) > length for each in parts) and len({each[length] for each in parts}) == 1:
        length += 1
    return ".".join(parts[0][:length])
