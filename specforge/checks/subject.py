"""What a check looks at."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from specforge.checks.flow import Flow
from specforge.diagnostics import Findings, Span
from specforge.expand.words import Choices
from specforge.graph import Graph
from specforge.source import Mapping, Node, Sequence
from specforge.spec import Spec


class Variations(Protocol):
    """Analyses a spec anew with some of its values changed."""

    @property
    def root(self) -> Mapping:
        """The spec's tree before anything is evaluated: what values are put into."""
        ...

    @property
    def choices(self) -> Choices:
        """The paths of the tree that hold one word."""
        ...

    def analyse(self, root: Mapping, findings: Findings) -> Spec | None:
        """The spec of a changed tree; what is wrong with it goes into `findings`."""
        ...


@dataclass(frozen=True)
class Subject:
    """One spec with its graph (None for a base without layers), its expanded tree, and where to report.

    `variations` are None where the spec is itself one.
    """

    spec: Spec
    graph: Graph | None
    tree: Mapping
    findings: Findings
    variations: Variations | None = None

    @cached_property
    def flow(self) -> Flow:
        """The values of the graph, which is there."""
        assert self.graph is not None
        return Flow(self.graph)

    def span(self, *path: str | int) -> Span:
        """Where the value at a path was written, or the nearest place above it; entries of lists are counted from 0."""
        node: Node = self.tree
        for step in path:
            below = below_of(node, step)
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


def below_of(node: Node | None, step: str | int) -> Node | None:
    """The value of a key, or the entry of a list with a number; None where there is none."""
    if isinstance(step, int):
        return node.items[step] if isinstance(node, Sequence) and step < len(node.items) else None
    return node.get(step) if isinstance(node, Mapping) else None
