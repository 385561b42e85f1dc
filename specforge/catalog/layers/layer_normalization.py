"""Normalisation of every image or place by itself, the same in training and outside it."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Count, Kept, Layer, Parameter
from specforge.catalog.layers.definition import FLOAT, spatial
from specforge.shapes import Misfit, Shape, elements, spelled

Eps = Annotated[float, Field(gt=0)]


class _TrailingAxes(Layer):
    """A normalisation over the last axes, of which there are `axes`."""

    main: ClassVar[str | None] = "axes"
    image_hint: ClassVar[str | None] = "`channel_layer_norm` is for images; or `permute: [2, 3, 1]` puts channels last"
    axes: Count = 1

    def normalized(self, input: Shape) -> Shape:
        return input[-self.axes :]

    def places(self, input: Shape) -> int:
        """How often it normalises in one image."""
        return elements(input[: -self.axes])

    def output_shape(self, input: Shape) -> Shape:
        if self.axes > len(input):
            message = f"`axes: {self.axes}` are to be normalised, {spelled(input)} arrives"
            raise Misfit(message, hint=f"write at most {len(input)}; the batch is not among them", argument="axes")
        return input

    @property
    def needs_features(self) -> bool:  # type: ignore[override]  # it depends on how many axes are meant
        return self.axes == 1

    def reach(self, axes: int) -> tuple[int, ...] | None:
        return (1,) * axes if self.axes == 1 else None


class LayerNorm(_TrailingAxes):
    """Normalises every image, or every place of a sequence, by the mean and variance of its features.

        sequential: {layers: [flatten, layer_norm]}

    Shapes: (N, F) -> the same; (N, L, F) -> the same, each of L places by itself. `axes` is the number of axes, counted
    from the last, that are normalised together, where torch's `normalized_shape` has sizes: `axes: 3` is a whole image
    (C, H, W). `elementwise_affine` gives a scale and a shift of that shape, `bias: false` no shift. For the channels of
    every pixel of an image use `channel_layer_norm`.

    Errors: more `axes` than arrive; an image, whose last axis holds no features, with `axes: 1`.

    Source: Ba et al. 2016, https://arxiv.org/abs/1607.06450,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("ln", "layer_normalization")
    eps: Eps = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        if not self.elementwise_affine:
            return ()
        weight = Parameter("weight", self.normalized(input))
        return (weight, Parameter("bias", self.normalized(input))) if self.bias else (weight,)

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True, extra=2 * FLOAT * self.places(input))  # mean and deviation

    def lower(self, input: Shape) -> Call:
        arguments = self.model_dump(exclude_defaults=True, exclude={"axes"})
        return Call("torch.nn.LayerNorm", {"normalized_shape": self.normalized(input), **arguments})


class RmsNorm(_TrailingAxes):
    """Divides every image, or every place of a sequence, by the root of its features' mean square.

        sequential: {layers: [flatten, {rms_norm: {eps: 1e-6}}]}

    Shapes: (N, F) -> the same; (N, L, F) -> the same, each of L places by itself. `axes` is the number of axes, counted
    from the last, that are normalised together. `eps` is added to the mean square; `null`, the default, is the smallest
    step from 1 of the input's floating-point type. `elementwise_affine` gives a scale.

    Errors: more `axes` than arrive; an image, whose last axis holds no features, with `axes: 1`.

    Source: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("rms_normalization", "root_mean_square_norm")
    eps: Eps | None = None
    elementwise_affine: bool = True

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", self.normalized(input)),) if self.elementwise_affine else ()

    def kept(self, input: Shape, output: Shape) -> Kept:
        """The root, and the values divided by it for the scale's gradient."""
        divided = elements(input) if self.elementwise_affine else 0
        return Kept(input=True, extra=FLOAT * (self.places(input) + divided))

    def lower(self, input: Shape) -> Call:
        arguments = self.model_dump(exclude_defaults=True, exclude={"axes"})
        return Call("torch.nn.RMSNorm", {"normalized_shape": self.normalized(input), **arguments})


class ChannelLayerNorm(Layer):
    """Normalises the channels of every pixel by their own mean and variance, as ConvNeXt does.

        channel_layer_norm: {eps: 1e-6}

    Shapes: (N, C, H, W) -> the same; (N, C, L) and (N, C, D, H, W) alike. `elementwise_affine` gives a scale and a
    shift for each channel, `bias: false` no shift. On features (N, C) it is `layer_norm`.

    Errors: no spatial axes.

    Source: Liu et al. 2022, https://arxiv.org/abs/2201.03545,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("layer_norm2d", "channel_norm", "layer_norm_channels_first")
    eps: Eps = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    def output_shape(self, input: Shape) -> Shape:
        spatial(self, input)
        return input

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        if not self.elementwise_affine:
            return ()
        weight = Parameter("weight", input[:1])
        return (weight, Parameter("bias", input[:1])) if self.bias else (weight,)

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True, extra=2 * FLOAT * elements(input[1:]))  # mean and deviation

    def lower(self, input: Shape) -> Call:
        arguments = {"num_channels": input[0], **self.model_dump(exclude_defaults=True)}
        return Call("specforge.modules.ChannelLayerNorm", arguments)
