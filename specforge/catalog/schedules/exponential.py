"""Shrinks by the same factor in every epoch."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Clock, Schedule
from specforge.catalog.schedules.definition import Per, done


class Exponential(Schedule):
    """Multiplies the learning rate by `gamma` in every epoch.

        train:
          schedule: {exponential: 0.95}

    `gamma` is the factor of a whole epoch. `per: epoch`, the default as in torch, applies it after each; `per: step`
    spreads it evenly over the epoch's steps.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
    """

    main: ClassVar[str | None] = "gamma"
    also_known_as: ClassVar[tuple[str, ...]] = ("exponential_lr", "exponential_decay")

    gamma: Annotated[float, Field(gt=0, le=1)]
    per: Per = "epoch"

    def rate(self, base: float, clock: Clock) -> float:
        return float(base * self.gamma ** done(clock, self.per))
