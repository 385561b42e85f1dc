"""Cutout against its paper's definition pixel by pixel, random erasing against torchvision's with the same draws."""

from math import log
from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.erasing import Cutout, RandomErasing
from tests.catalog.augmentations.pictures import MEMORY, generator, pictures

SHAPES = [(32, 3, 32, 32), (9, 1, 28, 28), (7, 3, 9, 14), (1, 3, 5, 5)]


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "arguments", [{"size": 8}, {"size": 5}, {"size": 1}, {"size": (2, 7), "holes": 3, "value": 1.0}]
)
def test_cutout_covers_squares_around_their_middles(
    arguments: dict[str, Any], shape: tuple[int, int, int, int], memory: str
) -> None:
    cutout, given = Cutout(**arguments), pictures(shape, memory)
    draws = cutout.draw(shape[0], shape[2:], generator())
    high, wide = cutout.size if isinstance(cutout.size, tuple) else (cutout.size, cutout.size)
    expected = given.clone()
    for image, rows, columns in zip(expected, draws["row"].tolist(), draws["column"].tolist(), strict=True):
        for row, column in zip(rows, columns, strict=True):
            top, left = row - high // 2, column - wide // 2
            image[:, max(top, 0) : max(top + high, 0), max(left, 0) : max(left + wide, 0)] = (
                255 if "value" in arguments else 0
            )
    assert torch.equal(cutout.apply(given, draws), expected)


def test_middles_of_cutout_are_uniform_over_the_image() -> None:
    draws = Cutout(size=4, holes=2).draw(30_000, (5, 6), generator())
    for hole in range(2):
        places = torch.bincount(draws["row"][:, hole] * 6 + draws["column"][:, hole], minlength=30)
        assert places.shape == (30,)
        # 1,000 expected at each of 30 places; five standard deviations are 155
        assert (places - 1000).abs().max() < 155
    both = torch.bincount(draws["row"][:, 0] * 5 + draws["row"][:, 1], minlength=25)
    # 1,200 of each pair of rows; five standard deviations are 170
    assert (both - 1200).abs().max() < 170


def test_a_cutout_may_hide_all_of_an_image() -> None:
    given = pictures((4, 3, 8, 8))
    cutout = Cutout(size=16)
    assert not cutout.apply(given, cutout.draw(4, (8, 8), generator())).any()


@pytest.mark.parametrize("value", [0.5, (0.25, 0.5, 1.0)])
def test_value_is_a_brightness_for_each_channel(value: Any) -> None:
    given = pictures((3, 3, 6, 6))
    for word in (Cutout(size=12, value=value), RandomErasing(probability=1, scale=(0.5, 0.6), value=value)):
        result = word.apply(given, word.draw(3, (6, 6), generator()))
        levels = torch.tensor([64, 128, 255] if isinstance(value, tuple) else [128] * 3)[None, :, None, None]
        hidden = result != given
        assert hidden.any()
        assert torch.equal(result[hidden].long(), levels.expand(result.shape)[hidden])
        assert word.needs_channels == ((3, "value") if isinstance(value, tuple) else None)


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", SHAPES)
def test_erasing_equals_torchvision_image_by_image(shape: tuple[int, int, int, int], memory: str) -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    erasing, given = RandomErasing(), pictures(shape, memory)
    draws = erasing.draw(shape[0], shape[2:], generator())
    expected = []
    for image, top, bottom, left, right in zip(
        given, *(draws[name].tolist() for name in ("top", "bottom", "left", "right")), strict=True
    ):
        expected.append(functional.erase(image, top, left, bottom - top, right - left, torch.zeros(1, 1, 1).byte()))
    assert torch.equal(erasing.apply(given, draws), torch.stack(expected))


