"""Two matched networks -> which weights of the first load into the second, and which do under another name."""

from specforge.diff.loading import Checkpoints
from specforge.diff.matching import Matching
from specforge.graph import Graph
from specforge.shapes import Shape


def checkpoints(found: Matching, before: Graph, after: Graph) -> Checkpoints:
    """By the names and shapes of the state_dict, and by the layers that belong together."""
    saved, wanted = before.state(), after.state()
    same = _of_same_layers(found, saved, wanted)
    sources = {name: source for name, source in same.items() if saved[source] == wanted[name]}
    free = saved.keys() - sources.values()  # another layer's, which fit by name
    sources |= {name: name for name in wanted if name in free and name not in sources and saved[name] == wanted[name]}
    used = set(sources.values())
    reshaped = {name: source for name, source in same.items() if name not in sources and source not in used}
    used |= set(reshaped.values())
    return Checkpoints(
        missing=tuple(name for name in wanted if name not in saved),
        unexpected=tuple(name for name in saved if name not in wanted),
        mismatched=tuple(
            (name, saved[name], shape) for name, shape in wanted.items() if name in saved and saved[name] != shape
        ),
        sources={name: sources[name] for name in wanted if name in sources},
        reshaped=tuple((source, name, saved[source], wanted[name]) for name, source in reshaped.items()),
        gone=tuple(name for name in saved if name not in used),
        new=tuple(name for name in wanted if name not in sources and name not in reshaped),
    )


def _of_same_layers(found: Matching, saved: dict[str, Shape], wanted: dict[str, Shape]) -> dict[str, str]:
    """Names of the second network's tensors -> those that the same layers have, else use, in the first."""
    sources: dict[str, str] = {}
    pairs = [*found.pairs, *found.moved]
    for used in ([(old.path, new) for old, new in pairs], [(o.shares.path, new) for o, new in pairs if o.shares]):
        taken = set(sources.values())
        for path, new in used:
            tensors = [(f"{new.path}.{each.name}", f"{path}.{each.name}", each.role) for each in new.node.parameters]
            fitting = any(saved.get(source) == wanted.get(name) for name, source, role in tensors if role != "counter")
            if path != new.path and not fitting:  # nothing of it goes on, and its name may be another layer's now
                continue
            for name, source, _ in tensors:
                if source in saved and source not in taken and name in wanted and name not in sources:
                    sources[name] = source
                    taken.add(source)
    return sources
