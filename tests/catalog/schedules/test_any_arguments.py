"""Whatever arguments a schedule accepts, it gives a rate at every moment of every run."""

from math import inf, isnan
from random import Random

import pytest

from specforge.catalog.definition import Clock, Schedule
from specforge.catalog.discovery import definition, index
from specforge.catalog.schedules.cycles import Cyclic
from specforge.catalog.schedules.multi_step import MultiStep
from specforge.catalog.schedules.step import Step
from tests.fuzz.values import Maker

DRAWS = 150
RUNS = ((1, 1), (2, 391), (10, 7), (300, 3), (3_000, 1))  # epochs, and steps in each


def moments(steps_per_epoch: int, epochs: int) -> list[Clock]:
    last = steps_per_epoch * epochs - 1
    steps = {0, min(1, last), min(steps_per_epoch, last), last // 3, last // 2, last}
    return [Clock.at(step, steps_per_epoch=steps_per_epoch, epochs=epochs) for step in sorted(steps)]


@pytest.mark.parametrize("word", index("schedules"))
def test_rates_are_numbers(word: str) -> None:
    kind = definition("schedules", word)
    assert kind is not None
    made = [Maker(Random(f"{word}:{seed}")).section(kind).bound for seed in range(DRAWS)]
    schedules = [schedule for schedule in made if isinstance(schedule, Schedule)]
    assert len(schedules) > DRAWS / 2
    for schedule in schedules:
        for epochs, steps in RUNS:
            for clock in moments(steps, epochs):
                rate, momentum = schedule.rate(0.1, clock), schedule.momentum(clock)
                assert not isnan(rate), (schedule, clock)
                assert momentum is None or 0 <= momentum < 1, (schedule, clock)


@pytest.mark.parametrize(
    "schedule", [Step(step_size=1, gamma=2.0), MultiStep(milestones=tuple(range(1, 30)), gamma=1e18)]
)
def test_a_rate_beyond_all_numbers_is_infinite(schedule: Schedule) -> None:
    assert schedule.rate(0.1, Clock(3_000, 3_000, 0.0, 3_001)) == inf


def test_a_thousand_cycles_halve_the_peak_a_thousand_times() -> None:
    cyclic = Cyclic(base_lr=0.5, step_size_up=1e-3, mode="triangular2", per="epoch")
    assert cyclic.rate(1.0, Clock(3_000, 3_000, 0.0, 3_001)) == 0.5
