"""Blurring and sharpening against torchvision's functions for single images, with the same draws."""

import numpy as np
import pytest
import torch

from specforge.catalog.augmentations.blur import Blur, Sharpness, blurred, sharpened
from tests.catalog.augmentations.pictures import MEMORY, distance, generator, pictures, share_of_differences


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize(
    ("shape", "kernel_size"),
    [((24, 3, 32, 32), 3), ((24, 3, 32, 32), 7), ((7, 1, 28, 28), 5), ((7, 3, 9, 14), 9), ((1, 2, 6, 4), 3)],
)
def test_blur_equals_torchvision_image_by_image(
    shape: tuple[int, int, int, int], kernel_size: int, memory: str
) -> None:
    """But for a grey level where a sum is half way between two: torchvision adds in two dimensions at once."""
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    blur, given = Blur(kernel_size=kernel_size, sigma=(0.1, 4.0)), pictures(shape, memory)
    draws = blur.draw(shape[0], shape[2:], generator())
    expected = [
        functional.gaussian_blur(image, [kernel_size] * 2, [sigma] * 2)
        for image, sigma in zip(given, draws["sigma"].tolist(), strict=True)
    ]
    result = blur.apply(given, draws)
    assert distance(result, torch.stack(expected)) <= 1
    assert share_of_differences(result, torch.stack(expected)) < 0.002


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 9)])
def test_a_kernel_may_be_larger_than_the_image(size: tuple[int, int]) -> None:
    """numpy goes on mirroring where torch and torchvision refuse."""
    given, border = pictures((3, 2, *size)), 5
    weights = np.exp(-0.5 * (np.arange(-border, border + 1) / 2.0) ** 2)
    weights /= weights.sum()
    padded = np.pad(given.double().numpy(), ((0, 0), (0, 0), (border, border), (border, border)), mode="reflect")
    for axis in (2, 3):
        padded = np.apply_along_axis(np.convolve, axis, padded, weights, mode="valid")
    result = blurred(given, torch.full((3,), 2.0), 2 * border + 1)
    assert np.abs(result.numpy() - padded).max() <= 0.501


def test_a_narrow_gaussian_changes_nothing() -> None:
    given = pictures((4, 3, 8, 8))
    assert torch.equal(blurred(given, torch.full((4,), 1e-3), 5), given)


def test_one_sigma_for_all_or_a_range() -> None:
    fixed = Blur(kernel_size=3, sigma=1.5).draw(100, (8, 8), generator())["sigma"]
    assert torch.equal(fixed, torch.full((100,), 1.5))
    drawn = Blur(kernel_size=3, sigma=(0.5, 2.5)).draw(40_000, (8, 8), generator())["sigma"]
    assert drawn.min() >= 0.5
    assert drawn.max() <= 2.5
    # the standard deviation of the mean is 0.0029
    assert drawn.mean().item() == pytest.approx(1.5, abs=0.0145)


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [(24, 3, 32, 32), (7, 1, 28, 28), (5, 3, 3, 9), (4, 3, 2, 9), (1, 3, 1, 1)])
def test_sharpness_equals_torchvision_image_by_image(shape: tuple[int, int, int, int], memory: str) -> None:
    """But for a grey level here and there: torchvision rounds down, and adds with weights that are rounded."""
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    given, factor = pictures(shape, memory), torch.rand(shape[0], generator=generator()) * 4
    factor[:3] = torch.tensor([0.0, 1.0, 2.0])[: shape[0]]
    expected = [functional.adjust_sharpness(image, by) for image, by in zip(given, factor.tolist(), strict=True)]
    result = sharpened(given, factor)
    assert distance(result, torch.stack(expected)) <= 1
    assert share_of_differences(result, torch.stack(expected)) < 0.001


@pytest.mark.parametrize("factor", [0, 1.7])
def test_sharpness_takes_its_factor(factor: float) -> None:
    given = pictures((6, 3, 8, 8))
    word = Sharpness(factor=factor, probability=1)
    assert torch.equal(word.apply(given, word.draw(6, (8, 8), generator())), sharpened(given, torch.full((6,), factor)))
