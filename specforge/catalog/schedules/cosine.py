"""Half a wave down."""

from math import cos, pi
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from specforge.catalog.definition import Clock, Unit
from specforge.catalog.schedules.definition import Timed, TooLate


class Cosine(Timed):
    """Lowers the learning rate along half a cosine wave from the optimizer's rate to `eta_min`.

        train:
          schedule: {cosine: {eta_min: 1e-5}}

    `t_max` is the length of that half wave in epochs. Without it the half wave spans the run and the rate moves after
    every step. With it the rate moves after every epoch, and in a longer run it comes back up, as torch's does: with
    `t_max: 10` it is at `eta_min` in epoch 11 and at its peak again in epoch 21. `per: step` or `per: epoch` says
    otherwise how often it moves. `eta_min` is a learning rate.

    Source: https://arxiv.org/abs/1608.03983,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("cosine_annealing", "cosine_annealing_lr", "cosineannealinglr")

    t_max: Annotated[float, Field(gt=0, description="epochs"), Unit("epochs")] | None = None
    eta_min: Annotated[float, Field(ge=0)] = 0.0
    per: Literal["step", "epoch"] | None = None

    @property
    def meant_to_fall(self) -> bool:
        return True

    def rate(self, base: float, clock: Clock) -> float:
        half_wave = clock.epochs if self.t_max is None else self.t_max
        per = self.per or ("step" if self.t_max is None else "epoch")
        done = clock.time if per == "step" else clock.epoch
        return self.eta_min + (base - self.eta_min) * (1 + cos(pi * done / half_wave)) / 2

    def too_late(self, epochs: int) -> TooLate | None:
        if self.t_max is None or self.t_max <= epochs:
            return None
        left = self.rate(1.0, Clock(0, epochs, 0.0, epochs)) if self.eta_min == 0 else None
        ends = f", at {left:.2g} of its peak" if left else ""
        message = (
            f"the rate is still falling at the end{ends}: `t_max` is {self.t_max:g}, the schedule has {epochs} epochs"
        )
        return TooLate(
            ("t_max",), message, "leave `t_max` out: the fall then takes all epochs; it counts epochs, not steps"
        )
