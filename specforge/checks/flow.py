"""Who makes and who reads every value of a graph: what a check asks that follows the data instead of the list.

1  conv_1        reads 0          maker(1) is conv_1
2  batch_norm_1  reads 1    ->    sole_reader(conv_1) is batch_norm_1
3  relu_1        reads 2          bounds(3) is (0, inf)
"""

from math import inf

from specforge.graph import Graph, GraphNode

Bounds = tuple[float, float]
_ANY: Bounds = (-inf, inf)


class Flow:
    """The values of one graph by number. Composites appear only where they make one value of several."""

    def __init__(self, graph: Graph):
        self._makers = (None, *graph.makers)  # by number: the input is made by none
        self._readers: dict[int, GraphNode | None] = {}  # None where several operations read a value
        self._bounds = [_ANY]
        self.results = {graph.root.number} | {node.number for node in graph.nodes if node.is_side_branch}
        self.owners = {node.shares for node in graph.leaves() if node.shares is not None}
        for node in graph.makers:
            reads = node.joins or node.reads
            self._bounds.append(self._bounded(node, reads))
            for read in reads:
                self._readers[read] = node if self._readers.get(read, node) is node else None

    @staticmethod
    def reads(node: GraphNode) -> tuple[int, ...]:
        """The values that an operation takes."""
        return node.joins or node.reads

    def maker(self, number: int) -> GraphNode | None:
        """The operation that made a value; None for the network's input."""
        return self._makers[number]

    def is_read(self, number: int) -> bool:
        return number in self.results or number in self._readers

    def sole_reader(self, node: GraphNode) -> GraphNode | None:
        """The only operation that reads what this one makes; None where others do, or where it is a result."""
        return self._readers.get(node.number) if node.number not in self.results else None

    def layer_before(self, node: GraphNode) -> GraphNode | None:
        """The layer whose value this one alone reads, and reads alone; None at the input and at joins."""
        maker = self.maker(node.reads[0]) if len(self.reads(node)) == 1 else None
        return maker if maker is not None and self.sole_reader(maker) is node else None

    def bounds(self, number: int) -> Bounds:
        """Between which numbers all entries of a value lie, as far as its layers say."""
        return self._bounds[number]

    def shares_weights(self, node: GraphNode) -> bool:
        """Whether the layer's weights are used in another place too."""
        return node.shares is not None or node.path in self.owners

    def _bounded(self, node: GraphNode, reads: tuple[int, ...]) -> Bounds:
        if node.layer is None or node.joins or len(reads) > 1:
            return _ANY
        return node.layer.bounds(*self._bounds[reads[0]])
