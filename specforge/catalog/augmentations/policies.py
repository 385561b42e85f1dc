"""Augmentations that pick among many operations at random, for every image on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from specforge.catalog.augmentations.blur import sharpened
from specforge.catalog.augmentations.colour import brightened, contrasted, saturated
from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.augmentations.resampling import Resampling, matrices
from specforge.catalog.augmentations.routing import Operation, in_groups
from specforge.catalog.augmentations.tone import equalized, posterized, solarized, stretched

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class _Entry:
    """An operation, and its strength at the first and at the last magnitude; `signed` ones go either way."""

    change: Operation | None
    first: float = 0.0
    last: float = 0.0
    signed: bool = False
    whole: bool = False


def _entries(slope: float, move: tuple[float, float], turn: float, factor: float, bits: int) -> tuple[_Entry, ...]:
    """The fourteen operations of both policies, which differ in how far the strengths go."""
    across, down = move
    return (
        _Entry(None),
        _Entry(_slanted_across, last=slope, signed=True),
        _Entry(_slanted_down, last=slope, signed=True),
        _Entry(_moved_across, last=across, signed=True),
        _Entry(_moved_down, last=down, signed=True),
        _Entry(_turned, last=turn, signed=True),
        _Entry(_around_one(brightened), last=factor, signed=True),
        _Entry(_around_one(saturated), last=factor, signed=True),
        _Entry(_around_one(contrasted), last=factor, signed=True),
        _Entry(_around_one(sharpened), last=factor, signed=True),
        _Entry(posterized, first=8, last=bits, whole=True),
        _Entry(solarized, first=1, last=0),
        _Entry(_without_strength(stretched)),
        _Entry(_without_strength(equalized)),
    )


class _Policy(Augmentation):
    """Some operations one after the other, each drawn with its strength."""

    on_host: ClassVar[tuple[str, ...]] = ("operation",)

    bins: int = Field(default=31, ge=2, le=1000)

    def _space(self, size: tuple[int, int]) -> tuple[_Entry, ...]:
        raise NotImplementedError

    def _draws(
        self, operation: torch.Tensor, level: torch.Tensor, size: tuple[int, int], generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """Operations and levels (count, k) with the strengths that they mean for images of (H, W) `size`."""
        import torch

        entries = self._space(size)
        ranges = [torch.linspace(entry.first, entry.last, self.bins) for entry in entries]
        table = torch.stack(
            [values.round() if entry.whole else values for entry, values in zip(entries, ranges, strict=True)]
        )
        signed = torch.tensor([entry.signed for entry in entries])[operation]
        sign = 1 - 2 * (torch.rand(operation.shape, generator=generator) < 0.5).float() * signed
        return {"operation": operation, "strength": table[operation, level] * sign}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        height, width = images.shape[2:]
        changes = [entry.change for entry in self._space((height, width))]
        for operation, strength in zip(draws["operation"].unbind(1), draws["strength"].unbind(1), strict=True):
            images = in_groups(images, operation, changes, [strength] * len(changes))
        return images


class RandAugment(_Policy):
    """Applies some operations of fourteen to each image, all of the same magnitude.

        data:
          dataset: cifar10
          augment:
            - rand_augment: {operations: 2, magnitude: 9}

    `(N, C, H, W) -> (N, C, H, W)`; every image draws its own `operations` of: nothing, shear and translation along
    each axis, rotation, brightness, saturation, contrast, sharpness, posterize, solarize, autocontrast and equalize;
    the same one may come again. `magnitude` counts from 0, at which strengths change next to nothing, to `bins` - 1, at
    which they go furthest: shear by 0.3, translation by 45% of the image, rotation by 30 degrees, factors of 0.1 or
    1.9, 4 bits, all inverted. Shear to sharpness go either way. What moves into the image is black. Images of one
    channel have no saturation to change.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandAugment.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("random_augment", "randaug")

    operations: int = Field(default=2, ge=1, le=20)
    magnitude: int = Field(default=9, ge=0)

    @model_validator(mode="after")
    def _magnitude_is_one_of_the_bins(self) -> RandAugment:
        if self.magnitude >= self.bins:
            raise ValueError(f"`magnitude` counts from 0 to {self.bins - 1}, below `bins`; write `{self.bins - 1}`")
        return self

    def _space(self, size: tuple[int, int]) -> tuple[_Entry, ...]:
        height, width = size
        return _entries(slope=0.3, move=(150 / 331 * width, 150 / 331 * height), turn=30, factor=0.9, bits=4)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`operation` int64 and `strength` float32: (count, operations)."""
        import torch

        operation = torch.randint(len(self._space(size)), (count, self.operations), generator=generator)
        return self._draws(operation, torch.full_like(operation, self.magnitude), size, generator)


class TrivialAugment(_Policy):
    """Applies one operation of fourteen to each image, of a magnitude of its own.

        data:
          dataset: cifar10
          augment:
            - trivial_augment

    `(N, C, H, W) -> (N, C, H, W)`; every image draws one of the operations of `rand_augment` and one of `bins` equally
    spaced magnitudes, from next to no change up to the wide space of the paper: shear by 0.99, translation by 32
    pixels, rotation by 135 degrees, factors of 0.01 or 1.99, 2 bits, all inverted. What moves into the image is black.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.TrivialAugmentWide.html
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("trivial_augment_wide",)

    def _space(self, size: tuple[int, int]) -> tuple[_Entry, ...]:
        return _entries(slope=0.99, move=(32, 32), turn=135, factor=0.99, bits=2)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`operation` int64 and `strength` float32: (count, 1)."""
        import torch

        operation = torch.randint(len(self._space(size)), (count, 1), generator=generator)
        level = torch.randint(self.bins, (count, 1), generator=generator)
        return self._draws(operation, level, size, generator)


def _around_one(change: Operation) -> Operation:
    """The operation for a strength that is added to the factor 1."""
    return lambda images, strength: change(images, 1 + strength)


def _without_strength(change: Callable[[torch.Tensor], torch.Tensor]) -> Operation:
    return lambda images, strength: change(images)


def _slanted_across(images: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Each row moved left by a part of how far it is below the upper side."""
    return _read(images, 1.0, slope, slope * (images.shape[2] / 2), 0.0, 1.0, 0.0)


def _slanted_down(images: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Each column moved up by a part of how far it is from the left side."""
    return _read(images, 1.0, 0.0, 0.0, slope, 1.0, slope * (images.shape[3] / 2))


def _moved_across(images: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """To the right, by whole pixels."""
    return _read(images, 1.0, 0.0, -pixels.trunc(), 0.0, 1.0, 0.0)


def _moved_down(images: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """By whole pixels."""
    return _read(images, 1.0, 0.0, 0.0, 0.0, 1.0, -pixels.trunc())


def _turned(images: torch.Tensor, degrees: torch.Tensor) -> torch.Tensor:
    """Counterclockwise."""
    angle = degrees.double().deg2rad()
    return _read(images, angle.cos(), -angle.sin(), 0.0, angle.sin(), angle.cos(), 0.0)


def _read(images: torch.Tensor, *map_entries: torch.Tensor | float) -> torch.Tensor:
    return Resampling(interpolation="nearest")(images, matrices(*map_entries))
