"""What the tests of geometric augmentations share: images, draws, and how near a result must be to torchvision's."""

from collections.abc import Callable
from typing import Any

import torch

from specforge.catalog.augmentations.definition import Augmentation

Draws = dict[str, torch.Tensor]
# batches of one, one channel, odd sizes, images that are not square
SHAPES = [(12, 3, 32, 32), (1, 3, 8, 8), (6, 1, 9, 9), (6, 3, 7, 12)]


def smooth_images(shape: tuple[int, ...]) -> torch.Tensor:
    """(N, C, H, W) uint8 channels last: waves, in which a place that is wrong by a thousandth is not seen."""
    count, channels, height, width = shape
    random = torch.Generator().manual_seed(0)
    waves = torch.rand((count, channels, 1, 1, 3), generator=random)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    values = torch.sin(waves[..., 0] * x + waves[..., 1] * y + 6 * waves[..., 2])
    return ((values + 1) * 127.5).to(torch.uint8).contiguous(memory_format=torch.channels_last)


def drawn(augmentation: Augmentation, shape: tuple[int, ...], seed: int = 3) -> Draws:
    height, width = shape[2:]
    return augmentation.draw(shape[0], (height, width), torch.Generator().manual_seed(seed))


def assert_like(
    augmentation: Augmentation, shape: tuple[int, ...], oracle: Callable[..., torch.Tensor], share: float = 0.002
) -> None:
    """Applies to a batch, and `oracle` image by image with the numbers drawn for each, by name.

    At most that share of values may differ by more than one level.
    """
    given, draws = smooth_images(shape), drawn(augmentation, shape)
    before = given.clone()
    result = augmentation.apply(given, draws)
    rows: list[dict[str, Any]] = [
        {name: values[row].item() for name, values in draws.items()} for row in range(shape[0])
    ]
    wanted = torch.stack([oracle(image, **row) for image, row in zip(given, rows, strict=True)])
    assert result.dtype == torch.uint8
    assert result.stride() == given.stride()
    assert torch.equal(given, before), "the images that came in are not changed"
    apart = (result.int() - wanted.int()).abs()
    assert (apart > 1).float().mean().item() <= share
    assert (apart > 0).float().mean().item() <= 0.1


def assert_uniform(values: torch.Tensor, low: float, high: float) -> None:
    """Ten equal bins within five standard deviations, and nothing outside."""
    assert low <= values.min().item()
    assert values.max().item() <= high
    counts = torch.histc(values.double(), 10, low, high)
    expected = len(values) / 10
    assert (counts - expected).abs().max().item() < 5 * (expected * 0.9) ** 0.5


def assert_independent(one: torch.Tensor, other: torch.Tensor) -> None:
    """No correlation beyond five standard deviations of that of independent numbers."""
    correlation = torch.corrcoef(torch.stack([one.double(), other.double()]))[0, 1]
    assert abs(correlation.item()) < 5 / len(one) ** 0.5
