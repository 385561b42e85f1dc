"""What a check looks at."""

from dataclasses import dataclass
from functools import cached_property

from specforge.checks.flow import Flow
from specforge.diagnostics import Findings, Span
from specforge.graph import Graph
from specforge.source import Mapping, Node
from specforge.spec import Spec


@dataclass(frozen=True)
class Subject:
    """One spec with its graph (None for a base without layers), its expanded tree, and where to report."""

    spec: Spec
    graph: Graph | None
    tree: Mapping
    findings: Findings

    @cached_property
    def flow(self) -> Flow:
        """The values of the graph, which is there."""
        assert self.graph is not None
        return Flow(self.graph)

    def span(self, *path: str) -> Span:
        """Where the value at a path was written, or the nearest place above it."""
        node: Node = self.tree
        for step in path:
            below = node.get(step) if isinstance(node, Mapping) else None
            if below is None:
                break
            node = below
        return node.span

    def key_span(self, *path: str) -> Span:
        """Where the last key of a path stands."""
        above: Node | None = self.tree
        for step in path[:-1]:
            above = above.get(step) if isinstance(above, Mapping) else None
        known = isinstance(above, Mapping) and path[-1] in above.entries
        return above.entries[path[-1]].key if known and isinstance(above, Mapping) else self.span(*path)
