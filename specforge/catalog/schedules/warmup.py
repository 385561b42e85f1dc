"""A slow start before any schedule."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from specforge.catalog.definition import Clock, Epochs, Schedule
from specforge.catalog.discovery import word_for
from specforge.catalog.schedules.definition import Per, Timed, TooLate, done


class Warmup(Timed):
    """Raises the learning rate along a straight line in the first epochs, and hands over to another schedule.

        train:
          epochs: 30
          schedule: {warmup: {epochs: 5, start_factor: 0.01, schedule: cosine}}

    `epochs` is how long it rises. `start_factor` is the share of the optimizer's rate that it begins with. `schedule`
    is what follows, with the epochs that are left: its first epoch is the first one after the warmup, and what spans
    the run spans these. Without one the rate stays. The rate rises after every step, or with `per: epoch` after every
    epoch; what follows moves as it says itself.

    Errors: a warmup inside a warmup. One that is as long as the run is warned of.

    Source: https://arxiv.org/abs/1706.02677,
    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
    """

    main: ClassVar[str | None] = "epochs"
    also_known_as: ClassVar[tuple[str, ...]] = ("linear_warmup", "warm_up", "sequential_lr")

    epochs: Epochs
    start_factor: Annotated[float, Field(ge=0, lt=1)] = 0.01
    schedule: Schedule | None = None
    per: Per = "step"

    @model_validator(mode="after")
    def _is_the_only_one(self) -> Self:
        if isinstance(self.schedule, Warmup):
            raise ValueError("`schedule` is a warmup again; name what follows, as in `schedule: cosine`")
        return self

    @property
    def meant_to_fall(self) -> bool:
        return self.schedule is not None and self.schedule.meant_to_fall

    def rate(self, base: float, clock: Clock) -> float:
        if clock.epoch < self.epochs:
            return base * (self.start_factor + (1 - self.start_factor) * done(clock, self.per) / self.epochs)
        return base if self.schedule is None else self.schedule.rate(base, self._after(clock))

    def momentum(self, clock: Clock) -> float | None:
        return None if self.schedule is None else self.schedule.momentum(self._after(clock))

    def _after(self, clock: Clock) -> Clock:
        """The clock of what follows, which stands at its start during the warmup."""
        left = max(1, clock.epochs - self.epochs)
        if clock.epoch < self.epochs:
            return Clock(0, 0, 0.0, left)
        step = round(clock.step * (clock.time - self.epochs) / clock.time)
        return Clock(step, clock.epoch - self.epochs, clock.share, left)

    def too_late(self, epochs: int) -> TooLate | None:
        if self.epochs >= epochs:
            message = f"the warmup takes {self.epochs} epochs, and the run has {epochs}"
            return TooLate(("epochs",), message, f"warm up for fewer than {epochs} epochs")
        found = self.schedule.too_late(epochs - self.epochs) if isinstance(self.schedule, Timed) else None
        if found is None or self.schedule is None:
            return None
        path = ("schedule", word_for(self.schedule), *found.path)
        return found._replace(path=path, message=f"{found.message} after the warmup")
