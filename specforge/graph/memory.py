"""Memory that training takes: Graph -> bytes, in float32.

`kept_memory` is exact for what autograd keeps of one image on the CPU. `training_memory` plays one step on the tape
(forward, loss, backward, optimizer) and notes how much is there at once. It leaves out what the tape can't see: the
data set on the device, workspaces of the libraries that compute, copies into another layout, and the allocator's loss.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from specforge.catalog.definition import Optimizer
from specforge.graph.node import Graph
from specforge.graph.tape import FLOAT, Operation, Tape, record
from specforge.shapes import elements

LABEL = 8  # bytes of an int64
NO_OPTIMIZERS: Mapping[str, Optimizer] = {}


class KeptMemory(NamedTuple):
    """Bytes that autograd keeps of one image until the backward pass; what several layers keep counts for the first.

    The total also has what composites keep where they multiply values.
    """

    by_path: dict[str, int]
    total: int


def kept_memory(graph: Graph) -> KeptMemory:
    tape = record(graph)
    by_path: dict[str, int] = {}
    seen: set[int] = set()
    for operation in tape.operations:
        new = operation.keeps - seen
        by_path[operation.path] = operation.extra + sum(tape.sizes[memory] for memory in new)
        seen |= new
    return KeptMemory(by_path, sum(by_path.values()))


class TrainingMemory(NamedTuple):
    """Bytes of one training step. `optimizer` is its state, averages included; `kept` is for the whole batch.

    `peak` is the most that is there at once; it is reached in the `phase` (forward, loss, backward, step) at `path`.
    """

    batch_size: int
    weights: int
    buffers: int
    gradients: int
    optimizer: int
    kept: int
    peak: int
    phase: str
    path: str


def training_memory(
    graph: Graph, batch_size: int, optimizers: Mapping[str, Optimizer] = NO_OPTIMIZERS, *, averaged: bool = False
) -> TrainingMemory:
    """The estimate for a batch size; `optimizers` by parameter name, without one nothing is remembered of it.

    Where weights are `averaged`, their averages are there beside them.
    """
    tensors = [(f"{node.path}.{p.name}", p, node.trainable) for node in graph.leaves() for p in node.parameters]
    weights = [elements(p.shape) for _, p, _ in tensors if p.role == "parameter"]
    trained = [(name, p.shape) for name, p, trainable in tensors if p.role == "parameter" and trainable]
    floats = sum(elements(p.shape) for _, p, _ in tensors if p.role == "statistic")
    buffers = FLOAT * floats + LABEL * sum(p.role == "counter" for _, p, _ in tensors)
    moved = [(optimizers[name], shape) for name, shape in trained if name in optimizers]
    state = FLOAT * sum(optimizer.remembered(shape) for optimizer, shape in moved)
    working = FLOAT * max((optimizer.working(shape) for optimizer, shape in moved), default=0)
    averages = FLOAT * sum(weights) + buffers if averaged else 0
    heap = _Heap(FLOAT * sum(weights) + buffers + state + averages)
    _Step(graph, heap, batch_size).run(working)
    gradients = FLOAT * sum(elements(shape) for _, shape in trained)
    return TrainingMemory(
        batch_size, FLOAT * sum(weights), buffers, gradients, state + averages,
        kept_memory(graph).total * batch_size, heap.peak, *heap.peak_at,
    )  # fmt: skip


class _Heap:
    """Memory blocks by number, each with a count of its holders. `at` is the phase and path of what happens now."""

    def __init__(self, live: int) -> None:
        self.live = self.peak = live
        self.at = self.peak_at = ("", "")
        self.sizes: list[int] = []
        self.holders: list[int] = []

    def allocate(self, size: int) -> int:
        """A new block with one holder."""
        self.sizes.append(size)
        self.holders.append(1)
        self.live += size
        if self.live > self.peak:
            self.peak, self.peak_at = self.live, self.at
        return len(self.sizes) - 1

    def hold(self, block: int) -> int:
        self.holders[block] += 1
        return block

    def drop(self, block: int) -> None:
        self.holders[block] -= 1
        if not self.holders[block]:
            self.live -= self.sizes[block]


class _Step:
    """One step of training. Blocks are named by what holds them: running code, the tape, or a gradient to come."""

    def __init__(self, graph: Graph, heap: _Heap, batch_size: int) -> None:
        self.graph, self.heap, self.batch_size = graph, heap, batch_size
        self.tape: Tape = record(graph)
        self.outputs = (graph.root.number, *(node.number for node in graph.root.walk() if node.is_side_branch))
        self.blocks: dict[int, int] = {}
        self.taped: dict[int, list[int]] = {}
        self.gradients: dict[int, int] = {}

    def run(self, working: int) -> None:
        self.heap.at = ("forward", "")
        self.blocks[0] = self.heap.allocate(self.tape.sizes[0] * self.batch_size)
        self.heap.allocate(LABEL * self.batch_size)
        self.forward()
        self.loss()
        self.backward()
        self.heap.at = ("step", "")
        self.heap.drop(self.heap.allocate(working))

    def forward(self) -> None:
        ends = self.ends()
        for operation in self.tape.operations:
            self.heap.at = ("forward", operation.path)
            number = operation.number
            memory = self.tape.memory[number]
            self.blocks[number] = self.heap.hold(self.blocks[memory]) if memory != number else self.block(number)
            taped = [self.heap.hold(self.blocks[kept]) for kept in operation.keeps]
            self.taped[number] = [*taped, self.heap.allocate(operation.extra * self.batch_size)]
            for ended in ends.pop(number, ()):
                self.heap.drop(self.blocks[ended])

    def ends(self) -> dict[int, list[int]]:
        """Which values running code lets go of after each value is made. A composite holds what it reads to its end."""
        last = {operation.number: operation.number for operation in self.tape.operations}
        for node in self.graph.root.walk():
            made = max([node.number, *(below.number for below in node.walk())]) if node.is_composite else node.number
            for number in (*node.reads, *node.joins):
                last[number] = max(last.get(number, 0), made)
        found: dict[int, list[int]] = {}
        for number, end in last.items():
            if number not in (0, *self.outputs):
                found.setdefault(end, []).append(number)
        return found

    def loss(self) -> None:
        """The gradients of the outputs: logarithms of probabilities are kept, then two gradients are there at once."""
        logarithms = []
        for number in self.outputs:
            self.heap.at = ("loss", "")
            logarithms.append(self.block(number))
        for number, kept in zip(self.outputs, logarithms, strict=True):
            arriving = self.block(number)
            self.gradients[number] = self.block(number)
            self.heap.drop(arriving)
            self.heap.drop(kept)

    def backward(self) -> None:
        counted: Counter[str] = Counter()
        for operation in reversed(self.tape.operations):
            self.heap.at = ("backward", operation.path)
            if self.tape.is_recorded(operation) and operation.number in self.gradients:
                given = self.gradients.pop(operation.number)
                reached = [number for number in operation.reads if number in self.tape.differentiable]
                new = [(n, self.heap.hold(given) if operation.passes_on else self.block(n)) for n in reached]
                self.train(operation, counted)
                self.heap.drop(given)
                for number, block in new:
                    self.accumulate(number, block)
            for block in self.taped[operation.number]:
                self.heap.drop(block)

    def train(self, operation: Operation, counted: Counter[str]) -> None:
        """The gradients of its tensors; those of shared ones are added to what is there."""
        block = self.heap.allocate(operation.trains)
        if counted[operation.owner]:
            self.heap.drop(block)
        counted[operation.owner] += 1

    def accumulate(self, number: int, block: int) -> None:
        """Add a gradient to the value's: in place, unless something else holds that memory."""
        if number not in self.gradients:
            self.gradients[number] = block
            return
        before = self.gradients[number]
        if self.heap.holders[before] > 1:
            self.gradients[number] = self.block(number)
            self.heap.drop(before)
        self.heap.drop(block)

    def block(self, number: int) -> int:
        return self.heap.allocate(self.tape.sizes[number] * self.batch_size)
