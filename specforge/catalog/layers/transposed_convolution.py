"""Convolutions that enlarge."""

from fractions import Fraction
from math import gcd, prod
from typing import ClassVar

from pydantic import model_validator

from specforge.catalog.definition import Call, Count, Extent, Layer, Layout, Margin, Parameter
from specforge.catalog.layers.definition import spatial
from specforge.shapes import Misfit, Shape, per_axis, spelled


class ConvTranspose(Layer):
    """Lays a learned kernel, weighted by the value there, around every place of an enlarged image and adds them up.

        conv_transpose: {out_channels: 16, kernel_size: 2, stride: 2}

    Shapes: (N, C, H, W) -> (N, out_channels, H', W') with H' = (H - 1) stride - 2 padding + dilation (kernel_size - 1)
    + output_padding + 1; (N, C, L) and (N, C, D, H, W) alike. `padding` cuts off on both sides, `output_padding` adds
    at the end. It is the gradient of the `conv` with these arguments, not its inverse. Lengths are in pixels.

    Errors: an `output_padding` that is below neither `stride` nor `dilation`; a `padding` that leaves nothing; channels
    not divisible by `groups`.

    Source: Zeiler et al. 2010, https://ieeexplore.ieee.org/document/5539957,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """

    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    main: ClassVar[str | None] = "out_channels"
    also_known_as: ClassVar[tuple[str, ...]] = (
        "conv2d_transpose",
        "deconv",
        "deconvolution",
        "transposed_conv",
        "transposed_convolution",
    )
    bias_axis: ClassVar[int | None] = 0
    out_channels: Count
    kernel_size: Extent
    stride: Extent = 1
    padding: Margin = 0
    output_padding: Margin = 0
    groups: Count = 1
    bias: bool = True
    dilation: Extent = 1

    @model_validator(mode="after")
    def _groups_divide(self) -> "ConvTranspose":
        if self.out_channels % self.groups:
            raise ValueError(f"`out_channels` {self.out_channels} can't be divided into {self.groups} groups")
        return self

    def output_shape(self, input: Shape) -> Shape:
        sizes, channels = spatial(self, input), input[0]
        if channels % self.groups:
            message = f"{channels} channels arrive, which {self.groups} groups can't divide"
            raise Misfit(message, hint="choose `groups` that divides the channels", argument="groups")
        kernels, steps, dilations = self._kernels(len(sizes))
        padding = per_axis(self.padding, len(sizes), argument="padding")
        added = per_axis(self.output_padding, len(sizes), argument="output_padding")
        if any(more >= max(pair) for more, *pair in zip(added, steps, dilations, strict=True)):
            limits = f"stride {spelled(steps)} nor dilation {spelled(dilations)}"
            message = f"`output_padding` {spelled(added)} is below neither {limits}"
            hint = "it fills up what the stride leaves open: at most stride - 1"
            raise Misfit(message, hint=hint, argument="output_padding")
        numbers = zip(sizes, kernels, steps, dilations, padding, added, strict=True)
        out = tuple(
            (n - 1) * step - 2 * cut + dilation * (k - 1) + more + 1 for n, k, step, dilation, cut, more in numbers
        )
        if min(out) < 1:
            message = f"padding {spelled(padding)} cuts off all of what input {spelled(sizes)} gives"
            raise Misfit(message, hint="use less `padding`", argument="padding")
        return (self.out_channels, *out)

    def _kernels(self, axes: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel, stride and dilation of each spatial axis."""
        return (
            per_axis(self.kernel_size, axes, argument="kernel_size"),
            per_axis(self.stride, axes, argument="stride"),
            per_axis(self.dilation, axes, argument="dilation"),
        )

    def strides(self, axes: int) -> tuple[Fraction, ...]:
        return tuple(Fraction(1, step) for step in per_axis(self.stride, axes, argument="stride"))

    def reach(self, axes: int) -> tuple[int, ...]:
        return tuple(map(_input_positions, *self._kernels(axes)))

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        kernel = per_axis(self.kernel_size, len(input) - 1, argument="kernel_size")
        weight = Parameter("weight", (input[0], self.out_channels // self.groups, *kernel))
        return (weight, Parameter("bias", (self.out_channels,))) if self.bias else (weight,)

    def macs(self, input: Shape, output: Shape) -> int:
        kernel = per_axis(self.kernel_size, len(input) - 1, argument="kernel_size")
        return prod(input) * (self.out_channels // self.groups) * prod(kernel)

    def lower(self, input: Shape) -> Call:
        arguments = {"in_channels": input[0], **self.model_dump(exclude_defaults=True)}
        return Call(f"torch.nn.ConvTranspose{len(input) - 1}d", arguments)


def _input_positions(kernel: int, stride: int, dilation: int) -> int:
    """How many positions of the input meet in one of the output.

    Input i lays kernel entry k on output i stride + k dilation, so those that meet in one place are k that are
    stride / gcd apart, from i that are dilation / gcd apart.
    """
    common = gcd(stride, dilation)
    return (kernel - 1) // (stride // common) * (dilation // common) + 1
