"""Schedules equal torch's, stepped for real after every epoch or every step, in runs of several lengths."""

from collections.abc import Callable
from typing import Any

import pytest
from torch.optim import lr_scheduler as theirs

from specforge.catalog.definition import Schedule
from specforge.catalog.schedules.cosine import Cosine
from specforge.catalog.schedules.cycles import CosineWarmRestarts, Cyclic, OneCycle
from specforge.catalog.schedules.exponential import Exponential
from specforge.catalog.schedules.linear import Linear, Polynomial
from specforge.catalog.schedules.multi_step import MultiStep
from specforge.catalog.schedules.warmup import Warmup
from tests.catalog.schedules.runs import BASE, LENGTHS, by_torch, ours

# builds torch's scheduler for an optimizer and the number of times that it is stepped
Build = Callable[[Any, int], Any]

PER_EPOCH: dict[str, tuple[Schedule, Build]] = {
    "multi_step": (MultiStep(milestones=(2, 5, 30)), lambda o, n: theirs.MultiStepLR(o, [2, 5, 30])),
    "multi_step_half": (MultiStep(milestones=(1,), gamma=0.5), lambda o, n: theirs.MultiStepLR(o, [1], gamma=0.5)),
    "exponential": (Exponential(gamma=0.9), lambda o, n: theirs.ExponentialLR(o, 0.9)),
    "linear": (
        Linear(start_factor=0.25, end_factor=1.0, total_iters=5),
        lambda o, n: theirs.LinearLR(o, 0.25, 1.0, total_iters=5),
    ),
    "linear_run": (
        Linear(start_factor=1.0, end_factor=0.1, per="epoch"),
        lambda o, n: theirs.LinearLR(o, 1.0, 0.1, total_iters=n),
    ),
    "polynomial": (Polynomial(power=0.9, total_iters=7), lambda o, n: theirs.PolynomialLR(o, 7, 0.9)),
    "polynomial_run": (Polynomial(power=2.0, per="epoch"), lambda o, n: theirs.PolynomialLR(o, n, 2.0)),
    "warm_restarts": (
        CosineWarmRestarts(t_0=3, t_mult=2, eta_min=1e-3, per="epoch"),
        lambda o, n: theirs.CosineAnnealingWarmRestarts(o, 3, 2, eta_min=1e-3),
    ),
    "warm_restarts_equal": (
        CosineWarmRestarts(t_0=4, per="epoch"),
        lambda o, n: theirs.CosineAnnealingWarmRestarts(o, 4),
    ),
}

PER_STEP: dict[str, tuple[Schedule, Build]] = {
    "linear": (Linear(start_factor=1.0, end_factor=0.0), lambda o, n: theirs.LinearLR(o, 1.0, 0.0, total_iters=n)),
    "polynomial": (Polynomial(power=0.9), lambda o, n: theirs.PolynomialLR(o, n, 0.9)),
    "one_cycle": (OneCycle(), lambda o, n: theirs.OneCycleLR(o, BASE, total_steps=n)),
    "one_cycle_linear": (
        OneCycle(pct_start=0.45, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0),
        lambda o, n: theirs.OneCycleLR(
            o, BASE, total_steps=n, pct_start=0.45, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0
        ),
    ),
    "one_cycle_three_phase": (
        OneCycle(pct_start=0.4, three_phase=True, base_momentum=0.7, max_momentum=0.8),
        lambda o, n: theirs.OneCycleLR(
            o, BASE, total_steps=n, pct_start=0.4, three_phase=True, base_momentum=0.7, max_momentum=0.8
        ),
    ),
}


@pytest.mark.parametrize(("epochs", "steps"), LENGTHS)
@pytest.mark.parametrize(("schedule", "build"), PER_EPOCH.values(), ids=PER_EPOCH)
def test_those_that_torch_steps_per_epoch(schedule: Schedule, build: Build, epochs: int, steps: int) -> None:
    expected = by_torch(lambda optimizer: build(optimizer, epochs), epochs, repeated=steps)
    assert_same(schedule, epochs, steps, expected)


@pytest.mark.parametrize(("epochs", "steps"), LENGTHS)
@pytest.mark.parametrize(("schedule", "build"), PER_STEP.values(), ids=PER_STEP)
def test_those_that_torch_steps_per_step(schedule: Schedule, build: Build, epochs: int, steps: int) -> None:
    total = epochs * steps
    assert_same(schedule, epochs, steps, by_torch(lambda optimizer: build(optimizer, total), total))


