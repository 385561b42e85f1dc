"""Synthetic images: repeatable, balanced, and learnable to the degree that the noise allows."""

from pathlib import Path

import numpy as np
import pytest

from specforge.catalog.datasets.definition import Arrays
from specforge.catalog.datasets.synthetic import Synthetic


def load(**arguments: object) -> Arrays:
    return Synthetic.model_validate(arguments).load(Path())


def nearest_pattern_accuracy(arrays: Arrays) -> float:
    """How often the class whose mean training image is nearest is the right one, on the test part."""
    flat = arrays.images.reshape(len(arrays.images), -1).astype(np.float64)
    train, labels = flat[: arrays.train], arrays.labels[: arrays.train]
    means = np.stack([train[labels == number].mean(0) for number in range(len(arrays.class_names))])
    distance = ((flat[arrays.train :, None] - means) ** 2).sum(2)
    return float((distance.argmin(1) == arrays.labels[arrays.train :]).mean())


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 32, 32), (3, 5, 7)])
def test_gives_what_its_facts_promise(image: tuple[int, int, int]) -> None:
    definition = Synthetic(image=image, classes=4, train=21, test=10)
    arrays, facts = definition.load(Path()), definition.facts()
    assert arrays.images.shape == (31, *image)
    assert arrays.images.dtype == np.uint8
    assert (facts.image, facts.classes, facts.train, facts.test) == (image, 4, 21, 10)
    assert (arrays.train, len(arrays.class_names)) == (21, 4)
    assert np.ptp(np.bincount(arrays.labels[:21])) <= 1
    assert np.ptp(np.bincount(arrays.labels[21:])) <= 1


def test_the_seed_decides() -> None:
    first, again, other = load(seed=1), load(seed=1), load(seed=2)
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_the_training_images_do_not_depend_on_the_test_part() -> None:
    assert np.array_equal(load(train=50, test=0).images, load(train=50, test=30).images[:50])


def test_more_images_than_are_made_at_once() -> None:
    arrays = load(image=(1, 2, 2), train=2500, test=1100)
    assert len(np.unique(arrays.images[:, 0].reshape(3600, -1), axis=0)) > 3000, "no part is repeated or left empty"


def test_classes_can_be_told_apart_and_noise_makes_it_harder() -> None:
    assert nearest_pattern_accuracy(load(noise=0.2)) == 1.0
    assert nearest_pattern_accuracy(load(noise=50.0)) < 0.6


def test_without_noise_a_class_is_one_image() -> None:
    arrays = load(noise=0.0, train=40, classes=4)
    assert len(np.unique(arrays.images.reshape(len(arrays.images), -1), axis=0)) == 4
