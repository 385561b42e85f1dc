"""Two networks -> what was added, removed, changed and moved, apart from what only follows from it.

    conv_1 relu_1 conv_2 relu_2  and  conv_1 batch_norm_1 relu_1 conv_2 relu_2
        ->  added: batch_norm_1

Layers are aligned by what they do, so that an inserted layer is one addition although later paths are renumbered.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from specforge.catalog.layers.composition import Branches
from specforge.diff.causes import At, Cause, of_the_image, of_the_model, of_the_output
from specforge.diff.difference import Alteration, Architecture, Setting
from specforge.diff.matching import Matching, Pair
from specforge.diff.network import Element
from specforge.diff.repeats import repetitions, whole_groups
from specforge.diff.settings import differences
from specforge.graph import Graph, GraphNode
from specforge.shapes import Misfit
from specforge.spec import Model


def architecture(
    found: Matching, before: tuple[Model, Graph], after: tuple[Model, Graph], *, at: At = lambda path: None
) -> Architecture:
    """The architecture's differences; each graph is that of its model, `found` their match.

    `at` knows where a path of the second spec was written.
    """
    written = _Written(found)
    model = (*of_the_model(before[0], after[0], at, same_init=found.same_init), *of_the_image(before, after))
    causes = {
        "added": list(_added(found, after[1])),
        "removed": list(_removed(found, before[1])),
        "changed": [*model, *_changed(found, written), *of_the_output(found, written.same)],
        "moved": list(_moved(found, after[1])),
    }
    _attribute(_consequences(found, written), causes)
    alterations = {action: [cause.complete() for cause in group] for action, group in causes.items()}
    is_structure_kept = not (found.added or found.removed or found.moved)
    causal = [alteration for group in alterations.values() for alteration in group]
    listed = chain(causal, *(alteration.consequences for alteration in causal))
    alterations["moved"] += _renamed(found.pairs, listed, renumbered=is_structure_kept)
    both = sorted((*found.pairs, *found.moved), key=lambda pair: pair[1].position)
    return Architecture(
        **{action: tuple(group) for action, group in alterations.items()},
        repeated=tuple(repetitions(found, before[1], after[1])),
        paths={old.path: new.path for old, new in both if old.path != new.path},
    )


def _added(found: Matching, graph: Graph) -> Iterator[Cause]:
    groups = _groups(graph, found.added)
    for element in found.added:
        place = element.place(groups.get(element.node.path))
        yield Cause(Alteration(action="added", after=place), (element.position,), _reshapes(element))


def _removed(found: Matching, graph: Graph) -> Iterator[Cause]:
    groups = _groups(graph, found.removed)
    for element in found.removed:
        alteration = Alteration(action="removed", before=element.place(groups.get(element.node.path)))
        yield Cause(alteration, (found.translated(element.position),), _reshapes(element))


def _moved(found: Matching, graph: Graph) -> Iterator[Cause]:
    for run in _runs(found.moved):
        group = _name_of(run, graph)
        for old, new in run:
            alteration = Alteration(action="moved", before=old.place(), after=new.place(group))
            yield Cause(alteration, (found.translated(old.position), new.position), _reshapes(new))


def _runs(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Pairs that are next to each other in both networks."""
    run: list[Pair] = []
    for pair in pairs:
        if run and any(pair[side].position != run[-1][side].position + 1 for side in (0, 1)):
            yield run
            run = []
        run.append(pair)
    if run:
        yield run


def _name_of(run: list[Pair], graph: Graph) -> str | None:
    """The composite that moved whole, or the first and last layer of several."""
    if len(run) == 1:
        return None
    groups = _groups(graph, [new for _, new in run])
    names = {groups.get(new.path) for _, new in run if not new.is_composite}
    return names.pop() if len(names) == 1 and None not in names else f"{run[0][1].path} … {run[-1][1].path}"


def _reshapes(element: Element) -> bool:
    return element.node.input != element.node.output


def _changed(found: Matching, written: "_Written") -> Iterator[Cause]:
    for pair in found.pairs:
        arguments = written.arguments(*pair)
        if arguments:
            alteration = Alteration(
                action="changed", before=pair[0].place(), after=pair[1].place(), arguments=arguments
            )
            yield Cause(alteration, (pair[1].position,), _reshapes_what_came(*pair))


def _reshapes_what_came(old: Element, new: Element) -> bool:
    """Whether the changed layer would have given another shape for what reached the old one."""
    layer = new.node.layer
    if layer is None or new.is_composite:
        return old.node.output != new.node.output
    try:
        return layer.output_shape(old.node.input) != old.node.output
    except Misfit:
        return True


