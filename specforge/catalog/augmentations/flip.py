"""Mirroring, for data whose class does not depend on left and right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from specforge.catalog.augmentations.definition import GeometricAugmentation
from specforge.catalog.augmentations.resampling import matrices

if TYPE_CHECKING:
    import torch


class HorizontalFlip(GeometricAugmentation):
    """Mirrors each image left to right with a probability.

        data:
          dataset: cifar10
          augment:
            - horizontal_flip: 0.5

    `(N, C, H, W) -> (N, C, H, W)`; every image is drawn for on its own, with this `probability`.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomHorizontalFlip.html
    """

    main: ClassVar[str | None] = "probability"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_horizontal_flip", "flip", "fliplr", "random_flip")

    probability: float = Field(default=0.5, ge=0, le=1)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`flip`: (count,) bool."""
        return _drawn(self.probability, count, generator)

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return matrices(1 - 2 * draws["flip"].double(), 0, 0, 0, 1, 0)

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return _flipped(images, draws["flip"], -1)


class VerticalFlip(GeometricAugmentation):
    """Turns each image upside down, as in a mirror below it, with a probability.

        data:
          dataset: cifar10
          augment:
            - vertical_flip: 0.5

    `(N, C, H, W) -> (N, C, H, W)`; every image is drawn for on its own, with this `probability`.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomVerticalFlip.html
    """

    main: ClassVar[str | None] = "probability"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_vertical_flip", "flipud")

    probability: float = Field(default=0.5, ge=0, le=1)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`flip`: (count,) bool."""
        return _drawn(self.probability, count, generator)

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return matrices(1, 0, 0, 0, 1 - 2 * draws["flip"].double(), 0)

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return _flipped(images, draws["flip"], -2)


def _drawn(probability: float, count: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    import torch

    return {"flip": torch.rand(count, generator=generator) < probability}


def _flipped(images: torch.Tensor, chosen: torch.Tensor, axis: int) -> torch.Tensor:
    import torch

    # both branches are computed: picking rows by the mask would make a GPU wait for their number
    return torch.where(chosen[:, None, None, None], images.flip(axis), images)
