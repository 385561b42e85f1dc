"""What cycles do beside torch's: momentum that is left alone, peaks, restarts, runs too short for a phase."""

from itertools import pairwise

import pytest

from specforge.catalog.schedules.cycles import CosineWarmRestarts, Cyclic, OneCycle
from tests.catalog.schedules.runs import BASE, ours


def test_one_cycle_peaks_at_the_optimizers_rate() -> None:
    run = ours(OneCycle(), 10, 10)
    assert max(run.rates) == run.rates[29] == BASE
    assert (run.rates[0], run.rates[-1]) == pytest.approx((BASE / 25, BASE / 25 / 1e4))
    assert min(momentum for momentum in run.momenta if momentum is not None) == run.momenta[29]


def test_one_cycle_in_the_shortest_runs() -> None:
    assert ours(OneCycle(), 1, 1).rates == [BASE / 25]
    first, last = ours(OneCycle(three_phase=True), 2, 1).rates
    assert (first, last) == pytest.approx((BASE / 25, BASE / 25 / 1e4))


def test_momentum_is_left_alone_on_request() -> None:
    assert set(ours(OneCycle(cycle_momentum=False), 3, 4).momenta) == {None}
    assert set(ours(Cyclic(base_lr=0.01, step_size_up=1, cycle_momentum=False), 3, 4).momenta) == {None}


def test_cyclic_takes_parts_of_epochs() -> None:
    rates = ours(Cyclic(base_lr=0.02, step_size_up=0.5), 2, 4).rates
    assert rates == pytest.approx([0.02, 0.06, 0.1, 0.06] * 2)


def test_cyclic_per_epoch_counts_epochs() -> None:
    rates = ours(Cyclic(base_lr=0.02, step_size_up=1, mode="exp_range", gamma=0.5, per="epoch"), 4, 3).rates
    assert rates[::3] == pytest.approx([0.02, 0.02 + 0.08 / 2, 0.02, 0.02 + 0.08 / 8])
    assert rates[::3] == rates[2::3]


def test_restarts_are_meant_and_where_they_are_said_to_be() -> None:
    schedule = CosineWarmRestarts(t_0=10, t_mult=2)
    assert not schedule.meant_to_fall
    rates = ours(schedule, 75, 2).rates[::2]
    assert [epoch for epoch, rate in enumerate(rates, start=1) if rate == BASE] == [1, 11, 31, 71]
    rises = [epoch for epoch, (one, two) in enumerate(pairwise(rates), start=2) if two > one]
    assert rises == [11, 31, 71]
