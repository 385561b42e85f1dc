"""Pooling by windows that move over the image."""

from typing import ClassVar

from specforge.catalog.definition import Call, Extent, Kept, Layer, Layout, Margin, Window
from specforge.catalog.layers.definition import FLOAT, INDEX, NotZero, spatial
from specforge.shapes import Misfit, Shape, elements, per_axis, spelled, window_positions


class _Pool(Layer):
    """A window that moves over the spatial axes of every channel."""

    main: ClassVar[str | None] = "kernel_size"
    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    target: ClassVar[str]
    kernel_size: Extent
    stride: Extent | None = None
    padding: Margin = 0
    ceil_mode: bool = False

    @property
    def spread(self) -> Extent:
        """How far apart the positions of a window are."""
        return 1

    def strides(self, axes: int) -> tuple[int, ...]:
        return per_axis(self.kernel_size if self.stride is None else self.stride, axes, argument="stride")

    def windows(self, axes: int) -> tuple[Window, ...]:
        kernels = per_axis(self.kernel_size, axes, argument="kernel_size")
        paddings = per_axis(self.padding, axes, argument="padding")
        dilations = per_axis(self.spread, axes, argument="dilation")
        return tuple(map(Window, kernels, self.strides(axes), paddings, dilations))

    def reach(self, axes: int) -> tuple[int, ...]:
        return tuple(window.dilation * (window.kernel - 1) + 1 for window in self.windows(axes))

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(low, 0), max(high, 0)  # an average counts the padding's zeros

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        one_by_one = all(window.kernel == window.stride == 1 for window in self.windows(len(input) - 1))
        return "its window is one value and moves by one" if one_by_one else None

    def lower(self, input: Shape) -> Call:
        return Call(f"torch.nn.{self.target}{len(input) - 1}d", self.model_dump(exclude_defaults=True))

    def output_shape(self, input: Shape) -> Shape:
        """By torch's formula."""
        sizes = spatial(self, input)
        windows = self.windows(len(sizes))
        kernels = tuple(window.kernel for window in windows)
        if any(2 * window.padding > window.kernel for window in windows):
            paddings = tuple(window.padding for window in windows)
            message = f"padding {spelled(paddings)} is over half the kernel {spelled(kernels)}"
            raise Misfit(message, hint="torch pads at most half the kernel", argument="padding")
        out = tuple(
            window_positions(size, each.kernel, each.stride, each.padding, each.dilation, ceil=self.ceil_mode)
            for size, each in zip(sizes, windows, strict=True)
        )
        if min(out) < 1:
            raise _too_large(kernels, sizes)
        return (input[0], *out)


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
    takes_maximum: ClassVar[bool] = True
    passes_shift: ClassVar[bool] = True
    also_known_as: ClassVar[tuple[str, ...]] = ("maxpooling2d", "maxpool2d", "pool", "max_pooling", "subsampling")
    dilation: Extent = 1

    @property
    def spread(self) -> Extent:
        return self.dilation

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True, extra=INDEX * elements(output))  # where each maximum was

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high


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
        output = super().output_shape(input)
        kernels = per_axis(self.kernel_size, len(input) - 1, argument="kernel_size")
        # torch's AvgPool3d alone measures the window against the input before padding
        if len(input) == 4 and any(kernel > size for kernel, size in zip(kernels, input[1:], strict=True)):
            raise _too_large(kernels, input[1:])
        return output


class LpPool(Layer):
    """Takes the power mean of every window without dividing by its size: (Σ x^norm_type)^(1 / norm_type).

        lp_pool: {norm_type: 2, kernel_size: 2}

    Shapes: (N, C, H, W) -> (N, C, H', W') with H' = floor((H - kernel_size) / stride) + 1, rounded up with `ceil_mode`;
    (N, C, L) and (N, C, D, H, W) alike. `stride` is the kernel's size unless given. With `norm_type: 1` it is the sum;
    with other than even numbers, negative values give NaN, as in torch. Lengths are in pixels.

    Errors: a window larger than the input; a `norm_type` of 0.

    Source: Sermanet et al. 2012, https://arxiv.org/abs/1204.3968,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("power_average_pool", "l2_pool")
    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    norm_type: NotZero
    kernel_size: Extent
    stride: Extent | None = None
    ceil_mode: bool = False

    @property
    def mean(self) -> AvgPool:
        """The pooling that it does to the powers."""
        return AvgPool(kernel_size=self.kernel_size, stride=self.stride, ceil_mode=self.ceil_mode)

    def output_shape(self, input: Shape) -> Shape:
        spatial(self, input)
        return self.mean.output_shape(input)

    def strides(self, axes: int) -> tuple[int, ...]:
        return self.mean.strides(axes)

    def reach(self, axes: int) -> tuple[int, ...]:
        return self.mean.reach(axes)

    def windows(self, axes: int) -> tuple[Window, ...]:
        return self.mean.windows(axes)

    def kept(self, input: Shape, output: Shape) -> Kept:
        """The powers, and their mean, its size, its sign and the sum."""
        return Kept(input=True, extra=FLOAT * (elements(input) + 4 * elements(output)))

    def lower(self, input: Shape) -> Call:
        axes, arguments = len(input) - 1, self.model_dump(exclude_defaults=True)
        if axes == 1:  # torch.nn.LPPool1d alone takes no list
            extents = {name: arguments[name] for name in ("kernel_size", "stride") if name in arguments}
            arguments |= {name: per_axis(extent, axes, argument=name)[0] for name, extent in extents.items()}
        return Call(f"torch.nn.LPPool{axes}d", arguments)
