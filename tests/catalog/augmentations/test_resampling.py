"""Resampling against numpy: an image padded far enough is read without any rule for what lies beyond it."""

from typing import Any

import numpy as np
import pytest
import torch

from specforge.catalog.augmentations.resampling import Resampling, centred, composed, matrices

MEMORY = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
FILLS = {"constant": "constant", "nearest": "edge", "reflect": "reflect", "symmetric": "symmetric"}
SHAPES = [(16, 3, 32, 32), (1, 1, 8, 8), (5, 3, 7, 12), (3, 2, 1, 5), (2, 4, 9, 1)]
FAR = 60


def images(shape: tuple[int, ...], memory: str = "channels_last") -> torch.Tensor:
    random = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return random.contiguous(memory_format=MEMORY[memory])


def random_maps(count: int, seed: int = 1) -> torch.Tensor:
    """Turned, slanted, zoomed and moved by a few pixels."""
    random = torch.Generator().manual_seed(seed)
    linear = torch.eye(2, dtype=torch.float64) + 0.3 * torch.randn((count, 2, 2), generator=random, dtype=torch.float64)
    moved = 4 * torch.randn((count, 2, 1), generator=random, dtype=torch.float64)
    return torch.cat([linear, moved], 2)


def read(image: Any, x: Any, y: Any, fill: str, value: float, interpolation: str) -> Any:
    """One image (C, H, W) read at places about its centre, in float64."""
    options: dict[str, Any] = {"constant_values": value * 255} if fill == "constant" else {}
    padded = np.pad(image.astype(np.float64), ((0, 0), (FAR, FAR), (FAR, FAR)), mode=FILLS[fill], **options)
    down, across = (place + (length - 1) / 2 + FAR for place, length in ((y, image.shape[1]), (x, image.shape[2])))
    if interpolation == "nearest":
        return padded[:, np.rint(down).astype(int), np.rint(across).astype(int)]
    top, left = np.floor(down).astype(int), np.floor(across).astype(int)
    below, right = down - top, across - left
    upper = padded[:, top, left] * (1 - right) + padded[:, top, left + 1] * right
    lower = padded[:, top + 1, left] * (1 - right) + padded[:, top + 1, left + 1] * right
    return upper * (1 - below) + lower * below


def expected(given: torch.Tensor, maps: torch.Tensor, fill: str, value: float, interpolation: str) -> torch.Tensor:
    height, width = given.shape[2:]
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    read_images = [
        read(image, *(row[0] * x + row[1] * y + row[2] for row in one), fill, value, interpolation)
        for image, one in zip(given.numpy(), maps.numpy(), strict=True)
    ]
    return torch.from_numpy(np.stack(read_images))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fill", FILLS)
def test_reads_between_pixels_as_numpy_does(fill: Any, shape: tuple[int, ...]) -> None:
    given, maps = images(shape), random_maps(shape[0])
    result = Resampling(fill, 0.25 if fill == "constant" else 0.0)(given, maps)
    wanted = expected(given, maps, fill, round(0.25 * 255) / 255, "bilinear")
    assert result.dtype == torch.uint8
    # half a level of rounding, and what float32 loses of a place
    assert (result.double() - wanted).abs().max().item() < 0.51


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fill", FILLS)
def test_reads_the_nearest_pixel_as_numpy_does(fill: Any, shape: tuple[int, ...]) -> None:
    given, maps = images(shape), random_maps(shape[0])
    result = Resampling(fill, 0.25 if fill == "constant" else 0.0, "nearest")(given, maps)
    wanted = expected(given, maps, fill, round(0.25 * 255) / 255, "nearest")
    # a place in the middle between two pixels may be on either side in float32
    assert (result.double() != wanted).double().mean().item() < 1e-3


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (2, 1, 7, 12), (1, 3, 224, 200), (1, 1, 1, 1)])
def test_whole_pixels_are_copied_exactly(shape: tuple[int, ...], interpolation: Any, fill: Any) -> None:
    given = images(shape)
    still = torch.eye(2, 3, dtype=torch.float64).repeat(shape[0], 1, 1)
    assert torch.equal(Resampling(fill, interpolation=interpolation)(given, still), given)
    moved = still.clone()
    moved[:, 0, 2], moved[:, 1, 2] = 3, -5
    wanted = expected(given, moved, fill, 0, "nearest").to(torch.uint8)
    assert torch.equal(Resampling(fill, interpolation=interpolation)(given, moved), wanted)


def test_fills_each_channel_with_its_own_value() -> None:
    given = images((2, 3, 6, 6))
    away = torch.tensor([[[1.0, 0, 100], [0, 1, 0]]]).repeat(2, 1, 1)
    result = Resampling("constant", (0.0, 0.5, 1.0))(given, away)
    for channel, level in enumerate((0, 128, 255)):
        assert (result[:, channel] == level).all()


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("shape", [(4, 3, 6, 5), (4, 1, 6, 5), (1, 3, 8, 8)])
def test_keeps_the_memory_format_and_the_images_that_came_in(shape: tuple[int, ...], memory: str) -> None:
    given = images(shape, memory)
    before = given.clone()
    for fill, value in (("constant", 0.5), ("constant", 0.0), ("reflect", 0.0)):
        result = Resampling(fill, value)(given, random_maps(shape[0]))  # type: ignore[arg-type]  # from the list above
        assert result.stride() == given.stride()
        assert torch.equal(given, before)


def test_an_image_does_not_depend_on_its_batch() -> None:
    given, maps = images((9, 3, 15, 15)), random_maps(9)
    whole = Resampling("reflect")(given, maps)
    assert torch.equal(torch.cat([Resampling("reflect")(given[n : n + 1], maps[n : n + 1]) for n in range(9)]), whole)


def test_composition_applies_the_first_map_first() -> None:
    """Where the image is not left, reading twice gives what reading once gives."""
    given = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    right = torch.tensor([[[1.0, 0, -1], [0, 1, 0]]], dtype=torch.float64)
    quarter = torch.tensor([[[0.0, -1, 0], [1, 0, 0]]], dtype=torch.float64)
    read_once, move = Resampling("nearest"), Resampling("nearest")
    for first, second in ((right, quarter), (quarter, right)):
        twice = move(move(given, first), second)
        once = read_once(given, composed([first, second]))
        assert torch.equal(once[..., 1:-1, 1:-1], twice[..., 1:-1, 1:-1])
    assert not torch.equal(composed([right, quarter]), composed([quarter, right]))


def test_composition_is_the_matrix_product() -> None:
    maps = [random_maps(7, seed) for seed in range(4)]
    bottom = torch.tensor([0.0, 0, 1], dtype=torch.float64).expand(7, 1, 3)
    squares = [torch.cat([one, bottom], 1) for one in maps]
    wanted = squares[0] @ squares[1] @ squares[2] @ squares[3]
    torch.testing.assert_close(composed(maps), wanted[:, :2], rtol=1e-12, atol=1e-12)
    assert torch.equal(composed(maps[:1]), maps[0])


def test_matrices_take_numbers_and_tensors() -> None:
    found = matrices(torch.tensor([1.0, 2.0]), 0, 3, 0, torch.tensor([4.0, 5.0]), 6)
    assert found.tolist() == [[[1, 0, 3], [0, 4, 6]], [[2, 0, 3], [0, 5, 6]]]
    assert found.dtype == torch.float64


def test_places_are_about_the_centre() -> None:
    assert centred(4, torch.device("cpu")).tolist() == [-1.5, -0.5, 0.5, 1.5]
    assert centred(1, torch.device("cpu")).tolist() == [0]
