"""Normalisation of channels."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Count, Kept, Layer, Parameter
from specforge.catalog.layers.definition import FLOAT, spatial
from specforge.shapes import Misfit, Shape, elements, spelled

Eps = Annotated[float, Field(gt=0)]
Momentum = Annotated[float, Field(ge=0, le=1)]


class BatchNorm(Layer):
    """Normalises every channel by its mean and variance over the batch and the spatial axes.

        batch_norm

    Shapes: (N, C, H, W) -> the same; (N, C) and (N, C, L) alike. `momentum` is torch's: the weight of the newest batch
    (Keras's 0.99 is 0.01 here). Running means and variances are state, counted as non-trainable.

    Errors: more than three spatial axes.

    Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
    """

    needs_positions: ClassVar[bool] = True
    also_known_as: ClassVar[tuple[str, ...]] = ("bn", "batchnorm", "batchnormalization", "batch_normalization")
    centred_axis: ClassVar[int | None] = 0
    eps: Eps = 1e-5
    momentum: Momentum = 0.1
    affine: bool = True
    track_running_stats: bool = True

    def output_shape(self, input: Shape) -> Shape:
        if not 1 <= len(input) <= 4:
            message = f"`batch_norm` needs [channels] and at most three spatial axes, {spelled(input)} arrives"
            raise Misfit(message, hint="join axes with `flatten` before it")
        return input

    def needs_several_images(self, input: Shape) -> bool:
        return elements(input[1:]) == 1

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        affine = _scale_and_shift(input[0]) if self.affine else ()
        return (*affine, *_running(input[0])) if self.track_running_stats else affine

    def lower(self, input: Shape) -> Call:
        axes = max(len(input) - 1, 1)
        return Call(f"torch.nn.BatchNorm{axes}d", {"num_features": input[0], **self.model_dump(exclude_defaults=True)})


class InstanceNorm(Layer):
    """Normalises every channel of every image by its own mean and variance over the spatial axes.

        instance_norm: {affine: true}

    Shapes: (N, C, H, W) -> the same; (N, C, L) and (N, C, D, H, W) alike. Unlike `batch_norm` it has no parameters
    unless `affine`, and uses the image's own mean and variance outside training too unless `track_running_stats`.
    `momentum` is torch's: the weight of the newest batch.

    Errors: no spatial axes; a single position, whose deviation is 0.

    Source: Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("instance_normalization",)
    centred_axis: ClassVar[int | None] = 0
    eps: Eps = 1e-5
    momentum: Momentum = 0.1
    affine: bool = False
    track_running_stats: bool = False

    def output_shape(self, input: Shape) -> Shape:
        if elements(spatial(self, input)) == 1:
            message = f"`instance_norm` needs several positions in each channel, {spelled(input)} arrives"
            raise Misfit(message, hint="thin out less before it, or use `batch_norm` or `layer_norm`")
        return input

    def reach(self, axes: int) -> None:
        return None

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        affine = _scale_and_shift(input[0]) if self.affine else ()
        return (*affine, *_running(input[0])) if self.track_running_stats else affine

    def kept(self, input: Shape, output: Shape) -> Kept:
        """Mean and deviation, and torch's copies of the scale and the running statistics, one for each image."""
        vectors = 2 + self.affine + 2 * self.track_running_stats
        return Kept(input=True, extra=vectors * FLOAT * input[0])

    def lower(self, input: Shape) -> Call:
        arguments = {"num_features": input[0], **self.model_dump(exclude_defaults=True)}
        return Call(f"torch.nn.InstanceNorm{len(input) - 1}d", arguments)


class GroupNorm(Layer):
    """Normalises groups of channels of every image by their mean and variance over the spatial axes.

        group_norm: 3

    Shapes: (N, C, H, W) -> the same, with any number of spatial axes. One group is a layer norm of the whole image with
    a scale and a shift for each channel.

    Errors: channels not divisible by `num_groups`; groups of a single value, whose deviation is 0.

    Source: Wu and He 2018, https://arxiv.org/abs/1803.08494,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
    """

    main: ClassVar[str | None] = "num_groups"
    also_known_as: ClassVar[tuple[str, ...]] = ("gn", "group_normalization")
    num_groups: Count
    eps: Eps = 1e-5
    affine: bool = True

    def output_shape(self, input: Shape) -> Shape:
        if input[0] % self.num_groups:
            message = f"{input[0]} channels arrive, which {self.num_groups} groups can't divide"
            raise Misfit(message, hint="choose `num_groups` that divides the channels", argument="num_groups")
        if elements(input) == self.num_groups:
            message = f"{self.num_groups} groups of {spelled(input)} have a single value each, which becomes 0"
            raise Misfit(message, hint="use fewer groups", argument="num_groups")
        return input

    def reach(self, axes: int) -> tuple[int, ...] | None:
        return None if axes else ()

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        return _scale_and_shift(input[0]) if self.affine else ()

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=True, extra=2 * FLOAT * self.num_groups)  # mean and deviation

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.GroupNorm", {"num_channels": input[0], **self.model_dump(exclude_defaults=True)})


class LocalResponseNorm(Layer):
    """Divides every value by a power of the mean square of its place in neighbouring channels.

        local_response_norm: {size: 5, alpha: 5e-4, k: 2.0}

    Shapes: (N, C, H, W) -> the same, with one to three spatial axes: x / (k + alpha · m)^beta, with m the mean of x²
    over `size` channels around its own, those that don't exist counting as 0. Where a paper sums them, its alpha is
    `size` times smaller: AlexNet's 1e-4 with size 5 is 5e-4 here.

    Errors: no spatial axes.

    Source: Krizhevsky et al. 2012, https://dl.acm.org/doi/10.1145/3065386,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html
    """

    main: ClassVar[str | None] = "size"
    also_known_as: ClassVar[tuple[str, ...]] = ("lrn", "local_response_normalization")
    size: Count
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def output_shape(self, input: Shape) -> Shape:
        spatial(self, input)
        return input

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        divides_by_one_or_more = self.k >= 1 and self.alpha >= 0 and self.beta >= 0
        return (min(low, 0), max(high, 0)) if divides_by_one_or_more else super().bounds(low, high)

    def kept(self, input: Shape, output: Shape) -> Kept:
        """The squares with the channels added at both ends, the divisor, and what its power is taken of."""
        padded = (input[0] + self.size - 1, *input[1:])
        return Kept(input=True, extra=FLOAT * (elements(padded) + 2 * elements(input)))

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.LocalResponseNorm", self.model_dump(exclude_defaults=True))


def _scale_and_shift(channels: int) -> tuple[Parameter, ...]:
    return Parameter("weight", (channels,)), Parameter("bias", (channels,))


def _running(channels: int) -> tuple[Parameter, ...]:
    return (
        Parameter("running_mean", (channels,), "statistic"),
        Parameter("running_var", (channels,), "statistic"),
        Parameter("num_batches_tracked", (), "counter"),
    )
