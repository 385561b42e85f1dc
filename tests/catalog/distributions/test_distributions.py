"""What a distribution proves of itself, and what it says of one that draws nothing."""

from collections.abc import Sequence
from typing import Any

import pytest

from specforge.catalog.discovery import definition, index
from specforge.catalog.distributions.choice import Choice
from specforge.catalog.distributions.definition import Distribution
from specforge.catalog.distributions.ranges import Integers, LogUniform, Uniform


@pytest.mark.parametrize(
    ("distribution", "ends"),
    [
        (LogUniform(bounds=(1e-5, 1e-1)), (1e-5, 1e-1)),
        (Uniform(bounds=(-1.0, 1.0)), (-1.0, 1.0)),
        (Integers(bounds=(1, 9), step=4), (1, 9)),
        (Integers(bounds=(1, 9), log=True), (1, 9)),
        (Choice(values=(1, {"sgd": {"lr": 0.1}}, None)), (1, {"sgd": {"lr": 0.1}}, None)),
    ],
)
def test_sound_ones_have_ends(distribution: Distribution, ends: tuple[Any, ...]) -> None:
    assert distribution.flaw() is None
    assert distribution.ends() == ends


@pytest.mark.parametrize(
    ("distribution", "argument", "message", "hint"),
    [
        (LogUniform(bounds=(0.0, 1.0)), "bounds", "no logarithm of 0", "`uniform`"),
        (LogUniform(bounds=(1.0, -1.0)), "bounds", "no logarithm of -1", "`uniform`"),
        (LogUniform(bounds=(0.1, 0.001)), "bounds", "descend from 0.1 to 0.001", "`[0.001, 0.1]`"),
        (Uniform(bounds=(1.0, 1.0)), "bounds", "both bounds are 1", "at its path"),
        (Integers(bounds=(8, 2)), "bounds", "descend from 8 to 2", "`[2, 8]`"),
        (Integers(bounds=(0, 8), log=True), "bounds", "no logarithm of 0", "`log`"),
        (Integers(bounds=(1, 8), log=True, step=7), "step", "exclude each other", "remove"),
        (Integers(bounds=(16, 64), step=10), "bounds", "do not lead to 64", "end at 56 or 66"),
        (Integers(bounds=(1, 4), step=5), "step", "leads beyond 4", "3 or less"),
        (Choice(values=()), "values", "nothing to choose", "choice: [32, 64]"),
        (Choice(values=(1, 2, 1, 1)), "values", "values 1, 3 and 4 are the same", "once"),
        (Choice(values=(2, 2.0)), "values", "values 1 and 2 are the same", "once"),
        (Choice(values=({"a": 1, "b": (2,)}, {"b": (2,), "a": 1})), "values", "values 1 and 2", "once"),
    ],
)
def test_those_that_draw_nothing_say_why(distribution: Distribution, argument: str, message: str, hint: str) -> None:
    flaw = distribution.flaw()
    assert flaw is not None
    assert flaw.argument == argument
    assert message in flaw.message
    assert hint in flaw.hint


@pytest.mark.parametrize("values", [(1, True), ("1", 1), (0, False, None), ((1,), 1), ({}, (), "")])
def test_values_that_only_python_takes_for_equal(values: tuple[Any, ...]) -> None:
    assert Choice(values=values).flaw() is None


def test_the_main_argument_is_the_list_that_the_ends_stand_in() -> None:
    for word in index("distributions"):
        kind = definition("distributions", word)
        assert kind is not None
        assert kind.main in kind.model_fields


class Drawing:
    """Draws the upper bound or the last text, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.asked = [name, low, high, log]
        return high

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        self.asked = [name, low, high, step, log]
        return high

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> str:
        self.asked = [name, *choices]
        return choices[-1]


@pytest.mark.parametrize(
    ("distribution", "drawn", "asked"),
    [
        (Uniform(bounds=(0.5, 2)), 2, [0.5, 2, False]),
        (LogUniform(bounds=(0.5, 2)), 2, [0.5, 2, True]),
        (Integers(bounds=(2, 8), step=3), 8, [2, 8, 3, False]),
        (Integers(bounds=(2, 8), log=True), 8, [2, 8, 1, True]),
        (Choice(values=("adam", {"sgd": {"lr": 0.1}}, None)), 2, ["adam", '{"sgd": {"lr": 0.1}}', "null"]),
        (Choice(values=(1, "1", True, "true", "null", None)), 5, ["1", '"1"', "true", '"true"', '"null"', "null"]),
    ],
)
def test_what_is_drawn(distribution: Distribution, drawn: object, asked: list[object]) -> None:
    drawing = Drawing()
    assert distribution.draw("train.x", drawing) == drawn
    assert drawing.asked == ["train.x", *asked]
    assert distribution.is_logarithmic is (asked[-1] is True)
    assert distribution.is_list == isinstance(distribution, Choice)


def test_what_can_be_listed() -> None:
    assert Uniform(bounds=(0.5, 2)).every() is None
    assert [*(Integers(bounds=(2, 8), step=3).every() or ())] == [2, 5, 8]
    choice = Choice(values=("adam", [1, 2], None))
    assert [choice.token(value) for value in choice.every() or ()] == ["adam", "[1, 2]", "null"]
    assert Integers(bounds=(2, 8)).token(5) == 5
