"""What autograd records of a network: Graph -> operations in execution order, and the memory that values lie in.

conv_1     value 1   reads 0   memory 1   keeps 0
relu_1     value 2   reads 1   memory 2   keeps 2
flatten_1  value 3   reads 2   memory 2
"""

from dataclasses import dataclass

from specforge.catalog.definition import Composite, Kept, Layer, Merge
from specforge.graph.node import Graph, GraphNode
from specforge.shapes import elements

FLOAT = 4  # bytes of a float32


@dataclass(frozen=True, slots=True)
class Operation:
    """A layer, or the joining of a composite's values.

    `keeps` are the memories that it holds until the backward pass, `extra` bytes for one image besides. `trains` are
    the bytes of its trained tensors, which `owner` has. `passes_on` means that its inputs' gradients are its output's,
    in the same memory.
    """

    path: str
    reads: tuple[int, ...]
    number: int
    keeps: frozenset[int]
    extra: int
    owner: str
    trains: int
    passes_on: bool


@dataclass(frozen=True, slots=True)
class Tape:
    """`memory` is the number of the value that a value's memory was made for, `sizes` are bytes for one image.

    `differentiable` are the values that gradients reach; only operations that make such a value are recorded.
    """

    operations: tuple[Operation, ...]
    memory: dict[int, int]
    sizes: dict[int, int]
    differentiable: frozenset[int]

    def is_recorded(self, operation: Operation) -> bool:
        return operation.number in self.differentiable


def record(graph: Graph) -> Tape:
    """The tape of one training step."""
    owners = {node.path: node for node in graph.leaves()}
    memory, sizes = {0: 0}, {0: FLOAT * elements(graph.input)}
    differentiable: set[int] = set()
    operations = []
    for node in graph.makers:
        layer, reads = _layer(node), node.joins or node.reads
        owner = owners.get(node.shares or node.path, node)
        trains = FLOAT * owner.parameter_count(trainable=True)
        memory[node.number] = memory[reads[0]] if layer.is_view else node.number
        sizes[node.number] = FLOAT * elements(node.output)
        kept = Kept()
        if trains or not differentiable.isdisjoint(reads):
            differentiable.add(node.number)
            kept = layer.kept(node.input, node.output)
        keeps = {memory[number] for number in _needed(layer, reads, differentiable) if kept.input}
        if kept.output:
            keeps.add(memory[node.number])
        passes_on = layer.is_view or (isinstance(layer, Merge) and kept == Kept())
        operations.append(
            Operation(node.path, reads, node.number, frozenset(keeps), kept.extra, owner.path, trains, passes_on)
        )
    return Tape(tuple(operations), memory, sizes, frozenset(differentiable))


def _needed(layer: Layer, reads: tuple[int, ...], differentiable: set[int]) -> list[int]:
    """The values that gradients are computed from: of several, those of each one from the others."""
    if not isinstance(layer, Merge):
        return list(reads)
    return [own for place, own in enumerate(reads) if not differentiable.isdisjoint(reads[:place] + reads[place + 1 :])]


def _layer(node: GraphNode) -> Layer:
    """What is computed: the layer, or the operation that joins a composite's values."""
    assert node.layer is not None
    return node.layer.join() if isinstance(node.layer, Composite) else node.layer
