"""Learning rates that come back up, against torch's scheduler and the run that document 003 reports."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specforge.catalog.schedules.constant import Constant
from specforge.catalog.schedules.cosine import Cosine
from specforge.catalog.schedules.step import Step
from specforge.checks.rates import Turn, rates_by_epoch, turn
from tests.checks.recipes import findings


def by_torch(t_max: int, epochs: int, eta_min: float = 0.0) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, t_max, eta_min=eta_min)
    found = []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_the_run_of_document_003() -> None:
    """30 epochs with a `t_max` of 10: its accuracy fell in epoch 20 and recovered after epoch 21."""
    rates = rates_by_epoch(Cosine(t_max=10), 0.1, 30)
    assert rates == pytest.approx(by_torch(10, 30), abs=1e-12)
    assert rates[10] == pytest.approx(0, abs=1e-12)
    assert rates[19] / rates[0] == pytest.approx(0.976, abs=5e-4)
    assert rates[20] == pytest.approx(rates[0])
    found = turn(rates)
    assert found is not None
    assert (found.lowest, found.highest) == (11, 21)
    assert found.last / found.peak == pytest.approx(0.0245, abs=5e-5)


@given(st.integers(1, 12), st.integers(1, 40), st.sampled_from([0.0, 0.01]))
def test_the_turn_is_torchs(t_max: int, epochs: int, eta_min: float) -> None:
    found, rates = (
        turn(rates_by_epoch(Cosine(t_max=t_max, eta_min=eta_min), 0.1, epochs)),
        by_torch(t_max, epochs, eta_min),
    )
    if epochs <= t_max + 1:
        assert found is None
    else:
        assert found is not None
        assert found.lowest == t_max + 1
        assert found.highest == min(2 * t_max + 1, epochs)
        assert (found.bottom, found.top, found.last) == pytest.approx(
            (min(rates), max(rates[t_max:]), rates[-1]), abs=1e-9
        )


def test_rates_that_rise_first_fall_from_their_peak() -> None:
    assert turn([0.1, 0.5, 1.0, 0.6, 0.2]) is None
    assert turn([0.1, 0.5, 1.0, 0.6, 0.2, 0.4, 0.3]) == Turn(5, 6, 1.0, 0.2, 0.4, 0.3)


def test_rates_that_never_change() -> None:
    assert turn([0.1] * 5) is None


@pytest.mark.parametrize(
    ("schedule", "epochs", "message"),
    [
        (
            "{cosine: {t_max: 10}}", 30,
            "the rate is at its lowest, 0, in epoch 11 of 30 and rises again: back at its peak in epoch 21, "
            "0.0245 of its peak in epoch 30, the last",
        ),
        (
            "{cosine: {t_max: 10}}", 12,
            "the rate is at its lowest, 0, in epoch 11 of 12 and rises again: 0.0245 of its peak in epoch 12",
        ),
        (
            "{cosine: {t_max: 10, per: step}}", 21,
            "the rate is at its lowest, 0, in epoch 11 of 21 and rises again: back at its peak in epoch 21",
        ),
        (
            "{cosine: {t_max: 2.5, eta_min: 0.01}}", 5,
            "the rate is at its lowest, 0.186 of its peak, in epoch 3 of 5 and rises again: "
            "0.689 of its peak in epoch 5",
        ),
    ],
)  # fmt: skip
def test_what_is_said(tmp_path: Path, schedule: str, epochs: int, message: str) -> None:
    (found,) = findings(tmp_path, schedule=schedule, epochs=epochs)
    assert (found.code, found.message) == ("SF511", message)
    assert found.span.line == 15
    assert found.hint == "leave `t_max` out: the fall then takes the whole run"


@pytest.mark.parametrize(
    ("schedule", "epochs"),
    [
        ("null", 30),
        ("cosine", 30),
        ("{cosine: {t_max: 30}}", 30),
        ("{cosine: {t_max: 29}}", 30),  # at 0 in the last epoch
        ("{step: 10}", 30),
        ("constant", 30),
    ],
)
def test_rates_that_only_fall(tmp_path: Path, schedule: str, epochs: int) -> None:
    assert findings(tmp_path, schedule=schedule, epochs=epochs) == []


def test_a_cosine_behind_a_warmup_is_found_where_it_stands(tmp_path: Path) -> None:
    schedule = "{warmup: {epochs: 5, schedule: {cosine: {t_max: 10}}}}"
    (found,) = findings(tmp_path, schedule=schedule, epochs=30)
    assert (found.code, found.span.line, found.span.column) == ("SF511", 15, 61)
    assert found.message.startswith("the rate is at its lowest, 0, in epoch 16 of 30 and rises again")
    assert found.hint == "leave `t_max` out: the fall then takes all that the warmup leaves of the run"
    assert findings(tmp_path, schedule=schedule, epochs=15) == []
    assert findings(tmp_path, schedule="{warmup: {epochs: 5, schedule: cosine}}", epochs=30) == []


@pytest.mark.parametrize("schedule", ["{cosine_warm_restarts: 10}", "{cyclic: {base_lr: 0.01, step_size_up: 2}}"])
def test_cycles_are_meant_to_rise(tmp_path: Path, schedule: str) -> None:
    assert findings(tmp_path, schedule=schedule, epochs=30) == []
    assert findings(tmp_path, schedule=f"{{warmup: {{epochs: 5, schedule: {schedule}}}}}", epochs=30) == []


@pytest.mark.parametrize(
    ("schedule", "column", "message"),
    [
        ("{warmup: 30}", 22, "the warmup takes 30 epochs, and the run has 30"),
        ("{warmup: {epochs: 40, schedule: cosine}}", 31, "the warmup takes 40 epochs, and the run has 30"),
        ("{multi_step: [10, 30]}", 26, "the milestone 30 is never reached: the schedule has 30 epochs"),
        ("{multi_step: [40, 50]}", 26, "the milestones 40, 50 are never reached: the schedule has 30 epochs"),
        (
            "{warmup: {epochs: 5, schedule: {multi_step: [10, 25]}}}", 57,
            "the milestone 25 is never reached: the schedule has 25 epochs after the warmup",
        ),
    ],
)  # fmt: skip
def test_schedules_that_are_longer_than_the_run(tmp_path: Path, schedule: str, column: int, message: str) -> None:
    (found,) = findings(tmp_path, schedule=schedule, epochs=30)
    assert (found.code, found.message) == ("SF523", message)
    assert (found.span.line, found.span.column) == (15, column)


@pytest.mark.parametrize(
    "schedule", ["{warmup: 29}", "{multi_step: [10, 29]}", "{warmup: {epochs: 5, schedule: {multi_step: [10, 24]}}}"]
)
def test_schedules_that_just_fit_the_run(tmp_path: Path, schedule: str) -> None:
    assert findings(tmp_path, schedule=schedule, epochs=30) == []


def test_what_is_chosen_for_its_fall() -> None:
    assert Cosine().meant_to_fall
    assert not Step(step_size=3).meant_to_fall
    assert not Constant().meant_to_fall
