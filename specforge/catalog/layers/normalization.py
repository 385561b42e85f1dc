"""Normalisation layers."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Call, Layer, Parameter
from specforge.shapes import Misfit, Shape, spelled


class BatchNorm(Layer):
    """Normalises every channel by its mean and variance over the batch and the spatial axes.

        batch_norm

    Shapes: (N, C, H, W) -> the same; (N, C) and (N, C, L) alike. `momentum` is torch's: the weight of the newest batch
    (Keras's 0.99 is 0.01 here). Running means and variances are state, counted as non-trainable.

    Errors: more than three spatial axes.

    Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("bn", "batchnorm", "batchnormalization", "batch_normalization")
    eps: Annotated[float, Field(gt=0)] = 1e-5
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.1
    affine: bool = True
    track_running_stats: bool = True

    def output_shape(self, input: Shape) -> Shape:
        if not 1 <= len(input) <= 4:
            message = f"`batch_norm` needs [channels] and at most three spatial axes, {spelled(input)} arrives"
            raise Misfit(message, hint="join axes with `flatten` before it")
        return input

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        channels = (input[0],)
        affine = (Parameter("weight", channels), Parameter("bias", channels)) if self.affine else ()
        if not self.track_running_stats:
            return affine
        return (
            *affine,
            Parameter("running_mean", channels, "statistic"),
            Parameter("running_var", channels, "statistic"),
            Parameter("num_batches_tracked", (), "counter"),
        )

    def lower(self, input: Shape) -> Call:
        axes = max(len(input) - 1, 1)
        return Call(f"torch.nn.BatchNorm{axes}d", {"num_features": input[0], **self.model_dump(exclude_defaults=True)})
