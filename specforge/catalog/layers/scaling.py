"""Factors: a fixed one, learned ones of channels, and gates of channels and places that the image itself sets."""

from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from specforge.catalog.definition import Call, Count, Kept, Layer, Parameter
from specforge.catalog.layers.definition import FLOAT, spatial
from specforge.catalog.layers.reshaping import axis_at
from specforge.shapes import Misfit, Shape, elements, spelled


class Scale(Layer):
    """Multiplies everything by one fixed number.

        scale: 0.125

    Shapes: any -> the same. Of logits, `factor` is 1 / temperature: what is less than 1 makes probabilities less sure.

    Errors: a `factor` of 0.

    Source: https://arxiv.org/abs/1503.02531
    """

    main: ClassVar[str | None] = "factor"
    also_known_as: ClassVar[tuple[str, ...]] = ("rescaling", "scaling", "temperature")
    passes_shift: ClassVar[bool] = True
    factor: float

    @model_validator(mode="after")
    def _leaves_something(self) -> "Scale":
        if self.factor == 0:
            raise ValueError("`factor` 0 makes everything 0; write another number")
        return self

    def output_shape(self, input: Shape) -> Shape:
        return input

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        ends = low * self.factor, high * self.factor
        return min(ends), max(ends)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "it multiplies by 1" if self.factor == 1 else None

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Scale", {"factor": self.factor})


class LayerScale(Layer):
    """Multiplies every channel by a learned factor that starts small.

        layer_scale: 1.0e-6

    Shapes: any -> the same. `init` is what the factors start at. `dim` is the axis of the channels in torch's numbers,
    where the batch is 0: 1 for images (N, C, H, W), with a parameter `weight` of (C, 1, 1), and -1 for tokens (N, L, C)
    and grids (N, H, W, C), with a `weight` of (C).

    Errors: an axis that doesn't exist.

    Source: Touvron et al. 2021, https://arxiv.org/abs/2103.17239
    """

    main: ClassVar[str | None] = "init"
    also_known_as: ClassVar[tuple[str, ...]] = ("layerscale", "gamma")
    init: float = 1e-6
    dim: int = 1

    def output_shape(self, input: Shape) -> Shape:
        axis_at(self.dim, input)
        return input

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        axis = axis_at(self.dim, input)
        return (Parameter("weight", (input[axis], *[1] * (len(input) - axis - 1))),)

    def lower(self, input: Shape) -> Call:
        axis = axis_at(self.dim, input)
        trailing = len(input) - axis - 1
        arguments = {"trailing": trailing} if trailing else {}
        return Call("specforge.modules.LayerScale", {"size": input[axis], **arguments, "init": self.init})


_ACTIVATIONS = {"relu": "torch.nn.ReLU", "silu": "torch.nn.SiLU"}
_GATES = {"sigmoid": "torch.nn.Sigmoid", "hardsigmoid": "torch.nn.Hardsigmoid"}


