"""How much of the image each value sees: Graph -> the receptive field of every value, by number.

    conv 3×3 -> max_pool 2 -> conv 3×3                    3×3 -> 4×4 -> 8×8

A field is the extent in pixels, along each spatial axis of the input, of what one position can depend on, in evaluation
mode; positions that dilation leaves out count. A value made of several has the largest extent among them.
"""

from fractions import Fraction
from math import ceil
from typing import NamedTuple

from specforge.catalog.definition import Layer
from specforge.graph.node import Graph
from specforge.shapes import Shape


class _Axis(NamedTuple):
    """`extent` pixels are seen; the next position of the value looks `jump` pixels further on.

    Where every position sees all that there is, another one sees nothing new: the jump is 0.
    """

    extent: Fraction
    jump: Fraction


def receptive_fields(graph: Graph) -> dict[int, Shape]:
    """The extents by the numbers of values, 0 for the input; `(32, 32)` of a 32×32 image is all of it."""
    pixels = graph.input[1:]
    seen = {0: (_Axis(Fraction(1), Fraction(1)),) * len(pixels)}
    shapes = {0: graph.input}
    for node in graph.makers():
        assert node.layer is not None
        arriving = [(seen[number], shapes[number]) for number in node.joins or node.reads]
        steps = [axes if node.joins else _step(node.layer, axes, shape, node.output) for axes, shape in arriving]
        seen[node.number] = tuple(_union(same_axis) for same_axis in zip(*steps, strict=True))
        shapes[node.number] = node.output
    return {number: _clipped(axes, pixels) for number, axes in seen.items()}


def _step(layer: Layer, axes: tuple[_Axis, ...], input: Shape, output: Shape) -> tuple[_Axis, ...]:
    """What a layer's output sees of the image, through one of its inputs."""
    sizes = input[1:]
    reach = layer.reach(len(sizes))
    if len(sizes) != len(axes):  # the axes are the image's no more: all of it has been seen
        return axes
    if reach is None or len(output) != len(input):
        return tuple(
            _Axis(axis.extent + (size - 1) * axis.jump, Fraction(0)) for axis, size in zip(axes, sizes, strict=True)
        )
    steps = zip(axes, reach, layer.strides(len(sizes)), strict=True)
    return tuple(_Axis(axis.extent + (width - 1) * axis.jump, axis.jump * stride) for axis, width, stride in steps)


def _union(axes: tuple[_Axis, ...]) -> _Axis:
    """Values of several sources: one that sees everything is spread over the positions of the others."""
    return _Axis(max(axis.extent for axis in axes), max(axis.jump for axis in axes))


def _clipped(axes: tuple[_Axis, ...], pixels: Shape) -> Shape:
    return tuple(min(ceil(axis.extent), size) for axis, size in zip(axes, pixels, strict=True))
