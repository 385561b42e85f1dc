"""Graph -> a graph that trains faster: the same tensors by the same names, the same outputs and gradients.

    module = build(fast_forms(graph, device="cpu"), seed=0)

`FORMS` are passes, applied in their order. Each says whether it is exact, to the last bit, or the same by law:

clamp_after_pool  relu, max_pool -> max_pool, relu: the maximum of clamped values is the clamped maximum, and where
                  clamping makes values equal no gradient flows; it clamps a quarter of the values. Exact.
clamp_in_place    relu writes over its input, which nothing else needs: half of the memory to walk through. Exact.
of_the_device     layers for which the device has a faster module: dropout that draws fewer bits, which has the same
                  distribution and other draws than torch's module from the same seed; matrix products of another
                  library, which differ in the last bits.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from specforge.catalog.definition import Merge
from specforge.graph.node import Graph, GraphNode
from specforge.graph.tape import record


def fast_forms(graph: Graph, *, device: str) -> Graph:
    """The graph as it trains fastest on a kind of device: `cpu`, `cuda`, `mps`."""
    for form in FORMS:
        graph = form(graph, device)
    return graph


def clamp_after_pool(graph: Graph, device: str) -> Graph:
    """Let a clamp and the maximum pooling that alone reads it change places."""
    values, changed = _Values(graph), dict[str, GraphNode]()
    for pool in graph.leaves():
        clamp = values.maker(pool)
        if (
            clamp is not None
            and values.clamps(clamp)
            and values.takes_maximum(pool)
            and values.is_read_once(clamp.number)
        ):
            changed[clamp.path] = clamp._replace(kind=pool.kind, layer=pool.layer, call=pool.call, output=pool.output)
            after = (pool.output,)
            changed[pool.path] = pool._replace(kind=clamp.kind, layer=clamp.layer, call=clamp.call, inputs=after)
    return _with(graph, changed)


def clamp_in_place(graph: Graph, device: str) -> Graph:
    """Let clamps write over what they read, where it is theirs alone.

    What makes it must have made new memory, in evaluation too, where a dropout hands on what it gets; no operation may
    keep it for the backward pass; nothing else may read it.
    """
    values, tape, changed = _Values(graph), record(graph), dict[str, GraphNode]()
    keepers = Counter(memory for operation in tape.operations for memory in operation.keeps)
    keeps = {operation.number: operation.keeps for operation in tape.operations}
    for clamp in graph.leaves():
        maker = values.maker(clamp)
        if maker is None or not (values.clamps(clamp) and _makes_memory(maker) and values.is_read_once(maker.number)):
            continue
        if keepers[maker.number] == (maker.number in keeps[clamp.number]):
            call = replace(clamp.call, arguments={**clamp.call.arguments, "inplace": True})
            changed[clamp.path] = clamp._replace(call=call)
    return _with(graph, changed)


def of_the_device(graph: Graph, device: str) -> Graph:
    """Replace constructors by those that layers prefer on the device."""
    changed = {}
    for node in graph.leaves():
        call = None if node.layer is None else node.layer.lower_for(node.input, device)
        if call is not None:
            changed[node.path] = node._replace(call=call)
    return _with(graph, changed)


FORMS: tuple[Callable[[Graph, str], Graph], ...] = (clamp_after_pool, clamp_in_place, of_the_device)


class _Values:
    """Who makes each value of a graph, and how many read it; leaving the network counts as being read."""

    def __init__(self, graph: Graph):
        self._makers = {node.number: node for node in graph.makers}
        branches = [node.number for node in graph.nodes if node.is_side_branch]
        reads = [number for node in graph.makers for number in (node.joins or node.reads)]
        self._readers = Counter([*reads, *branches, graph.root.number])
        sharing = [node for node in graph.nodes if node.shared or node.shares]
        self._elsewhere = {below.path for node in sharing for below in node.walk()}

    def maker(self, node: GraphNode) -> GraphNode | None:
        """What makes the one value that a node reads; None for the network's input, and where it reads several."""
        return self._makers.get(node.reads[0]) if len(node.reads) == 1 else None

    def is_read_once(self, number: int) -> bool:
        return self._readers[number] == 1

    def clamps(self, node: GraphNode) -> bool:
        """Whether it is a clamp whose module runs nowhere else, as that of shared layers does."""
        return node.layer is not None and node.layer.clamps and node.path not in self._elsewhere

    def takes_maximum(self, node: GraphNode) -> bool:
        return node.layer is not None and node.layer.takes_maximum and node.path not in self._elsewhere


def _makes_memory(node: GraphNode) -> bool:
    """Whether its result never is, or lies in, what it reads."""
    if isinstance(node.layer, Merge) or node.is_composite:
        return len(node.joins or node.reads) > 1
    return bool(node.parameters) or (node.layer is not None and node.layer.takes_maximum)


def _with(graph: Graph, changed: Mapping[str, GraphNode]) -> Graph:
    """The graph with other nodes at some paths; composites give what their last layer gives."""
    if not changed:
        return graph
    shapes = {node.number: changed.get(node.path, node).output for node in graph.makers}

    def rebuilt(node: GraphNode) -> GraphNode:
        if not node.is_composite:
            return changed.get(node.path, node)
        children = tuple([rebuilt(child) for child in node.children])
        inputs = tuple([shapes.get(n, shape) for n, shape in zip(node.reads, node.inputs, strict=True)])
        return node._replace(children=children, inputs=inputs, output=shapes.get(node.number, node.output))

    return replace(graph, root=rebuilt(graph.root))
