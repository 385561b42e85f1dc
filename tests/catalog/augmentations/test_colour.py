"""Colours against torchvision's functions for single images, with the same draws."""

from itertools import permutations
from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.colour import (
    ColourJitter,
    Grayscale,
    brightened,
    contrasted,
    hue_turned,
    saturated,
)
from tests.catalog.augmentations.pictures import MEMORY, distance, generator, pictures, share_of_differences

SHAPES = [(33, 3, 32, 32), (8, 1, 28, 28), (9, 3, 13, 7), (1, 3, 1, 1)]
ALL = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}
CHANGES = {
    "adjust_brightness": (brightened, [0.0, 1.0, 2.0, 7.5]),
    "adjust_contrast": (contrasted, [0.0, 1.0, 2.0, 7.5]),
    "adjust_saturation": (saturated, [0.0, 1.0, 2.0, 7.5]),
    "adjust_hue": (hue_turned, [-0.5, 0.0, 0.5, 0.25]),
}


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CHANGES)
def test_each_change_equals_torchvision_image_by_image(
    name: str, shape: tuple[int, int, int, int], memory: str
) -> None:
    """But for a grey level here and there: torchvision rounds down, and float32 sums in another order."""
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    change, extremes = CHANGES[name]
    if name == "adjust_hue" and shape[1] == 1:
        return
    given = pictures(shape, memory)
    low, high = (-0.5, 0.5) if name == "adjust_hue" else (0, 2)
    strength = torch.rand(shape[0], generator=generator()) * (high - low) + low
    strength[: len(extremes)] = torch.tensor(extremes)[: shape[0]]
    expected = [getattr(functional, name)(image, by) for image, by in zip(given, strength.tolist(), strict=True)]
    result = change(given, strength)
    assert distance(result, torch.stack(expected)) <= 1
    assert share_of_differences(result, torch.stack(expected)) < 0.001


def test_neutral_strengths_change_nothing() -> None:
    given, ones = pictures((32, 3, 16, 16)), torch.ones(32)
    assert all(torch.equal(change(given, ones), given) for change in (brightened, contrasted, saturated))
    for turn in (0 * ones, ones, -ones):
        assert torch.equal(hue_turned(given, turn), given)


def test_every_colour_keeps_its_value_and_chroma_when_its_hue_turns() -> None:
    levels = torch.tensor([0, 1, 51, 127, 128, 200, 254, 255], dtype=torch.uint8)
    colours = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, 8, 64)
    result = hue_turned(colours, torch.tensor([0.37]))
    for end in (torch.amax, torch.amin):
        assert distance(end(result, 1), end(colours, 1)) <= 1
    third = hue_turned(colours, torch.tensor([1 / 3]))
    assert distance(third, colours.roll(1, 1)) <= 1, "a third of the circle takes red to green"


@pytest.mark.parametrize("given", [ALL, {"hue": 0.5, "brightness": (0.5, 2.0)}, {"contrast": 3.0}])
@pytest.mark.parametrize("shape", [(40, 3, 32, 32), (25, 3, 9, 13), (1, 3, 32, 32)])
def test_equals_torchvision_in_the_order_of_each_image(given: dict[str, Any], shape: tuple[int, int, int, int]) -> None:
    """Where the changes before differ by a grey level, a later one can make more of it: at most two here."""
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    jitter, images = ColourJitter(**given), pictures(shape)
    draws = jitter.draw(shape[0], shape[2:], generator())
    names = [name for name in ALL if name in given]
    expected = []
    for image, operation, strength in zip(images, draws["operation"], draws["strength"], strict=True):
        for number in operation.tolist():
            image = getattr(functional, f"adjust_{names[number]}")(image, strength[number].item())
        expected.append(image)
    result = jitter.apply(images, draws)
    assert distance(result, torch.stack(expected)) <= 2
    assert share_of_differences(result, torch.stack(expected)) < 0.002


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [
        ("brightness", 0.4, 0.6, 1.4),
        ("contrast", 1.5, 0.0, 2.5),
        ("saturation", (0.25, 3.0), 0.25, 3.0),
        ("hue", 0.1, -0.1, 0.1),
        ("hue", (0.0, 0.5), 0.0, 0.5),
    ],
)
def test_strengths_are_uniform_in_their_range(name: str, value: float, low: float, high: float) -> None:
    drawn = ColourJitter(**{name: value}).draw(40_000, (32, 32), generator())["strength"]
    assert drawn.shape == (40_000, 1)
    assert drawn.min() >= low
    assert drawn.max() <= high
    tenths = torch.histc((drawn - low) / (high - low), bins=10, min=0, max=1)
    # 4,000 expected in each tenth; five standard deviations are 300
    assert (tenths - 4000).abs().max() < 300


def test_all_orders_are_equally_likely() -> None:
    drawn = ColourJitter(**ALL).draw(48_000, (32, 32), generator())["operation"]
    numbers = (drawn * torch.tensor([64, 16, 4, 1])).sum(1).bincount(minlength=256)
    orders = [order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3] for order in permutations(range(4))]
    assert numbers[orders].sum() == 48_000
    # 2,000 expected of each of 24; five standard deviations are 219
    assert (numbers[orders] - 2000).abs().max() < 219


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({"brightness": 0.2, "contrast": 0.2}, None),
        ({"brightness": 0.2, "hue": 0.2}, (3, "hue")),
        (ALL, (3, "saturation")),
    ],
)
def test_colour_is_needed_for_saturation_and_hue(given: dict[str, Any], needed: tuple[int, str] | None) -> None:
    assert ColourJitter(**given).needs_channels == needed


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [(16, 3, 32, 32), (1, 3, 5, 1)])
def test_grayscale_equals_torchvision_image_by_image(shape: tuple[int, int, int, int], memory: str) -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    grayscale, given = Grayscale(probability=0.5), pictures(shape, memory)
    draws = grayscale.draw(shape[0], shape[2:], generator())
    expected = [
        functional.rgb_to_grayscale(image, num_output_channels=3) if chosen else image
        for image, chosen in zip(given, draws["chosen"].tolist(), strict=True)
    ]
    assert torch.equal(grayscale.apply(given, draws), torch.stack(expected))


@pytest.mark.parametrize("probability", [0.0, 0.1, 1.0])
def test_grayscale_draws_as_often_as_asked(probability: float) -> None:
    drawn = Grayscale(probability=probability).draw(40_000, (32, 32), generator())["chosen"]
    # five standard deviations of 40,000 draws are at most 0.0125
    assert drawn.float().mean().item() == pytest.approx(probability, abs=0.0125 if 0 < probability < 1 else 0)
