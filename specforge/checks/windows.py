"""What the windows of convolutions and poolings miss: rows that they never reach, weights that never meet a value.

An axis of n values, padded by p, under windows of k positions (d apart) that move by s: the window number i covers
i s - p, i s - p + d, … up to i s - p + d (k - 1).
"""

from dataclasses import replace
from functools import cache
from math import prod
from typing import NamedTuple

from specforge.catalog.definition import Layer, Window
from specforge.checks.subject import Subject
from specforge.diagnostics import define
from specforge.graph import Graph, GraphNode
from specforge.shapes import Shape, spelled, window_positions
from specforge.spec import Spec

DEAD_WEIGHTS = define(
    "SF515",
    "weights-on-padding",
    """
A kernel reaches so far beyond its input that some of its weights only ever meet the padding's zeros: on an image of
1×1, a 3×3 kernel with padding 1 uses the weight in its middle and never the other 8 of 9. They get no gradient, cost
memory and time, and count as parameters. It happens at the end of networks made for larger images. Thin out less
before the layer (a stride of 1, a pooling fewer), or use a smaller `kernel_size`.""",
    severity="warning",
)
MISSED = define(
    "SF516",
    "border-left-out",
    """
The last rows or columns of an image are in no window: `max_pool: 2` on 7×7 has 3×3 windows, which end at row 6, so
that 13 of 49 values are never looked at. It happens where the size does not divide: n + 2 padding - kernel is no
multiple of the stride. Rows of padding do not count, only rows of the image; nor do kernels smaller than their stride,
which skip rows on purpose. Strided convolutions are poolings in this. Add padding, or `ceil_mode: true` for a pooling,
choose an input whose size divides, or accept it with a reason: published tables often count on it.""",
    severity="warning",
)

_NAMES = {1: ("position",), 2: ("row", "column"), 3: ("plane", "row", "column")}


class _Cover(NamedTuple):
    """Windows along the axes of an image: how many positions of the kernel meet it, and how many of its ends none."""

    windows: tuple[Window, ...]
    used: tuple[int, ...]
    missed: tuple[int, ...]


def check_windows(subject: Subject) -> None:
    """Windows reach all of the image, and all of a kernel reaches the image."""
    if subject.graph is None or not _sizes_are_known(subject.graph, subject.spec):
        return
    cover_of = cache(_cover)  # a large network has many equal layers
    for node in subject.graph.leaves():
        cover = cover_of(node.layer, node.input, node.output)
        if cover is not None:
            _check_weights(subject, node, cover)
            _check_border(subject, node, cover)


def _sizes_are_known(graph: Graph, spec: Spec) -> bool:
    """Whether images have the graph's sizes, and not whatever arrives where `input` names its sizes."""
    image = None if spec.data is None else spec.data.dataset.facts().image
    return image == graph.input or not any(isinstance(axis, str) for axis in graph.axes)


def _cover(layer: Layer | None, input: Shape, output: Shape) -> _Cover | None:
    """None for layers without windows, and for those that make a list of patches."""
    windows = layer.windows(len(input) - 1) if layer is not None else ()
    if not windows or len(output) != len(input):
        return None
    sizes, counts = input[1:], output[1:]
    return _Cover(
        windows, tuple(map(positions_used, sizes, counts, windows)), tuple(map(rows_missed, sizes, counts, windows))
    )


def _check_weights(subject: Subject, node: GraphNode, cover: _Cover) -> None:
    kernels = tuple([window.kernel for window in cover.windows])
    if cover.used == kernels or not all(window.blank for window in cover.windows):
        return
    weight = next((parameter.shape for parameter in node.parameters if parameter.name == "weight"), None)
    if weight is None:
        return
    dead = prod(kernels) - prod(cover.used)
    message = (
        f"a kernel of {_by(kernels)} on an image of {_by(node.input[1:])}: {prod(cover.used)} of {prod(kernels)} "
        f"weights meet a value, the others only padding ({prod(weight) // prod(kernels) * dead:,} parameters)"
    )
    hint = f"thin out less before this layer, or use a kernel of {_by(cover.used)} with less padding"
    subject.findings.add(DEAD_WEIGHTS, node.argument_spans.get("kernel_size", node.span), message, hint)


def positions_used(size: int, positions: int, window: Window) -> int:
    """How many positions of the kernel lie on the image in at least one of its windows."""
    if window.padding == 0:  # the first window lies on the image as a whole
        return window.kernel
    used = 0
    for offset in range(-window.padding, window.dilation * window.kernel - window.padding, window.dilation):
        # the first window in which this position is not left of the image
        first = max(0, -(offset // window.stride))
        used += first < positions and first * window.stride + offset < size
    return used


def _check_border(subject: Subject, node: GraphNode, cover: _Cover) -> None:
    sizes, missed = node.input[1:], cover.missed
    if not any(missed) or any(window.kernel < window.stride for window in cover.windows):
        return
    values = prod(sizes) - prod(size - count for size, count in zip(sizes, missed, strict=True))
    places = [_last(count, name) for count, name in zip(missed, _NAMES[len(sizes)], strict=True) if count]
    message = (
        f"`{node.kind}` never reaches the last {' and the last '.join(places)} of an image of {_by(sizes)}: "
        f"{values:,} of {prod(sizes):,} values ({values / prod(sizes):.0%})"
    )
    subject.findings.add(MISSED, node.span, message, _way_to_reach(node, cover.windows))


def rows_missed(size: int, positions: int, window: Window) -> int:
    """How many values at the end of an axis lie behind the last window."""
    end = (positions - 1) * window.stride - window.padding + window.dilation * (window.kernel - 1) + 1
    return min(max(0, size - end), size)


def _way_to_reach(node: GraphNode, windows: tuple[Window, ...]) -> str:
    if hasattr(node.layer, "ceil_mode"):
        return "`ceil_mode: true` adds a window that hangs over the border; or accept it with a reason"
    margins = tuple(map(_margin, node.input[1:], windows))
    written = str(margins[0]) if len(set(margins)) == 1 else spelled(margins)
    return f"`padding: {written}` moves a window there; or accept it with a reason"


def _margin(size: int, window: Window) -> int:
    """The smallest padding with which all of an axis is reached: at most the stride less one, which leaves no rest."""
    for padding in range(window.padding, window.stride - 1):
        positions = window_positions(size, window.kernel, window.stride, padding, window.dilation)
        if rows_missed(size, positions, replace(window, padding=padding)) == 0:
            return padding
    return max(window.padding, window.stride - 1)


def _last(count: int, name: str) -> str:
    return name if count == 1 else f"{count} {name}s"


def _by(sizes: tuple[int, ...]) -> str:
    """As people write sizes: `7×7`."""
    return "×".join(map(str, sizes))
