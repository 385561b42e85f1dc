"""How numbers are written."""

import math

import pytest

from specforge.report import figures


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0"),
        (950, "950"),
        (1_000, "1.00k"),
        (15_040, "15.0k"),
        (999_400, "999k"),
        (999_950, "1.00M"),
        (2_217_348, "2.22M"),
        (9_996_000, "10.0M"),
        (12_345_678, "12.3M"),
        (556_000_000, "556M"),
        (4_090_000_000, "4.09G"),
    ],
)
def test_compact(count: int | None, text: str) -> None:
    assert figures.compact(count) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (0.541, "54.1%"), (1.0, "100.0%"), (0.0, "0.0%"), (math.nan, "NaN")]
)
def test_percent(share: float | None, text: str) -> None:
    assert figures.percent(share) == text


@pytest.mark.parametrize(("share", "text"), [(0.54, "54%"), (0.5412, "54.12%"), (0.07, "7%"), (0.999999, "99.9999%")])
def test_exact_percent_neither_adds_nor_loses_digits(share: float, text: str) -> None:
    assert figures.exact_percent(share) == text


@pytest.mark.parametrize(
    ("share", "ticks", "text"),
    [
        (0.175, (0.15, 0.175), "17.5%"),
        (0.15, (0.15, 0.2), "15%"),
        (0.5, (0.5,), "50%"),
        (0.99125, (0.99, 0.99125), "99.125%"),
    ],
)
def test_a_tick_is_not_rounded(share: float, ticks: tuple[float, ...], text: str) -> None:
    assert figures.tick_percent(share, ticks) == text


def test_differences_have_a_sign() -> None:
    assert figures.points(0.0013) == "+0.13 pp"
    assert figures.points(-0.02) == "−2.00 pp"
    assert figures.difference(-0.5) == "−0.5000"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (1.23456, "1.235"), (0.1, "0.1"), (1e-5, "1e-05"), (math.inf, "∞"), (-math.inf, "−∞")],
)
def test_number(value: float | None, text: str) -> None:
    assert figures.number(value) == text


def test_padded_numbers_line_up_in_a_column() -> None:
    assert figures.number(2.72, padded=True) == "2.720"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (8.25, "8.2 s"),
        (59.96, "1 min 00 s"),
        (62.4, "1 min 02 s"),
        (3599.9, "1 h 00 min"),
        (7322, "2 h 02 min"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert figures.duration(seconds) == text


def test_shape_and_whole() -> None:
    assert figures.shape([32, 8, 8]) == "32 × 8 × 8"
    assert figures.whole(2_215_940) == "2,215,940"
    assert figures.whole(None) == "–"
