"""How much of the image each value sees: Graph -> the receptive field of every value, by number.

    conv 3×3 -> max_pool 2 -> conv 3×3                    3×3 -> 4×4 -> 8×8

A field is the extent in pixels, along each spatial axis of the input, of what one position can depend on when the
network is evaluated: the most that any position has, inside the image. Positions that dilation leaves out count. Where
the axes are the image's no more, as after `flatten`, all values together are one position.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from specforge.catalog.definition import Layer, Merge, Window
from specforge.graph.node import Graph, GraphNode
from specforge.shapes import Shape

NOWHERE = 1 << 62  # the first pixel of a position that sees nothing but padding; the last is its negative


class _Axis(NamedTuple):
    """The first and the last pixel that each position along an axis sees."""

    first: list[int]
    last: list[int]

    def extent(self) -> int:
        return max(0, *(last - first + 1 for first, last in zip(self.first, self.last, strict=True)))

    def everywhere(self, positions: int) -> "_Axis":
        """Every position sees what all of these see."""
        return _Axis([min(self.first)] * positions, [max(self.last)] * positions)

    def through(self, window: Window, positions: int) -> "_Axis":
        """What positions of a window over these see."""
        behind = window.dilation * (window.kernel - 1) + window.stride * positions  # more than any window needs
        offsets = [window.dilation * number for number in range(window.kernel)]

        def rows(seen: list[int], blank: int) -> list[list[int]]:
            """Under each position of the kernel, what it sees from place to place; one twice, as `min` needs two."""
            padded = [blank] * window.padding + seen + [blank] * behind
            each = [padded[offset :: window.stride][:positions] for offset in offsets]
            return [each[0], *each]

        first, last = rows(self.first, NOWHERE), rows(self.last, -NOWHERE)
        return _Axis(list(map(min, *first)), list(map(max, *last)))

    def around(self, width: int, stride: int | Fraction, positions: int) -> "_Axis":
        """What positions see that each look at `width` of these, spread evenly over them."""
        if width == stride == 1 and positions == len(self.first):
            return self
        first, last = [], []
        for place in range(positions):
            middle = (place + Fraction(1 - positions, 2)) * stride + Fraction(len(self.first) - 1, 2)
            start = ceil(middle - Fraction(width, 2))
            near = slice(max(start, 0), max(start + width, 0))
            first.append(min(self.first[near], default=NOWHERE))
            last.append(max(self.last[near], default=-NOWHERE))
        return _Axis(first, last)


def receptive_fields(graph: Graph) -> dict[int, Shape]:
    """The extents by the numbers of values, 0 for the input; `(32, 32)` of a 32×32 image is all of it."""
    seen = {0: tuple(_Axis(list(range(size)), list(range(size))) for size in graph.input[1:])}
    shapes = {0: graph.input}
    for node in graph.makers:
        arriving = [_through(node, seen[number], shapes[number]) for number in node.joins or node.reads]
        seen[node.number] = tuple(_joined(same_axis) for same_axis in zip(*arriving, strict=True))
        shapes[node.number] = node.output
    return {number: tuple(axis.extent() for axis in axes) for number, axes in seen.items()}


def _through(node: GraphNode, axes: tuple[_Axis, ...], input: Shape) -> tuple[_Axis, ...]:
    """What a layer's output sees of the image, through one of the values that it reads."""
    layer, sizes = node.layer, node.output[1:]
    assert layer is not None
    if len(node.output) != len(input) or len(sizes) != len(axes):
        return tuple(axis.everywhere(1) for axis in axes)
    if node.joins or isinstance(layer, Merge):
        everything = layer.reach(len(axes)) is None
        return tuple(_spread(axis, size, everything) for axis, size in zip(axes, sizes, strict=True))
    return tuple(_steps(layer, axes, sizes))


def _steps(layer: Layer, axes: tuple[_Axis, ...], sizes: Shape) -> Iterator[_Axis]:
    """Axis by axis, to so many positions."""
    reach, windows, strides = layer.reach(len(axes)), layer.windows(len(axes)), layer.strides(len(axes))
    for number, (axis, size) in enumerate(zip(axes, sizes, strict=True)):
        if reach is None:
            yield axis.everywhere(size)
        elif windows:
            yield axis.through(windows[number], size)
        else:
            yield axis.around(reach[number], strides[number], size)


def _spread(axis: _Axis, positions: int, everything: bool) -> _Axis:
    """One of several values that are joined; where its positions become others, each of them sees what all see."""
    return axis.everywhere(positions) if everything or len(axis.first) != positions else axis


def _joined(axes: tuple[_Axis, ...]) -> _Axis:
    """What a value sees that is made of several."""
    if len(axes) == 1:
        return axes[0]
    firsts, lasts = zip(*axes, strict=True)
    return _Axis(list(map(min, *firsts)), list(map(max, *lasts)))
