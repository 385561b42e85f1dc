"""Two networks' elements -> which belong together, which came, went and moved.

Levels are aligned by what their elements do; in the gaps, elements of one kind are paired; composites that are left
are looked into, so that wrapping layers in a residual sum moves none of them; what was removed here and added
there has moved.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from specforge.diff.alignment import Pairs, common, gaps, similar
from specforge.diff.network import Element, own_fields

Pair = tuple[Element, Element]


@dataclass(slots=True)
class Matching:
    """Pairs and additions in the order of the second network, removals in that of the first."""

    pairs: list[Pair] = field(default_factory=list)
    removed: list[Element] = field(default_factory=list)
    added: list[Element] = field(default_factory=list)
    moved: list[Pair] = field(default_factory=list)

    def translated(self, position: int) -> float:
        """A position in the first network as one in the second: just behind the nearest pair before it."""
        behind = bisect_left(self.pairs, position, key=lambda pair: pair[0].position)
        return self.pairs[behind - 1][1].position + 0.5 if behind else -0.5


def match(before: list[Element], after: list[Element]) -> Matching:
    """Match two networks that one `Reader` has read."""
    found = Matching()
    _match_level(before, after, found)
    for key in (_key, _content):
        _find_moved(found, key)
    for elements in (found.removed, found.added):
        elements.sort(key=_position)
    for pairs in (found.pairs, found.moved):
        pairs.sort(key=lambda pair: pair[1].position)
    return found


def _match_level(before: Sequence[Element], after: Sequence[Element], found: Matching) -> None:
    pairs = common([e.key for e in before], [e.key for e in after])
    if pairs is None:  # nearly everything differs
        pairs = _by_kind(before, after)
    _match_pairs(pairs, before, after, found)
    for old, new in gaps(pairs, before, after):
        _match_gap(old, new, found)


def _match_pairs(pairs: Pairs, before: Sequence[Element], after: Sequence[Element], found: Matching) -> None:
    for x, y in pairs:
        old, new = before[x], after[y]
        found.pairs.append((old, new))
        for name in dict.fromkeys([*old.regions, *new.regions]):
            _match_level(old.regions.get(name, []), new.regions.get(name, []), found)


def _match_gap(before: Sequence[Element], after: Sequence[Element], found: Matching) -> None:
    pairs = similar(before, after, _likeness)
    if pairs is None:
        pairs = _by_kind(before, after)
    _match_pairs(pairs, before, after, found)
    for old, new in gaps(pairs, before, after):
        composites = [[e for e in side if e.is_composite] for side in (old, new)]
        found.removed += composites[0]
        found.added += composites[1]
        if any(composites):
            _match_level(_opened(old), _opened(new), found)
        else:
            found.removed += old
            found.added += new


def _by_kind(before: Sequence[Element], after: Sequence[Element]) -> Pairs:
    """Aligned by kind alone; where even the kinds differ too much, by place."""
    pairs = common([e.node.kind for e in before], [e.node.kind for e in after])
    if pairs is not None:
        return pairs
    sides = enumerate(zip(before, after, strict=False))
    return [(place, place) for place, (old, new) in sides if old.node.kind == new.node.kind]


def _opened(elements: Iterable[Element]) -> list[Element]:
    return [inner for e in elements for inner in (e.inside() if e.is_composite else (e,))]


def _likeness(old: Element, new: Element) -> float:
    """From 1 for two layers of a kind to 3.1 for the same arguments, `id` and path; 0 for different kinds."""
    if old.node.kind != new.node.kind:
        return 0.0
    if old.is_composite:
        ours, theirs = ({e.key for e in side.inside()} for side in (old, new))
        same = len(ours & theirs) / max(len(ours), len(theirs), 1)
    else:
        names = own_fields(type(old.node.layer)) if old.node.layer else ()
        equal = sum(getattr(old.node.layer, name) == getattr(new.node.layer, name) for name in names)
        same = equal / len(names) if names else 1.0
    return 1 + same + (old.id is not None and old.id == new.id) + 0.1 * (old.node.path == new.node.path)


def _find_moved(found: Matching, key: Callable[[Element], Hashable]) -> None:
    """Turn what was removed here and added there into moves, in order."""
    waiting: dict[Hashable, list[Element]] = defaultdict(list)
    for element in sorted(found.removed, key=_position, reverse=True):
        waiting[key(element)].append(element)
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
