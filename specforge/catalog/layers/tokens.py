"""Layers that make tokens of an image, and what belongs to tokens: (N, L, C), or a grid of them (N, H, W, C)."""

from math import prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from specforge.catalog.definition import Call, Count, Extent, Kept, Layer, Layout, Parameter
from specforge.catalog.layers.definition import FLOAT, spatial
from specforge.catalog.layers.reshaping import axis_at
from specforge.shapes import Misfit, Shape, elements, per_axis, spelled


def token_shape(word: str, input: Shape) -> tuple[int, int]:
    """The number of tokens and of their channels; Misfit for what are not tokens."""
    if len(input) != 2:
        message = f"`{word}` needs tokens [length, channels], {spelled(input)} arrives"
        hint = "put `patch_embedding` before it" if len(input) > 2 else "place it before the tokens are joined"
        raise Misfit(message, hint=hint)
    return input[0], input[1]


class PatchEmbedding(Layer):
    """Cuts an image into patches and maps each to a token.

        patch_embedding: {patch_size: 16, out_channels: 48}

    Shapes: (N, C, H, W) -> (N, H / patch_size · W / patch_size, out_channels), patches row by row; (N, C, L) and
    (N, C, D, H, W) alike. It is a convolution `proj` to `out_channels` whose kernel and stride are the patch, with
    parameters `proj.weight` and, unless `bias` is false, `proj.bias`. `patch_size` is in pixels.

    Errors: an image whose sizes are not multiples of `patch_size`.

    Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929
    """

    main: ClassVar[str | None] = "patch_size"
    also_known_as: ClassVar[tuple[str, ...]] = ("patch_embed", "patchify", "patches")
    last_axis: ClassVar[Layout | None] = "features"
    bias_axis: ClassVar[int | None] = -1
    patch_size: Extent
    out_channels: Count
    bias: bool = True

    def output_shape(self, input: Shape) -> Shape:
        sizes = spatial(self, input)
        patch = self.strides(len(sizes))
        if any(size % step for size, step in zip(sizes, patch, strict=True)):
            message = f"{spelled(sizes)} can't be divided into patches of {spelled(patch)}"
            hint = "choose a `patch_size` that divides the image, or use `pad` or `crop` before it"
            raise Misfit(message, hint=hint, argument="patch_size")
        return prod(size // step for size, step in zip(sizes, patch, strict=True)), self.out_channels

    def strides(self, axes: int) -> tuple[int, ...]:
        return per_axis(self.patch_size, axes, argument="patch_size")

    def reach(self, axes: int) -> tuple[int, ...] | None:
        return None if axes == 1 else self.strides(axes)  # the axis of one dimension is the channels' afterwards

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        weight = Parameter("proj.weight", (self.out_channels, input[0], *self.strides(len(input) - 1)))
        return (weight, Parameter("proj.bias", (self.out_channels,))) if self.bias else (weight,)

    def macs(self, input: Shape, output: Shape) -> int:
        return elements(input) * self.out_channels

    def lower(self, input: Shape) -> Call:
        patch = self.strides(len(input) - 1)
        others = self.model_dump(exclude={"patch_size"}, exclude_defaults=True)
        return Call("specforge.modules.PatchEmbedding", {"in_channels": input[0], "patch_size": patch, **others})


class ClassToken(Layer):
    """Puts a learned token before an image's tokens, which `select` takes out again for the classes.

        layers:
          - patch_embedding: {patch_size: 16, out_channels: 48}
          - class_token
          - position_embedding

    Shapes: (N, L, C) -> (N, 1 + L, C). Its parameter `weight` is (1, 1, C) and starts at 0.

    Errors: what arrives are not tokens.

    Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("cls_token", "cls")

    def output_shape(self, input: Shape) -> Shape:
        length, channels = token_shape("class_token", input)
        return length + 1, channels

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (1, 1, input[1])),)

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.ClassToken", {"channels": input[1]})


class PositionEmbedding(Layer):
    """Adds to every token what tells its place.

        layers:
          - patch_embedding: {patch_size: 16, out_channels: 48}
          - position_embedding: sinusoidal

    Shapes: (N, L, C) -> the same. `learned`, the default `kind`, has a parameter `weight` of (1, L, C) that starts
    normal with deviation 0.02; `sinusoidal` is fixed and no state: sines and cosines of the place, in turn, whose
    wavelengths go from 2π tokens to 10,000 times as many.

    Errors: what arrives are not tokens; an odd number of channels for `sinusoidal`.

    Source: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, Vaswani et al. 2017,
    https://arxiv.org/abs/1706.03762
    """

    main: ClassVar[str | None] = "kind"
    also_known_as: ClassVar[tuple[str, ...]] = ("pos_embedding", "pos_embed", "positional_encoding")
    kind: Literal["learned", "sinusoidal"] = "learned"

    def output_shape(self, input: Shape) -> Shape:
        _, channels = token_shape("position_embedding", input)
        if self.kind == "sinusoidal" and channels % 2:
            message = f"tokens of {channels} channels arrive, which sines and cosines can't halve"
            raise Misfit(message, hint="use an even number of channels, or `learned`", argument="kind")
        return input

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (1, *input)),) if self.kind == "learned" else ()

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def lower(self, input: Shape) -> Call:
        name = "PositionEmbedding" if self.kind == "learned" else "SinusoidalEmbedding"
        return Call(f"specforge.modules.{name}", {"length": input[0], "channels": input[1]})


class PatchMerging(Layer):
    """Joins the four tokens of every 2×2 square of a grid, normalises them and maps them to one.

        layers:
          - permute: [2, 3, 1]
          - patch_merging

    Shapes: (N, H, W, C) -> (N, ⌈H / 2⌉, ⌈W / 2⌉, out_channels). `out_channels` is 2·C unless given; an odd row or
    column is completed with zeros. The layer norm `norm` adds `eps` to the variance; `reduction` is a linear layer
    without a bias.

    Errors: what arrives is not a grid of tokens.

    Source: Liu et al. 2021, https://arxiv.org/abs/2103.14030
    """

    last_axis: ClassVar[Layout | None] = "features"
    main: ClassVar[str | None] = "out_channels"
    out_channels: Count | None = None
    eps: Annotated[float, Field(gt=0)] = 1e-5

    def output_shape(self, input: Shape) -> Shape:
        height, width, channels = grid_shape("patch_merging", input)
        return -(-height // 2), -(-width // 2), self.out_channels or 2 * channels

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        joined, output = 4 * input[2], self.out_channels or 2 * input[2]
        reduction = Parameter("reduction.weight", (output, joined))
        return reduction, Parameter("norm.weight", (joined,)), Parameter("norm.bias", (joined,))

    def reach(self, axes: int) -> None:
        return None

    def macs(self, input: Shape, output: Shape) -> int:
        return elements(output) * 4 * input[2]

    def kept(self, input: Shape, output: Shape) -> Kept:
        """The joined tokens, the same normalised, and the mean and deviation of each."""
        places = output[0] * output[1]
        return Kept(extra=FLOAT * places * (2 * 4 * input[2] + 2))

    def lower(self, input: Shape) -> Call:
        arguments = {"in_channels": input[2], "out_channels": self.out_channels or 2 * input[2]}
        return Call(
            "specforge.modules.PatchMerging", arguments | self.model_dump(include={"eps"}, exclude_defaults=True)
        )


def grid_shape(word: str, input: Shape) -> tuple[int, int, int]:
    """Height, width and channels of a grid of tokens; Misfit for what is none."""
    if len(input) != 3:
        message = f"`{word}` needs a grid of tokens [height, width, channels], {spelled(input)} arrives"
        raise Misfit(message, hint="`permute: [2, 3, 1]` puts an image's channels last")
    return input[0], input[1], input[2]


class Mean(Layer):
    """Takes the mean over one axis or several, by default over an image's tokens.

        layers:
          - patch_embedding: {patch_size: 16, out_channels: 48}
          - mean

    Shapes: (N, L, C) -> (N, C) with `dim: 1`, (N, H, W, C) -> (N, C) with `dim: [1, 2]`; with `keepdim` an axis stays,
    with one entry. `dim` is torch's: the batch is 0, negative numbers count from the end. For an image (N, C, H, W) use
    `global_avg_pool`.

    Errors: an axis that doesn't exist or is named twice; no axis left without `keepdim`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.mean.html
    """

    main: ClassVar[str | None] = "dim"
    also_known_as: ClassVar[tuple[str, ...]] = ("reduce_mean", "token_pooling", "mean_pool")
    dim: int | Annotated[tuple[int, ...], Field(min_length=1)] = 1
    keepdim: bool = False

    def axes(self, input: Shape) -> tuple[int, ...]:
        """The axes that are averaged, the first after the batch being 0."""
        named = self.dim if isinstance(self.dim, tuple) else (self.dim,)
        found = tuple(axis_at(dim, input) for dim in named)
        if len(set(found)) < len(found):
            raise Misfit(f"`dim` names an axis of {spelled(input)} twice", hint="name each once", argument="dim")
        return found

    def output_shape(self, input: Shape) -> Shape:
        axes = self.axes(input)
        if len(input) == len(axes) and not self.keepdim:
            message = f"`mean` takes away all axes of {spelled(input)}"
            raise Misfit(message, hint="use `keepdim: true` to keep them with one entry")
        kept = ((1 if axis in axes else size) for axis, size in enumerate(input) if self.keepdim or axis not in axes)
        return tuple(kept)

    def reach(self, axes: int) -> None:
        return None

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def lower(self, input: Shape) -> Call:
        numbers = tuple(axis + 1 for axis in self.axes(input))
        arguments: dict[str, Any] = {"dim": numbers if len(numbers) > 1 else numbers[0]}
        return Call("specforge.modules.Mean", arguments | ({"keepdim": True} if self.keepdim else {}))
