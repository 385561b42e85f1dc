"""Random values of a given spread, whatever the tensor's shape."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from specforge.catalog.definition import Call, Initializer


class Normal(Initializer):
    """Draws from a normal distribution.

        layers:
          - {linear: 100, init: {weight: {normal: {std: 0.01}}}}

    For tensors of any shape. `mean` and `std` (the standard deviation) are in the weights' own units.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.normal_
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("random_normal", "gaussian")

    mean: float = 0.0
    std: Annotated[float, Field(gt=0)] = 1.0

    def lower(self) -> Call:
        return Call("torch.nn.init.normal_", {"mean": self.mean, "std": self.std})


class Uniform(Initializer):
    """Draws evenly from `a` to `b`.

        layers:
          - {linear: 100, init: {weight: {uniform: {a: -0.05, b: 0.05}}}}

    For tensors of any shape. `a` and `b` are in the weights' own units.

    Errors: `a` that is not below `b`.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.uniform_
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("random_uniform",)

    a: float = 0.0
    b: float = 1.0

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.a >= self.b:
            raise ValueError(f"`a` must be less than `b`, found a = {self.a:g} and b = {self.b:g}")
        return self

    def lower(self) -> Call:
        return Call("torch.nn.init.uniform_", {"a": self.a, "b": self.b})


class TruncatedNormal(Initializer):
    """Draws from a normal distribution and leaves out what falls outside `a` to `b`.

        layers:
          - {linear: 100, init: {weight: {truncated_normal: {std: 0.02, a: -0.04, b: 0.04}}}}

    For tensors of any shape. All arguments are in the weights' own units: `a` and `b` are values, not multiples of
    `std`, so that `std: 0.02` alone cuts nothing off in practice.

    Errors: `a` that is not below `b`; a mean that is more than two standard deviations outside of the range.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("trunc_normal", "truncnormal")

    mean: float = 0.0
    std: Annotated[float, Field(gt=0)] = 1.0
    a: float = -2.0
    b: float = 2.0

    @model_validator(mode="after")
    def _is_a_range_around_the_mean(self) -> Self:
        if self.a >= self.b:
            raise ValueError(f"`a` must be less than `b`, found a = {self.a:g} and b = {self.b:g}")
        if self.mean < self.a - 2 * self.std or self.mean > self.b + 2 * self.std:
            # torch warns here, because its draws no longer follow the distribution
            raise ValueError(f"`mean` must be at most two `std` outside of `a` to `b`, found {self.mean:g}")
        return self

    def lower(self) -> Call:
        return Call("torch.nn.init.trunc_normal_", {"mean": self.mean, "std": self.std, "a": self.a, "b": self.b})
