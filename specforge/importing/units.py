"""Layers of a network without modules -> the same with groups for the few layers that always follow each other.

    conv, batch_norm, leaky_relu, max_pool, conv, batch_norm, leaky_relu  ->  group ConvUnit, max_pool, group ConvUnit

Formats such as Darknet's know layers alone. Their authors think of a convolution with what belongs to it as one.
"""

from collections import Counter
from dataclasses import replace

from specforge.importing.patterns import ACTIVATIONS
from specforge.importing.tree import Node, Nodes, everything, grouped

KIND = "ConvUnit"
LEAST = 6  # units that make a name for them worth its lines


def with_units(nodes: Nodes) -> Nodes:
    """The layers with groups for the most frequent unit, if there are enough of it."""
    found = Counter(words for items in _lists(nodes) for words in _units(items))
    if not found:
        return nodes
    words, count = found.most_common(1)[0]
    return _grouped(nodes, words) if count >= LEAST else nodes


def _lists(nodes: Nodes) -> list[Nodes]:
    return [nodes, *(items for node in everything(nodes) for items in node.regions.values())]


def _unit_at(items: Nodes, start: int) -> tuple[str, ...]:
    """The words of the unit that begins at an item; empty where none does."""
    run = items[start : start + 3]
    words = tuple(node.word for node in run)
    fits = len(run) == 3 and words[:2] == ("conv", "batch_norm") and words[2] in ACTIVATIONS
    return words if fits and grouped(run, KIND, "") is not None else ()


def _units(items: Nodes) -> list[tuple[str, ...]]:
    return [words for start in range(len(items)) if (words := _unit_at(items, start))]


def _grouped(items: Nodes, words: tuple[str, ...]) -> Nodes:
    result: list[Node] = []
    at = 0
    while at < len(items):
        node = items[at]
        if _unit_at(items, at) == words:
            run = items[at : at + 3]
            unit = grouped(run, KIND, node.place)
            result.extend(run if unit is None else (unit,))
            at += 3
        else:
            regions = {name: _grouped(inner, words) for name, inner in node.regions.items()}
            result.append(replace(node, regions=regions))
            at += 1
    return tuple(result)
