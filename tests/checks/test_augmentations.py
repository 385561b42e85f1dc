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


@pytest.mark.parametrize(
    ("augment", "message", "column"),
    [
        ("[grayscale]", "`grayscale` needs images of 3 channels, these have 1", 13),
        ("[{grayscale: 0.5}]", "`grayscale` needs images of 3 channels, these have 1", 14),
        (
            "[{colour_jitter: {brightness: 0.4, hue: 0.1}}]",
            "`hue` of `colour_jitter` needs images of 3 channels, these have 1",
            47,
        ),
        (
            "[{cutout: {size: 2, value: [0.5, 0.5, 0.5]}}]",
            "`value` of `cutout` needs images of 3 channels, these have 1",
            32,
        ),
    ],
)
def test_one_channel_has_no_colour(tmp_path: Path, augment: str, message: str, column: int) -> None:
    (found,) = findings(tmp_path, augment=augment)
    assert (found.code, found.message) == ("SF521", message)
    assert (found.span.line, found.span.column) == (10, column)


@pytest.mark.parametrize(
    "augment",
    ["[{colour_jitter: {brightness: 0.4, contrast: 0.4}}]", "[{cutout: {size: 2, value: [0.5]}}]", "[rand_augment]"],
)
def test_grey_levels_need_no_colour(tmp_path: Path, augment: str) -> None:
    assert findings(tmp_path, augment=augment) == []


COLOURFUL = "[grayscale, {colour_jitter: {saturation: 0.4}}, {random_erasing: {value: [0.5, 0.5, 0.5]}}]"


def test_photographs_have_colour(tmp_path: Path) -> None:
    assert findings(tmp_path, augment=COLOURFUL, **PHOTOGRAPHS) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("channels", "codes"), [(3, []), (1, ["SF521"] * 3)])
def test_the_input_tells_where_the_data_set_does_not(tmp_path: Path, channels: int, codes: list[str]) -> None:
    found = findings(tmp_path, augment=COLOURFUL, input=f"[{channels}, 8, 8]", dataset="{npz: images.npz}")
    assert [one.code for one in found] == codes
