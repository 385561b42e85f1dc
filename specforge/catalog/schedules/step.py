"""Drops at regular intervals."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Clock, Epochs
from specforge.catalog.schedules.definition import Timed, TooLate, power


class Step(Timed):
    """Multiplies the learning rate by `gamma` after every `step_size` epochs.

        train:
          epochs: 90
          schedule: {step: {step_size: 30, gamma: 0.1}}

    `step_size` is in epochs; with 30, epochs 1 to 30 run at the optimizer's rate and epoch 31 is the first below it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
    """

    main: ClassVar[str | None] = "step_size"
    also_known_as: ClassVar[tuple[str, ...]] = ("step_lr", "steplr")

    step_size: Epochs
    gamma: Annotated[float, Field(gt=0)] = 0.1

    def rate(self, base: float, clock: Clock) -> float:
        return base * power(self.gamma, clock.epoch // self.step_size)

    def too_late(self, epochs: int) -> TooLate | None:
        if self.step_size < epochs:
            return None
        message = (
            f"the rate never drops: the first drop is after {self.step_size} epochs, and the schedule has {epochs}"
        )
        return TooLate(("step_size",), message, f"write less than {epochs}, or leave the schedule out")
