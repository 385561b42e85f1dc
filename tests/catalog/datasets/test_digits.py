"""The shipped digits: what their attribution and documentation say of them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from specforge.catalog.datasets.definition import Arrays
from specforge.catalog.datasets.digits import Digits


@pytest.fixture(scope="module")
def digits() -> Arrays:
    return Digits().load(Path("nowhere"))


def test_has_the_shape_that_its_facts_promise(digits: Arrays) -> None:
    facts = Digits().facts()
    assert digits.images.shape == (1797, *(facts.image or ()))
    assert digits.images.dtype == np.uint8
    assert digits.labels.shape == (1797,)
    assert digits.labels.dtype == np.int64
    assert (facts.train, facts.test, facts.classes) == (digits.train, 1797 - digits.train, len(digits.class_names))


def test_pixels_are_the_ink_counts_times_fifteen(digits: Arrays) -> None:
    assert sorted(set(digits.images.ravel().tolist())) == list(range(0, 241, 15))
    # the top row of the first image, a zero, as UCI's file has it
    assert (digits.images[0, 0, 0] // 15).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_both_parts_hold_every_class_about_equally(digits: Arrays) -> None:
    train, test = np.bincount(digits.labels[: digits.train]), np.bincount(digits.labels[digits.train :])
    assert (train.min(), train.max()) == (139, 144)
    assert (test.min(), test.max()) == (35, 39)


def test_the_test_part_opens_a_writers_run(digits: Arrays) -> None:
    thrice = list(range(10)) * 3
    starts = [row for row in range(1797 - 30) if digits.labels[row : row + 30].tolist() == thrice]
    assert digits.train in starts


def test_images_belong_to_their_labels(digits: Arrays) -> None:
    flat = digits.images.reshape(len(digits.images), -1).astype(np.float64)
    train, test = flat[: digits.train], flat[digits.train :]
    distance = (test**2).sum(1)[:, None] - 2 * test @ train.T + (train**2).sum(1)
    predicted = digits.labels[: digits.train][distance.argmin(1)]
    assert (predicted == digits.labels[digits.train :]).mean() == pytest.approx(0.958, abs=0.002)


def test_needs_numpy_only() -> None:
    program = (
        "import sys; sys.modules['torch'] = sys.modules['torchvision'] = None\n"
        "from pathlib import Path; from specforge.catalog.datasets.digits import Digits\n"
        "assert 'numpy' not in sys.modules\n"
        "print(len(Digits().load(Path()).labels))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1797"
