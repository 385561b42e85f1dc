"""Named sizes: `input: [3, H, W]` -> the smallest image for which the network is right, and proof for all larger ones.

How a size turns into another (convolutions, pooling, padding, upsampling, slices) repeats: where the input grows by the
product of all strides, every size inside grows by a constant. So a network that is right for all sizes of one period,
and grows evenly over it, is right for every larger size. The proof lowers the network at each of them, and once more
far out, with another size for every name, where what was stretched from 1 or divided by luck shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from specforge.diagnostics import Findings, Span, define
from specforge.graph.node import Graph
from specforge.shapes import Shape, spelled

SIZES = define(
    "SF405",
    "not-for-every-size",
    """
`input: [3, H, W]` promises a network for images of any size, from a smallest one that specforge finds. Weights may then
not depend on the size: put `global_avg_pool` or `adaptive_avg_pool` before the first linear layer instead of `flatten`.
Nor may shapes that are joined agree for some sizes only, as when an image is halved and doubled again: its odd sizes
don't come back. Give `input` the sizes that you use, as in `[3, 224, 224]`, if the network is made for those.""",
)

LARGEST = 4096
PRIMES = (1009, 1013, 1019)  # sizes that nothing divides
LONGEST_PERIOD = 1024

Axes = tuple[int | str, ...]
Attempt = Callable[[Shape, Findings], Graph | None]


@dataclass(slots=True)
class _Search:
    """The network at any size: `attempt` lowers it, findings at `span` are about the input.

    `paths` are the layers of a large image. A small one may have fewer: a projection shortcut is built where shapes
    differ, and a stride does nothing to a single pixel. That is another network, and counts as wrong.
    """

    axes: Axes
    attempt: Attempt
    findings: Findings
    span: Span
    paths: list[str] | None = None

    def shape(self, sizes: dict[str, int]) -> Shape:
        return tuple(sizes[axis] if isinstance(axis, str) else axis for axis in self.axes)

    def at(self, sizes: dict[str, int]) -> Graph | None:
        graph = self.attempt(self.shape(sizes), Findings())
        if graph is None:
            return None
        paths = [node.path for node in graph.makers]
        self.paths = self.paths or paths
        return graph if paths == self.paths else None


def smallest(axes: Axes, attempt: Attempt, findings: Findings, span: Span) -> Shape | None:
    """The smallest input for which, and for everything larger, the network is right; None after findings."""
    search = _Search(axes, attempt, findings, span)
    names = list(dict.fromkeys(axis for axis in axes if isinstance(axis, str)))
    start = _first(search, names)
    if start is None:
        search.attempt(search.shape(dict.fromkeys(names, 256)), findings)
        return None
    least: dict[str, int] = {}
    for name in names:
        found = _least(search, name, start)
        if found is None:
            return None
        least[name] = found
    while (graph := search.at(least)) is None:  # right along each axis with the others large, but not together
        least = {name: min(size + 1, start[name]) for name, size in least.items()}
    period = _period(graph)
    larger = search.at({name: size + period for name, size in least.items()})
    if larger is not None and not _same_weights(search, graph, larger):
        return None
    return search.shape(least) if _holds_far_out(search, names, period) else None


def _holds_far_out(search: _Search, names: list[str], period: int) -> bool:
    """Whether the network is right for large images that are no squares, where no axis is stretched or divides."""
    odd = dict(zip(names, PRIMES, strict=False))
    bases = {name: (4 + number) * period * (LARGEST // (16 * period) + 1) for number, name in enumerate(names)}
    for sizes in (odd, *({name: base + rest for name, base in bases.items()} for rest in range(period))):
        if search.at(sizes) is None:
            _report(search, names[0], sizes, period)
            return False
    return True


def _first(search: _Search, names: list[str]) -> dict[str, int] | None:
    """Some sizes that are right."""
    size = LARGEST
    right = None
    while size and search.at(dict.fromkeys(names, size)) is not None:
        right, size = size, size // 2
    return None if right is None else dict.fromkeys(names, right)


def _least(search: _Search, name: str, start: dict[str, int]) -> int | None:
    """The least size of one axis, the others being large enough, from which on all are right."""
    wrong, right = 0, start[name]
    while right - wrong > 1:
        middle = (wrong + right) // 2
        if search.at({**start, name: middle}) is None:
            wrong = middle
        else:
            right = middle
    graph = search.at({**start, name: right})
    assert graph is not None
    period = _period(graph)
    if period > LONGEST_PERIOD:
        message = f"the strides multiply to {period}: no proof for every size"
        search.findings.add(SIZES, search.span, message, "write the sizes of `input` as numbers")
        return None
    last_wrong = _last_wrong(search, name, start, range(right + 1, right + period + 1))
    if last_wrong is None:
        return right
    if _last_wrong(search, name, start, range(last_wrong + 1, last_wrong + period + 1)) is None:
        return last_wrong + 1
    _report(search, name, {**start, name: last_wrong}, period)
    return None


def _last_wrong(search: _Search, name: str, start: dict[str, int], sizes: range) -> int | None:
    return next((size for size in reversed(sizes) if search.at({**start, name: size}) is None), None)


def _report(search: _Search, name: str, sizes: dict[str, int], period: int) -> None:
    """A size between others that is not right: why."""
    why = Findings()
    search.attempt(search.shape(sizes), why)
    hint = f"other sizes are right; multiples of {period} may be: write `input` with numbers"
    for found in why:
        message = f"not for every `{name}`: for input {spelled(search.shape(sizes))}, {found.message}"
        search.findings.add(SIZES, found.span, message, hint)


def _period(graph: Graph) -> int:
    """After how many pixels everything repeats: the least common multiple of all strides from the input on."""
    steps: dict[int, Fraction] = {0: Fraction(1)}
    period = 1
    for node in graph.makers:
        before = max(steps[number] for number in (node.joins or node.reads))
        layer, axes = node.layer, len(node.input) - 1
        strides = layer.strides(axes) if layer is not None and not node.joins and axes else ()
        steps[node.number] = before * max(strides, default=Fraction(1))
        period = lcm(period, *(int((before * stride).numerator) for stride in strides))
    return period


def _same_weights(search: _Search, graph: Graph, larger: Graph) -> bool:
    """Whether no weight depends on the size; a finding for the first layer whose weights do."""
    for node, other in zip(graph.leaves(), larger.leaves(), strict=True):
        for parameter, there in zip(node.parameters, other.parameters, strict=True):
            if parameter.shape != there.shape:
                message = (
                    f"the weights of `{node.path}` depend on the image's size: {spelled(parameter.shape)} for input "
                    f"{spelled(graph.input)}, {spelled(there.shape)} for {spelled(larger.input)}"
                )
                hint = (
                    "put `global_avg_pool` or `adaptive_avg_pool` before it, or write the sizes of `input` as numbers"
                )
                search.findings.add(SIZES, node.span, message, hint)
                return False
    return True