class _Written:
    """What differs in how two layers are written that belong together."""

    def __init__(self, found: Matching):
        self.same_init, self.partners = found.same_init, found.partners()

    def arguments(self, old: Element, new: Element) -> tuple[Setting, ...]:
        """Those of a layer that was made up from shapes differ as a consequence."""
        if old.derived and new.derived:
            return ()
        own = list(differences(old.node.layer, new.node.layer, ""))
        if any(each.path == "model" for each in own):  # of another network
            own = [each for each in own if not each.path.startswith("published")]
        found = (*own, *self._around(old, new))
        places = new.node.argument_spans
        return tuple([replace(each, at=places.get(each.path.partition(".")[0], new.node.span)) for each in found])

    def _around(self, old: Element, new: Element) -> Iterator[Setting]:
        """What the items say beside the layers' own arguments."""
        if not self.same_init:
            for name in dict.fromkeys([*old.own_init, *new.own_init]):
                before, after = old.own_init.get(name), new.own_init.get(name)
                if before != after:
                    yield Setting(f"init.{name}", before, after)
        if not self._read_the_same(old, new):
            yield self._reading(old, new)
        if not self.same(old.shares, new.shares):
            owners = [each.shares.path if each.shares else None for each in (old, new)]
            yield Setting("shared", owners[0], owners[1])
        yield from self._inside(old, new)
        if old.is_frozen != new.is_frozen:
            yield Setting("trainable", not old.is_frozen, not new.is_frozen)

    def _inside(self, old: Element, new: Element) -> Iterator[Setting]:
        """How many paths branches have, and which value a region hands on where that is not its last layer's."""
        counts = [len(each.node.layer.paths) for each in (old, new) if isinstance(each.node.layer, Branches)]
        if len(set(counts)) > 1:
            yield Setting("paths", counts[0], counts[1])
        for region in dict.fromkeys([*old.ends, *new.ends]):
            ends = old.end(region), new.end(region)
            if not self.same(*ends):
                names = [each if isinstance(each, str) else each.path for each in ends]
                yield Setting(f"{region}.gives".removeprefix("."), names[0], names[1])

    def same(self, old: Element | str | None, new: Element | str | None) -> bool:
        if isinstance(old, Element) and isinstance(new, Element):
            return self.partners.get(id(old)) is new
        return old == new

    def _read_the_same(self, old: Element, new: Element) -> bool:
        return len(old.reads) == len(new.reads) and all(map(self.same, old.reads, new.reads))

    def _reading(self, old: Element, new: Element) -> Setting:
        """As it is written, unless the same words mean something else now."""
        before, after = (list(each.node.sources or each.read_paths()) for each in (old, new))
        if before == after:
            before, after = list(old.read_paths()), list(new.read_paths())
        return Setting("from", before or None, after or None)


def _consequences(found: Matching, written: _Written) -> Iterator[tuple[int, Alteration]]:
    """Layers written as before whose output, parameters or MACs differ, with their positions."""
    for pair in found.pairs:
        old, new = pair
        if not old.is_composite and _cost(old.node) != _cost(new.node) and not written.arguments(old, new):
            yield new.position, Alteration(action="consequence", before=old.place(), after=new.place())


def _cost(node: GraphNode) -> tuple[Any, ...]:
    return node.output, node.macs, tuple(parameter.shape for parameter in node.parameters)


def _attribute(consequences: Iterable[tuple[int, Alteration]], causes: dict[str, list[Cause]]) -> None:
    """Hand every consequence to the nearest cause before it that can have led to it."""
    known = [cause for group in causes.values() for cause in group]
    able = [cause for cause in known if cause.reshapes] or known
    places = sorted(((position, cause) for cause in able for position in cause.positions), key=lambda place: place[0])
    positions = [position for position, _ in places]
    for position, alteration in consequences:
        if places:
            places[max(bisect_right(positions, position) - 1, 0)][1].consequences.append(alteration)
        else:  # a composite that treats its layers otherwise, without saying so in its arguments
            causes["changed"].append(Cause(replace(alteration, action="changed"), (position,), reshapes=True))


def _renamed(pairs: list[Pair], listed: Iterable[Alteration], *, renumbered: bool) -> Iterator[Alteration]:
    """Layers with weights that only the path tells apart; another number counts where no layer came or went."""
    known = {alteration.place.path for alteration in listed}
    for old, new in pairs:
        differ = old.path != new.path if renumbered else _unnumbered(old.path) != _unnumbered(new.path)
        if differ and old.node.parameters and not old.is_composite and new.path not in known:
            yield Alteration(action="renamed", before=old.place(), after=new.place())


def _unnumbered(path: str) -> str:
    """`repeat_1.0.conv_2 -> repeat.#.conv`."""
    return re.sub(r"_\d+(?=\.|$)", "", re.sub(r"(?<=\.)\d+(?=\.)", "#", path))


def _groups(graph: Graph, elements: list[Element]) -> dict[str, str]:
    """For layers that came or went as a whole with the composite around them: the path of the largest such."""
    whole = whole_groups(graph, elements)
    groups = {}
    for path in (element.path for element in elements):
        steps = path.split(".")
        above = (".".join(steps[:depth]) for depth in range(1, len(steps) + 1))
        largest = next((prefix for prefix in above if prefix in whole), None)
        if largest is not None:
            groups[path] = largest
    return groups
