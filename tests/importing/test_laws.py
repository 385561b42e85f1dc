"""One rule for the series of several stages, or none."""

from typing import Any

import pytest

from specforge.importing.laws import Series, Steps, law
from specforge.importing.naming import named
from specforge.importing.patterns import ANYTHING, Slot
from specforge.importing.tree import Node

STEPS = Steps(0.2, 12)


def ruled(argument: str, *stages: tuple[Any, ...], steps: Steps | None = None) -> tuple[Any, dict[str, Any]] | None:
    """The text of the argument and the lists beside it."""
    found = law(Slot(tuple(Series(values) for values in stages), argument, "conv"), steps)
    if found is None:
        return None
    (node,), variables = named((Node("conv", {argument: found}),))
    return node.arguments.get(argument), {name: variable.values for name, variable in variables.items()}


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (((2, 2, 2), (2, 2)), (2, {})),
        (((1, 1), (2, 2)), ("$stride", {"stride": (1, 2)})),
        (((2, 1, 1), (2, 1)), ("$(2 if index == 0 else 1)", {})),
        (((1, 1, 1), (2, 1)), ("$(stride if index == 0 else 1)", {"stride": (1, 2)})),
        (((2, 1), (1,)), ("$(stride if index == 0 else 1)", {"stride": (2, 1)})),
        (((2, 3), (4, 5)), ("$(stride if index == 0 else later_stride)", {"stride": (2, 4), "later_stride": (3, 5)})),
        (((0, 3, 0, 3), (0, 3)), ("$(3 * (index % 2))", {})),
        (((0, 3, 0), (0, 2, 0)), ("$(stride * (index % 2))", {"stride": (3, 2)})),
        (((ANYTHING, 1), (2, 1)), ("$(2 if index == 0 else 1)", {})),
        (((ANYTHING, 5), (ANYTHING, 6)), ("$stride", {"stride": (5, 6)})),
        (((1, 2, 3),), None),
        (((0, 3, 0, 4),), None),
    ],
)
def test_rules(stages: tuple[tuple[Any, ...], ...], expected: object) -> None:
    assert ruled("stride", *stages) == expected


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ((range(3), range(3, 5)), ("$(0.2 * (blocks_before + index) / 12)", {"blocks_before": (0, 3)})),
        ((range(3),), ("$(0.2 * index / 12)", {})),
        ((range(4, 7),), ("$(0.2 * (4 + index) / 12)", {})),
        (((0, 2, 4),), None),
    ],
)
def test_steps_through_the_network(stages: tuple[Any, ...], expected: object) -> None:
    values = [tuple(0.2 * number / 12 for number in stage) for stage in stages]
    assert ruled("drop_path", *values, steps=STEPS) == expected


def test_a_stage_without_values_lies_between_its_neighbours() -> None:
    stages = [tuple(0.2 * number / 12 for number in (0, 1)), (ANYTHING,) * 3, tuple(0.2 * n / 12 for n in (5, 6))]
    assert ruled("drop_path", *stages, steps=STEPS) == (
        "$(0.2 * (blocks_before + index) / 12)",
        {"blocks_before": (0, 2, 5)},
    )


def test_a_rule_gives_the_values_exactly() -> None:
    assert STEPS.number(0.2 * 7 / 12) == 7
    assert STEPS.number(0.2 * 7 / 12 + 1e-16) is None
