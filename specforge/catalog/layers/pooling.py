"""Pooling."""

from typing import ClassVar

from specforge.catalog.definition import Call, Extent, Layer, Margin
from specforge.shapes import Misfit, Shape, per_axis, spelled, window_positions


class _Pool(Layer):
    """A window that moves over the spatial axes of every channel."""

    main: ClassVar[str | None] = "kernel_size"
    target: ClassVar[str]
    kernel_size: Extent
    stride: Extent | None = None
    padding: Margin = 0
    ceil_mode: bool = False

    def strides(self, axes: int) -> tuple[int, ...]:
        return per_axis(self.kernel_size if self.stride is None else self.stride, axes, argument="stride")

    def lower(self, input: Shape) -> Call:
        return Call(f"torch.nn.{self.target}{len(input) - 1}d", self.model_dump(exclude_defaults=True))

    def pooled(self, word: str, input: Shape, dilation: int | tuple[int, ...] = 1) -> Shape:
        """The output's shape by torch's formula."""
        if not 2 <= len(input) <= 4:
            message = f"`{word}` needs [channels, height, width], {spelled(input)} arrives"
            raise Misfit(message, hint="place it before `flatten` and `global_avg_pool`")
        channels, *sizes = input
        axes = len(sizes)
        kernels = per_axis(self.kernel_size, axes, argument="kernel_size")
        paddings = per_axis(self.padding, axes, argument="padding")
        dilations = per_axis(dilation, axes, argument="dilation")
        if any(2 * pad > kernel for pad, kernel in zip(paddings, kernels, strict=True)):
            message = f"padding {spelled(paddings)} is over half the kernel {spelled(kernels)}"
            raise Misfit(message, hint="torch pads at most half the kernel", argument="padding")
        windows = zip(sizes, kernels, self.strides(axes), paddings, dilations, strict=True)
        out = tuple(window_positions(*numbers, ceil=self.ceil_mode) for numbers in windows)
        if min(out) < 1:
            raise _too_large(kernels, tuple(sizes))
        return (channels, *out)


def _too_large(kernels: tuple[int, ...], sizes: Shape) -> Misfit:
    message = f"the window {spelled(kernels)} is larger than its input {spelled(sizes)}"
    return Misfit(message, hint="remove this pooling, or pool less before it", argument="kernel_size")


class MaxPool(_Pool):
    """Takes the largest value of every window.

        max_pool: 2

    Shapes: (N, C, H, W) -> (N, C, H', W') with H' = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride)
    + 1, rounded up with `ceil_mode`; (N, C, L) and (N, C, D, H, W) alike. `stride` is the kernel's size unless given.
    Lengths are in pixels.

    Errors: a window larger than the padded input; a padding over half the kernel.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
    """

    target: ClassVar[str] = "MaxPool"
    also_known_as: ClassVar[tuple[str, ...]] = ("maxpooling2d", "maxpool2d", "pool", "max_pooling")
    dilation: Extent = 1

    def output_shape(self, input: Shape) -> Shape:
        return self.pooled("max_pool", input, self.dilation)


class AvgPool(_Pool):
    """Takes the mean of every window.

        avg_pool: {kernel_size: 3, stride: 2, padding: 1}

    Shapes: (N, C, H, W) -> (N, C, H', W') with H' = floor((H + 2 padding - kernel_size) / stride) + 1, rounded up with
    `ceil_mode`; (N, C, L) and (N, C, D, H, W) alike. `stride` is the kernel's size unless given; padding counts into
    the mean unless `count_include_pad` is false. Lengths are in pixels.

    Errors: a window larger than the padded input (with three spatial axes, than the input itself, as in torch); a
    padding over half the kernel.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
    """

    target: ClassVar[str] = "AvgPool"
    also_known_as: ClassVar[tuple[str, ...]] = ("averagepooling2d", "avgpool2d", "average_pool", "average_pooling")
    count_include_pad: bool = True

    def output_shape(self, input: Shape) -> Shape:
        output = self.pooled("avg_pool", input)
        kernels = per_axis(self.kernel_size, len(input) - 1, argument="kernel_size")
        # torch's AvgPool3d alone measures the window against the input before padding
        if len(input) == 4 and any(kernel > size for kernel, size in zip(kernels, input[1:], strict=True)):
            raise _too_large(kernels, input[1:])
        return output


class GlobalAvgPool(Layer):
    """Takes the mean of every channel over all spatial axes.

        global_avg_pool

    Shapes: (N, C, H, W) -> (N, C), with any number of spatial axes from one.

    Errors: features arrive, which have no spatial axes.

    Source: Lin, Chen and Yan 2013, https://arxiv.org/abs/1312.4400
    """

    also_known_as: ClassVar[tuple[str, ...]] = (
        "globalaveragepooling2d",
        "gap",
        "global_average_pooling",
        "global_average_pool",
    )

    def output_shape(self, input: Shape) -> Shape:
        if len(input) < 2:
            message = f"`global_avg_pool` needs [channels, height, width], {spelled(input)} arrives"
            raise Misfit(message, hint="remove it, or place it before `flatten`")
        return input[:1]

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.GlobalAvgPool")
