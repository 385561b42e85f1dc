"""A warmup rises and hands over: what follows has a run of its own, which begins when the warmup ends."""

import pytest
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
from tests.catalog.schedules.runs import BASE, ours

FOLLOWING: dict[str, Schedule] = {
    "constant": Constant(),
    "cosine": Cosine(eta_min=1e-3),
    "cosine_warm_restarts": CosineWarmRestarts(t_0=2, t_mult=2),
    "cyclic": Cyclic(base_lr=0.01, step_size_up=0.5),
    "exponential": Exponential(gamma=0.9),
    "inverse_time": InverseTime(decay=0.1),
    "linear": Linear(start_factor=1.0, end_factor=0.0),
    "multi_step": MultiStep(milestones=(1, 5)),
    "one_cycle": OneCycle(),
    "polynomial": Polynomial(power=2.0),
    "step": Step(step_size=3),
}


def test_every_schedule_is_tried() -> None:
    assert set(FOLLOWING) == set(index("schedules")) - {"warmup"}


@pytest.mark.parametrize("steps", [1, 3, 782])
@pytest.mark.parametrize("schedule", FOLLOWING.values(), ids=FOLLOWING)
def test_what_follows_runs_as_if_it_were_alone(schedule: Schedule, steps: int) -> None:
    epochs, warm = (12, 4) if steps < 100 else (3, 1)
    together = ours(Warmup(epochs=warm, schedule=schedule), epochs, steps)
    alone = ours(schedule, epochs - warm, steps)
    assert together.rates[warm * steps :] == alone.rates
    assert together.momenta[warm * steps :] == alone.momenta
    assert set(together.momenta[: warm * steps]) == {alone.momenta[0]}, "it waits at its first momentum"


def test_rises_in_a_straight_line() -> None:
    rates = ours(Warmup(epochs=2, start_factor=0.2), 3, 2).rates
    assert rates == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1, 0.1])
    assert ours(Warmup(epochs=2, start_factor=0.2, per="epoch"), 3, 2).rates == pytest.approx(
        [0.02, 0.02, 0.06, 0.06, 0.1, 0.1]
    )
    assert ours(Warmup(epochs=1, start_factor=0.0), 2, 2).rates == [0, BASE / 2, BASE, BASE]


def test_is_meant_to_fall_where_what_follows_is() -> None:
    assert Warmup(epochs=1, schedule=Cosine()).meant_to_fall
    assert not Warmup(epochs=1, schedule=Constant()).meant_to_fall
    assert not Warmup(epochs=1).meant_to_fall


def test_a_second_warmup_is_refused() -> None:
    with pytest.raises(ValidationError, match="`schedule` is a warmup again"):
        Warmup(epochs=1, schedule=Warmup(epochs=2))


@pytest.mark.parametrize(
    ("schedule", "epochs", "path"),
    [
        (Warmup(epochs=5), 6, None),
        (Warmup(epochs=5), 5, ("epochs",)),
        (Warmup(epochs=5, schedule=MultiStep(milestones=(10, 19))), 25, None),
        (Warmup(epochs=5, schedule=MultiStep(milestones=(10, 20))), 25, ("schedule", "multi_step", "milestones")),
        (Warmup(epochs=5, schedule=Step(step_size=30)), 25, ("schedule", "step", "step_size")),
        (Warmup(epochs=5, schedule=Step(step_size=19)), 25, None),
        (Warmup(epochs=5, schedule=Cosine(t_max=20)), 25, None),
        (Warmup(epochs=5, schedule=Cosine(t_max=25)), 25, ("schedule", "cosine", "t_max")),
        (MultiStep(milestones=(10, 20)), 21, None),
        (MultiStep(milestones=(10, 20)), 20, ("milestones",)),
    ],
)
def test_what_a_run_is_too_short_for(schedule: Warmup | MultiStep, epochs: int, path: tuple[str, ...] | None) -> None:
    found = schedule.too_late(epochs)
    assert (None if found is None else found.path) == path


def test_a_run_that_is_too_short_has_rates_all_the_same() -> None:
    """A check refuses it, but nothing may divide by the epochs that are not left."""
    schedule = Warmup(epochs=5, schedule=Cosine())
    assert schedule.rate(BASE, Clock.at(4, steps_per_epoch=1, epochs=5)) < BASE
    assert schedule.momentum(Clock.at(4, steps_per_epoch=1, epochs=5)) is None