def test_rectangles_have_the_area_and_shape_asked_for() -> None:
    erasing = RandomErasing(probability=1, scale=(0.1, 0.2), ratio=(0.5, 2.0))
    draws = erasing.draw(20_000, (200, 300), generator())
    high, wide = draws["bottom"] - draws["top"], draws["right"] - draws["left"]
    area, ratio = high * wide / 60_000, high / wide
    # sides are rounded to whole pixels, and the shortest is 55 long
    assert area.min() > 0.1 * 0.985
    assert area.max() < 0.2 * 1.015
    assert ratio.min() > 0.5 * 0.985
    assert ratio.max() < 2.0 * 1.015
    # uniform over ranges of 0.1 and of log 4: five standard deviations of their means
    assert area.mean().item() == pytest.approx(0.15, abs=5 * 0.1 / 12**0.5 / 20_000**0.5)
    assert ratio.log().mean().item() == pytest.approx(0, abs=5 * log(4) / 12**0.5 / 20_000**0.5 + 1e-4)
    assert (draws["top"] >= 0).all()
    assert (draws["bottom"] <= 200).all()
    assert (draws["left"] >= 0).all()
    assert (draws["right"] <= 300).all()


def test_places_are_uniform_where_the_rectangle_fits() -> None:
    one_pixel = RandomErasing(probability=1, scale=(1 / 30, 1 / 30), ratio=(1.0, 1.0))
    draws = one_pixel.draw(30_000, (5, 6), generator())
    assert (draws["bottom"] - draws["top"] == 1).all()
    assert (draws["right"] - draws["left"] == 1).all()
    places = torch.bincount(draws["top"] * 6 + draws["left"], minlength=30)
    assert places.shape == (30,)
    # 1,000 expected at each of 30 places; five standard deviations are 155
    assert (places - 1000).abs().max() < 155


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_erases_as_often_as_asked(probability: float) -> None:
    draws = RandomErasing(probability=probability).draw(40_000, (32, 32), generator())
    erased = ((draws["bottom"] > draws["top"]) & (draws["right"] > draws["left"])).float().mean().item()
    # five standard deviations of 40,000 draws are 0.0108
    assert erased == pytest.approx(probability, abs=0.0108 if 0 < probability < 1 else 0)


def test_what_does_not_fit_is_left_out() -> None:
    given = pictures((50, 3, 8, 8))
    whole = RandomErasing(probability=1, scale=(1.0, 1.0), ratio=(1.0, 1.0))
    assert torch.equal(whole.apply(given, whole.draw(50, (8, 8), generator())), given)
    row = RandomErasing(probability=1).draw(4_000, (1, 1000), generator())
    assert torch.equal(row["bottom"], row["top"]), "a single row has no room for a lower rectangle"


def test_ten_tries_find_a_rectangle_that_fits() -> None:
    """Twice as high as wide, it fits up to half of the area: of areas from 0.3 to 0.7, every second try."""
    drawn = RandomErasing(probability=1, scale=(0.3, 0.7), ratio=(2.0, 2.0)).draw(40_000, (1000, 1000), generator())
    failed = (drawn["bottom"] == drawn["top"]).sum().item()
    # 39 of 40,000 are expected to fail ten times; five standard deviations are 31
    assert 8 <= failed <= 70
    assert (drawn["bottom"] - drawn["top"]).max() < 1000


def test_random_values_are_all_levels_alike_and_replayed() -> None:
    given = pictures((64, 3, 40, 40))
    erasing = RandomErasing(probability=1, scale=(0.5, 0.9), ratio=(1.0, 1.0), value="random")
    draws = erasing.draw(64, (40, 40), generator())
    result = erasing.apply(given, draws)
    assert torch.equal(result, erasing.apply(given, draws))
    hidden = erasing.model_copy(update={"value": 0.0}).apply(torch.full_like(given, 9), draws) == 0
    assert torch.equal(result[~hidden], given[~hidden])
    counts = torch.bincount(result[hidden].long(), minlength=256).double()
    mean = counts.sum() / 256
    assert mean > 500
    assert (counts - mean).abs().max() < 5 * mean.sqrt()
