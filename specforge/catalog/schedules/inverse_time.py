"""Falls with the number of steps."""

from typing import Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Clock, Schedule


class InverseTime(Schedule):
    """Divides the learning rate by 1 + `decay` × the number of optimizer steps done.

        train:
          optimizer: {sgd: {lr: 0.01, momentum: 0.9}}
          schedule: {inverse_time: {decay: 1e-6}}

    `decay` is per optimizer step, not per epoch: this is the `decay` that Keras's optimizers took. With `1e-6`, the
    rate has halved after a million steps.

    Source: https://www.tensorflow.org/api_docs/python/tf/keras/optimizers/schedules/InverseTimeDecay
    """

    main: ClassVar[str | None] = "decay"
    also_known_as: ClassVar[tuple[str, ...]] = ("inverse_time_decay", "inversetimedecay", "decay")

    decay: Annotated[float, Field(ge=0)]

    def rate(self, base: float, clock: Clock) -> float:
        return base / (1 + self.decay * clock.step)
