"""Pooling windows of other programs -> `max_pool` and `avg_pool`, with a border where torch's padding has no such ones.

    size 2, stride 2, nothing in front, 9 pixels   ->   max_pool: {kernel_size: 2, ceil_mode: true}
    size 2, stride 1, one pixel missing behind     ->   pad: {padding: [[0, 1], [0, 1]], mode: replicate}
                                                        max_pool: {kernel_size: 2, stride: 1}

What lies outside the image counts nowhere, neither in a maximum nor in a mean.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from specforge.importing.recording import layer_of
from specforge.shapes import Misfit, Shape


@dataclass(frozen=True, slots=True)
class Windows:
    """Along one axis: how many windows there are, and how far they look beyond the image in front and behind."""

    positions: int
    before: int
    behind: int

    @classmethod
    def of(cls, size: int, kernel: int, stride: int, padding: int) -> "Windows":
        """With so many pixels of padding at both ends together, the smaller half of them in front."""
        positions = (size + padding - kernel) // stride + 1
        before = padding // 2
        return cls(positions, before, max(0, (positions - 1) * stride + kernel - before - size))


def pooling(
    word: str, arrived: Shape, kernels: Sequence[int], strides: Sequence[int], windows: Sequence[Windows]
) -> list[tuple[str, dict[str, Any]]] | None:
    """The layers with these windows; None where the language has none."""
    arguments: dict[str, Any] = {"kernel_size": per_axis(kernels)}
    if per_axis(strides) != per_axis(kernels):
        arguments["stride"] = per_axis(strides)
    symmetric = _with_padding(word, arrived, arguments, windows, kernels)
    if symmetric is not None:
        return [(word, symmetric)]
    border = [[window.before, window.behind] for window in windows]
    if word == "avg_pool" or any(max(pair) >= kernel for pair, kernel in zip(border, kernels, strict=True)):
        return None
    # repeating the edge changes no maximum: a window that reaches beyond it has the edge's own pixel, too
    return [("pad", {"padding": border, "mode": "replicate"}), (word, arguments)]


def per_axis(numbers: Sequence[int]) -> int | list[int]:
    """As people write them: `[3, 3]` is `3`."""
    return numbers[0] if len(set(numbers)) == 1 else list(numbers)


def _with_padding(
    word: str, arrived: Shape, arguments: dict[str, Any], windows: Sequence[Windows], kernels: Sequence[int]
) -> dict[str, Any] | None:
    """The arguments with torch's padding, equal at both ends, if that gives the same windows."""
    margins = [window.before for window in windows]
    if any(2 * margin > kernel for margin, kernel in zip(margins, kernels, strict=True)):
        return None
    wanted = tuple(window.positions for window in windows)
    outside: dict[str, Any] = {"padding": per_axis(margins)} if any(margins) else {}
    if word == "avg_pool" and outside:
        outside["count_include_pad"] = False
    for rounding in ({}, {"ceil_mode": True}):
        trial = {**arguments, **outside, **rounding}
        with suppress(Misfit):
            if layer_of(word, trial).output_shape(arrived)[1:] == wanted:
                return trial
    return None
