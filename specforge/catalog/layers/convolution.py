"""Convolutions."""

from math import prod
from typing import ClassVar, Literal

from pydantic import model_validator

from specforge.catalog.definition import Call, Count, Extent, Kept, Layer, Layout, Margin, Parameter, Window
from specforge.catalog.layers.definition import FLOAT, spatial
from specforge.shapes import Misfit, Shape, elements, per_axis, spelled, window_positions

Padding = Literal["same", "valid"] | Margin
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


class Conv(Layer):
    """Slides learned kernels over the spatial axes of an image, a signal or a volume.

        conv: {out_channels: 32, kernel_size: 3, padding: same}

    Shapes: (N, C, H, W) -> (N, out_channels, H', W') with H' = floor((H + 2 padding - dilation (kernel_size - 1) - 1)
    / stride) + 1; (N, C, L) and (N, C, D, H, W) alike. `padding: same` keeps H and W and needs stride 1; `valid` is 0.
    Lengths are in pixels.

    Errors: a kernel larger than the padded input; channels not divisible by `groups`; a strided `padding: same`; a
    padding too wide for `reflect` (it must be smaller than the input) or `circular` (at most as wide).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    main: ClassVar[str | None] = "out_channels"
    also_known_as: ClassVar[tuple[str, ...]] = ("conv2d", "convolution", "convolution2d")
    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    bias_axis: ClassVar[int | None] = 0
    out_channels: Count
    kernel_size: Extent
    stride: Extent = 1
    padding: Padding = 0
    dilation: Extent = 1
    groups: Count = 1
    bias: bool = True
    padding_mode: PaddingMode = "zeros"

    @model_validator(mode="after")
    def _same_needs_stride_one(self) -> "Conv":
        check_same(self.padding, self.stride)
        if self.out_channels % self.groups:
            raise ValueError(f"`out_channels` {self.out_channels} can't be divided into {self.groups} groups")
        return self

    def output_shape(self, input: Shape) -> Shape:
        sizes, channels = spatial(self, input), input[0]
        if channels % self.groups:
            message = f"{channels} channels arrive, which {self.groups} groups can't divide"
            raise Misfit(message, hint="choose `groups` that divides the channels", argument="groups")
        axes = len(sizes)
        kernel = per_axis(self.kernel_size, axes, argument="kernel_size")
        stride = self.strides(axes)
        dilation = per_axis(self.dilation, axes, argument="dilation")
        self._check_border(sizes)
        if self.padding == "same":
            return (self.out_channels, *sizes)
        padding = per_axis(0 if self.padding == "valid" else self.padding, axes, argument="padding")
        out = tuple(map(window_positions, sizes, kernel, stride, padding, dilation))
        if min(out) < 1:
            message = f"the kernel {spelled(kernel)} is larger than its input {spelled(sizes)}"
            hint = "use a smaller `kernel_size`, some `padding`, or fewer poolings before it"
            raise Misfit(message, hint=hint, argument="kernel_size")
        return (self.out_channels, *out)

    def _check_border(self, sizes: Shape) -> None:
        """A border made from the image can't be wider than the image."""
        if self.padding_mode not in ("reflect", "circular"):
            return
        border = tuple(behind for _, behind in self.borders(len(sizes)))
        slack = 1 if self.padding_mode == "reflect" else 0
        if any(width > size - slack for width, size in zip(border, sizes, strict=True)):
            message = f"`{self.padding_mode}` pads by {spelled(border)} an input of {spelled(sizes)}"
            limit = "less than" if slack else "at most"
            raise Misfit(message, hint=f"pad by {limit} the input's size, or use `zeros`", argument="padding_mode")

    def borders(self, axes: int) -> tuple[tuple[int, int], ...]:
        """How many positions are added before and behind each spatial axis."""
        if self.padding != "same":
            padding = per_axis(0 if self.padding == "valid" else self.padding, axes, argument="padding")
            return tuple((width, width) for width in padding)
        added = tuple(window.dilation * (window.kernel - 1) for window in self._windows(axes, (0,) * axes))
        return tuple((width // 2, width - width // 2) for width in added)  # torch puts an odd position at the end

    def strides(self, axes: int) -> tuple[int, ...]:
        return per_axis(self.stride, axes, argument="stride")

    def windows(self, axes: int) -> tuple[Window, ...]:
        return self._windows(axes, tuple(before for before, _ in self.borders(axes)))

    def _windows(self, axes: int, paddings: tuple[int, ...]) -> tuple[Window, ...]:
        kernels = per_axis(self.kernel_size, axes, argument="kernel_size")
        dilations = per_axis(self.dilation, axes, argument="dilation")
        numbers = zip(kernels, self.strides(axes), paddings, dilations, strict=True)
        return tuple(Window(*each, blank=self.padding_mode == "zeros") for each in numbers)

    def reach(self, axes: int) -> tuple[int, ...]:
        return tuple(window.dilation * (window.kernel - 1) + 1 for window in self._windows(axes, (0,) * axes))

    def kept(self, input: Shape, output: Shape) -> Kept:
        borders = self.borders(len(input) - 1)
        if self.padding_mode == "zeros":  # the convolution itself adds what is the same on both sides
            borders = tuple((0, behind - before) for before, behind in borders)
            if not any(map(sum, borders)):
                return Kept(input=True)
        padded = tuple(size + sum(border) for size, border in zip(input[1:], borders, strict=True))
        copy = FLOAT * input[0] * elements(padded)
        return Kept(input=self.padding_mode in ("reflect", "replicate"), extra=copy)

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        kernel = per_axis(self.kernel_size, len(input) - 1, argument="kernel_size")
        weight = Parameter("weight", (self.out_channels, input[0] // self.groups, *kernel))
        return (weight, Parameter("bias", (self.out_channels,))) if self.bias else (weight,)

    def macs(self, input: Shape, output: Shape) -> int:
        kernel = per_axis(self.kernel_size, len(input) - 1, argument="kernel_size")
        return prod(output) * (input[0] // self.groups) * prod(kernel)

    def lower(self, input: Shape) -> Call:
        arguments = {"in_channels": input[0], **self.model_dump(exclude_defaults=True)}
        return Call(f"torch.nn.Conv{len(input) - 1}d", arguments)


class DepthwiseConv(Layer):
    """Slides kernels over each channel alone, as many kernels for each as `depth_multiplier` says.

        depthwise_conv: {kernel_size: 3, padding: same}

    Shapes: (N, C, H, W) -> (N, C·depth_multiplier, H', W'), sizes as those of `conv`; (N, C, L) and (N, C, D, H, W)
    alike. Output channels lie together by the input channel that they come from. The other arguments are those of
    `conv`, of which this is one with C groups. Lengths are in pixels.

    Errors: as those of `conv`.

    Source: Howard et al. 2017, https://arxiv.org/abs/1704.04861,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    main: ClassVar[str | None] = "kernel_size"
    also_known_as: ClassVar[tuple[str, ...]] = ("depthwise", "depthwise_conv2d", "depthwise_convolution", "dwconv")
    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    bias_axis: ClassVar[int | None] = 0
    kernel_size: Extent
    stride: Extent = 1
    padding: Padding = 0
    dilation: Extent = 1
    depth_multiplier: Count = 1
    bias: bool = True
    padding_mode: PaddingMode = "zeros"

    @model_validator(mode="after")
    def _same_needs_stride_one(self) -> "DepthwiseConv":
        check_same(self.padding, self.stride)
        return self

    def conv(self, channels: int) -> Conv:
        """The convolution that it is, for so many channels."""
        arguments = self.model_dump(exclude={"depth_multiplier"})
        return Conv(out_channels=channels * self.depth_multiplier, groups=channels, **arguments)

    def output_shape(self, input: Shape) -> Shape:
        spatial(self, input)
        return self.conv(input[0]).output_shape(input)

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        return self.conv(input[0]).parameters(input)

    def strides(self, axes: int) -> tuple[int, ...]:
        return self.conv(1).strides(axes)

    def reach(self, axes: int) -> tuple[int, ...]:
        return self.conv(1).reach(axes)

    def windows(self, axes: int) -> tuple[Window, ...]:
        return self.conv(1).windows(axes)

    def macs(self, input: Shape, output: Shape) -> int:
        return self.conv(input[0]).macs(input, output)

    def kept(self, input: Shape, output: Shape) -> Kept:
        return self.conv(input[0]).kept(input, output)

    def lower(self, input: Shape) -> Call:
        return self.conv(input[0]).lower(input)


def check_same(padding: Padding, stride: Extent) -> None:
    """Keeping the size is defined for stride 1 alone, as in torch; ValueError otherwise."""
    strides = stride if isinstance(stride, tuple) else (stride,)
    if padding == "same" and max(strides) > 1:
        raise ValueError("`padding: same` needs stride 1; write the padding as a number, as in `padding: 1`")
