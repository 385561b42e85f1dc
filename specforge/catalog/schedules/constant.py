"""No change."""

from specforge.catalog.definition import Clock, Schedule


class Constant(Schedule):
    """Keeps the optimizer's own learning rate; a recipe without a schedule does the same.

        train:
          schedule: constant

    Source: https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
    """

    def rate(self, base: float, clock: Clock) -> float:
        return base
