"""RandAugment and TrivialAugment against torchvision's operations for single images, with the same draws.

torchvision's names and strengths of the operations are written out here, so that the tests do not take ours for theirs.
"""

from collections.abc import Callable
from math import atan, degrees
from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.policies import RandAugment, TrivialAugment
from tests.catalog.augmentations.pictures import MEMORY, distance, generator, pictures

NAMES = [
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "color",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "auto_contrast",
    "equalize",
]
MOVING, SIGNED, PLAIN = NAMES[1:6], NAMES[1:10], ("identity", "auto_contrast", "equalize")


def _affine(functional: Any, image: torch.Tensor, **arguments: Any) -> torch.Tensor:
    still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    result: torch.Tensor = functional.affine(image, **(still | arguments))
    return result


# what torchvision does for an operation: (functions, image, strength) -> image
THEIRS: dict[str, Callable[[Any, torch.Tensor, float], Any]] = {
    "identity": lambda f, x, s: x,
    "shear_x": lambda f, x, s: _affine(f, x, shear=[degrees(atan(s)), 0.0], center=[0, 0]),
    "shear_y": lambda f, x, s: _affine(f, x, shear=[0.0, degrees(atan(s))], center=[0, 0]),
    "translate_x": lambda f, x, s: _affine(f, x, translate=[int(s), 0]),
    "translate_y": lambda f, x, s: _affine(f, x, translate=[0, int(s)]),
    "rotate": lambda f, x, s: f.rotate(x, s),
    "brightness": lambda f, x, s: f.adjust_brightness(x, 1 + s),
    "color": lambda f, x, s: f.adjust_saturation(x, 1 + s),
    "contrast": lambda f, x, s: f.adjust_contrast(x, 1 + s),
    "sharpness": lambda f, x, s: f.adjust_sharpness(x, 1 + s),
    "posterize": lambda f, x, s: f.posterize(x, int(s)),
    "solarize": lambda f, x, s: f.solarize(x, 255 * s),
    "auto_contrast": lambda f, x, s: f.autocontrast(x),
    "equalize": lambda f, x, s: f.equalize(x),
}


def _close(name: str, ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    """Colours are within a grey level. Of moved pixels a few lie half way between two, and may show the other one."""
    if name in MOVING:
        return float((ours != theirs).any(0).float().mean()) < 0.02
    return distance(ours, theirs) <= 1


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [(200, 3, 32, 32), (100, 1, 28, 28), (60, 3, 31, 20), (1, 3, 8, 8)])
@pytest.mark.parametrize("word", [TrivialAugment(), RandAugment(operations=1), RandAugment(operations=1, magnitude=30)])
def test_equals_torchvision_image_by_image(
    word: TrivialAugment | RandAugment, shape: tuple[int, int, int, int], memory: str
) -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    given = pictures(shape, memory)
    draws = word.draw(shape[0], shape[2:], generator())
    result = word.apply(given, draws)
    for image, ours, number, strength in zip(
        given, result, draws["operation"][:, 0].tolist(), draws["strength"][:, 0].tolist(), strict=True
    ):
        name = NAMES[number]
        assert _close(name, ours, THEIRS[name](functional, image, strength)), (name, strength)


def test_operations_follow_each_other() -> None:
    given = pictures((50, 3, 32, 32))
    draws = RandAugment(operations=3).draw(50, (32, 32), generator())
    one_by_one = given
    for turn in range(3):
        own = {name: values[:, turn : turn + 1] for name, values in draws.items()}
        one_by_one = RandAugment(operations=1).apply(one_by_one, own)
    assert torch.equal(RandAugment(operations=3).apply(given, draws), one_by_one)


@pytest.mark.parametrize("magnitude", [0, 9, 30])
def test_strengths_of_rand_augment_are_torchvision_s(magnitude: int) -> None:
    transforms = pytest.importorskip("torchvision.transforms.v2")
    space = transforms.RandAugment._AUGMENTATION_SPACE
    draws = RandAugment(operations=2, magnitude=magnitude).draw(2_000, (24, 40), generator())
    _check_strengths(space, draws, lambda values: values[magnitude : magnitude + 1], (24, 40), bins=31)


@pytest.mark.parametrize("bins", [2, 31])
def test_strengths_of_trivial_augment_are_torchvision_s(bins: int) -> None:
    transforms = pytest.importorskip("torchvision.transforms.v2")
    space = transforms.TrivialAugmentWide._AUGMENTATION_SPACE
    draws = TrivialAugment(bins=bins).draw(20_000, (24, 40), generator())
    _check_strengths(space, draws, lambda values: values, (24, 40), bins=bins)


def _check_strengths(
    space: dict[str, Any],
    draws: dict[str, torch.Tensor],
    chosen: Callable[[torch.Tensor], torch.Tensor],
    size: tuple[int, int],
    bins: int,
) -> None:
    """Each operation takes all strengths that it should, and no other."""
    assert [name.lower() for name in space] == [name.replace("_", "") for name in NAMES]
    for number, (name, (magnitudes, signed)) in enumerate(zip(NAMES, space.values(), strict=True)):
        assert signed == (name in SIGNED)
        if name in PLAIN:
            continue
        values = chosen(magnitudes(bins, *size).float())
        expected = torch.cat([values, -values]) if signed else values
        found = draws["strength"][draws["operation"] == number]
        torch.testing.assert_close(found.unique(), (expected + 0.0).unique(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("word", [RandAugment(), TrivialAugment()])
def test_operations_and_signs_are_equally_likely(word: RandAugment | TrivialAugment) -> None:
    draws = word.draw(42_000, (32, 32), generator())
    for operation, strength in zip(draws["operation"].unbind(1), draws["strength"].unbind(1), strict=True):
        counts = operation.bincount(minlength=14)
        assert counts.shape == (14,)
        # 3,000 expected of each of 14; five standard deviations are 264
        assert (counts - 3000).abs().max() < 264
        nonzero = strength[(operation >= 1) & (operation <= 9) & (strength != 0)]
        # about 27,000 coins: five standard deviations are 0.0155
        assert (nonzero > 0).float().mean().item() == pytest.approx(0.5, abs=0.0155)


def test_the_second_operation_does_not_follow_from_the_first() -> None:
    operation = RandAugment().draw(39_200, (32, 32), generator())["operation"]
    pairs = (operation[:, 0] * 14 + operation[:, 1]).bincount(minlength=196)
    # 200 expected of each of 196 pairs; five standard deviations are 71
    assert (pairs - 200).abs().max() < 71


def test_trivial_augment_draws_every_bin_alike() -> None:
    draws = TrivialAugment(bins=11).draw(140_000, (32, 32), generator())
    solarize = draws["strength"][draws["operation"] == NAMES.index("solarize")]
    counts = (solarize * 10).round().long().bincount(minlength=11).double()
    # about 909 expected in each of 11 bins; five standard deviations are 144
    assert (counts - len(solarize) / 11).abs().max() < 144
