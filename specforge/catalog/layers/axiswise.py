"""Activations along an axis."""

from math import inf
from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Kept, Layer
from specforge.shapes import Misfit, Shape, spelled

Axis = Annotated[int, Field(description="torch's numbering: the batch is 0, -1 is the last axis")]


class _AlongAxis(Layer):
    """A function of all values along one axis."""

    target: ClassVar[str]
    main: ClassVar[str | None] = "dim"
    dim: Axis = 1

    def axis(self, axes: int) -> int:
        """The axis, counted from 1, of an input of so many; 0 is the batch, and others may not exist."""
        return self.dim + axes + 1 if self.dim < 0 else self.dim

    def output_shape(self, input: Shape) -> Shape:
        if not 1 <= self.axis(len(input)) <= len(input):
            message = f"axis {self.dim} is not one of {spelled(input)}; the batch is axis 0"
            raise Misfit(message, hint=f"axes go from 1 to {len(input)}", argument="dim")
        return input

    def reach(self, axes: int) -> tuple[int, ...] | None:
        return (1,) * axes if self.axis(axes + 1) == 1 else None

    def lower(self, input: Shape) -> Call:
        return Call(self.target, {"dim": self.dim})


class _Distribution(_AlongAxis):
    """A normalisation to probabilities, or to their logarithms, that lie between `limits`."""

    limits: ClassVar[tuple[float, float]]

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return self.limits

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(output=True)


class Softmax(_Distribution):
    """Makes probabilities along an axis, by default the channels or features: exp(x) / Σ exp(x).

        softmax

    Shapes: any -> the same. `dim` is torch's: the batch is 0. The cross entropy loss contains a softmax: a network
    trained with it ends in logits, without this layer.

    Errors: an axis that doesn't exist; the batch.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
    """

    target: ClassVar[str] = "torch.nn.Softmax"
    also_known_as: ClassVar[tuple[str, ...]] = ("softmax2d",)
    limits: ClassVar[tuple[float, float]] = (0, 1)


class Softmin(_Distribution):
    """Makes probabilities along an axis, the largest for the smallest value: exp(-x) / Σ exp(-x).

        softmin

    Shapes: any -> the same. `dim` is torch's: the batch is 0.

    Errors: an axis that doesn't exist; the batch.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html
    """

    target: ClassVar[str] = "torch.nn.Softmin"
    limits: ClassVar[tuple[float, float]] = (0, 1)


class LogSoftmax(_Distribution):
    """Takes the logarithm of softmax along an axis, by default the channels or features.

        log_softmax

    Shapes: any -> the same. `dim` is torch's: the batch is 0.

    Errors: an axis that doesn't exist; the batch.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
    """

    target: ClassVar[str] = "torch.nn.LogSoftmax"
    limits: ClassVar[tuple[float, float]] = (-inf, 0)


class Glu(_AlongAxis):
    """Halves an axis and weighs the first half by the sigmoid of the second: a · sigmoid(b).

        glu: -1

    Shapes: (N, C, H, W) -> (N, C / 2, H, W) with `dim: 1`. `dim` is torch's: the batch is 0, and the default -1 is the
    last axis, which is the features behind `flatten` and the columns of an image.

    Errors: an axis that doesn't exist or has an odd size; the batch.

    Source: Dauphin et al. 2016, https://arxiv.org/abs/1612.08083,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html
    """

    target: ClassVar[str] = "torch.nn.GLU"
    also_known_as: ClassVar[tuple[str, ...]] = ("gated_linear_unit",)
    dim: Axis = -1

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(low, 0), max(high, 0)

    def output_shape(self, input: Shape) -> Shape:
        axis = self.axis(len(super().output_shape(input)))
        size = input[axis - 1]
        if size % 2:
            message = f"`glu` halves an axis, and axis {self.dim} of {spelled(input)} has {size} entries"
            hint = "give it an even number; `dim: 1` are the channels"
            raise Misfit(message, hint=hint, argument="dim")
        return (*input[: axis - 1], size // 2, *input[axis:])

    def strides(self, axes: int) -> tuple[int, ...]:
        return tuple(2 if axis == self.axis(axes + 1) else 1 for axis in range(2, axes + 2))
