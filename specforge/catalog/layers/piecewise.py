"""Activations made of straight lines, or of pieces that are chosen by the value."""

from math import inf
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from specforge.catalog.definition import Call, Count, Kept, Layer, Parameter
from specforge.catalog.layers.definition import ElementWise, Rectifier, cut
from specforge.shapes import Misfit, Shape


class Relu(Rectifier):
    """Sets negative values to 0: max(0, x).

        relu

    Shapes: any -> the same.

    Source: Nair and Hinton 2010, https://www.cs.toronto.edu/~fritz/absps/reluICML.pdf,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
    """

    target: ClassVar[str] = "torch.nn.ReLU"
    clamps: ClassVar[bool] = True
    keeps: ClassVar[Kept] = Kept(output=True)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return cut(low, high, 0, inf)


class Relu6(ElementWise):
    """Cuts values off below 0 and above 6: min(max(0, x), 6).

        relu6

    Shapes: any -> the same.

    Source: Howard et al. 2017, https://arxiv.org/abs/1704.04861,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
    """

    target: ClassVar[str] = "torch.nn.ReLU6"
    clamps: ClassVar[bool] = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return cut(low, high, 0, 6)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "all that arrives lies between 0 and 6" if low >= 0 and high <= 6 else None


class LeakyRelu(Rectifier):
    """Scales negative values down: max(0, x) + negative_slope · min(0, x).

        leaky_relu: 0.01

    Shapes: any -> the same.

    Source: Maas et al. 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
    """

    target: ClassVar[str] = "torch.nn.LeakyReLU"
    also_known_as: ClassVar[tuple[str, ...]] = ("lrelu",)
    main: ClassVar[str | None] = "negative_slope"
    negative_slope: float = 0.01


class Rrelu(Rectifier):
    """Scales negative values by slopes drawn anew for each in training, and by the mean slope otherwise.

        rrelu: {lower_slope: 0.1, upper_slope: 0.3}

    Shapes: any -> the same. Slopes are drawn evenly from `lower_slope` to `upper_slope`, torch's `lower` and `upper`.

    Errors: a `lower_slope` above `upper_slope`.

    Source: Xu et al. 2015, https://arxiv.org/abs/1505.00853,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html
    """

    target: ClassVar[str] = "torch.nn.RReLU"
    also_known_as: ClassVar[tuple[str, ...]] = ("randomized_relu", "randomized_leaky_relu")
    copies: ClassVar[int] = 1  # the slopes
    lower_slope: float = 1 / 8
    upper_slope: float = 1 / 3

    @model_validator(mode="after")
    def _ordered(self) -> "Rrelu":
        if self.lower_slope > self.upper_slope:
            message = f"`lower_slope` {self.lower_slope:g} must not be above `upper_slope` {self.upper_slope:g}"
            raise ValueError(message)
        return self

    def lower(self, input: Shape) -> Call:
        return Call(self.target, {"lower": self.lower_slope, "upper": self.upper_slope})


class Prelu(Layer):
    """Scales negative values by a trained slope, one for all channels or one for each: max(0, x) + a · min(0, x).

        prelu

    Shapes: (N, C, H, W) -> the same. `num_parameters` is 1 or the number of channels; `init` is the slope at the start.

    Errors: `num_parameters` that is neither.

    Source: He et al. 2015, https://arxiv.org/abs/1502.01852,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html
    """

    main: ClassVar[str | None] = "num_parameters"
    num_parameters: Count = 1
    init: float = 0.25

    def output_shape(self, input: Shape) -> Shape:
        if self.num_parameters not in (1, input[0]):
            message = f"`prelu` has {self.num_parameters} slopes, {input[0]} channels arrive"
            raise Misfit(message, hint=f"write 1 or {input[0]}", argument="num_parameters")
        return input

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (self.num_parameters,)),)

    def lower(self, input: Shape) -> Call:
        return Call("torch.nn.PReLU", self.model_dump(exclude_defaults=True))


class Threshold(ElementWise):
    """Replaces what is not above a threshold by a fixed value: x for x > threshold, else value.

        threshold: {threshold: 1.0, value: 0.0}

    Shapes: any -> the same. With `value: 0` it is Keras's ThresholdedReLU.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html
    """

    target: ClassVar[str] = "torch.nn.Threshold"
    also_known_as: ClassVar[tuple[str, ...]] = ("thresholded_relu",)
    threshold: float
    value: float

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        if low > self.threshold:
            return low, high
        if high <= self.threshold:
            return self.value, self.value
        return min(self.value, max(low, self.threshold)), max(self.value, high)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return f"all that arrives lies above {self.threshold:g}" if low > self.threshold else None


class Hardtanh(ElementWise):
    """Cuts values off below `min_val` and above `max_val`.

        hardtanh: {min_val: -2.0, max_val: 2.0}

    Shapes: any -> the same.

    Errors: a `min_val` that is not below `max_val`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
    """

    target: ClassVar[str] = "torch.nn.Hardtanh"
    clamps: ClassVar[bool] = True
    also_known_as: ClassVar[tuple[str, ...]] = ("clamp", "clip")
    min_val: float = -1.0
    max_val: float = 1.0

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return cut(low, high, self.min_val, self.max_val)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        inside = self.min_val <= low and high <= self.max_val
        return f"all that arrives lies between {self.min_val:g} and {self.max_val:g}" if inside else None

    @model_validator(mode="after")
    def _ordered(self) -> "Hardtanh":
        if self.min_val >= self.max_val:
            raise ValueError(f"`min_val` {self.min_val:g} must be below `max_val` {self.max_val:g}")
        return self


class Hardsigmoid(ElementWise):
    """Approximates the sigmoid by straight lines: min(max(0, x / 6 + 1/2), 1).

        hardsigmoid

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
    """

    target: ClassVar[str] = "torch.nn.Hardsigmoid"
    limits: ClassVar[tuple[float, float]] = (0, 1)
    also_known_as: ClassVar[tuple[str, ...]] = ("hard_sigmoid",)


class Hardswish(ElementWise):
    """Approximates SiLU by straight lines and a parabola: x · hardsigmoid(x).

        hardswish

    Shapes: any -> the same.

    Source: Howard et al. 2019, https://arxiv.org/abs/1905.02244,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
    """

    target: ClassVar[str] = "torch.nn.Hardswish"
    also_known_as: ClassVar[tuple[str, ...]] = ("hard_swish", "hard_silu")


class Softshrink(ElementWise):
    """Moves values towards 0 by `lambd`, and to 0 those within it.

        softshrink: 0.5

    Shapes: any -> the same.

    Errors: a negative `lambd`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
    """

    target: ClassVar[str] = "torch.nn.Softshrink"
    main: ClassVar[str | None] = "lambd"
    lambd: Annotated[float, Field(ge=0)] = 0.5


class Hardshrink(ElementWise):
    """Sets values of size up to `lambd` to 0 and keeps the others.

        hardshrink: 0.5

    Shapes: any -> the same.

    Errors: a negative `lambd`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
    """

    target: ClassVar[str] = "torch.nn.Hardshrink"
    main: ClassVar[str | None] = "lambd"
    lambd: Annotated[float, Field(ge=0)] = 0.5
