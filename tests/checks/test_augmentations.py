"""Augmentations that make another class of an image, by what the data set says."""

from pathlib import Path

import pytest

from specforge.catalog.datasets.definition import Dataset
from specforge.catalog.discovery import definition, index
from tests.checks.recipes import findings

PHOTOGRAPHS = {"input": "[3, 32, 32]", "dataset": "cifar10"}


@pytest.mark.parametrize("augment", ["[horizontal_flip]", "[{horizontal_flip: 0.5}]"])
def test_mirrored_digits(tmp_path: Path, augment: str) -> None:
    (found,) = findings(tmp_path, augment=augment)
    assert found.code == "SF517"
    assert "`horizontal_flip` makes images of `digits` that are not their class" in found.message
    assert (found.span.line, found.span.column) == (10, 13 if augment == "[horizontal_flip]" else 14)


def test_photographs_may_be_mirrored(tmp_path: Path) -> None:
    assert findings(tmp_path, augment="[horizontal_flip]", **PHOTOGRAPHS) == []  # type: ignore[arg-type]


def test_shifted_digits_stay_digits(tmp_path: Path) -> None:
    assert findings(tmp_path, augment="[{crop: {padding: 1}}]") == []


@pytest.mark.parametrize("word", index("datasets"))
def test_data_sets_name_augmentations_that_may_come(word: str) -> None:
    """Their keys are words of the catalogue, or flips that it does not have yet."""
    dataset = definition("datasets", word)
    assert dataset is not None
    assert issubclass(dataset, Dataset)
    assert dataset.spoilt_by.keys() <= {*index("augmentations"), "vertical_flip"}
