"""Graph -> boxes, clusters and arrows, which both kinds of diagrams draw.

    repeat_1.0.conv_unit_1.conv_1    ->    cluster repeat_1 > cluster 0 > cluster conv_unit_1 > box conv_1

Composites are clusters around what they hold, down to `depth` levels; deeper ones are boxes themselves. An arrow leads
from what makes a value to what reads it, and says the value's shape. What joins values is a box of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from specforge.catalog.definition import Composite
from specforge.catalog.discovery import word_for
from specforge.diagnostics import one_line
from specforge.graph import Graph, GraphNode
from specforge.shapes import elements, spelled

INPUT, OUTPUT = "input", "output"
MOST_LAYERS = 60  # that are drawn one by one where no depth is asked for


@dataclass(frozen=True, slots=True)
class Box:
    """A layer. `lines` are its text, `is_join` where it only joins values."""

    key: str
    lines: tuple[str, ...]
    is_join: bool = False


@dataclass(slots=True)
class Cluster:
    """A composite: its title, and what stands in it, in execution order."""

    key: str
    title: str
    inside: "list[Cluster | Box]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Arrow:
    """A value on its way; `training_only` leads into a side branch."""

    start: str
    end: str
    shape: str
    training_only: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """A diagram: the input, what lies between, the outputs, and the arrows."""

    name: str
    inside: "list[Cluster | Box]"
    arrows: list[Arrow]


def outline(graph: Graph, name: str, *, depth: int | None = None) -> Outline:
    """The diagram of a graph. Without a `depth`, all layers are shown, or, where there are many, all blocks."""
    return _Drawing(graph, depth).outline(one_line(name))


class _Drawing:
    def __init__(self, graph: Graph, depth: int | None):
        self.graph, self.depth = graph, depth
        self.folds_blocks = depth is None and sum(1 for _ in graph.leaves()) > MOST_LAYERS
        self.keys = {node.path: f"n{number}" for number, node in enumerate(graph.nodes)}
        self.nodes = {node.path: node for node in graph.nodes}
        self.read_into = self._read_into()
        self.makers = {0: INPUT}  # by value: the box that an arrow from it starts at
        self.shapes = {0: graph.input}
        self.arrows: dict[tuple[str, str, int], Arrow] = {}

    def outline(self, name: str) -> Outline:
        inside: list[Cluster | Box] = [Box(INPUT, ("input", spelled(self.graph.axes)))]
        inside += self._inside(self.graph.root, 0, False)
        inside += self._join(self.graph.root)
        self._arrow(self.graph.root.number, OUTPUT)
        for head in self.graph.heads:
            end = f"{OUTPUT}_{self.keys[head.path]}"
            inside.append(Box(end, (one_line(head.path), f"in training, weight {head.weight:g}")))
            self._arrow(self.nodes[head.path].number, end, training_only=True)
        inside.append(Box(OUTPUT, ("output", spelled(self.graph.output))))
        return Outline(name, inside, list(self.arrows.values()))

    def _inside(self, node: GraphNode, level: int, beside: bool) -> Iterator[Cluster | Box]:
        for child in node.children:
            is_beside = beside or child.is_side_branch
            if child.is_composite and child.children and not self._is_folded(child, level + 1):
                cluster = Cluster(self.keys[child.path], _title(child))
                cluster.inside += self._inside(child, level + 1, is_beside)
                cluster.inside += self._join(child)
                yield cluster
            elif not child.is_composite or child.number not in child.reads:
                yield self._box(child, is_beside)

    def _is_folded(self, node: GraphNode, level: int) -> bool:
        """Whether a composite is drawn as one box; what others outside read is never hidden."""
        if node.path in self.read_into:
            return False
        if self.depth is not None:
            return level > self.depth
        return self.folds_blocks and node.kind == "sequential" and node.layer is not None

    def _read_into(self) -> set[str]:
        """Composites that hold a value which others read, or a layer that reads others', other than hand to hand."""
        found = {level for head in self.graph.heads for level in _above(head.path)}
        makers = {node.number: node for node in self.graph.makers}
        for reader in self.graph.makers:
            for number in reader.joins or reader.reads:
                around = {*_above(reader.path), reader.path}
                maker = makers[number].path if number in makers else ""
                beyond = {*_above(maker), maker}
                found |= {level for level in beyond - around if self.nodes[level].number != number}
                found |= {level for level in around - beyond - {reader.path} if number not in self.nodes[level].reads}
        return found

    def _box(self, node: GraphNode, beside: bool) -> Box:
        key = self.keys[node.path]
        for number in dict.fromkeys(node.reads):
            self._arrow(number, key, training_only=beside)
        self.makers[node.number], self.shapes[node.number] = key, node.output
        return Box(key, tuple(_lines(node)))

    def _join(self, node: GraphNode) -> Iterator[Box]:
        """The box of what a composite does with the values of its parts."""
        if node.joins:
            assert isinstance(node.layer, Composite)
            key, word = f"{self.keys[node.path]}_join", word_for(node.layer.join())
            for number in dict.fromkeys(node.joins):
                self._arrow(number, key)
            self.makers[node.number], self.shapes[node.number] = key, node.output
            yield Box(key, (_SIGNS.get(word, word),), is_join=True)

    def _arrow(self, number: int, end: str, *, training_only: bool = False) -> None:
        start = self.makers[number]
        shape = spelled(self.shapes[number])
        self.arrows.setdefault((start, end, number), Arrow(start, end, shape, training_only))


def _above(path: str) -> list[str]:
    """The composites that a path lies in, without the network."""
    parts = path.split(".")
    return [".".join(parts[:number]) for number in range(1, len(parts))]


_SIGNS = {"add": "+", "multiply": "×"}


def _title(node: GraphNode) -> str:
    name = ".".join(node.path.split(".")[-2:]) if node.name.isdigit() else node.name
    return one_line(name if node.kind in ("sequential", "repeat") else f"{name} ({node.kind})")


def _lines(node: GraphNode) -> Iterator[str]:
    """What a box says: its name, its kind where the name does not say it, and how many parameters it has."""
    yield _title(node).partition(" (")[0]
    if not node.name.isdigit() and not node.name.startswith(node.kind) and node.kind not in ("sequential", "repeat"):
        yield one_line(node.kind)
    count = sum(elements(p.shape) for leaf in node.leaves() for p in leaf.parameters if p.role == "parameter")
    if node.shares is not None:
        yield one_line(f"weights of {node.shares}")
    elif count:
        yield f"{count:,} parameters"
