"""Grey levels against torchvision's functions for single images."""

from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.definition import OccasionalAugmentation
from specforge.catalog.augmentations.tone import (
    Autocontrast,
    Equalize,
    Invert,
    Posterize,
    Solarize,
    equalized,
    posterized,
    solarized,
    stretched,
)
from tests.catalog.augmentations.pictures import MEMORY, generator, pictures

SHAPES = [(16, 3, 32, 32), (9, 1, 28, 28), (7, 3, 9, 30), (5, 2, 1, 1), (1, 3, 8, 8)]
WORDS = {
    "invert": (Invert(), {}),
    "solarize": (Solarize(threshold=0.3), {"threshold": 0.3 * 255}),
    "posterize": (Posterize(bits=3), {"bits": 3}),
    "equalize": (Equalize(), {}),
}


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", WORDS)
def test_equals_torchvision_image_by_image(name: str, shape: tuple[int, int, int, int], memory: str) -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    augmentation, arguments = WORDS[name]
    given = pictures(shape, memory)
    draws = augmentation.draw(shape[0], shape[2:], generator())
    expected = [
        getattr(functional, name)(image, **arguments) if chosen else image
        for image, chosen in zip(given, draws["chosen"].tolist(), strict=True)
    ]
    assert torch.equal(augmentation.apply(given, draws), torch.stack(expected))


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[1] != 2])  # torchvision takes 1 or 3 channels
def test_autocontrast_equals_torchvision_but_for_its_rounding(shape: tuple[int, int, int, int], memory: str) -> None:
    """torchvision divides by a rounded number and rounds down: where the quotient is whole, it may lose a level."""
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    given = pictures(shape, memory)
    result, expected = stretched(given), torch.stack([functional.autocontrast(image) for image in given])
    least, most = given.long().amin((2, 3), keepdim=True), given.long().amax((2, 3), keepdim=True)
    whole = (given - least) * 255 % (most - least).clamp(min=1) == 0
    lost = result != expected
    assert (whole | ~lost).all()
    assert torch.equal(result[lost], expected[lost] + 1)


def test_autocontrast_uses_the_whole_range_exactly() -> None:
    for low, high in [(0, 255), (0, 1), (254, 255), (13, 200), (40, 91), (7, 8)]:
        ramp = torch.arange(low, high + 1, dtype=torch.uint8).view(1, 1, 1, -1)
        expected = (torch.arange(high - low + 1) * 255 // (high - low)).view(1, 1, 1, -1)
        assert torch.equal(stretched(ramp).long(), expected)


@pytest.mark.parametrize("level", [0, 1, 100, 254, 255])
def test_a_single_level_stays(level: int) -> None:
    flat = torch.full((2, 3, 32, 32), level, dtype=torch.uint8)
    assert torch.equal(stretched(flat), flat)
    assert torch.equal(equalized(flat), flat)


def test_strengths_of_each_image() -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    given = pictures((9, 3, 16, 16))
    threshold, bits = torch.arange(9) / 8, torch.arange(9)
    by_threshold = [functional.solarize(image, by * 255) for image, by in zip(given, threshold.tolist(), strict=True)]
    by_bits = [functional.posterize(image, by) for image, by in zip(given, bits.tolist(), strict=True)]
    assert torch.equal(solarized(given, threshold), torch.stack(by_threshold))
    assert torch.equal(posterized(given, bits.float()), torch.stack(by_bits))


def test_extremes_of_solarize() -> None:
    given = pictures((4, 3, 16, 16))
    assert torch.equal(solarized(given, torch.zeros(4)), 255 - given)
    white = given == 255
    assert white.any()
    assert torch.equal(solarized(given, torch.ones(4)), given.masked_fill(white, 0))


@pytest.mark.parametrize(
    ("kind", "arguments"), [(Invert, {}), (Solarize, {}), (Posterize, {"bits": 4}), (Autocontrast, {}), (Equalize, {})]
)
@pytest.mark.parametrize("probability", [0.0, 0.2, 1.0])
def test_chosen_as_often_as_asked(
    kind: type[OccasionalAugmentation], arguments: dict[str, Any], probability: float
) -> None:
    drawn = kind(probability=probability, **arguments).draw(40_000, (8, 8), generator())["chosen"]
    # five standard deviations of 40,000 draws are at most 0.0125; what is certain has none
    assert drawn.float().mean().item() == pytest.approx(probability, abs=0.0125 if 0 < probability < 1 else 0)
