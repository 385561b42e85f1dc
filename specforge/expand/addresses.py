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


class Index(NamedTuple):
    """The segments of a list's items, in order; `items` keeps the list alive that the index is remembered for."""

    items: tuple[Node, ...]
    segments: tuple[str, ...]
    positions: dict[str, int]


def name_of(item: Node) -> tuple[str | None, str | None]:
    """What an item's segment is made from: its id as written and its layer's word."""
    given = item.get("id") if isinstance(item, Mapping) else None
    layer = layer_of(item)
    name = given.text if isinstance(given, Scalar) and given.text else None
    return name, None if layer is None else layer[0]


class Addresses:
    """Finds items; lists that did not change are looked through once."""

    def __init__(self, signature: Signatures):
        self.signature = signature
        self.known: dict[int, Index] = {}

    def index(self, layers: Sequence) -> Index:
        known = self.known.get(id(layers.items))
        if known is None:
            segments = tuple(_segments(layers.items))
            positions = {segment: position for position, segment in reversed(list(enumerate(segments))) if segment}
            known = self.known[id(layers.items)] = Index(layers.items, segments, positions)
        return known

    def keep(self, before: Sequence, after: Sequence) -> None:
        """Remember that a changed list has the segments that it had."""
        known = self.index(before)
        self.known[id(after.items)] = known._replace(items=after.items)

    def find(self, layers: Sequence, steps: tuple[str, ...]) -> Iterator[tuple[Hop, ...]]:
        """The ways to what an address leads to: several where it leaves out the number of a written-out iteration."""
        position = self.index(layers).positions.get(steps[0])
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
        for item, segment in zip(layers.items, self.index(layers).segments, strict=True):
            if not segment:
                continue
            yield prefix + segment
            for region in self.regions(item):
                inside = f"{region.segment}." if region.segment and region.argument != EVERY else ""
                yield from self.all(region.layers, f"{prefix}{segment}.{inside}")


def _segments(items: tuple[Node, ...]) -> Iterator[str]:
    """Each item's segment, empty for a splice."""
    counts: Counter[str] = Counter()
    for item in items:
        name, kind = name_of(item)
        if kind is not None:
            counts[kind] += 1
        if kind is None or (name is None and "$" in kind):
            yield ""
        else:
            yield name or f"{kind}_{counts[kind]}"
