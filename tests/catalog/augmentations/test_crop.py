"""Crop against torchvision's pad and crop for single images, with the same draws."""

import numpy as np
import pytest
import torch

from specforge.catalog.augmentations.crop import Crop

MEMORY = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
TORCHVISION_FILL = {"constant": "constant", "reflect": "reflect", "nearest": "edge"}


def images(shape: tuple[int, int, int, int], memory: str = "channels_last") -> torch.Tensor:
    random = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return random.contiguous(memory_format=MEMORY[memory])


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("fill", TORCHVISION_FILL)
@pytest.mark.parametrize(
    ("shape", "padding"), [((64, 3, 32, 32), 4), ((9, 1, 8, 8), 4), ((7, 3, 6, 9), 5), ((2, 2, 2, 2), 1)]
)
def test_equals_torchvision_image_by_image(
    shape: tuple[int, int, int, int], padding: int, fill: str, memory: str
) -> None:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    crop, given = Crop(padding=padding, fill=fill), images(shape, memory)  # type: ignore[arg-type]  # from the table above
    draws = crop.draw(len(given), shape[2:], torch.Generator().manual_seed(3))
    padded = functional.pad(given, [padding] * 4, padding_mode=TORCHVISION_FILL[fill])
    expected = [
        functional.crop(image, top, left, *shape[2:])
        for image, top, left in zip(padded, draws["top"].tolist(), draws["left"].tolist(), strict=True)
    ]
    before = given.clone()
    result = crop.apply(given, draws)
    assert result.dtype == torch.uint8
    assert torch.equal(result, torch.stack(expected))
    assert torch.equal(given, before), "the images that came in are not changed"


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("fill", TORCHVISION_FILL)
def test_keeps_the_memory_format(fill: str, memory: str) -> None:
    given = images((8, 3, 12, 10), memory)
    crop = Crop(fill=fill)  # type: ignore[arg-type]  # from the table above
    result = crop.apply(given, crop.draw(8, (12, 10), torch.Generator().manual_seed(0)))
    assert result.stride() == given.stride()


@pytest.mark.parametrize("fill", ["reflect", "nearest"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (3, 1)])
def test_padding_may_be_longer_than_the_image(fill: str, size: tuple[int, int]) -> None:
    """numpy goes on reflecting where torch and torchvision refuse."""
    crop, given = Crop(padding=7, fill=fill), images((30, 2, *size))  # type: ignore[arg-type]  # from the list above
    draws = crop.draw(30, size, torch.Generator().manual_seed(1))
    mode = "reflect" if fill == "reflect" else "edge"
    padded = np.pad(given.numpy(), ((0, 0), (0, 0), (7, 7), (7, 7)), mode=mode)  # type: ignore[call-overload]  # one of two
    for image, whole, top, left in zip(
        crop.apply(given, draws), padded, draws["top"].tolist(), draws["left"].tolist(), strict=True
    ):
        assert np.array_equal(image.numpy(), whole[:, top : top + size[0], left : left + size[1]])


def test_every_place_is_equally_likely_and_both_axes_are_independent() -> None:
    draws = Crop(padding=2).draw(50_000, (32, 32), torch.Generator().manual_seed(0))
    places = torch.bincount(draws["top"] * 5 + draws["left"], minlength=25)
    assert places.shape == (25,), "from 0 to twice the padding"
    # 2,000 expected at each of 25 places; five standard deviations are 219
    assert (places - 2000).abs().max().item() < 219


def test_draws_follow_the_generator_alone() -> None:
    crop = Crop()
    first, again = (crop.draw(64, (8, 8), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first["top"], again["top"])
    assert torch.equal(first["left"], again["left"])
    assert not torch.equal(first["top"], crop.draw(64, (8, 8), torch.Generator().manual_seed(8))["top"])


def test_in_the_middle_nothing_moves() -> None:
    given = images((3, 3, 5, 5))
    middle = torch.full((3,), 4)
    assert torch.equal(Crop(padding=4).apply(given, {"top": middle, "left": middle}), given)