@pytest.mark.parametrize(("epochs", "steps"), [(10, 7), (40, 1)])
def test_one_cycle_that_moves_after_every_epoch(epochs: int, steps: int) -> None:
    expected = by_torch(
        lambda optimizer: theirs.OneCycleLR(optimizer, BASE, total_steps=epochs), epochs, repeated=steps
    )
    assert_same(OneCycle(per="epoch"), epochs, steps, expected)


@pytest.mark.parametrize(("epochs", "steps"), LENGTHS)
@pytest.mark.parametrize("down", [None, 3])
@pytest.mark.parametrize(("mode", "gamma"), [("triangular", 1.0), ("triangular2", 1.0), ("exp_range", 0.98)])
def test_cyclic(mode: Any, gamma: float, down: int | None, epochs: int, steps: int) -> None:
    schedule = Cyclic(base_lr=0.01, step_size_up=2, step_size_down=down, mode=mode, gamma=gamma)
    lengths = {"step_size_up": 2 * steps, "step_size_down": None if down is None else down * steps}
    expected = by_torch(
        lambda optimizer: theirs.CyclicLR(optimizer, 0.01, BASE, mode=mode, gamma=gamma, **lengths), epochs * steps
    )
    assert_same(schedule, epochs, steps, expected)


@pytest.mark.parametrize(("epochs", "steps"), LENGTHS)
@pytest.mark.parametrize(("t_0", "t_mult"), [(1, 1), (10, 1), (3, 2), (2, 3)])
def test_warm_restarts_between_epochs(t_0: int, t_mult: int, epochs: int, steps: int) -> None:
    """torch takes the epochs as a fraction, `scheduler.step(epoch + i / iters)`."""
    moments = [(epoch + step / steps,) for epoch in range(epochs) for step in range(steps)]
    expected = by_torch(
        lambda optimizer: theirs.CosineAnnealingWarmRestarts(optimizer, t_0, t_mult, eta_min=1e-4),
        epochs * steps,
        arguments=moments,
    )
    assert_same(CosineWarmRestarts(t_0=t_0, t_mult=t_mult, eta_min=1e-4), epochs, steps, expected)


@pytest.mark.filterwarnings("ignore:The epoch parameter in")  # torch's own use of it, at the milestone
@pytest.mark.parametrize(("epochs", "steps"), [(6, 1), (10, 7), (90, 2)])
def test_a_warmup_per_step_before_a_cosine(epochs: int, steps: int) -> None:
    expected = by_torch(
        lambda optimizer: theirs.SequentialLR(
            optimizer,
            [
                theirs.LinearLR(optimizer, 0.01, total_iters=5 * steps),
                theirs.CosineAnnealingLR(optimizer, (epochs - 5) * steps, eta_min=1e-3),
            ],
            milestones=[5 * steps],
        ),
        epochs * steps,
    )
    assert_same(Warmup(epochs=5, schedule=Cosine(eta_min=1e-3)), epochs, steps, expected)


@pytest.mark.filterwarnings("ignore:The epoch parameter in")
@pytest.mark.parametrize(("epochs", "steps"), [(6, 1), (10, 7), (90, 2)])
def test_a_warmup_per_epoch_before_steps(epochs: int, steps: int) -> None:
    expected = by_torch(
        lambda optimizer: theirs.SequentialLR(
            optimizer,
            [theirs.LinearLR(optimizer, 0.25, total_iters=4), theirs.MultiStepLR(optimizer, [1, 3, 50])],
            milestones=[4],
        ),
        epochs,
        repeated=steps,
    )
    schedule = Warmup(epochs=4, start_factor=0.25, per="epoch", schedule=MultiStep(milestones=(1, 3, 50)))
    assert_same(schedule, epochs, steps, expected)


def assert_same(schedule: Schedule, epochs: int, steps: int, expected: Any) -> None:
    found = ours(schedule, epochs, steps)
    assert found.rates == pytest.approx(expected.rates, rel=1e-12, abs=1e-16)
    if any(momentum is not None for momentum in found.momenta):
        assert found.momenta == pytest.approx(expected.momenta, rel=1e-12)
    else:
        assert set(expected.momenta) == {0.5}, "torch moves no momentum either"
