"""Turning and slanting images; neighbours of these in `augment` are applied as one map."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import model_validator

from specforge.catalog.augmentations.definition import ResampledAugmentation
from specforge.catalog.augmentations.ranges import between
from specforge.catalog.augmentations.resampling import matrices
from specforge.catalog.augmentations.swings import (
    Degrees,
    Radians,
    SlantDegrees,
    SlantRadians,
    check_one_of,
    in_radians,
    is_upright,
)

if TYPE_CHECKING:
    import torch


class Rotation(ResampledAugmentation):
    """Turns each image about its centre by an angle of its own.

        data:
          dataset: cifar10
          augment:
            - rotation: {degrees: 15, fill: nearest}

    `(N, C, H, W) -> (N, C, H, W)`; all angles are equally likely, positive ones turn counter-clockwise. `degrees` is
    the greatest angle to either side, or a range `[low, high]`. `radians` is the same in radians; one of the two is
    given. Keras's layer RandomRotation counts full turns: its 0.2 is `degrees: 72`.

    `fill` says what appears from beyond the edge: `constant` is the colour `value`, `nearest` repeats the edge,
    `reflect` mirrors without repeating the edge, `symmetric` repeats it (`reflect` in Keras and scipy). `value` is 0
    (black) to 1, before normalisation, or a list with one for each channel. `interpolation` is `bilinear` or `nearest`.
    Neighbours in `augment` of the same fill and interpolation are applied as one, so that images are blurred once.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomRotation.html
    """

    units: ClassVar[tuple[str, ...]] = ("degrees", "radians")
    also_known_as: ClassVar[tuple[str, ...]] = ("random_rotation", "rotate", "rotation_range")

    degrees: Degrees | None = None
    radians: Radians | None = None

    @model_validator(mode="after")
    def _has_a_unit(self) -> Rotation:
        check_one_of(self, "degrees", "radians")
        return self

    @property
    def is_slight(self) -> bool:
        return is_upright(in_radians(self.degrees, self.radians))

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`radians`: (count,) float32, counter-clockwise."""
        return {"radians": between(in_radians(self.degrees, self.radians), (count,), generator)}

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return turned(draws["radians"])


class Shear(ResampledAugmentation):
    """Slants each image by an angle of its own, as a stack of paper is pushed askew.

        data:
          dataset: cifar10
          augment:
            - shear: {degrees: 0.2, preserve: length, fill: nearest}

    `(N, C, H, W) -> (N, C, H, W)`; all angles are equally likely. `degrees` is the greatest angle to either side, or a
    range `[low, high]`. `radians` is the same in radians; one of the two is given. `axis` is `horizontal` where rows
    slide along themselves (torchvision's x) and `vertical` where columns do (its y); for both, write it twice, the
    horizontal one first, as torchvision does: neighbours are applied as one.

    For an angle s, the pixel at (x, y) from the centre shows what was at (x + y tan s, y) where `preserve` is `area`,
    as in torchvision, and at (x + y sin s, y cos s) where it is `length`, as in Keras's ImageDataGenerator, whose
    shear_range is in degrees.

    `fill` says what appears from beyond the edge: `constant` is the colour `value`, `nearest` repeats the edge,
    `reflect` mirrors without repeating the edge, `symmetric` repeats it (`reflect` in Keras and scipy). `value` is 0
    (black) to 1, before normalisation, or a list with one for each channel. `interpolation` is `bilinear` or `nearest`.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAffine.html
    """

    units: ClassVar[tuple[str, ...]] = ("degrees", "radians")
    also_known_as: ClassVar[tuple[str, ...]] = ("random_shear", "shear_range")

    degrees: SlantDegrees | None = None
    radians: SlantRadians | None = None
    axis: Literal["horizontal", "vertical"] = "horizontal"
    preserve: Literal["area", "length"] = "area"

    @model_validator(mode="after")
    def _has_a_unit(self) -> Shear:
        check_one_of(self, "degrees", "radians")
        return self

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`radians`: (count,) float32."""
        return {"radians": between(in_radians(self.degrees, self.radians), (count,), generator)}

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        radians = draws["radians"].double()
        slant, along = (radians.tan(), 1) if self.preserve == "area" else (radians.sin(), radians.cos())
        if self.axis == "horizontal":
            return matrices(1, slant, 0, 0, along, 0)
        return matrices(along, 0, 0, slant, 1, 0)


def turned(radians: torch.Tensor) -> torch.Tensor:
    """Counter-clockwise: the places that are read turn clockwise, and y points down."""
    cos, sin = radians.double().cos(), radians.double().sin()
    return matrices(cos, -sin, 0, sin, cos, 0)
