"""Convolutions."""

from math import prod
from typing import ClassVar, Literal

from pydantic import model_validator

from specforge.catalog.definition import Call, Count, Extent, Layer, Margin, Parameter
from specforge.shapes import Misfit, Shape, per_axis, spelled, window_positions


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
    out_channels: Count
    kernel_size: Extent
    stride: Extent = 1
    padding: Literal["same", "valid"] | Margin = 0
    dilation: Extent = 1
    groups: Count = 1
    bias: bool = True
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"

    @model_validator(mode="after")
    def _same_needs_stride_one(self) -> "Conv":
        strides = self.stride if isinstance(self.stride, tuple) else (self.stride,)
        if self.padding == "same" and max(strides) > 1:
            raise ValueError("`padding: same` needs stride 1; write the padding as a number, as in `padding: 1`")
        if self.out_channels % self.groups:
            raise ValueError(f"`out_channels` {self.out_channels} can't be divided into {self.groups} groups")
        return self

    def output_shape(self, input: Shape) -> Shape:
        channels, *sizes = _image(input, "conv")
        if channels % self.groups:
            message = f"{channels} channels arrive, which {self.groups} groups can't divide"
            raise Misfit(message, hint="choose `groups` that divides the channels", argument="groups")
        axes = len(sizes)
        kernel = per_axis(self.kernel_size, axes, argument="kernel_size")
        stride = self.strides(axes)
        dilation = per_axis(self.dilation, axes, argument="dilation")
        self._check_border(sizes, kernel, dilation)
        if self.padding == "same":
            return (self.out_channels, *sizes)
        padding = per_axis(0 if self.padding == "valid" else self.padding, axes, argument="padding")
        out = tuple(map(window_positions, sizes, kernel, stride, padding, dilation))
        if min(out) < 1:
            message = f"the kernel {spelled(kernel)} is larger than its input {spelled(tuple(sizes))}"
            hint = "use a smaller `kernel_size`, some `padding`, or fewer poolings before it"
            raise Misfit(message, hint=hint, argument="kernel_size")
        return (self.out_channels, *out)

    def _check_border(self, sizes: list[int], kernel: tuple[int, ...], dilation: tuple[int, ...]) -> None:
        """A border made from the image can't be wider than the image."""
        if self.padding_mode not in ("reflect", "circular") or self.padding == "valid":
            return
        if self.padding == "same":  # an odd border is wider on the right
            border = tuple(-(-reach * (size - 1) // 2) for reach, size in zip(dilation, kernel, strict=True))
        else:
            border = per_axis(self.padding, len(sizes), argument="padding")
        slack = 1 if self.padding_mode == "reflect" else 0
        if any(width > size - slack for width, size in zip(border, sizes, strict=True)):
            message = f"`{self.padding_mode}` pads by {spelled(border)} an input of {spelled(tuple(sizes))}"
            limit = "less than" if slack else "at most"
            raise Misfit(message, hint=f"pad by {limit} the input's size, or use `zeros`", argument="padding_mode")

    def strides(self, axes: int) -> tuple[int, ...]:
        return per_axis(self.stride, axes, argument="stride")

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


def _image(input: Shape, word: str) -> Shape:
    """The input if it has channels and one to three spatial axes."""
    if not 2 <= len(input) <= 4:
        message = f"`{word}` needs [channels, height, width], {spelled(input)} arrives"
        raise Misfit(message, hint="place it before `flatten` and `global_avg_pool`")
    return input
