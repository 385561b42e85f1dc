"""Layers that act in training only."""

from typing import ClassVar, Literal

from specforge.catalog.definition import Call, Kept, Layer, Probability
from specforge.catalog.layers.definition import FLOAT, spatial
from specforge.shapes import Shape, elements


class _Dropping(Layer):
    """What leaves out something with probability `p` in training and scales the rest by 1 / (1 - p)."""

    main: ClassVar[str | None] = "p"
    p: Probability = 0.5

    @property
    def is_view(self) -> bool:  # type: ignore[override]  # torch gives back what arrives where nothing is to be done
        return self.p == 0

    def output_shape(self, input: Shape) -> Shape:
        return input

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(low / (1 - self.p), 0), max(high / (1 - self.p), 0)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "`p` is 0" if self.p == 0 else None

    def factors(self, count: int) -> Kept:
        """What is kept when training multiplies an image by so many random factors."""
        return Kept(extra=FLOAT * count if self.p else 0)


class Dropout(_Dropping):
    """Zeroes each value with probability `p` in training and scales the others by 1 / (1 - p).

        dropout: 0.5

    Shapes: any -> the same. `p` is a probability from 0 up to, but not including, 1.

    Source: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
    """

    def kept(self, input: Shape, output: Shape) -> Kept:
        return self.factors(elements(input))

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.Dropout", {"p": self.p})

    def lower_for(self, input: Shape, device: str) -> Call | None:
        # a GPU's kernel draws as it multiplies, a CPU spends a tenth of a step on torch's draws
        return Call("specforge.modules.BitDropout", {"p": self.p}) if device == "cpu" and self.p else None


class ChannelDropout(_Dropping):
    """Zeroes each channel of each image with probability `p` in training and scales the others by 1 / (1 - p).

        channel_dropout: 0.2

    Shapes: (N, C, H, W) -> the same; (N, C, L) and (N, C, D, H, W) alike. `p` is a probability from 0 up to, but not
    including, 1.

    Errors: no spatial axes.

    Source: Tompson et al. 2014, https://arxiv.org/abs/1411.4280,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("dropout2d", "spatial_dropout", "spatialdropout2d", "feature_dropout")

    def output_shape(self, input: Shape) -> Shape:
        spatial(self, input)
        return input

    def kept(self, input: Shape, output: Shape) -> Kept:
        return self.factors(input[0])

    def lower(self, input: Shape) -> Call:
        return Call(f"torch.nn.Dropout{len(input) - 1}d", {"p": self.p})


class AlphaDropout(_Dropping):
    """Sets each value to SELU's lower limit with probability `p` in training, and keeps mean 0 and variance 1.

        alpha_dropout: 0.1

    Shapes: any -> the same. `p` is a probability from 0 up to, but not including, 1. For networks of `selu`.

    Source: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("alphadropout",)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return Layer.bounds(self, low, high)  # values are moved, too

    def kept(self, input: Shape, output: Shape) -> Kept:
        return self.factors(elements(input))

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.AlphaDropout", {"p": self.p})


class StochasticDepth(_Dropping):
    """Zeroes a whole image with probability `p` in training and scales the others by 1 / (1 - p).

        stochastic_depth: 0.1

    Shapes: any -> the same. It ends the body of a residual block, which the image then skips; `residual` does so with
    `drop_path`. `mode` is `row` for a draw of each image, `batch` for one draw of all. `p` is a probability from 0 up
    to, but not including, 1.

    Source: Huang et al. 2016, https://arxiv.org/abs/1603.09382,
    https://docs.pytorch.org/vision/stable/generated/torchvision.ops.StochasticDepth.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("drop_path", "droppath", "drop_connect")
    mode: Literal["row", "batch"] = "row"

    def kept(self, input: Shape, output: Shape) -> Kept:
        return self.factors(1 if self.mode == "row" else 0)

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.StochasticDepth", {"p": self.p, "mode": self.mode})
