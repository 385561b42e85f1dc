"""Mirroring, for data whose class does not depend on left and right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from specforge.catalog.augmentations.definition import GeometricAugmentation, Moment
from specforge.catalog.augmentations.resampling import matrices

if TYPE_CHECKING:
    import torch

# of the generator SplitMix64: odd numbers without a pattern, here as signed ones of 64 bits
_STEP, _FIRST, _SECOND = -0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15


class _Flip(GeometricAugmentation):
    """What both directions share: which images are mirrored."""

    main: ClassVar[str | None] = "probability"

    probability: float = Field(default=0.5, ge=0, le=1)
    alternate: bool = False

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`flip`: (count,) bool."""
        import torch

        return {"flip": torch.rand(count, generator=generator) < self.probability}

    def draw_at(self, moment: Moment, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`flip`: (count,) bool; alternating ones follow from the image's row and the epoch."""
        if not self.alternate:
            return super().draw_at(moment, size, generator)
        first = _drawn_for(moment.rows, moment.key) < self.probability
        return {"flip": ~first if moment.epoch % 2 else first}


class HorizontalFlip(_Flip):
    """Mirrors each image left to right with a probability.

        data:
          dataset: cifar10
          augment:
            - horizontal_flip: {probability: 0.5, alternate: true}

    `(N, C, H, W) -> (N, C, H, W)`; every image is drawn for on its own, with this `probability`. With `alternate` it is
    drawn for once: those that are mirrored in the first epoch are not in the second, and so on by turns, so that two
    epochs after each other show every image both ways.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomHorizontalFlip.html,
    https://arxiv.org/abs/2404.00498
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("random_horizontal_flip", "flip", "fliplr", "random_flip")

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return matrices(1 - 2 * draws["flip"].double(), 0, 0, 0, 1, 0)

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return _flipped(images, draws["flip"], -1)


class VerticalFlip(_Flip):
    """Turns each image upside down, as in a mirror below it, with a probability.

        data:
          dataset: cifar10
          augment:
            - vertical_flip: 0.5

    `(N, C, H, W) -> (N, C, H, W)`; every image is drawn for on its own, with this `probability`. With `alternate` it is
    drawn for once: those that are mirrored in the first epoch are not in the second, and so on by turns, so that two
    epochs after each other show every image both ways.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomVerticalFlip.html,
    https://arxiv.org/abs/2404.00498
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("random_vertical_flip", "flipud")

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return matrices(1, 0, 0, 0, 1 - 2 * draws["flip"].double(), 0)

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return _flipped(images, draws["flip"], -2)


def _drawn_for(rows: torch.Tensor, key: int) -> torch.Tensor:
    """A number from 0 to less than 1 for each row (count,) float64: always the same, whatever rows come with it."""
    mixed = rows * _STEP + key  # multiplications go beyond 64 bits, and what is beyond is dropped
    mixed = (mixed ^ _shifted(mixed, 30)) * _FIRST
    mixed = (mixed ^ _shifted(mixed, 27)) * _SECOND
    return _shifted(mixed ^ _shifted(mixed, 31), 11).double() * 2.0**-53


def _shifted(bits: torch.Tensor, places: int) -> torch.Tensor:
    """To the right, with zeros on the left."""
    return (bits >> places) & ((1 << (64 - places)) - 1)


def _flipped(images: torch.Tensor, chosen: torch.Tensor, axis: int) -> torch.Tensor:
    import torch

    # both branches are computed: picking rows by the mask would make a GPU wait for their number
    return torch.where(chosen[:, None, None, None], images.flip(axis), images)
