"""Schedules against torch's, epoch by epoch, and against their formulas between epochs."""

from collections.abc import Callable
from itertools import pairwise
from math import cos, pi
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from specforge.catalog.definition import Clock, Schedule
from specforge.catalog.discovery import index
from specforge.catalog.schedules.constant import Constant
from specforge.catalog.schedules.cosine import Cosine
from specforge.catalog.schedules.cycles import CosineWarmRestarts, Cyclic, OneCycle
from specforge.catalog.schedules.exponential import Exponential
from specforge.catalog.schedules.inverse_time import InverseTime
from specforge.catalog.schedules.linear import Linear, Polynomial
from specforge.catalog.schedules.multi_step import MultiStep
from specforge.catalog.schedules.step import Step
from specforge.catalog.schedules.warmup import Warmup

EPOCHS, STEPS, BASE = 30, 7, 0.1


def rates(schedule: Schedule, epochs: int = EPOCHS) -> list[float]:
    """The rate of every step of a run."""
    return [schedule.rate(BASE, Clock.at(step, steps_per_epoch=STEPS, epochs=epochs)) for step in range(epochs * STEPS)]


def by_torch(build: Callable[[torch.optim.Optimizer], Any]) -> list[float]:
    """The rate of every epoch, by a scheduler of torch that is stepped after each."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    scheduler = build(optimizer)
    found = []
    for _ in range(EPOCHS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_the_words() -> None:
    assert set(index("schedules")) >= {"constant", "step", "cosine", "inverse_time", "multi_step", "exponential"}
    assert set(index("schedules")) >= {"linear", "polynomial", "one_cycle", "cyclic", "cosine_warm_restarts", "warmup"}
    assert "timed" not in index("schedules")


@pytest.mark.parametrize(
    ("schedule", "build"),
    [
        (Step(step_size=10), lambda o: torch.optim.lr_scheduler.StepLR(o, 10)),
        (Step(step_size=7, gamma=0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 7, gamma=0.5)),
        (Cosine(t_max=10), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10)),
        (Cosine(t_max=10, eta_min=0.01), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10, eta_min=0.01)),
        (Cosine(t_max=30), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 30)),
        (Cosine(per="epoch"), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, EPOCHS)),
    ],
    ids=["step", "step_half", "cosine", "cosine_floor", "cosine_run", "cosine_per_epoch"],
)
def test_equals_torchs_in_every_step_of_every_epoch(schedule: Schedule, build: Callable[[Any], Any]) -> None:
    expected = [rate for rate in by_torch(build) for _ in range(STEPS)]
    assert rates(schedule) == pytest.approx(expected, abs=1e-12)


def test_cosine_with_a_length_comes_back_up_as_in_torch() -> None:
    by_epoch = rates(Cosine(t_max=10))[::STEPS]
    assert by_epoch[11 - 1] == pytest.approx(0, abs=1e-15)
    assert by_epoch[21 - 1] == pytest.approx(BASE)
    assert by_epoch[11 - 1] < by_epoch[12 - 1] < by_epoch[20 - 1] < by_epoch[21 - 1]


def test_cosine_without_a_length_spans_the_run_and_moves_every_step() -> None:
    found = rates(Cosine(eta_min=0.02), epochs=5)
    total = 5 * STEPS
    assert found == pytest.approx([0.02 + 0.08 * (1 + cos(pi * step / total)) / 2 for step in range(total)])
    assert all(later < earlier for earlier, later in pairwise(found))
    assert found[0] == BASE


def test_cosine_per_step_passes_through_the_epochs_values() -> None:
    smooth, stepped = rates(Cosine(t_max=10, per="step")), rates(Cosine(t_max=10))
    assert smooth[::STEPS] == pytest.approx(stepped[::STEPS])
    assert len(set(smooth[: 10 * STEPS])) == 10 * STEPS
    assert len({round(rate, 12) for rate in stepped[: 10 * STEPS]}) == 10


def test_inverse_time_counts_steps() -> None:
    found = rates(InverseTime(decay=0.5))
    assert found[:3] == [BASE, BASE / 1.5, BASE / 2]
    assert found[100] == BASE / 51
    assert InverseTime.main == "decay"


def test_constant_does_not_move() -> None:
    assert set(rates(Constant())) == {BASE}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (Step, {}), (Step, {"step_size": 0}), (Step, {"step_size": 2.5}), (Step, {"step_size": 3, "gamma": 0.0}),
        (Cosine, {"t_max": 0}), (Cosine, {"eta_min": -0.1}), (Cosine, {"per": "batch"}),
        (InverseTime, {}), (InverseTime, {"decay": -1e-6}), (Constant, {"lr": 0.1}),
        (Step, {"step_size": 1, "per": "step"}),
        (MultiStep, {}), (MultiStep, {"milestones": ()}), (MultiStep, {"milestones": (60, 30)}),
        (MultiStep, {"milestones": (30, 30)}), (MultiStep, {"milestones": (0, 30)}),
        (MultiStep, {"milestones": (30,), "gamma": 0.0}), (MultiStep, {"milestones": (2.5,)}),
        (Exponential, {}), (Exponential, {"gamma": 0.0}), (Exponential, {"gamma": 1.05}),
        (Linear, {}), (Linear, {"start_factor": 0.0, "end_factor": 1.0}),
        (Linear, {"start_factor": 0.5, "end_factor": 1.5}), (Polynomial, {"power": 0.0}),
        (Polynomial, {"total_iters": 0}),
        (OneCycle, {"pct_start": 30}), (OneCycle, {"pct_start": 0.0}), (OneCycle, {"max_lr": 0.1}),
        (OneCycle, {"pct_start": 0.6, "three_phase": True}), (OneCycle, {"anneal_strategy": "cosine"}),
        (OneCycle, {"base_momentum": 0.97}), (OneCycle, {"div_factor": 0.0}),
        (Cyclic, {}), (Cyclic, {"base_lr": 0.01}), (Cyclic, {"base_lr": 0.01, "step_size_up": 0}),
        (Cyclic, {"base_lr": 0.01, "step_size_up": 2, "gamma": 0.9}),
        (Cyclic, {"base_lr": 0.01, "step_size_up": 2, "base_momentum": 0.95}),
        (CosineWarmRestarts, {}), (CosineWarmRestarts, {"t_0": 10, "t_mult": 0}),
        (CosineWarmRestarts, {"t_0": 10, "t_mult": 1.5}),
        (Warmup, {}), (Warmup, {"epochs": 0}), (Warmup, {"epochs": 5, "start_factor": 1.0}),
    ],
)  # fmt: skip
def test_mistakes_are_refused(kind: type[Schedule], arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(**arguments)
