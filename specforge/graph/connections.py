"""What a layer's surroundings don't show: what its `from` names, whose weights it shares, which side branch it is in.

- {id: stem, conv: …}
- {from: [stem, previous], concat: }          ->      concat_1: reads stem, stem
"""

from typing import NamedTuple

from specforge.graph.node import Graph, GraphNode


class Connection(NamedTuple):
    """`reads` and `shares` are paths, with `input` for the network's."""

    reads: tuple[str, ...] = ()
    shares: str | None = None
    side_branch: str | None = None


def connections(graph: Graph) -> dict[str, Connection]:
    """By the path of layers that compute; a composite's `from` is where its first layer reads."""
    names = _names(graph)
    found: dict[str, Connection] = {}
    for node in graph.root.walk():
        if node.sources:
            first = next(node.leaves(), node)
            reads = tuple(_name(names, *read) for read in zip(node.sources, node.reads, strict=True))
            found[first.path] = found.get(first.path, Connection())._replace(reads=reads)
        if node.is_side_branch:
            for leaf in node.leaves():
                found[leaf.path] = found.get(leaf.path, Connection())._replace(side_branch=node.path)
        if node.shares and not node.is_composite:
            found[node.path] = found.get(node.path, Connection())._replace(shares=node.shares)
    return found


def _names(graph: Graph) -> dict[int, list[GraphNode]]:
    """The layers that give each value, the outermost first."""
    names: dict[int, list[GraphNode]] = {}
    for node in graph.root.walk():
        if node.path and node.number not in node.reads:
            names.setdefault(node.number, []).append(node)
    return names


def _name(names: dict[int, list[GraphNode]], address: str, number: int) -> str:
    """The path of a value: the one that the address means, else that of the layer which computes it."""
    if number == 0:
        return "input"
    paths = [node.path for node in names[number]]
    return next((path for path in paths if f".{path}".endswith(f".{address}")), paths[-1])
