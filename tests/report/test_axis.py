"""Axes: ends that are ticks, values inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.report.axis import Axis, nice_step


@pytest.mark.parametrize(
    ("rough", "step"), [(0.9, 1), (1, 1), (1.1, 2), (2.1, 2.5), (3, 5), (6, 10), (0.03, 0.05), (170, 200)]
)
def test_nice_step(rough: float, step: float) -> None:
    assert nice_step(rough) == pytest.approx(step)


def test_linear_axis_ends_on_ticks_around_the_values() -> None:
    assert Axis.around([0.31, 0.87]).ticks == (0.2, 0.4, 0.6, 0.8, 1.0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=5))
def test_every_value_lies_on_the_axis(values: list[float]) -> None:
    axis = Axis.around(values)
    assert all(-1e-6 <= axis.position(value) <= 1 + 1e-6 for value in values)
    assert 2 <= len(axis.ticks) <= 7


def test_a_single_value_has_room_on_both_sides_but_not_below_zero() -> None:
    assert 0 < Axis.around([0.1]).position(0.1) < 1
    assert Axis.around([0.0]).low == 0


@pytest.mark.parametrize("smallest", [5e-324, 1e-308, 1e-291])
def test_values_next_to_nothing_are_drawn_as_zero(smallest: float) -> None:
    assert Axis.around([smallest, 0.0], from_zero=True) == Axis.around([0.0], from_zero=True)


def test_accuracies_end_at_one() -> None:
    assert Axis.around([0.99, 0.999], at_most=1.0).high == pytest.approx(1.0)
    assert Axis.around([1.0], at_most=1.0).high == pytest.approx(1.0)


def test_decades() -> None:
    axis = Axis.decades([0.1, 0.001])
    assert axis.ticks == pytest.approx((0.001, 0.01, 0.1))
    assert axis.position(0.01) == pytest.approx(0.5)


def test_many_decades_are_not_all_labelled() -> None:
    assert len(Axis.decades([1e-12, 1.0]).ticks) <= 7


@pytest.mark.parametrize(("last", "ticks"), [(1, (1,)), (3, (1, 2, 3)), (40, (10, 20, 30, 40)), (350, (100, 200, 300))])
def test_epoch_ticks_are_whole_numbers(last: int, ticks: tuple[int, ...]) -> None:
    assert Axis.of_epochs(1, last).ticks == ticks


def test_a_lone_epoch_stands_in_the_middle() -> None:
    assert Axis.of_epochs(7, 7).position(7) == 0.5
