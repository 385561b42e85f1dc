"""What a graph is made of: layers in place, as a tree by path and as values by number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from specforge.catalog.definition import Call, Composite, Initializer, Layer, Parameter
from specforge.diagnostics import Span
from specforge.shapes import Shape, elements

_NOTHING: Mapping[str, Any] = {}


class GraphNode(NamedTuple):
    """One layer in place. `parameters`, `macs` and `initializers` are its own; a composite's are its children's.

    `number` is the value that it makes, `reads` those that it takes (0 is the network's input); a composite that makes
    one value of several has them in `joins`. `sources` are the addresses of its `from`, `shared` the name that it gives
    its weights; `shares` is the path of the layer whose weights it uses instead of its own. `argument_spans` are where
    the arguments stand that its item gives; none are where a default or `model.defaults` gives them.

    A named tuple, like the nodes of the text: a frozen dataclass of as many fields takes six times as long to make.
    """

    path: str
    name: str
    kind: str
    layer: Layer | None
    call: Call
    inputs: tuple[Shape, ...]
    output: Shape
    span: Span
    number: int
    reads: tuple[int, ...]
    parameters: tuple[Parameter, ...] = ()
    macs: int = 0
    trainable: bool = True
    initializers: Mapping[str, Initializer] = _NOTHING
    children: "tuple[GraphNode, ...]" = ()
    joins: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    shared: str | None = None
    shares: str | None = None
    argument_spans: Mapping[str, Span] = _NOTHING

    @property
    def input(self) -> Shape:
        """The shape of the value that it reads first."""
        return self.inputs[0]

    @property
    def is_composite(self) -> bool:
        """Made of layers: the whole network, a region, or a layer such as `residual`."""
        return self.layer is None or isinstance(self.layer, Composite)

    @property
    def is_side_branch(self) -> bool:
        """Its value leaves the network beside the output, in training only."""
        return isinstance(self.layer, Composite) and self.layer.is_side_branch

    def leaves(self) -> "Iterator[GraphNode]":
        """The layers that compute, in execution order."""
        stack = [self]
        while stack:
            node = stack.pop()
            if node.is_composite:
                stack.extend(reversed(node.children))
            else:
                yield node

    def walk(self) -> "Iterator[GraphNode]":
        """This node and all below it, composites before what they hold."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.children:
                stack.extend(reversed(node.children))

    def parameter_count(self, *, trainable: bool) -> int:
        """Values of this layer's own tensors that are trained, or that are state: frozen and running statistics."""
        own = (p for p in self.parameters if p.role != "counter")
        return sum(elements(p.shape) for p in own if (p.role == "parameter" and self.trainable) == trainable)


class Head(NamedTuple):
    """An output that only training has: the path of its branch, and its loss's weight beside the output's."""

    path: str
    weight: float
    output: Shape


@dataclass(frozen=True)
class Graph:
    """A network. `root` is nameless; its children are the spec's layers.

    `axes` is the input as written, where a name stands for any size; then `smallest` is the smallest input for which
    the network is right; the graph's own input is what its figures hold for. Its nodes are listed once, for all
    that goes through them.
    """

    root: GraphNode
    axes: tuple[int | str, ...]
    smallest: Shape

    @property
    def input(self) -> Shape:
        return self.root.input

    @property
    def output(self) -> Shape:
        return self.root.output

    @cached_property
    def nodes(self) -> tuple[GraphNode, ...]:
        """The root and all below it, composites before what they hold."""
        return tuple(self.root.walk())

    @cached_property
    def makers(self) -> tuple[GraphNode, ...]:
        """What makes values, in execution order: the layers that compute, and the composites that join values."""
        joining = [node for node in self.nodes if node.joins]
        return tuple(sorted((*self._leaves, *joining), key=lambda node: node.number)) if joining else self._leaves

    @cached_property
    def _leaves(self) -> tuple[GraphNode, ...]:
        return tuple([node for node in self.nodes if not node.is_composite])

    def leaves(self) -> Iterator[GraphNode]:
        """The layers that compute, in execution order."""
        return iter(self._leaves)

    @property
    def trainable_parameters(self) -> int:
        return sum(node.parameter_count(trainable=True) for node in self.leaves())

    @property
    def non_trainable_parameters(self) -> int:
        return sum(node.parameter_count(trainable=False) for node in self.leaves())

    @property
    def total_parameters(self) -> int:
        return self.trainable_parameters + self.non_trainable_parameters

    @property
    def macs(self) -> int:
        return sum(node.macs for node in self.leaves())

    @property
    def heads(self) -> tuple[Head, ...]:
        """The outputs that training has beside the network's own."""
        return tuple(
            Head(node.path, node.layer.loss_weight, node.output)
            for node in self.nodes
            if isinstance(node.layer, Composite) and node.layer.is_side_branch
        )

    def state(self) -> dict[str, Shape]:
        """The state_dict's keys and shapes, in its order."""
        return {f"{node.path}.{p.name}": p.shape for node in self.leaves() for p in node.parameters}
