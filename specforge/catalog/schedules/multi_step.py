"""Drops at given epochs."""

from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from specforge.catalog.definition import Clock, Epochs, Unit
from specforge.catalog.schedules.definition import Timed, TooLate, power


def _ascending(milestones: tuple[int, ...]) -> tuple[int, ...]:
    if any(later <= earlier for earlier, later in pairwise(milestones)):
        ordered = ", ".join(map(str, sorted(set(milestones))))
        raise ValueError(f"a list of epochs, each later than the one before; write `[{ordered}]`")
    return milestones


class MultiStep(Timed):
    """Multiplies the learning rate by `gamma` after each of some epochs.

        train:
          epochs: 90
          schedule: {multi_step: {milestones: [30, 60], gamma: 0.1}}

    `milestones` are numbers of epochs; with `[30, 60]`, epochs 1 to 30 run at the optimizer's rate, epoch 31 is the
    first at a tenth of it and epoch 61 the first at a hundredth. Inside `warmup` they count from its end. `gamma` is
    the factor.

    Errors: milestones that don't ascend. Those that the run does not reach are warned of.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
    """

    main: ClassVar[str | None] = "milestones"
    also_known_as: ClassVar[tuple[str, ...]] = ("multi_step_lr", "piecewise_constant_decay", "piecewise_constant")

    milestones: Annotated[tuple[Epochs, ...], Unit("epochs"), Field(min_length=1), AfterValidator(_ascending)]
    gamma: Annotated[float, Field(gt=0)] = 0.1

    def rate(self, base: float, clock: Clock) -> float:
        return base * power(self.gamma, bisect_right(self.milestones, clock.epoch))

    def too_late(self, epochs: int) -> TooLate | None:
        missed = [str(milestone) for milestone in self.milestones if milestone >= epochs]
        if not missed:
            return None
        what = f"the milestone{'s' * (len(missed) > 1)} {', '.join(missed)} {'are' if len(missed) > 1 else 'is'}"
        message = f"{what} never reached: the schedule has {epochs} epochs"
        return TooLate(("milestones",), message, f"write milestones below {epochs}, or train for more epochs")
