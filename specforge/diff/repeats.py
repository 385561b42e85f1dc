"""Which repeats make more or fewer iterations than before, and which iterations those are.

    repeat: {times: 3, layers: [conv_unit: 64]}    ->    repeat: {times: 4, layers: [conv_unit: 64]}

repeat_1: 3 -> 4 iterations, of which 3 is new
"""

from collections.abc import Iterator

from specforge.catalog.layers.composition import Repeat
from specforge.diff.difference import Repetition
from specforge.diff.matching import Matching
from specforge.diff.network import Element
from specforge.graph import Graph, GraphNode


def repetitions(found: Matching, before: Graph, after: Graph) -> Iterator[Repetition]:
    """Of each pair of repeats that belong together, where the number of their iterations differs."""
    whole = [whole_groups(graph, own) for graph, own in ((before, found.removed), (after, found.added))]
    for old, new in ((old.node, new.node) for old, new in found.groups):
        both_repeat = isinstance(old.layer, Repeat) and isinstance(new.layer, Repeat)
        if both_repeat and len(old.children) != len(new.children):
            yield Repetition(
                path_before=old.path,
                path=new.path,
                before=len(old.children),
                after=len(new.children),
                added=_numbers(new, whole[1]),
                removed=_numbers(old, whole[0]),
                at=new.argument_spans.get("iterations", new.span),
            )


def _numbers(repeat: GraphNode, whole: set[str]) -> tuple[int, ...]:
    return tuple(number for number, child in enumerate(repeat.children) if child.path in whole)


def whole_groups(graph: Graph, elements: list[Element]) -> set[str]:
    """The composites of which everything inside is among the elements."""
    gone = {element.path for element in elements if not element.is_composite}
    whole: set[str] = set()
    for node in reversed(graph.nodes):  # what is inside comes before what holds it
        if node.children and all(child.path in (whole if child.is_composite else gone) for child in node.children):
            whole.add(node.path)
    return whole
