"""Layers that lay the windows of an image side by side."""

from typing import ClassVar

from specforge.catalog.definition import Call, Extent, Kept, Layer, Layout, Margin
from specforge.shapes import Misfit, Shape, elements, per_axis, spelled, window_positions


class Unfold(Layer):
    """Takes every window of an image as one column of values, as a convolution sees them.

        unfold: {kernel_size: 3, padding: 1}

    Shapes: (N, C, H, W) -> (N, C · kernel height · kernel width, L), where L counts the windows. Lengths are in pixels.

    Errors: other than two spatial axes; a window larger than the padded input.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html
    """

    main: ClassVar[str | None] = "kernel_size"
    also_known_as: ClassVar[tuple[str, ...]] = ("im2col", "extract_patches")
    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    kernel_size: Extent
    dilation: Extent = 1
    padding: Margin = 0
    stride: Extent = 1

    def output_shape(self, input: Shape) -> Shape:
        if len(input) != 3:
            message = f"`unfold` needs [channels, height, width], {spelled(input)} arrives"
            raise Misfit(message, hint="place it before `flatten` and `global_avg_pool`")
        channels, *sizes = input
        arguments = ("kernel_size", "stride", "padding", "dilation")
        kernel, *others = (per_axis(getattr(self, name), 2, argument=name) for name in arguments)
        counts = tuple(map(window_positions, sizes, kernel, *others))
        if min(counts) < 1:
            message = f"the window {spelled(kernel)} is larger than its input {spelled(tuple(sizes))}"
            raise Misfit(message, hint="use a smaller `kernel_size`, or some `padding`", argument="kernel_size")
        return (channels * elements(kernel), elements(counts))

    def reach(self, axes: int) -> None:
        return None

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(low, 0.0), max(high, 0.0)

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Unfold", self.model_dump(exclude_defaults=True))
