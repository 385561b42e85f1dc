"""The arithmetic of benchmarks: taking turns, medians, verdicts."""

import pytest

from benchmarks.comparison import Comparison, interleave, table


def test_the_sides_take_turns_in_both_orders() -> None:
    calls: list[str] = []

    def side(name: str, value: float) -> float:
        calls.append(name)
        return value

    sides = {"a": lambda: side("a", 1.0), "b": lambda: side("b", 2.0)}
    measured = interleave(sides, rounds=2, warm_up=1)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert measured == {"a": [1.0, 1.0], "b": [2.0, 2.0]}


def test_one_slow_round_does_not_move_the_ratio() -> None:
    found = Comparison("step", [10.0, 11.0, 900.0], [10.0, 10.0, 10.0], "ms")
    assert found.ratio == pytest.approx(1.1)


def test_the_middle_half_is_that_of_the_rounds_own_ratios() -> None:
    found = Comparison("step", [10.0, 22.0, 30.0, 44.0, 50.0], [10.0, 20.0, 30.0, 40.0, 50.0], "ms")
    assert found.middle_half == pytest.approx((1.0, 1.1))


@pytest.mark.parametrize(
    ("better", "target", "verdict"),
    [("lower", 1.2, "met"), ("lower", 1.1, "MISSED"), ("higher", 1.1, "met"), ("higher", 1.3, "MISSED")],
)
def test_the_target_is_a_bound_on_the_better_side(better: str, target: float, verdict: str) -> None:
    ours, theirs = [1.2, 1.2], [1.0, 1.0]
    assert Comparison("x", ours, theirs, "ms", target, better).verdict == verdict  # type: ignore[arg-type]  # parametrized


def test_without_a_target_a_comparison_is_for_information() -> None:
    found = Comparison("summary", [2.0, 2.0], [1.0, 1.0], "ms")
    assert found.verdict == "for information"
    assert table([found]).splitlines()[1].split("  ")[0] == "summary"
