"""Activations that are smooth functions of every value."""

from math import inf
from typing import ClassVar, Literal

from specforge.catalog.definition import Kept
from specforge.catalog.layers.definition import ElementWise, NotZero, Rectifier


class Elu(Rectifier):
    """Bends negative values towards -alpha: x for x > 0, else alpha · (exp(x) - 1).

        elu: 1.0

    Shapes: any -> the same.

    Source: Clevert et al. 2015, https://arxiv.org/abs/1511.07289,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html
    """

    target: ClassVar[str] = "torch.nn.ELU"
    main: ClassVar[str | None] = "alpha"
    alpha: float = 1.0


class Celu(Rectifier):
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


class Selu(ElementWise):
    """Is an ELU scaled so that activations keep mean 0 and variance 1 from layer to layer.

        selu

    Shapes: any -> the same.

    Source: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html
    """

    target: ClassVar[str] = "torch.nn.SELU"


class Gelu(ElementWise):
    """Weighs each value by its normal probability: x · Φ(x), with Φ the normal distribution's CDF.

        gelu: tanh

    Shapes: any -> the same.

    Source: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html
    """

    target: ClassVar[str] = "torch.nn.GELU"
    main: ClassVar[str | None] = "approximate"
    approximate: Literal["none", "tanh"] = "none"


class Silu(ElementWise):
    """Weighs each value by its sigmoid: x · sigmoid(x).

        silu

    Shapes: any -> the same.

    Source: Elfwing et al. 2017, https://arxiv.org/abs/1702.03118,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html
    """

    target: ClassVar[str] = "torch.nn.SiLU"
    also_known_as: ClassVar[tuple[str, ...]] = ("swish",)


class Mish(ElementWise):
    """Weighs each value by a smooth gate: x · tanh(softplus(x)).

        mish

    Shapes: any -> the same.

    Source: Misra 2019, https://arxiv.org/abs/1908.08681,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html
    """

    target: ClassVar[str] = "torch.nn.Mish"


class Sigmoid(ElementWise):
    """Maps each value into 0 to 1: 1 / (1 + exp(-x)).

        sigmoid

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
    """

    target: ClassVar[str] = "torch.nn.Sigmoid"
    keeps: ClassVar[Kept] = Kept(output=True)
    limits: ClassVar[tuple[float, float]] = (0, 1)


class LogSigmoid(ElementWise):
    """Takes the logarithm of the sigmoid: log(1 / (1 + exp(-x))).

        log_sigmoid

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
    """

    target: ClassVar[str] = "torch.nn.LogSigmoid"
    copies: ClassVar[int] = 1  # exp(-|x|)
    limits: ClassVar[tuple[float, float]] = (-inf, 0)


class Tanh(ElementWise):
    """Maps each value into -1 to 1: tanh(x).

        tanh

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html
    """

    target: ClassVar[str] = "torch.nn.Tanh"
    keeps: ClassVar[Kept] = Kept(output=True)
    limits: ClassVar[tuple[float, float]] = (-1, 1)


class Softplus(ElementWise):
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


class Softsign(ElementWise):
    """Maps each value into -1 to 1, slower than tanh: x / (1 + |x|).

        softsign

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html
    """

    target: ClassVar[str] = "torch.nn.Softsign"
    copies: ClassVar[int] = 1  # 1 + |x|
    limits: ClassVar[tuple[float, float]] = (-1, 1)


class Tanhshrink(ElementWise):
    """Shrinks small values towards 0: x - tanh(x).

        tanhshrink

    Shapes: any -> the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
    """

    target: ClassVar[str] = "torch.nn.Tanhshrink"
    keeps: ClassVar[Kept] = Kept()
    copies: ClassVar[int] = 1  # tanh(x)
