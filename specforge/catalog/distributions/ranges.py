"""Distributions of numbers between two bounds."""

from collections.abc import Sequence
from typing import Any, ClassVar

from specforge.catalog.definition import Count
from specforge.catalog.distributions.definition import Distribution, Draws, Flaw, disorder


class LogUniform(Distribution):
    """Tries numbers whose logarithms lie evenly between two bounds.

        search:
          space: {train.optimizer.lr: {log_uniform: [1e-5, 1e-1]}}

    It is for what is felt by its order of magnitude, such as a learning rate or a weight decay: 1e-5 to 1e-4 is tried
    as often as 1e-2 to 1e-1.
    `bounds` are the smallest and the largest number, in the units of what they are for, both greater than 0.

    Errors: bounds that do not ascend, or that have no logarithm.

    Source: https://www.jmlr.org/papers/v13/bergstra12a.html
    """

    main: ClassVar[str | None] = "bounds"
    also_known_as: ClassVar[tuple[str, ...]] = ("loguniform", "suggest_loguniform", "reciprocal")

    bounds: tuple[float, float]

    def ends(self) -> tuple[Any, ...]:
        return self.bounds

    @property
    def is_logarithmic(self) -> bool:
        return True

    def draw(self, path: str, draws: Draws) -> Any:
        return draws.suggest_float(path, *self.bounds, log=True)

    def flaw(self) -> Flaw | None:
        low, high = self.bounds
        if min(low, high) <= 0:
            hint = "both must be greater than 0; `uniform` takes any"
            return Flaw("bounds", f"there is no logarithm of {min(low, high):g}", hint)
        return disorder(low, high)


class Uniform(Distribution):
    """Tries numbers that lie evenly between two bounds.

        search:
          space: {train.optimizer.momentum: {uniform: [0.8, 0.99]}}

    `bounds` are the smallest and the largest number, in the units of what they are for.

    Errors: bounds that do not ascend.

    Source: https://www.jmlr.org/papers/v13/bergstra12a.html
    """

    main: ClassVar[str | None] = "bounds"
    also_known_as: ClassVar[tuple[str, ...]] = ("float", "suggest_float", "suggest_uniform")

    bounds: tuple[float, float]

    def ends(self) -> tuple[Any, ...]:
        return self.bounds

    def draw(self, path: str, draws: Draws) -> Any:
        return draws.suggest_float(path, *self.bounds)

    def flaw(self) -> Flaw | None:
        return disorder(*self.bounds)


class Integers(Distribution):
    """Tries whole numbers from one bound to another, both included.

        search:
          space: {params.width: {integers: {bounds: [16, 128], step: 16}}}

    `bounds` are the smallest and the largest number.
    `step` is by how much neighbouring numbers differ; it must lead from one bound to the other.
    `log` tries every order of magnitude as often, for numbers greater than 0 and without a `step`.

    Errors: bounds that do not ascend or have no logarithm, a step that misses the upper one, `log` with a step.

    Source: https://optuna.readthedocs.io/en/stable/reference/generated/optuna.distributions.IntDistribution.html
    """

    main: ClassVar[str | None] = "bounds"
    also_known_as: ClassVar[tuple[str, ...]] = ("int", "integer", "randint", "suggest_int")

    bounds: tuple[int, int]
    step: Count = 1
    log: bool = False

    def ends(self) -> tuple[Any, ...]:
        return self.bounds

    @property
    def is_logarithmic(self) -> bool:
        return self.log

    def draw(self, path: str, draws: Draws) -> Any:
        return draws.suggest_int(path, *self.bounds, step=self.step, log=self.log)

    def every(self) -> Sequence[Any] | None:
        low, high = self.bounds
        return range(low, high + 1, self.step)

    def flaw(self) -> Flaw | None:
        low, high = self.bounds
        if low >= high:
            return disorder(low, high)
        if self.log and low < 1:
            return Flaw("bounds", f"there is no logarithm of {low}", "with `log`, both bounds are greater than 0")
        if self.log and self.step > 1:
            return Flaw("step", "`step` and `log` exclude each other", "remove one of them")
        reached = high - (high - low) % self.step
        if reached == low:
            return Flaw("step", f"a step of {self.step} leads beyond {high}", f"write a step of {high - low} or less")
        if reached < high:
            hint = f"end at {reached} or {reached + self.step}"
            return Flaw("bounds", f"steps of {self.step} from {low} do not lead to {high}", hint)
        return None
