"""The split's checks and its exact counting, without any data."""

import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specforge.catalog.datasets.definition import Facts
from specforge.checks.data_split import SplitProblem, check_split, exact, part_sizes, range_rows
from specforge.spec import Split

CIFAR = Facts(image=(3, 32, 32), classes=100, train=50_000, test=10_000)


def problems(facts: Facts = CIFAR, **keys: Any) -> list[SplitProblem]:
    return check_split(Split(**keys), facts)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"train": 0.6, "validation": 0.2, "test": 0.2},
        {"train": 0.9, "validation": 0.1},
        {"train": 0.8, "test": 0.2, "seed": 4, "stratified": True},
        {"train": 1 / 3, "validation": 1 / 3, "test": 1 / 3},
        {"train": ((0, 0.35), (0.45, 1)), "validation": ((0.35, 0.45),)},
        {"train": ((0, 1),)},
        {"train": ((0, 0.5), (0.5, 1))},
    ],
)
def test_sound_splits_have_no_problem(keys: dict[str, Any]) -> None:
    assert problems(**keys) == []
    assert problems(Facts(), **keys) == []


@pytest.mark.parametrize(
    ("keys", "kind", "field", "message", "hint"),
    [
        ({"train": 0.0}, "invalid", "train", "0 is not a fraction", "above 0"),
        ({"train": 1.0, "validation": -0.1}, "invalid", "validation", "-0.1 is not a fraction", "above 0"),
        ({"train": 60, "validation": 0.4}, "invalid", "train", "60 is not a fraction", "write 60 percent as 0.6"),
        ({"train": 500, "validation": 0.4}, "invalid", "train", "500 is not a fraction", "above 0, up to 1"),
        ({"validation": 0.1}, "invalid", "validation", "add up to 1.1", "unless it is given: write `train: 0.9`"),
        ({"train": 0.7, "validation": 0.2, "test": 0.2}, "invalid", "test", "add up to 1.1", "write `train: 0.6`"),
        ({"train": 0.1, "validation": 0.5, "test": 0.6}, "invalid", "test", "add up to 1.2", "at most"),
        ({"train": 0.6, "validation": 0.2}, "left_out", "train", "0.2 of the 50,000 images", "raise `train` to 0.8"),
        ({"train": 0.00001, "validation": 0.99999}, "invalid", "train", "not one image", "larger share"),
        ({"stratified": True}, "no_effect", "stratified", "nothing is divided", "remove it"),
        ({"seed": 0}, "no_effect", "seed", "nothing is divided", "remove it"),
        ({"train": ()}, "invalid", "train", "list of ranges is empty", "[[0, 0.8]]"),
        ({"train": ((0.5, 0.5),)}, "invalid", "train", "[0.5, 0.5] is not a range", "start < end"),
        ({"train": ((0.8, 0.2),)}, "invalid", "train", "[0.8, 0.2] is not a range", "start < end"),
        ({"train": ((0, 1.5),)}, "invalid", "train", "[0, 1.5] is not a range", "end <= 1"),
        ({"train": ((-0.5, 1),)}, "invalid", "train", "[-0.5, 1] is not a range", "0 <= start"),
        ({"train": ((0, 0.6), (0.5, 1))}, "invalid", "train", "overlap", "start the second one at 0.6"),
        ({"train": ((0.5, 1), (0, 0.5))}, "invalid", "train", "out of order", "ascending"),
        ({"train": ((0, 0.5),)}, "left_out", "train", "in [[0.5, 1]] belong to no part", "add the range"),
        (
            {"train": ((0, 0.99999), (0.999999, 1)), "validation": ((0.99999, 0.999999),)},
            "invalid", "validation", "of 50,000 images is not one image", "larger share",
        ),
        (
            {"train": ((0, 0.5),), "validation": ((0.4, 1),)},
            "invalid", "validation", "in [0.4, 0.5] are in `train` too", "one part",
        ),
        (
            {"validation": ((0.35, 0.45),)},
            "invalid", "train", "`train` is a fraction", "write `train: [[0, 0.35], [0.45, 1]]`",
        ),
        (
            {"train": ((0, 1),), "validation": 0.1},
            "invalid", "validation", "`validation` is a fraction", "write ranges",
        ),
        ({"train": ((0, 1),), "test": 0.2}, "invalid", "test", "mixes the official parts", "test: official"),
        ({"train": ((0, 1),), "seed": 1}, "no_effect", "seed", "own order", "remove it"),
        ({"train": ((0, 1),), "stratified": True}, "no_effect", "stratified", "own order", "remove it"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_and_what_to_write(
    keys: dict[str, Any], kind: str, field: str, message: str, hint: str
) -> None:
    found = problems(**keys)
    (problem,) = found
    assert (problem.kind, problem.field) == (kind, field)
    assert message in problem.message
    assert hint in problem.hint


def test_an_official_test_set_that_does_not_exist() -> None:
    (problem,) = problems(Facts(train=100, test=0))
    assert (problem.kind, problem.field) == ("invalid", "test")
    assert problems(Facts(train=100, test=0), train=0.8, test=0.2) == []


def test_reports_all_problems_at_once() -> None:
    found = problems(train=((0.5, 0.2),), validation=((0.3, 0.6), (0.5, 1)), test=0.1, seed=3)
    assert [(problem.kind, problem.field) for problem in found] == [
        ("invalid", "train"), ("invalid", "validation"), ("invalid", "test"), ("no_effect", "seed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shares", "count", "sizes"),
    [
        ((0.6, 0.2, 0.2), 60_000, (36_000, 12_000, 12_000)),
        ((0.7, 0.1, 0.2), 10, (7, 1, 2)),
        ((0.9, 0.1), 50_000, (45_000, 5_000)),
        ((0.29, 0.71), 100, (29, 71)),  # as binary numbers, 0.29 * 100 is below 29
        ((1 / 3, 1 / 3, 1 / 3), 60_000, (20_000, 20_000, 20_000)),
        ((0.5, 0.25, 0.25), 7, (3, 1, 3)),  # the last part takes the remainder
        ((0.6, 0.2), 10, (6, 2)),
        ((1.0,), 3, (3,)),
    ],
)
def test_sizes_are_exact(shares: tuple[float, ...], count: int, sizes: tuple[int, ...]) -> None:
    assert part_sizes(shares, count) == sizes


@given(st.integers(1, 998), st.integers(1, 998), st.integers(0, 10**6))
def test_sizes_follow_the_decimals_that_were_written(first: int, second: int, count: int) -> None:
    shares = (first / 1000, second / 1000)
    sizes = part_sizes(shares, count)
    assert sizes[0] == first * count // 1000
    assert sum(sizes) == (first + second) * count // 1000


def test_ranges_that_touch_share_no_row() -> None:
    assert range_rows((0.35, 0.45), 50_000) == range(17_500, 22_500)
    assert [len(range_rows(bound, 7)) for bound in ((0, 0.35), (0.35, 0.45), (0.45, 1))] == [2, 1, 4]


def test_thirds_are_meant_as_thirds() -> None:
    assert exact(1 / 3) == Fraction(1, 3)
    assert exact(0.1) == Fraction(1, 10)


def test_imports_neither_torch_nor_numpy() -> None:
    program = (
        "import sys, specforge.checks.data_split\nprint(sorted({'torch', 'numpy', 'torchvision'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
