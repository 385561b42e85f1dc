"""Rotation and Shear against torchvision for single images, and against the map of Keras's ImageDataGenerator."""

from math import cos, degrees, pi, radians, sin
from typing import Any

import pytest
import torch

from specforge.catalog.augmentations.angles import Rotation, Shear
from specforge.catalog.augmentations.definition import ResampledAugmentation
from tests.catalog.augmentations.oracle import SHAPES, assert_like, assert_uniform, drawn, smooth_images


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("interpolation", "value", "fill"),
    [
        ("bilinear", 0.0, None),
        ("nearest", 0.0, None),
        ("nearest", 0.5, [128.0]),  # where bilinear, torchvision counts the black beyond the edge a second time
    ],
)
def test_rotation_equals_torchvision(interpolation: Any, value: float, fill: Any, shape: tuple[int, ...]) -> None:
    transforms = pytest.importorskip("torchvision.transforms.v2")
    mode = transforms.InterpolationMode(interpolation)

    def turned(image: torch.Tensor, radians: float) -> torch.Tensor:
        return transforms.functional.rotate(image, degrees(radians), mode, fill=fill)

    # where a pixel is taken whole, one whose place is near a half may be its neighbour
    share = 0.002 if interpolation == "bilinear" else 0.01
    assert_like(Rotation(degrees=60, value=value, interpolation=interpolation), shape, turned, share)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", ["horizontal", "vertical"])
def test_shear_equals_torchvision(axis: Any, shape: tuple[int, ...]) -> None:
    transforms = pytest.importorskip("torchvision.transforms.v2")

    def slanted(image: torch.Tensor, radians: float) -> torch.Tensor:
        shear = [degrees(radians), 0.0] if axis == "horizontal" else [0.0, degrees(radians)]
        mode = transforms.InterpolationMode.BILINEAR
        return transforms.functional.affine(
            image, angle=0.0, translate=[0, 0], scale=1.0, shear=shear, interpolation=mode
        )

    assert_like(Shear(degrees=30, axis=axis), shape, slanted)


def test_rotation_turns_counter_clockwise() -> None:
    given = smooth_images((1, 3, 6, 6))
    quarter = {"radians": torch.tensor([pi / 2])}
    assert torch.equal(Rotation(degrees=90).apply(given, quarter), given.rot90(1, (2, 3)))


@pytest.mark.parametrize(("axis", "order"), [("horizontal", (0, 1)), ("vertical", (1, 0))])
def test_shear_that_preserves_length_is_the_map_of_keras(axis: Any, order: tuple[int, int]) -> None:
    """Keras reads (x - y sin s, y cos s); the sign of s is drawn, so either is the same augmentation."""
    angle = 0.4
    found = Shear(degrees=30, axis=axis, preserve="length").maps({"radians": torch.tensor([-angle])})[0]
    keras = torch.tensor([[1, -sin(angle)], [0, cos(angle)]], dtype=torch.float64)
    torch.testing.assert_close(found[:, :2], keras[list(order)][:, list(order)], rtol=1e-6, atol=1e-7)
    assert not found[:, 2].any()


@pytest.mark.parametrize(
    ("augmentation", "low", "high"),
    [
        (Rotation(degrees=15), -radians(15), radians(15)),
        (Rotation(degrees=(10, 40)), radians(10), radians(40)),
        (Rotation(radians=0.2), -0.2, 0.2),
        (Rotation(radians=(-0.1, 0.3)), -0.1, 0.3),
        (Shear(degrees=0.2), -radians(0.2), radians(0.2)),
        (Shear(radians=(0, 1)), 0, 1),
    ],
)
def test_all_angles_are_equally_likely(augmentation: ResampledAugmentation, low: float, high: float) -> None:
    assert_uniform(drawn(augmentation, (40_000, 3, 8, 8))["radians"], low - 1e-7, high + 1e-7)


@pytest.mark.parametrize(("degrees", "slight"), [(15, True), (72, True), (90, True), (91, False), ((0, 180), False)])
def test_slight_is_what_keeps_a_character(degrees: Any, slight: bool) -> None:
    assert Rotation(degrees=degrees).is_slight == slight
    assert not Shear(degrees=1).is_slight, "nobody asks, so it says no"


@pytest.mark.parametrize("word", [Rotation, Shear])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs `degrees` or `radians`"),
        ({"degrees": 5, "radians": 0.1}, "`radians` and `degrees` say the same thing"),
        ({"degrees": 361}, "degrees to either side"),
        ({"radians": 15}, "if these are degrees, say `degrees`"),
        ({"degrees": -5}, "at least 0.*write `5`"),
        ({"degrees": (5, -5)}, r"write `\[-5, 5\]`"),
        ({"degrees": 5, "fill": "reflect", "value": 0.5}, "`value` is the colour of `fill: constant`"),
    ],
)
def test_refuses(word: type[ResampledAugmentation], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        word(**arguments)
