"""Convolutions that treat places and channels one after the other."""

from typing import ClassVar

from pydantic import model_validator

from specforge.catalog.definition import Call, Count, Extent, Kept, Layer, Layout, Parameter, Window
from specforge.catalog.layers.convolution import Conv, DepthwiseConv, Padding, PaddingMode, check_same
from specforge.catalog.layers.definition import FLOAT, spatial
from specforge.shapes import Shape, elements


class SeparableConv(Layer):
    """Slides kernels over each channel alone, then mixes the channels of every place by a 1×1 convolution.

        separable_conv: {out_channels: 32, kernel_size: 3, padding: same}

    Shapes: (N, C, H, W) -> (N, out_channels, H', W'), sizes as those of `conv`; (N, C, L) and (N, C, D, H, W) alike.
    `kernel_size`, `stride`, `padding`, `padding_mode` and `dilation` are those of the first convolution, as in `conv`,
    which has `depth_multiplier` kernels for each channel. `out_channels` and `bias` are those of the second, as in
    Keras; `depthwise_bias` gives the first one a bias too. Their parameters lie under `depthwise` and `pointwise`.
    Lengths are in pixels.

    Errors: as those of `conv`.

    Source: Chollet 2016, https://arxiv.org/abs/1610.02357, https://keras.io/api/layers/convolution_layers/separable_convolution2d/
    """

    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    main: ClassVar[str | None] = "out_channels"
    also_known_as: ClassVar[tuple[str, ...]] = (
        "separable_conv2d",
        "separable_convolution",
        "separable_convolution2d",
        "depthwise_separable_conv",
        "sepconv",
    )
    bias_axis: ClassVar[int | None] = 0
    out_channels: Count
    kernel_size: Extent
    stride: Extent = 1
    padding: Padding = 0
    dilation: Extent = 1
    depth_multiplier: Count = 1
    bias: bool = True
    depthwise_bias: bool = False
    padding_mode: PaddingMode = "zeros"

    @model_validator(mode="after")
    def _same_needs_stride_one(self) -> "SeparableConv":
        check_same(self.padding, self.stride)
        return self

    @property
    def depthwise(self) -> DepthwiseConv:
        arguments = self.model_dump(exclude={"out_channels", "bias", "depthwise_bias"})
        return DepthwiseConv(bias=self.depthwise_bias, **arguments)

    @property
    def pointwise(self) -> Conv:
        return Conv(out_channels=self.out_channels, kernel_size=1, bias=self.bias)

    def output_shape(self, input: Shape) -> Shape:
        spatial(self, input)
        return self.pointwise.output_shape(self.depthwise.output_shape(input))

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        between = self.depthwise.output_shape(input)
        return (
            *(Parameter(f"depthwise.{each.name}", each.shape) for each in self.depthwise.parameters(input)),
            *(Parameter(f"pointwise.{each.name}", each.shape) for each in self.pointwise.parameters(between)),
        )

    def strides(self, axes: int) -> tuple[int, ...]:
        return self.depthwise.strides(axes)

    def reach(self, axes: int) -> tuple[int, ...]:
        return self.depthwise.reach(axes)

    def windows(self, axes: int) -> tuple[Window, ...]:
        return self.depthwise.windows(axes)

    def macs(self, input: Shape, output: Shape) -> int:
        between = self.depthwise.output_shape(input)
        return self.depthwise.macs(input, between) + self.pointwise.macs(between, output)

    def kept(self, input: Shape, output: Shape) -> Kept:
        between = self.depthwise.output_shape(input)
        first = self.depthwise.kept(input, between)
        return Kept(first.input, False, first.extra + FLOAT * elements(between))

    def lower(self, input: Shape) -> Call:
        between = self.depthwise.output_shape(input)
        children = {"depthwise": self.depthwise.lower(input), "pointwise": self.pointwise.lower(between)}
        return Call("specforge.modules.SeparableConv", children)
