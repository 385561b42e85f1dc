"""The layers of a network with groups -> blocks, and the layers of a spec with repeats.

In: what `structured` gives. Out: layers without groups, and blocks by name. Every step replaces layers by what expands
to the same layers: a block by its params' values, a repeat by its iterations.
"""

from collections import Counter
from dataclasses import replace

from specforge.importing.blocks import with_blocks
from specforge.importing.patterns import Blocks
from specforge.importing.repeats import folded as with_repeats
from specforge.importing.tree import Nodes, everything

LONG = 12  # layers of a path that is folded in itself


def folded(nodes: Nodes) -> tuple[Nodes, Blocks]:
    """Layers and blocks that say in few words what the nodes say in many."""
    blocks = Blocks({}, {})
    nodes = with_repeats(_with_inner_repeats(with_blocks(nodes, blocks), blocks), blocks)
    return _with_classifier(nodes), _used(nodes, blocks)


def _with_inner_repeats(nodes: Nodes, blocks: Blocks) -> Nodes:
    """Repeats in long lists inside composites; short ones are read at a glance."""

    def changed(items: Nodes) -> Nodes:
        items = _with_inner_repeats(items, blocks)
        return with_repeats(items, blocks) if len(items) >= LONG else items

    return tuple(node if node.word == "repeat" else node.mapped(changed) for node in nodes)


def _with_classifier(nodes: Nodes) -> Nodes:
    """The linear layer at the end under the name by which specs of the zoo are cut off before it."""
    last = nodes[-1] if nodes else None
    if last is None or last.word != "linear" or last.keys:
        return nodes
    return (*nodes[:-1], replace(last, keys={"id": "classifier"}))


def _used(nodes: Nodes, blocks: Blocks) -> Blocks:
    """The blocks that are used, in an order in which each stands behind those that it uses."""
    uses = Counter(node.word for node in everything(nodes))
    for layers in reversed(blocks.layers.values()):
        uses.update(node.word for node in everything(layers))
    names = [name for name in blocks.params if uses[name]]
    return replace(blocks, params={n: blocks.params[n] for n in names}, layers={n: blocks.layers[n] for n in names})
