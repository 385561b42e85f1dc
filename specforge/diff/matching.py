"""Two networks' elements -> which belong together, which came, went and moved.

Levels are aligned by what their elements do; in the gaps, elements of one kind are paired; composites that are left
are looked into, so that wrapping layers in a residual sum moves none of them; what was removed here and added
there has moved.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from specforge.diff.alignment import Pairs, common, gaps, similar
from specforge.diff.network import Element, last, layers, meanings, own_fields
from specforge.diff.reading import Network, Reader
from specforge.graph import Graph
from specforge.resolved import plain_value
from specforge.spec import Model

Pair = tuple[Element, Element]

ALIKE = 0.5  # of two groups under different paths: the share of kinds of layers from which they may be the same
FEW_ALIKE = 3  # layers of equal content that came or went: of more, and not as many, none is known to have moved


@dataclass(slots=True)
class Matching:
    """Pairs and additions in the order of the second network, removals in that of the first.

    `groups` are pairs too. `same_init`: all layers with weights start alike in both, whether a rule or their own item
    says how. `outputs` are what makes both outputs.
    """

    pairs: list[Pair] = field(default_factory=list)
    removed: list[Element] = field(default_factory=list)
    added: list[Element] = field(default_factory=list)
    moved: list[Pair] = field(default_factory=list)
    groups: list[Pair] = field(default_factory=list)
    same_init: bool = True
    outputs: tuple[Element | str, Element | str] = ("", "")

    def partners(self) -> dict[int, Element]:
        """What belongs to each element of the first network that stayed, by its identity."""
        return {id(old): new for old, new in (*self.pairs, *self.moved)}

    def translated(self, position: int) -> float:
        """A position in the first network as one in the second: just behind the nearest pair before it."""
        behind = bisect_left(self.pairs, position, key=lambda pair: pair[0].position)
        return self.pairs[behind - 1][1].position + 0.5 if behind else -0.5


def match(before: tuple[Model, Graph], after: tuple[Model, Graph]) -> Matching:
    """Match two networks, each a graph and its model."""
    found = Matching(same_init=_initializers(before[1]) == _initializers(after[1]))
    reader = Reader(initializers=not found.same_init)
    networks = reader.read(*before), reader.read(*after)
    _match_level(networks[0].level, networks[1].level, found)
    found.outputs = _outputs(*networks)
    for key in (_key, _content):
        _find_moved(found, key)
    for elements in (found.removed, found.added):
        elements.sort(key=_position)
    for pairs in (found.pairs, found.moved):
        pairs.sort(key=lambda pair: pair[1].position)
    return found


def _outputs(before: Network, after: Network) -> tuple[Element | str, Element | str]:
    """Empty where both are their last layers: then what came and went says it."""
    if before.end is None and after.end is None:
        return "", ""
    return before.end or last(before.level), after.end or last(after.level)


def _initializers(graph: Graph) -> list[tuple[str, dict[str, Any]]]:
    """How every layer with weights starts, from the model's rules or its own."""
    return [(n.kind, plain_value(dict(n.initializers))) for n in graph.leaves() if n.parameters]


def _match_level(before: Sequence[Element], after: Sequence[Element], found: Matching) -> None:
    if meanings(before) == meanings(after):
        _match_same(before, after, found)
        return
    pairs = _by_name(before, after)
    if pairs is None:
        sizes = [1 + e.kinds.total() for e in before]
        pairs = common([e.key for e in before], [e.key for e in after], sizes)
    if pairs is None:  # nearly everything differs
        pairs = _by_kind(before, after)
    _match_pairs(pairs, before, after, found)
    for old, new in gaps(pairs, before, after):
        _match_gap(old, new, found)


def _by_name(before: Sequence[Element], after: Sequence[Element]) -> Pairs | None:
    """One by one, where both levels have the same names in the same order: then none came, went or moved.

    Else widths that double would make the second stage of the one network the first of the other.
    """
    if [e.node.name for e in before] != [e.node.name for e in after]:
        return None
    alike = [
        (old.node.kind, old.is_group) == (new.node.kind, new.is_group) for old, new in zip(before, after, strict=True)
    ]
    return [(place, place) for place, is_alike in enumerate(alike) if is_alike]


