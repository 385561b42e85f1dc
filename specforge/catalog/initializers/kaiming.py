"""Keeps the size of values, or of gradients, equal through rectified layers."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from specforge.catalog.definition import Call, Initializer

Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


def _slope_is_used(a: float, nonlinearity: str) -> None:
    if a != 0 and nonlinearity != "leaky_relu":
        raise ValueError(
            f"`a` is the slope of `nonlinearity: leaky_relu`, found it with `nonlinearity: {nonlinearity}`"
        )


class _Kaiming(Initializer):
    """What both distributions share: the fan and the gain."""

    target: ClassVar[str]
    fewest_axes: ClassVar[int] = 2

    a: float = 0.0
    mode: Literal["fan_in", "fan_out"] = "fan_in"
    nonlinearity: Nonlinearity = "leaky_relu"

    @model_validator(mode="after")
    def _check(self) -> Self:
        _slope_is_used(self.a, self.nonlinearity)
        return self

    def lower(self) -> Call:
        return Call(self.target, {"a": self.a, "mode": self.mode, "nonlinearity": self.nonlinearity})


class KaimingUniform(_Kaiming):
    """Draws from -limit to limit, where limit is gain × √(3 / fan).

        layers:
          - {conv: {out_channels: 64, kernel_size: 3}, init: {weight: {kaiming_uniform: {nonlinearity: relu}}}}

    For tensors with two axes or more. The fan is the number of inputs of one output (`fan_in`) or the reverse
    (`fan_out`); the gain follows from `nonlinearity`, for `leaky_relu` with `a`, its slope below zero. With the
    defaults the gain is √2, that of relu. Keras's he_uniform is this with `nonlinearity: relu`.

    Errors: `a` with another nonlinearity than leaky_relu.

    Source: https://arxiv.org/abs/1502.01852,
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_uniform_
    """

    target: ClassVar[str] = "torch.nn.init.kaiming_uniform_"
    also_known_as: ClassVar[tuple[str, ...]] = ("he_uniform", "heuniform")


class KaimingNormal(_Kaiming):
    """Draws from a normal distribution of standard deviation gain / √fan.

        layers:
          - {conv: {out_channels: 64, kernel_size: 3}, init: {weight: {kaiming_normal: {mode: fan_out}}}}

    For tensors with two axes or more. The fan is the number of inputs of one output (`fan_in`) or the reverse
    (`fan_out`); the gain follows from `nonlinearity`, for `leaky_relu` with `a`, its slope below zero. With the
    defaults the gain is √2, that of relu. Keras's he_normal also cuts the tails off at two standard deviations.

    Errors: `a` with another nonlinearity than leaky_relu.

    Source: https://arxiv.org/abs/1502.01852,
    https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_
    """

    target: ClassVar[str] = "torch.nn.init.kaiming_normal_"
    also_known_as: ClassVar[tuple[str, ...]] = ("he_normal", "henormal")
