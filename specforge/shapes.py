"""Shape arithmetic on tuples of ints, without a batch axis: `(C, H, W)` for an image, `(F,)` for features."""

from collections.abc import Sequence
from math import prod

Shape = tuple[int, ...]


class Misfit(Exception):
    """A layer that cannot take what arrives. Lowering turns it into a located diagnostic.

    `argument` names the layer's argument to point at; without it the whole layer is pointed at.
    """

    def __init__(self, message: str, *, hint: str | None = None, argument: str | None = None):
        super().__init__(message)
        self.message, self.hint, self.argument = message, hint, argument


def elements(shape: Shape) -> int:
    """Number of values in a tensor of this shape: `(32, 8, 8) -> 2048`."""
    return prod(shape)


def spelled(shape: Sequence[int | str]) -> str:
    """As users write shapes: `[32, 8, 8]`."""
    return "[" + ", ".join(map(str, shape)) + "]"


def per_axis(value: int | Sequence[int], axes: int, *, argument: str) -> tuple[int, ...]:
    """One number for every spatial axis: `3` on two axes is `(3, 3)`; a list must have the right length."""
    if isinstance(value, int):
        return (value,) * axes
    if len(value) != axes:
        raise Misfit(
            f"`{argument}` has {len(value)} numbers, but the input has {axes} spatial axes",
            hint=f"write one number, or a list of {axes}",
            argument=argument,
        )
    return tuple(value)


def window_positions(
    size: int, kernel: int, stride: int, padding: int, dilation: int = 1, *, ceil: bool = False
) -> int:
    """How often a window fits along an axis (torch.nn.Conv2d's and MaxPool2d's formula); 0 or less if never."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return span // stride + 1
    # rounding up gives a window that is a little too large its one position, as in torch
    count = -(-span // stride) + 1
    # torch drops a last window that would start in the right padding
    return count - 1 if (count - 1) * stride >= size + padding else count
