"""Layers made of layers."""

from math import prod
from typing import Literal

from pydantic import model_validator

from specforge.catalog.definition import Call, Composite, Item, Items, LowerRegion
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.layers.normalization import BatchNorm
from specforge.shapes import Misfit, Shape, spelled


class Sequential(Composite):
    """Puts layers one after another under a path of their own.

        sequential: {layers: [{conv: {out_channels: 32, kernel_size: 3}}, batch_norm, relu]}

    Shapes: what the first layer takes -> what the last one gives.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    layers: Items

    def lower_regions(self, input: Shape, lower: LowerRegion) -> Shape | None:
        return lower("", self.layers, input)

    def strides(self, axes: int) -> tuple[int, ...]:
        return _joint_strides(self.layers, axes)


class Repeat(Composite):
    """Builds layers several times from one description, each time with weights of their own.

        repeat: {times: 2, layers: [{linear: 64}, relu]}

    Written with `times: n`, or with `for:` and lists that are walked together; `$index` counts from 0. `iterations`,
    a list of lists of layers, is the form that `specforge config` prints. Paths gain the iteration's number.

    Shapes: what the first layer takes -> what the last one gives.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html
    """

    iterations: tuple[Items, ...]

    def lower_regions(self, input: Shape, lower: LowerRegion) -> Shape | None:
        shape: Shape | None = input
        for number, items in enumerate(self.iterations):
            if shape is None:
                return None
            shape = lower(str(number), items, shape)
        return shape

    def strides(self, axes: int) -> tuple[int, ...]:
        return _joint_strides(tuple(item for items in self.iterations for item in items), axes)


class Residual(Composite):
    """Adds a shortcut around a body to the body's result.

        residual: {layers: [{conv: {out_channels: 8, kernel_size: 3, padding: 1}}, batch_norm], shortcut: projection}

    `layers` is the body. `shortcut` is `identity` (shapes must agree), `projection` (identity where they agree, else a
    bias-free 1×1 convolution with the body's stride, then batch norm, under the paths `shortcut.conv_1` and
    `shortcut.batch_norm_1`), `where_possible` (no sum where they differ), or layers of its own.

    Shapes: (N, C, H, W) -> what the body gives; the shortcut must give the same.

    Errors: a shortcut whose shape differs from the body's; a layer of the body whose `id` is `shortcut`.

    Source: He et al. 2015, https://arxiv.org/abs/1512.03385
    """

    layers: Items
    shortcut: Literal["identity", "projection", "where_possible"] | Items = "identity"

    @model_validator(mode="after")
    def _shortcut_is_reserved(self) -> "Residual":
        if any(item.id == "shortcut" for item in self.layers):
            raise ValueError("a layer of its body can't have the id `shortcut`, the path of the shortcut's own layers")
        return self

    def lower_regions(self, input: Shape, lower: LowerRegion) -> Shape | None:
        output = lower("", self.layers, input)
        if output is None or not self._sums(input, output):
            return output
        shortcut = self.shortcut if isinstance(self.shortcut, tuple) else self._projection(input, output)
        shape = lower("shortcut", shortcut, input) if shortcut else input
        if shape is not None and shape != output:
            message = f"the shortcut gives {spelled(shape)}, the body {spelled(output)}: they can't be added"
            raise Misfit(message, hint=self._way_out(input, output), argument="shortcut")
        return None if shape is None else output

    def strides(self, axes: int) -> tuple[int, ...]:
        return _joint_strides(self.layers, axes)

    def _sums(self, input: Shape, output: Shape) -> bool:
        return self.shortcut != "where_possible" or input == output

    def _projection(self, input: Shape, output: Shape) -> Items:
        """The 1×1 convolution from the input's shape to the output's; nothing where none is needed or wanted."""
        if self.shortcut != "projection" or input == output or not _projectable(input, output):
            return ()
        stride = self.strides(len(input) - 1)
        span = self.layers[0].span
        conv = Conv(out_channels=output[0], kernel_size=1, stride=stride, bias=False)
        return (
            Item("conv_1", "conv", conv, span, {}, {}),
            Item("batch_norm_1", "batch_norm", BatchNorm(), span, {}, {}),
        )

    def _way_out(self, input: Shape, output: Shape) -> str:
        """What to do about shapes that differ, without proposing what was written."""
        if self.shortcut == "identity" and _projectable(input, output):
            return "use `shortcut: projection` (1×1 convolution), `where_possible` (no sum here), or layers of your own"
        if self.shortcut == "projection" and _projectable(input, output):
            return "pad the body so that it shrinks by its stride alone, or write the shortcut's layers"
        return "use `shortcut: where_possible` (no sum here), or layers that give the body's shape"

    def assemble(self, input: Shape, output: Shape) -> Call:
        return Call("specforge.modules.Residual" if self._sums(input, output) else "torch.nn.Sequential")


def _projectable(input: Shape, output: Shape) -> bool:
    """Whether a convolution can lead from one to the other: channels and as many spatial axes on both sides."""
    return len(input) == len(output) and 2 <= len(input) <= 4


def _joint_strides(items: Items, axes: int) -> tuple[int, ...]:
    """The strides of layers one after another multiply."""
    each = [item.layer.strides(axes) for item in items]
    return tuple(prod(strides[axis] for strides in each) for axis in range(axes))
