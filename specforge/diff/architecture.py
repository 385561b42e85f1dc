"""Two networks -> what was added, removed, changed and moved, apart from what only follows from it.

    conv_1 relu_1 conv_2 relu_2  and  conv_1 batch_norm_1 relu_1 conv_2 relu_2
        ->  added: batch_norm_1

Layers are aligned by what they do, so that an inserted layer is one addition although later paths are renumbered.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from specforge.diff.difference import Action, Alteration, Architecture, Place, Setting
from specforge.diff.matching import Matching, Pair, match
from specforge.diff.network import Element, Reader
from specforge.diff.settings import differences
from specforge.graph import Graph, GraphNode
from specforge.resolved import plain_value
from specforge.shapes import Misfit, Shape
from specforge.spec import Model


@dataclass(slots=True)
class _Cause:
    """An alteration, the positions in the second network where it stands, and what follows from it.

    One that `reshapes` gives what comes after it another shape; a batch norm that was added does not.
    """

    alteration: Alteration
    positions: tuple[float, ...]
    reshapes: bool
    consequences: list[Alteration] = field(default_factory=list)

    def complete(self) -> Alteration:
        return replace(self.alteration, consequences=tuple(self.consequences))


def compare(before: tuple[Model, Graph], after: tuple[Model, Graph]) -> Architecture:
    """The architecture's differences; each graph is that of its model."""
    same_init = _initializers(before[1]) == _initializers(after[1])
    reader = Reader(initializers=not same_init)
    found = match(reader.read(*before), reader.read(*after))
    causes = {
        "added": list(_added(found, after[1])),
        "removed": list(_removed(found, before[1])),
        "changed": [*_of_the_model(before[0], after[0], same_init=same_init), *_changed(found, same_init=same_init)],
        "moved": [_moved(found, pair) for pair in found.moved],
    }
    _attribute(_consequences(found, same_init=same_init), causes)
    alterations = {action: [cause.complete() for cause in group] for action, group in causes.items()}
    is_structure_kept = not (found.added or found.removed or found.moved)
    causal = [alteration for group in alterations.values() for alteration in group]
    listed = chain(causal, *(alteration.consequences for alteration in causal))
    alterations["moved"] += _renamed(found.pairs, listed, renumbered=is_structure_kept)
    return Architecture(**{action: tuple(group) for action, group in alterations.items()})


def _added(found: Matching, graph: Graph) -> Iterator[_Cause]:
    groups = _groups(graph, found.added)
    for element in found.added:
        place = element.place(groups.get(element.node.path))
        yield _Cause(Alteration(action="added", after=place), (element.position,), _reshapes(element))


def _removed(found: Matching, graph: Graph) -> Iterator[_Cause]:
    groups = _groups(graph, found.removed)
    for element in found.removed:
        alteration = Alteration(action="removed", before=element.place(groups.get(element.node.path)))
        yield _Cause(alteration, (found.translated(element.position),), _reshapes(element))


def _moved(found: Matching, pair: Pair) -> _Cause:
    old, new = pair
    return _Cause(_altered("moved", pair), (found.translated(old.position), new.position), _reshapes(new))


def _reshapes(element: Element) -> bool:
    return element.node.input != element.node.output


def _changed(found: Matching, *, same_init: bool) -> Iterator[_Cause]:
    for pair in found.pairs:
        arguments = tuple(_arguments(*pair, same_init=same_init))
        if arguments:
            yield _Cause(_altered("changed", pair, arguments), (pair[1].position,), _reshapes_what_came(*pair))


def _reshapes_what_came(old: Element, new: Element) -> bool:
    """Whether the changed layer would have given another shape for what reached the old one."""
    layer = new.node.layer
    if layer is None or new.is_composite:
        return old.node.output != new.node.output
    try:
        return layer.output_shape(old.node.input) != old.node.output
    except Misfit:
        return True


def _of_the_model(before: Model, after: Model, *, same_init: bool) -> Iterator[_Cause]:
    """The input's shape and the rules for initial weights, as changes of layers that no spec can have."""
    for name in ("input", "init"):
        values = [plain_value(getattr(model, name)) for model in (before, after)]
        if values[0] == values[1] or (name == "init" and same_init):
            continue
        shapes = [_fixed(model) if name == "input" else None for model in (before, after)]
        old, new = (
            Place(path=f"model.{name}", kind="model", arguments={name: value}, output=shape)
            for value, shape in zip(values, shapes, strict=True)
        )
        settings = (Setting(name, *values),)
        alteration = Alteration(action="changed", before=old, after=new, arguments=settings)
        yield _Cause(alteration, (-1,), reshapes=name == "input")