class SqueezeExcite(Layer):
    """Multiplies every channel by a gate between 0 and 1 that two small layers compute from all channels' means.

        squeeze_excite: {ratio: 0.25, activation: silu}

    Shapes: (N, C, H, W) -> the same; (N, C, L) and (N, C, D, H, W) alike. Between the layers, 1×1 convolutions `fc1`
    and `fc2` with parameters `fc1.weight` and so on, lie ⌊ratio · C⌋ channels, at least 1, where `ratio` is 0.25 unless
    given; or exactly `channels`, as in EfficientNet, where they are a share of the block's input. With `divisor` it is
    the nearest multiple of that, or the one above where more than a tenth would be lost, as in MobileNetV3.
    `activation` is `relu` or `silu`, `gate` is `sigmoid` or `hardsigmoid`.

    Errors: no spatial axes; `channels` beside `ratio` or `divisor`.

    Source: Hu et al. 2017, https://arxiv.org/abs/1709.01507,
    https://docs.pytorch.org/vision/stable/generated/torchvision.ops.SqueezeExcitation.html
    """

    main: ClassVar[str | None] = "ratio"
    also_known_as: ClassVar[tuple[str, ...]] = ("se", "squeeze_excitation", "squeeze_and_excitation", "se_block")
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    channels: Count | None = None
    divisor: Count | None = None
    activation: Literal["relu", "silu"] = "relu"
    gate: Literal["sigmoid", "hardsigmoid"] = "sigmoid"

    @model_validator(mode="after")
    def _one_width(self) -> "SqueezeExcite":
        if self.channels is not None and (self.ratio is not None or self.divisor is not None):
            other = "ratio" if self.ratio is not None else "divisor"
            raise ValueError(f"`channels` says how many there are, `{other}` too; remove one of them")
        return self

    def squeezed(self, channels: int) -> int:
        """How many channels lie between its two layers."""
        if self.channels is not None:
            return self.channels
        share = int(Fraction(str(0.25 if self.ratio is None else self.ratio)) * channels)  # 0.29 · 100 is 29
        if self.divisor is None:
            return max(share, 1)
        nearest = max((share + self.divisor // 2) // self.divisor, 1) * self.divisor
        return nearest + self.divisor if 10 * nearest < 9 * share else nearest

    def output_shape(self, input: Shape) -> Shape:
        spatial(self, input)
        return input

    def reach(self, axes: int) -> None:
        return None

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(low, 0), max(high, 0)

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        channels, squeezed, ones = input[0], self.squeezed(input[0]), (1,) * (len(input) - 1)
        return (
            Parameter("fc1.weight", (squeezed, channels, *ones)),
            Parameter("fc1.bias", (squeezed,)),
            Parameter("fc2.weight", (channels, squeezed, *ones)),
            Parameter("fc2.bias", (channels,)),
        )

    def macs(self, input: Shape, output: Shape) -> int:
        return 2 * input[0] * self.squeezed(input[0])

    def kept(self, input: Shape, output: Shape) -> Kept:
        """The means, what lies between the layers, the gates; silu and hardsigmoid also keep what they take."""
        channels, squeezed = input[0], self.squeezed(input[0])
        between = squeezed * (2 if self.activation == "silu" else 1)
        gates = channels * (2 if self.gate == "hardsigmoid" else 1)
        return Kept(input=True, extra=FLOAT * (channels + between + gates))

    def lower(self, input: Shape) -> Call:
        between = {"squeezed": self.squeezed(input[0]), "axes": len(input) - 1}
        functions = {"activation": Call(_ACTIVATIONS[self.activation]), "gate": Call(_GATES[self.gate])}
        return Call("specforge.modules.SqueezeExcite", {"channels": input[0], **between, **functions})


class Cbam(Layer):
    """Multiplies every channel, then every place, by a gate between 0 and 1 made from means and maxima.

        cbam: {reduction: 2, kernel_size: 7}

    Shapes: (N, C, H, W) -> the same. The channels' gates come from two 1×1 convolutions `fc1` and `fc2` with
    ⌊C / `reduction`⌋ channels between them, at least 1, applied to the means and to the maxima of all channels and
    summed; the places' gates from a convolution `spatial` of `kernel_size` pixels, an odd number, over the channels'
    maximum and mean. `bias` gives all three a bias.

    Errors: other than two spatial axes; an even `kernel_size`.

    Source: Woo et al. 2018, https://arxiv.org/abs/1807.06521
    """

    main: ClassVar[str | None] = "reduction"
    also_known_as: ClassVar[tuple[str, ...]] = ("convolutional_block_attention",)
    reduction: Count = 16
    kernel_size: Count = 7
    bias: bool = False

    @model_validator(mode="after")
    def _has_a_centre(self) -> "Cbam":
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"`kernel_size` {self.kernel_size} is even, so it has no pixel in its middle; use an odd one"
            )
        return self

    def squeezed(self, channels: int) -> int:
        """How many channels lie between the layers of the channels' gates."""
        return max(channels // self.reduction, 1)

    def output_shape(self, input: Shape) -> Shape:
        if len(input) != 3:
            message = f"`cbam` needs [channels, height, width], {spelled(input)} arrives"
            raise Misfit(message, hint="it is for images alone; `squeeze_excite` has other forms")
        return input

    def reach(self, axes: int) -> None:
        return None

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(low, 0), max(high, 0)

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        channels, squeezed = input[0], self.squeezed(input[0])
        weights = {
            "fc1": (squeezed, channels, 1, 1),
            "fc2": (channels, squeezed, 1, 1),
            "spatial": (1, 2, self.kernel_size, self.kernel_size),
        }
        found = []
        for name, shape in weights.items():
            found.append(Parameter(f"{name}.weight", shape))
            if self.bias:
                found.append(Parameter(f"{name}.bias", shape[:1]))
        return tuple(found)

    def macs(self, input: Shape, output: Shape) -> int:
        channels, *sizes = input
        return 4 * channels * self.squeezed(channels) + 2 * self.kernel_size**2 * elements(tuple(sizes))

    def kept(self, input: Shape, output: Shape) -> Kept:
        """Of the channels' gates: summaries, what lies between, gates; the gated image; of the places' likewise."""
        channels, places = input[0], elements(input[1:])
        of_channels = 4 * channels + 2 * self.squeezed(channels)
        of_places = 4 * places
        return Kept(input=True, extra=FLOAT * (of_channels + elements(input) + of_places))

    def lower(self, input: Shape) -> Call:
        arguments = {"channels": input[0], "squeezed": self.squeezed(input[0]), "kernel_size": self.kernel_size}
        return Call("specforge.modules.Cbam", arguments | ({"bias": True} if self.bias else {}))
