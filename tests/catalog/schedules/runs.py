"""Whole runs of schedules: ours, and torch's stepped for real."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from specforge.catalog.definition import Clock, Schedule

BASE, MOMENTUM = 0.1, 0.5
LENGTHS = [(1, 4), (3, 3), (10, 7), (40, 1), (90, 2)]  # epochs, steps per epoch


class Run(NamedTuple):
    """The rate and the momentum of every step."""

    rates: list[float]
    momenta: list[float | None]


def ours(schedule: Schedule, epochs: int, steps: int) -> Run:
    clocks = [Clock.at(step, steps_per_epoch=steps, epochs=epochs) for step in range(epochs * steps)]
    return Run([schedule.rate(BASE, clock) for clock in clocks], [schedule.momentum(clock) for clock in clocks])


def by_torch(
    build: Callable[[torch.optim.Optimizer], Any], moves: int, *, repeated: int = 1, arguments: Any = ()
) -> Run:
    """As torch's scheduler has it when it is stepped so often, each value for so many steps.

    `arguments` are those of each call of its `step`, where it takes any.
    """
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE, momentum=MOMENTUM)
    scheduler, run = build(optimizer), Run([], [])
    for move in range(moves):
        run.rates.extend([optimizer.param_groups[0]["lr"]] * repeated)
        run.momenta.extend([optimizer.param_groups[0]["momentum"]] * repeated)
        optimizer.step()
        if move + 1 < moves:  # a cycle that is over may not be stepped
            scheduler.step(*(arguments[move + 1] if arguments else ()))
    return run
