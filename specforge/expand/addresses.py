"""An address -> the items as written that it leads to.

    layers: [{repeat: {times: 2, layers: [relu, conv: {…}]}}]        repeat_1.conv_1    the `conv`, in all iterations

A segment is an item's `id`, else `kind_n`, counted among the list's items as written: `$x` stands for no layer here.
The body of a composite follows directly, a shortcut after `shortcut`, a path of `branches` after its number.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from specforge.expand.words import Signatures, layer_of
from specforge.source import Mapping, Node, Scalar, Sequence

EVERY = "iterations"
MAX_DIGITS = 9


class Hop(NamedTuple):
    """An item of a list, by position, and the region of it that the next hop lies in: `paths`, 0."""

    position: int
    argument: str = ""
    number: int | None = None


class Region(NamedTuple):
    """A list of layers inside an item: the segment that leads to it (none for a body), and where it stands."""

    segment: str
    argument: str
    number: int | None
    layers: Sequence


class Names(NamedTuple):
    """What the segments of a list's items are made from: ids as written, and the words of their layers."""

    ids: tuple[str | None, ...]
    kinds: tuple[str | None, ...]

    def position(self, segment: str) -> int | None:
        """The item that a segment names."""
        if segment in self.ids:
            return self.ids.index(segment)
        kind, _, number = segment.rpartition("_")
        if not number.isdecimal() or len(number) > MAX_DIGITS or "$" in kind:
            return None
        same = [position for position, other in enumerate(self.kinds) if other == kind]
        found = [position for position in same[int(number) - 1 : int(number)] if self.ids[position] is None]
        return found[0] if found and segment == f"{kind}_{int(number)}" else None

    def segments(self) -> Iterator[str]:
        """Each item's segment, empty for a splice."""
        counts: Counter[str] = Counter()
        for name, kind in zip(self.ids, self.kinds, strict=True):
            if kind is not None:
                counts[kind] += 1
            if kind is None or (name is None and "$" in kind):
                yield ""
            else:
                yield name or f"{kind}_{counts[kind]}"


def name_of(item: Node) -> tuple[str | None, str | None]:
    """What an item's segment is made from: its id as written and its layer's word."""
    layer = layer_of(item)
    if layer is None:
        return None, None
    given = item.get("id") if isinstance(item, Mapping) else None
    return (given.text or None) if isinstance(given, Scalar) else None, layer[0]


class Addresses:
    """Finds items. Each list is looked through once: names are kept as the list is changed."""

    def __init__(self, signature: Signatures):
        self.signature = signature
        self.known: dict[int, tuple[Sequence, Names]] = {}

    def names(self, layers: Sequence) -> Names:
        """The names of a list's items; the list is kept too, so that its `id` stays its own."""
        if id(layers.items) not in self.known:
            named = [name_of(item) for item in layers.items]
            self.known[id(layers.items)] = layers, Names(tuple(n for n, _ in named), tuple(k for _, k in named))
        return self.known[id(layers.items)][1]

    def replaced(self, layers: Sequence, position: int, new: list[Node]) -> Sequence:
        """The list with other items in place of one."""
        ids, kinds = self.names(layers)
        named = [name_of(item) for item in new]
        names = Names(
            (*ids[:position], *(name for name, _ in named), *ids[position + 1 :]),
            (*kinds[:position], *(kind for _, kind in named), *kinds[position + 1 :]),
        )
        result = layers._replace(items=(*layers.items[:position], *new, *layers.items[position + 1 :]))
        self.known.pop(id(layers.items))
        self.known[id(result.items)] = result, names
        return result

    def find(self, layers: Sequence, steps: tuple[str, ...]) -> Iterator[tuple[Hop, ...]]:
        """The ways to what an address leads to: several where it leaves out the number of a written-out iteration."""
        position = self.names(layers).position(steps[0])
        if position is None:
            return
        if len(steps) == 1:
            yield (Hop(position),)
            return
        for region in self.regions(layers.items[position]):
            if not region.segment:
                below = steps[1:]
            elif region.segment == steps[1] and len(steps) > 2:
                below = steps[2:]
            elif region.argument == EVERY and not steps[1].isdigit():
                below = steps[1:]
            else:
                continue
            for way in self.find(region.layers, below):
                yield (Hop(position, region.argument, region.number), *way)

    def regions(self, item: Node) -> Iterator[Region]:
        """The lists of layers that an item holds."""
        layer = layer_of(item)
        known = None if layer is None else self.signature(layer[0])
        arguments = None if layer is None or known is None else known.named(layer[1].value)
        if known is None or arguments is None:
            return
        for name, number, inner in known.inside(arguments):
            if isinstance(inner, Sequence):
                segment = str(number) if number is not None else "" if name == "layers" else name
                yield Region(segment, name, number, inner)

    def all(self, layers: Sequence, prefix: str = "") -> Iterator[str]:
        """Every address below a list."""
        for item, segment in zip(layers.items, self.names(layers).segments(), strict=True):
            if not segment:
                continue
            yield prefix + segment
            for region in self.regions(item):
                inside = f"{region.segment}." if region.segment and region.argument != EVERY else ""
                yield from self.all(region.layers, f"{prefix}{segment}.{inside}")
