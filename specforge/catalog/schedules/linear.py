"""A straight line, and its powers."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Clock, Schedule, Unit
from specforge.catalog.schedules.definition import Per, done


class Linear(Schedule):
    """Moves the learning rate along a straight line from one multiple of the optimizer's rate to another.

        train:
          schedule: {linear: {start_factor: 1.0, end_factor: 0.0}}

    `start_factor` and `end_factor` are shares of the optimizer's rate. `total_iters` is the line's length in epochs;
    after it the rate stays. Without it the line spans the run and the rate moves after every step; with it the rate
    moves after every epoch, as torch's is used. `per: step` or `per: epoch` says otherwise.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("linear_lr",)

    start_factor: Annotated[float, Field(gt=0, le=1)]
    end_factor: Annotated[float, Field(ge=0, le=1)]
    total_iters: Annotated[float, Field(gt=0, description="epochs"), Unit("epochs")] | None = None
    per: Per | None = None

    def rate(self, base: float, clock: Clock) -> float:
        share = _share(clock, self.total_iters, self.per)
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class Polynomial(Schedule):
    """Lowers the learning rate to 0 along a power of the share of the run that is left.

        train:
          schedule: {polynomial: {power: 0.9}}

    `power` is the exponent: 1 is a straight line. `total_iters` is after how many epochs the rate is 0, where it stays;
    torch's default of 5 must be written. Without it the fall spans the run and the rate moves after every step; with it
    the rate moves after every epoch, as torch's is used. `per: step` or `per: epoch` says otherwise.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
    """

    main: ClassVar[str | None] = "power"
    also_known_as: ClassVar[tuple[str, ...]] = ("polynomial_lr", "polynomial_decay", "poly")

    power: Annotated[float, Field(gt=0)] = 1.0
    total_iters: Annotated[float, Field(gt=0, description="epochs"), Unit("epochs")] | None = None
    per: Per | None = None

    def rate(self, base: float, clock: Clock) -> float:
        return float(base * (1 - _share(clock, self.total_iters, self.per)) ** self.power)


def _share(clock: Clock, total_iters: float | None, per: Per | None) -> float:
    """How much of the line lies behind, from 0 to 1."""
    length = clock.epochs if total_iters is None else total_iters
    return min(1.0, done(clock, per or ("step" if total_iters is None else "epoch")) / length)
