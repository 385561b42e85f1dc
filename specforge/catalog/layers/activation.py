"""Activations: element by element, and softmax along an axis."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from specforge.catalog.definition import Call, Count, Layer, Parameter
from specforge.shapes import Misfit, Shape, spelled


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("a number other than 0, which it divides by")
    return value


NotZero = Annotated[float, AfterValidator(_not_zero)]


class _ElementWise(Layer):
    """A function of every value alone: any shape -> the same."""

    target: ClassVar[str]

    def output_shape(self, input: Shape) -> Shape:
        return input

    def lower(self, input: Shape) -> Call:
        return Call(self.target, self.model_dump(exclude_defaults=True))


class Relu(_ElementWise):
    """Sets negative values to 0: max(0, x).

        relu

    Shapes: any -> the same.

    Source: Nair and Hinton 2010, https://www.cs.toronto.edu/~fritz/absps/reluICML.pdf,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
    """

    target: ClassVar[str] = "torch.nn.ReLU"


class Relu6(_ElementWise):
    """Cuts values off below 0 and above 6: min(max(0, x), 6).

        relu6

    Shapes: any -> the same.

    Source: Howard et al. 2017, https://arxiv.org/abs/1704.04861,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
    """

    target: ClassVar[str] = "torch.nn.ReLU6"


class LeakyRelu(_ElementWise):
    """Scales negative values down: max(0, x) + negative_slope · min(0, x).

        leaky_relu: 0.01

    Shapes: any -> the same.

    Source: Maas et al. 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
    """

    target: ClassVar[str] = "torch.nn.LeakyReLU"
    main: ClassVar[str | None] = "negative_slope"
    negative_slope: float = 0.01


class Elu(_ElementWise):
    """Bends negative values towards -alpha: x for x > 0, else alpha · (exp(x) - 1).

        elu: 1.0

    Shapes: any -> the same.

    Source: Clevert et al. 2015, https://arxiv.org/abs/1511.07289,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html
    """

    target: ClassVar[str] = "torch.nn.ELU"
    main: ClassVar[str | None] = "alpha"
    alpha: float = 1.0


class Celu(_ElementWise):
    """Is an ELU whose slope is continuous: max(0, x) + min(0, alpha · (exp(x / alpha) - 1)).

        celu: 1.0

    Shapes: any -> the same.

    Errors: an `alpha` of 0.

    Source: Barron 2017, https://arxiv.org/abs/1704.07483,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html
    """

    target: ClassVar[str] = "torch.nn.CELU"
    main: ClassVar[str | None] = "alpha"
    alpha: NotZero = 1.0


class Selu(_ElementWise):
    """Is an ELU scaled so that activations keep mean 0 and variance 1 from layer to layer.

        selu

    Shapes: any -> the same.

    Source: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html
    """

    target: ClassVar[str] = "torch.nn.SELU"


class Gelu(_ElementWise):
    """Weighs each value by its normal probability: x · Φ(x), with Φ the normal distribution's CDF.

        gelu: tanh

    Shapes: any -> the same.

    Source: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html
    """

    target: ClassVar[str] = "torch.nn.GELU"
    main: ClassVar[str | None] = "approximate"
    approximate: Literal["none", "tanh"] = "none"


class Silu(_ElementWise):
    """Weighs each value by its sigmoid: x · sigmoid(x).

        silu

    Shapes: any -> the same.

    Source: Elfwing et al. 2017, https://arxiv.org/abs/1702.03118,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html
    """

    target: ClassVar[str] = "torch.nn.SiLU"
    also_known_as: ClassVar[tuple[str, ...]] = ("swish",)


class Mish(_ElementWise):
    """Weighs each value by a smooth gate: x · tanh(softplus(x)).

        mish

    Shapes: any -> the same.

    Source: Misra 2019, https://arxiv.org/abs/1908.08681,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html
    """

    target: ClassVar[str] = "torch.nn.Mish"


class Sigmoid(_ElementWise):
    """Maps each value into 0 to 1: 1 / (1 + exp(-x)).

        sigmoid

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
    """

    target: ClassVar[str] = "torch.nn.Sigmoid"


class LogSigmoid(_ElementWise):
    """Takes the logarithm of the sigmoid: log(1 / (1 + exp(-x))).

        log_sigmoid

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
    """

    target: ClassVar[str] = "torch.nn.LogSigmoid"


class Hardsigmoid(_ElementWise):
    """Approximates the sigmoid by straight lines: min(max(0, x / 6 + 1/2), 1).

        hardsigmoid

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
    """

    target: ClassVar[str] = "torch.nn.Hardsigmoid"
    also_known_as: ClassVar[tuple[str, ...]] = ("hard_sigmoid",)


class Hardswish(_ElementWise):
    """Approximates SiLU by straight lines and a parabola: x · hardsigmoid(x).

        hardswish

    Shapes: any -> the same.

    Source: Howard et al. 2019, https://arxiv.org/abs/1905.02244,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
    """

    target: ClassVar[str] = "torch.nn.Hardswish"
    also_known_as: ClassVar[tuple[str, ...]] = ("hard_swish",)


class Tanh(_ElementWise):
    """Maps each value into -1 to 1: tanh(x).

        tanh

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html
    """

    target: ClassVar[str] = "torch.nn.Tanh"


class Hardtanh(_ElementWise):
    """Cuts values off below `min_val` and above `max_val`.

        hardtanh: {min_val: -2.0, max_val: 2.0}

    Shapes: any -> the same.

    Errors: a `min_val` that is not below `max_val`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
    """

    target: ClassVar[str] = "torch.nn.Hardtanh"
    min_val: float = -1.0
    max_val: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> "Hardtanh":
        if self.min_val >= self.max_val:
            raise ValueError(f"`min_val` {self.min_val:g} must be below `max_val` {self.max_val:g}")
        return self


class Softplus(_ElementWise):
    """Is a smooth ReLU: log(1 + exp(beta · x)) / beta, linear where beta · x exceeds `threshold`.

        softplus: 1.0

    Shapes: any -> the same.

    Errors: a `beta` of 0.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html
    """

    target: ClassVar[str] = "torch.nn.Softplus"
    main: ClassVar[str | None] = "beta"
    beta: NotZero = 1.0
    threshold: float = 20.0


class Softsign(_ElementWise):
    """Maps each value into -1 to 1, slower than tanh: x / (1 + |x|).

        softsign

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html
    """

    target: ClassVar[str] = "torch.nn.Softsign"


class Tanhshrink(_ElementWise):
    """Shrinks small values towards 0: x - tanh(x).

        tanhshrink

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
    """

    target: ClassVar[str] = "torch.nn.Tanhshrink"


class Softshrink(_ElementWise):
    """Moves values towards 0 by `lambd`, and to 0 those within it.

        softshrink: 0.5

    Shapes: any -> the same.

    Errors: a negative `lambd`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
    """

    target: ClassVar[str] = "torch.nn.Softshrink"
    main: ClassVar[str | None] = "lambd"
    lambd: Annotated[float, Field(ge=0)] = 0.5


class Hardshrink(_ElementWise):
    """Sets values of size up to `lambd` to 0 and keeps the others.

        hardshrink: 0.5

    Shapes: any -> the same.

    Errors: a negative `lambd`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
    """

    target: ClassVar[str] = "torch.nn.Hardshrink"
    main: ClassVar[str | None] = "lambd"
    lambd: Annotated[float, Field(ge=0)] = 0.5


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


class _AlongAxis(Layer):
    """A normalisation to a distribution along one axis."""

    target: ClassVar[str]
    main: ClassVar[str | None] = "dim"
    dim: Annotated[int, Field(description="torch's numbering: the batch is 0, -1 is the last axis")] = 1

    def output_shape(self, input: Shape) -> Shape:
        axis = self.dim + len(input) + 1 if self.dim < 0 else self.dim
        if not 1 <= axis <= len(input):
            message = f"axis {self.dim} is not one of {spelled(input)}; the batch is axis 0"
            raise Misfit(message, hint=f"axes go from 1 to {len(input)}", argument="dim")
        return input

    def lower(self, input: Shape) -> Call:
        return Call(self.target, {"dim": self.dim})


class Softmax(_AlongAxis):
    """Makes probabilities along an axis, by default the channels or features: exp(x) / Σ exp(x).

        softmax

    Shapes: any -> the same. `dim` is torch's: the batch is 0. The cross entropy loss contains a softmax: a network
    trained with it ends in logits, without this layer.

    Errors: an axis that doesn't exist; the batch.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
    """

    target: ClassVar[str] = "torch.nn.Softmax"


class LogSoftmax(_AlongAxis):
    """Takes the logarithm of softmax along an axis, by default the channels or features.

        log_softmax

    Shapes: any -> the same. `dim` is torch's: the batch is 0.

    Errors: an axis that doesn't exist; the batch.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
    """

    target: ClassVar[str] = "torch.nn.LogSoftmax"
