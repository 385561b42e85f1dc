"""Two recipes that read the same -> where their `groups` and `freeze` are about other layers than before.

    groups: [{select: {path: conv_1}, optimizer: …}]    and a convolution was put before conv_1, which is conv_2 now

train.groups[0].select: [conv_2.{weight,bias}] -> []
"""

from collections.abc import Iterator, Mapping

from specforge.diff.difference import Setting
from specforge.diff.matching import Matching
from specforge.diff.patterns import patterns
from specforge.graph import Graph, plan, weights_of
from specforge.graph.selection import Index
from specforge.recipe import Train

Chosen = dict[str, frozenset[str]]


def reselected(found: Matching, before: tuple[Train, Graph], after: tuple[Train, Graph]) -> Iterator[Setting]:
    """Of the weights that both networks train, by their names in the second."""
    names = {
        f"{old.path}.{each.name}": f"{new.path}.{each.name}"
        for old, new in (*found.pairs, *found.moved)
        for each in new.node.parameters
        if not (old.is_frozen or new.is_frozen)
    }
    ours, theirs = _chosen(*before, names), _chosen(*after, {name: name for name in names.values()})
    for path in ours:
        if ours[path] != theirs.get(path, ours[path]):
            chosen = [patterns(name for name in names.values() if name in each[path]) for each in (ours, theirs)]
            yield Setting(path, chosen[0], chosen[1])


def _chosen(train: Train, graph: Graph, names: Mapping[str, str]) -> Chosen:
    """What stands still in each stage and what is in each group, by the paths where that is written."""
    weights = weights_of(graph)
    index = Index(weight for weight in weights if weight.trainable)
    found: dict[str, set[str]] = {}
    for stage in plan(train, weights):
        if train.stages:
            found[f"train.stages[{stage.number}].freeze"] = set(stage.frozen)
        inherited = stage.stage.groups == train.groups
        where = "train.groups" if inherited else f"train.stages[{stage.number}].groups"
        chosen = [found.setdefault(f"{where}[{number}].select", set()) for number in range(len(stage.stage.groups))]
        for name, number in index.owners(stage.stage.groups).items():
            chosen[number].add(name)
    return {path: frozenset(names[name] for name in own if name in names) for path, own in found.items()}