def _match_same(before: Sequence[Element], after: Sequence[Element], found: Matching) -> None:
    """Two levels that do the same, in whatever groups."""
    for old, new in zip(layers(before), layers(after), strict=True):
        found.pairs.append((old, new))
        for name, level in old.regions.items():
            _match_same(level, new.regions.get(name, []), found)


def _match_pairs(pairs: Pairs, before: Sequence[Element], after: Sequence[Element], found: Matching) -> None:
    for x, y in pairs:
        old, new = before[x], after[y]
        (found.groups if old.is_group else found.pairs).append((old, new))
        for name in dict.fromkeys([*old.regions, *new.regions]):
            _match_level(old.regions.get(name, []), new.regions.get(name, []), found)


def _match_gap(before: Sequence[Element], after: Sequence[Element], found: Matching) -> None:
    pairs = similar(before, after, _likeness)
    if pairs is None:
        pairs = _by_kind(before, after)
    _match_pairs(pairs, before, after, found)
    for old, new in gaps(pairs, before, after):
        found.removed += [e for e in old if e.is_composite and not e.is_group]
        found.added += [e for e in new if e.is_composite and not e.is_group]
        if any(e.is_composite for e in (*old, *new)):
            _match_level(_opened(old), _opened(new), found)
        else:
            found.removed += old
            found.added += new


def _by_kind(before: Sequence[Element], after: Sequence[Element]) -> Pairs:
    """Aligned by kind alone; where even the kinds differ too much, by place."""
    ours, theirs = ([(e.node.kind, e.is_group) for e in side] for side in (before, after))
    pairs = common(ours, theirs)
    if pairs is not None:
        return pairs
    return [(place, place) for place, (old, new) in enumerate(zip(ours, theirs, strict=False)) if old == new]


def _opened(elements: Iterable[Element]) -> list[Element]:
    return [inner for e in elements for inner in (e.inside() if e.is_composite else (e,))]


def _likeness(old: Element, new: Element) -> float:
    """From 1 for two layers of a kind to 3.1 for the same arguments, `id` and path; 0 for what is no pair."""
    if old.is_group != new.is_group or old.node.kind != new.node.kind:
        return 0.0
    if old.is_composite:
        if old.is_group and old.path != new.path and _shared(old.kinds, new.kinds) < ALIKE:
            return 0.0
        same = _shared(old.keys, new.keys)
    else:
        names = own_fields(type(old.node.layer)) if old.node.layer else ()
        equal = sum(getattr(old.node.layer, name) == getattr(new.node.layer, name) for name in names)
        same = equal / len(names) if names else 1.0
    return 1 + same + (old.id is not None and old.id == new.id) + 0.1 * (old.path == new.path)


def _shared(ours: Counter[Any], theirs: Counter[Any]) -> float:
    """How much of the larger of two collections the other has."""
    return (ours & theirs).total() / max(ours.total(), theirs.total(), 1)


def _find_moved(found: Matching, key: Callable[[Element], Hashable]) -> None:
    """Turn what was removed here and added there into moves, in order, unless that would be a guess."""
    waiting: dict[Hashable, list[Element]] = defaultdict(list)
    for element in sorted((e for e in found.removed if not e.derived), key=_position, reverse=True):
        waiting[key(element)].append(element)
    came = Counter(key(element) for element in found.added)
    for alike, gone_alike in waiting.items():
        if len(gone_alike) != came[alike] and min(len(gone_alike), came[alike]) > FEW_ALIKE:
            gone_alike.clear()
    for new in sorted(found.added, key=_position):
        if waiting[key(new)]:
            found.moved.append((waiting[key(new)].pop(), new))
    gone = {id(element) for pair in found.moved for element in pair}
    found.removed = [e for e in found.removed if id(e) not in gone]
    found.added = [e for e in found.added if id(e) not in gone]


def _position(element: Element) -> int:
    return element.position


def _key(element: Element) -> Hashable:
    return element.key


def _content(element: Element) -> Hashable:
    """What a layer does under any `id`; composites only move whole."""
    return element.key if element.is_composite else element.content
