"""ResizedCrop against torchvision's function for single images, and against its way of drawing."""

from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.resized_crop import ResizedCrop
from tests.catalog.augmentations.oracle import SHAPES, assert_like, assert_uniform, drawn, smooth_images


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("interpolation", "name"), [("bilinear", "BILINEAR"), ("nearest", "NEAREST_EXACT")])
def test_equals_torchvision(interpolation: Any, name: str, shape: tuple[int, ...]) -> None:
    transforms = pytest.importorskip("torchvision.transforms.v2")
    mode = getattr(transforms.InterpolationMode, name)

    def cropped(image: torch.Tensor, top: int, left: int, height: int, width: int) -> torch.Tensor:
        # in floats, because for bytes torchvision rounds after each axis
        values = transforms.functional.resized_crop(image.float(), top, left, height, width, list(shape[2:]), mode)
        return values.round().to(torch.uint8)

    assert_like(ResizedCrop(scale=(0.1, 1), ratio=(0.5, 2), interpolation=interpolation), shape, cropped, 0)


def test_reads_nothing_from_beyond_the_part() -> None:
    given = torch.zeros((1, 1, 8, 8), dtype=torch.uint8)
    given[..., 2:6, 2:6] = 200
    part = {name: torch.tensor([value]) for name, value in (("top", 2), ("left", 2), ("height", 4), ("width", 4))}
    assert (ResizedCrop().apply(given, part) == 200).all()


def test_the_whole_image_is_a_copy() -> None:
    given = smooth_images((3, 3, 9, 7))
    crop = ResizedCrop(scale=(1, 1), ratio=(7 / 9, 7 / 9))
    draws = drawn(crop, (3, 3, 9, 7))
    assert draws["height"].tolist() == [9] * 3
    assert torch.equal(crop.apply(given, draws), given)


def test_parts_have_the_areas_and_ratios_asked_for() -> None:
    size = (2_000, 2_000)  # large, so that rounding to pixels is small
    draws = drawn(ResizedCrop(scale=(0.1, 0.3), ratio=(0.5, 2)), (20_000, 1, *size))
    height, width = draws["height"].double(), draws["width"].double()
    assert_uniform((height * width / (size[0] * size[1])), 0.0995, 0.3005)
    assert_uniform((width / height).log2(), -1.002, 1.002)
    for place, extent, length in (("top", height, size[0]), ("left", width, size[1])):
        assert_uniform(draws[place] / (length - extent), 0, 1)


def test_every_place_of_a_part_is_possible() -> None:
    draws = drawn(ResizedCrop(scale=(0.25, 0.25), ratio=(1, 1)), (2_000, 1, 8, 8))
    assert set(draws["height"].tolist()) == {4}
    assert set(draws["top"].tolist()) == set(draws["left"].tolist()) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("size", "part"),
    [
        ((10, 40), (10, 13)),  # 13 is 10 * 4 / 3, rounded
        ((40, 10), (13, 10)),
        ((1, 1), (1, 1)),
    ],
)
def test_where_nothing_fits_it_takes_the_middle(size: tuple[int, int], part: tuple[int, int]) -> None:
    """A part as large as the image that is no longer than 4/3 of its other side does not exist in a long image."""
    draws = drawn(ResizedCrop(scale=(1, 1)), (50, 1, *size))
    for place, extent, length, wanted in (("top", "height", size[0], part[0]), ("left", "width", size[1], part[1])):
        assert set(draws[extent].tolist()) == {wanted}
        assert set(draws[place].tolist()) == {(length - wanted) // 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"scale": (0, 1)}, "greater than 0"), ({"scale": (0.5, 2)}, "at most 1"), ({"ratio": (2, 1)}, "smaller end")],
)
def test_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResizedCrop(**arguments)
