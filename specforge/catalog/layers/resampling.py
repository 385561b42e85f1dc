"""Layers that change how finely an image is sampled."""

from fractions import Fraction
from math import floor, inf
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, model_validator

from specforge.catalog.definition import Call, Count, Extent, Kept, Layer, Layout
from specforge.catalog.layers.definition import spatial
from specforge.shapes import Misfit, Shape, per_axis, spelled


def _factors(value: object) -> object:
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
            raise ValueError("a number greater than 0, or a list of one for each spatial axis")
    return value


Factor = Annotated[float | tuple[float, ...], BeforeValidator(_factors)]

# How many pixels along an axis make one pixel.
_NEIGHBOURS = {"linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 4}
_AXES = {"bilinear": 2, "bicubic": 2, "trilinear": 3}


class Upsample(Layer):
    """Makes an image larger, or smaller, by repeating or interpolating pixels.

        upsample: {scale_factor: 2, mode: bilinear}

    Shapes: (N, C, H, W) -> (N, C, ⌊H · scale_factor⌋, ⌊W · scale_factor⌋), or (N, C, *size); (N, C, L) and
    (N, C, D, H, W) alike. `scale_factor` is a number or a list with one for each spatial axis, `size` is in pixels.
    `mode` is `nearest`, `nearest-exact`, `linear` (for any number of axes; also `bilinear` for two and `trilinear` for
    three) or `bicubic` (two axes). `align_corners` puts the outermost pixels' centres, not their edges, over each
    other; it is for the linear and cubic modes. Smaller images are not smoothed first.

    Errors: both `scale_factor` and `size`, or none; `align_corners` with a nearest mode; a mode for another number of
    axes.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html
    """

    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True
    main: ClassVar[str | None] = "scale_factor"
    passes_shift: ClassVar[bool] = True
    also_known_as: ClassVar[tuple[str, ...]] = ("upsampling2d", "interpolate", "resize", "upsample2d")
    scale_factor: Factor | None = None
    size: Extent | None = None
    mode: Literal["nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic"] = "nearest"
    align_corners: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> "Upsample":
        if (self.scale_factor is None) == (self.size is None):
            raise ValueError("needs either `scale_factor` or `size`; write `upsample: 2`, or `upsample: {size: 32}`")
        if self.align_corners and self.mode not in _NEIGHBOURS:
            raise ValueError(f"`align_corners` has no meaning with `mode: {self.mode}`; use `mode: linear`")
        return self

    def output_shape(self, input: Shape) -> Shape:
        sizes = spatial(self, input)
        axes = len(sizes)
        if _AXES.get(self.mode, axes) != axes:
            message = f"`mode: {self.mode}` is for {_AXES[self.mode]} spatial axes, {spelled(input)} has {axes}"
            raise Misfit(message, hint="use `linear`, which is for any number", argument="mode")
        if self.size is not None:
            return (input[0], *per_axis(self.size, axes, argument="size"))
        scaled = tuple(floor(size * factor) for size, factor in zip(sizes, self._factors(axes), strict=True))
        if min(scaled) < 1:
            message = f"{spelled(sizes)} scaled by {self.scale_factor} leaves nothing"
            raise Misfit(message, hint="use a larger `scale_factor`", argument="scale_factor")
        return (input[0], *scaled)

    def _factors(self, axes: int) -> tuple[float, ...]:
        if not isinstance(self.scale_factor, tuple):
            assert self.scale_factor is not None
            return (self.scale_factor,) * axes
        if len(self.scale_factor) != axes:
            message = f"`scale_factor` has {len(self.scale_factor)} numbers, but the input has {axes} spatial axes"
            raise Misfit(message, hint=f"write one number, or a list of {axes}", argument="scale_factor")
        return self.scale_factor

    def strides(self, axes: int) -> tuple[int | Fraction, ...]:
        if self.scale_factor is None:  # a fixed size, whatever arrives
            return (1,) * axes
        return tuple(1 / Fraction(str(factor)) for factor in self._factors(axes))

    def reach(self, axes: int) -> tuple[int, ...]:
        return (_NEIGHBOURS.get(self.mode, 1),) * axes

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (-inf, inf) if self.mode == "bicubic" else (low, high)  # a cubic swings over an edge

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        same = self.scale_factor is not None and all(factor == 1 for factor in self._factors(len(input) - 1))
        return "`scale_factor` is 1" if same else None

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def lower(self, input: Shape) -> Call:
        axes = len(input) - 1
        mode = ("linear", "bilinear", "trilinear")[axes - 1] if self.mode == "linear" else self.mode
        aligned = {"align_corners": self.align_corners} if self.mode in _NEIGHBOURS else {}
        to = {"size": self.size} if self.size is not None else {"scale_factor": self.scale_factor}
        return Call("torch.nn.Upsample", {**to, "mode": mode, **aligned})


class _PixelShuffling(Layer):
    """Values that move between channels and pixels of an image."""

    last_axis: ClassVar[Layout | None] = "positions"
    needs_positions: ClassVar[bool] = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def image(self, input: Shape, word: str) -> tuple[int, int, int]:
        if len(input) != 3:
            message = f"`{word}` needs [channels, height, width], {spelled(input)} arrives"
            raise Misfit(message, hint="it is for images alone")
        return input[0], input[1], input[2]


class PixelShuffle(_PixelShuffling):
    """Makes an image larger by turning channels into pixels.

        layers:
          - conv: {out_channels: 12, kernel_size: 3, padding: same}
          - pixel_shuffle: 2

    Shapes: (N, C, H, W) -> (N, C / r², H · r, W · r) with r the `upscale_factor`.

    Errors: other than two spatial axes; channels not divisible by r².

    Source: Shi et al. 2016, https://arxiv.org/abs/1609.05158,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
    """

    main: ClassVar[str | None] = "upscale_factor"
    also_known_as: ClassVar[tuple[str, ...]] = ("depth_to_space", "sub_pixel", "subpixel_convolution")
    upscale_factor: Count

    def output_shape(self, input: Shape) -> Shape:
        channels, height, width = self.image(input, "pixel_shuffle")
        factor = self.upscale_factor
        if channels % factor**2:
            message = f"{channels} channels arrive, which can't make squares of {factor}×{factor} pixels"
            hint = f"give the layer before it a multiple of {factor**2} channels"
            raise Misfit(message, hint=hint, argument="upscale_factor")
        return channels // factor**2, height * factor, width * factor

    def strides(self, axes: int) -> tuple[Fraction, ...]:
        return (Fraction(1, self.upscale_factor),) * axes

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "`upscale_factor` is 1" if self.upscale_factor == 1 else None

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.PixelShuffle", {"upscale_factor": self.upscale_factor})


class PixelUnshuffle(_PixelShuffling):
    """Makes an image smaller by turning pixels into channels.

        pixel_unshuffle: 2

    Shapes: (N, C, H, W) -> (N, C · r², H / r, W / r) with r the `downscale_factor`.

    Errors: other than two spatial axes; a height or width not divisible by r.

    Source: Shi et al. 2016, https://arxiv.org/abs/1609.05158,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html
    """

    main: ClassVar[str | None] = "downscale_factor"
    also_known_as: ClassVar[tuple[str, ...]] = ("space_to_depth", "focus", "reorg")
    downscale_factor: Count

    def output_shape(self, input: Shape) -> Shape:
        channels, height, width = self.image(input, "pixel_unshuffle")
        factor = self.downscale_factor
        if height % factor or width % factor:
            message = f"{height}×{width} pixels can't be divided into squares of {factor}×{factor}"
            raise Misfit(message, hint="use `pad` or `crop` before it", argument="downscale_factor")
        return channels * factor**2, height // factor, width // factor

    def strides(self, axes: int) -> tuple[int, ...]:
        return (self.downscale_factor,) * axes

    def reach(self, axes: int) -> tuple[int, ...]:
        return (self.downscale_factor,) * axes

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "`downscale_factor` is 1" if self.downscale_factor == 1 else None

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.PixelUnshuffle", {"downscale_factor": self.downscale_factor})