def _fixed(model: Model) -> Shape | None:
    """The input, where it has no named sizes."""
    sizes = tuple(axis for axis in model.input or () if isinstance(axis, int))
    return sizes if len(sizes) == len(model.input or ()) else None


def _altered(action: Action, pair: Pair, arguments: tuple[Setting, ...] = ()) -> Alteration:
    return Alteration(action=action, before=pair[0].place(), after=pair[1].place(), arguments=arguments)


def _arguments(old: Element, new: Element, *, same_init: bool) -> Iterator[Setting]:
    """The arguments that differ. Those of a layer that was made up from shapes differ as a consequence."""
    if old.derived and new.derived:
        return
    yield from differences(old.node.layer, new.node.layer, "")
    if not same_init:
        for name in dict.fromkeys([*old.own_init, *new.own_init]):
            before, after = old.own_init.get(name), new.own_init.get(name)
            if before != after:
                yield Setting(f"init.{name}", before, after)
    for name, before, after in (
        ("from", list(old.node.sources), list(new.node.sources)),
        ("shared", old.node.shared, new.node.shared),
    ):
        if before != after:
            yield Setting(name, before or None, after or None)
    if old.node.parameters and new.node.parameters and old.node.trainable != new.node.trainable:
        yield Setting("trainable", old.node.trainable, new.node.trainable)


def _consequences(found: Matching, *, same_init: bool) -> Iterator[tuple[int, Alteration]]:
    """Layers written as before whose output, parameters or MACs differ, with their positions."""
    for pair in found.pairs:
        old, new = pair
        if old.is_composite or _cost(old.node) == _cost(new.node):
            continue
        if not any(_arguments(old, new, same_init=same_init)):
            yield new.position, _altered("consequence", pair)


def _cost(node: GraphNode) -> tuple[Any, ...]:
    return node.output, node.macs, tuple(parameter.shape for parameter in node.parameters)


def _attribute(consequences: Iterable[tuple[int, Alteration]], causes: dict[str, list[_Cause]]) -> None:
    """Hand every consequence to the nearest cause before it that can have led to it."""
    known = [cause for group in causes.values() for cause in group]
    able = [cause for cause in known if cause.reshapes] or known
    places = sorted(((position, cause) for cause in able for position in cause.positions), key=lambda place: place[0])
    positions = [position for position, _ in places]
    for position, alteration in consequences:
        if places:
            places[max(bisect_right(positions, position) - 1, 0)][1].consequences.append(alteration)
        else:  # a composite that treats its layers otherwise, without saying so in its arguments
            causes["changed"].append(_Cause(replace(alteration, action="changed"), (position,), reshapes=True))


def _renamed(pairs: list[Pair], listed: Iterable[Alteration], *, renumbered: bool) -> Iterator[Alteration]:
    """Layers with weights that only the path tells apart; another number counts where no layer came or went."""
    known = {alteration.place.path for alteration in listed}
    for pair in pairs:
        old, new = (element.node for element in pair)
        differ = old.path != new.path if renumbered else _unnumbered(old.path) != _unnumbered(new.path)
        if differ and old.parameters and not old.is_composite and new.path not in known:
            yield _altered("renamed", pair)


def _unnumbered(path: str) -> str:
    """`repeat_1.0.conv_2 -> repeat.#.conv`."""
    return re.sub(r"_\d+(?=\.|$)", "", re.sub(r"(?<=\.)\d+(?=\.)", "#", path))


def _initializers(graph: Graph) -> list[tuple[str, dict[str, Any]]]:
    """How every layer with weights starts, from the model's rules or its own."""
    return [(n.kind, plain_value(dict(n.initializers))) for n in graph.leaves() if n.parameters]


def _groups(graph: Graph, elements: list[Element]) -> dict[str, str]:
    """For layers that came or went as a whole with the composite around them: the path of the largest such."""
    gone = {element.node.path for element in elements}
    whole: set[str] = set()

    def is_whole(node: GraphNode) -> bool:
        inside = [is_whole(child) for child in node.children]
        result = all(inside) and bool(inside) if node.is_composite else node.path in gone
        if result and node.is_composite:
            whole.add(node.path)
        return result

    is_whole(graph.root)
    groups = {}
    for path in gone:
        steps = path.split(".")
        above = (".".join(steps[:depth]) for depth in range(1, len(steps) + 1))
        largest = next((prefix for prefix in above if prefix in whole), None)
        if largest is not None:
            groups[path] = largest
    return groups
