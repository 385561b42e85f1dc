"""Two matched networks -> which weights of the first load into the second, and which do under another name."""

from specforge.diff.difference import Checkpoints
from specforge.diff.matching import Matching
from specforge.graph import Graph, GraphNode
from specforge.shapes import Shape


def checkpoints(found: Matching, before: Graph, after: Graph) -> Checkpoints:
    """By the names and shapes of the state_dict, and by the layers that belong together."""
    saved, wanted = before.state(), after.state()
    return Checkpoints(
        missing=tuple(name for name in wanted if name not in saved),
        unexpected=tuple(name for name in saved if name not in wanted),
        mismatched=tuple(
            (name, saved[name], shape) for name, shape in wanted.items() if name in saved and saved[name] != shape
        ),
        sources=_sources(found, saved, wanted),
        saved=len(saved),
        wanted=len(wanted),
    )


def _sources(found: Matching, saved: dict[str, Shape], wanted: dict[str, Shape]) -> dict[str, str]:
    """Names of the second network's tensors -> those that the same layers have in the first, where shapes agree."""
    sources = {}
    for old, new in (*found.pairs, *found.moved):
        names = {tensor: f"{old.path}.{tensor}" for tensor in _tensors(old.node)}
        for tensor in _tensors(new.node):
            name, source = f"{new.path}.{tensor}", names.get(tensor)
            if source in saved and name in wanted and saved[source] == wanted[name]:
                sources[name] = source
    return sources


def _tensors(node: GraphNode) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in node.parameters)
