"""Flips against torchvision's functions for single images, with the same draws."""

import pytest
import torch

from specforge.catalog.augmentations.flip import HorizontalFlip, VerticalFlip
from specforge.catalog.augmentations.resampling import Resampling

FLIPS = {"horizontal_flip": HorizontalFlip, "vertical_flip": VerticalFlip}
MEMORY = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def images(shape: tuple[int, int, int, int], memory: str) -> torch.Tensor:
    random = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return random.contiguous(memory_format=MEMORY[memory])


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [(16, 3, 32, 32), (5, 1, 8, 8), (1, 3, 6, 9), (3, 2, 4, 1)])
def test_equals_torchvision_image_by_image(shape: tuple[int, int, int, int], memory: str, word: str) -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    flip, given = FLIPS[word](), images(shape, memory)
    draws = flip.draw(len(given), shape[2:], torch.Generator().manual_seed(3))
    expected = [
        getattr(functional, word)(image) if drawn else image
        for image, drawn in zip(given, draws["flip"].tolist(), strict=True)
    ]
    before = given.clone()
    result = flip.apply(given, draws)
    assert result.dtype == torch.uint8
    assert torch.equal(result, torch.stack(expected))
    assert torch.equal(given, before), "the images that came in are not changed"


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("shape", [(16, 3, 32, 32), (5, 1, 7, 8), (1, 3, 6, 9)])
def test_its_map_is_the_same_flip(shape: tuple[int, int, int, int], word: str) -> None:
    flip, given = FLIPS[word](), images(shape, "channels_last")
    draws = flip.draw(len(given), shape[2:], torch.Generator().manual_seed(3))
    assert torch.equal(Resampling()(given, flip.maps(draws)), flip.apply(given, draws))
    assert flip.resampling is None, "alone, it reads nothing between pixels"


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("memory", MEMORY)
def test_keeps_the_memory_format(memory: str, word: str) -> None:
    given = images((8, 3, 12, 10), memory)
    result = FLIPS[word]().apply(given, {"flip": torch.arange(8) % 2 == 0})
    assert result.stride() == given.stride()


@pytest.mark.parametrize("word", FLIPS)
@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 1.0])
def test_draws_as_often_as_asked(probability: float, word: str) -> None:
    draws = FLIPS[word](probability=probability).draw(40_000, (32, 32), torch.Generator().manual_seed(0))
    assert draws["flip"].shape == (40_000,)
    # five standard deviations of a coin thrown 40,000 times are 0.0125
    assert draws["flip"].float().mean().item() == pytest.approx(probability, abs=0.0125)


def test_draws_follow_the_generator_alone() -> None:
    flip = HorizontalFlip()
    first, again = (flip.draw(64, (8, 8), torch.Generator().manual_seed(7))["flip"] for _ in range(2))
    torch.manual_seed(0)
    assert torch.equal(first, again)
    assert not torch.equal(first, flip.draw(64, (8, 8), torch.Generator().manual_seed(8))["flip"])
