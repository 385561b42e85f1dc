"""What an augmentation is: parameters drawn for every sample, then applied to the whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from specforge.catalog.augmentations.ranges import Shade
from specforge.catalog.augmentations.resampling import Fill, Interpolation, Resampling
from specforge.catalog.definition import Definition

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Moment:
    """What a step's draws may follow from besides the generator, for those that an image keeps from epoch to epoch.

    `rows` (count,) int64 on the CPU are the images' rows of the data set. `epoch` counts from 0; for test-time views,
    it is the view's number. `key` is the augmentation's own: the same in every step and epoch of a run.
    """

    rows: torch.Tensor
    epoch: int
    key: int


class Augmentation(Definition):
    """A change of training images, drawn per sample and applied batched, on the device.

    Drawing is apart from applying, so that a test can apply the same draws with torchvision's function. All draws go
    to the device but those whose names are in `on_host`: which rows take which operation is decided without asking the
    device, which would have to finish its work first.
    """

    family: ClassVar[str] = "augmentations"
    on_host: ClassVar[tuple[str, ...]] = ()

    @property
    def needs_channels(self) -> tuple[int, str] | None:
        """How many channels an image must have, and the argument that asks for it ("" for the word itself)."""
        return None

    @property
    def is_slight(self) -> bool:
        """Whether it changes so little that it spoils no image, not even of a character."""
        return False

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Parameters for `count` images of (H, W) `size`, one row each, on the CPU."""
        raise NotImplementedError

    def draw_at(self, moment: Moment, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """What `draw` gives, for the images of a moment; an augmentation whose draws are keyed by image has its own."""
        return self.draw(len(moment.rows), size, generator)

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        """Images (N, C, H, W) uint8 -> (N, C, H', W') uint8, each changed by its row of the draws."""
        raise NotImplementedError


class OccasionalAugmentation(Augmentation):
    """A change that each image meets with a `probability`; the others stay as they are."""

    probability: float = Field(default=0.5, ge=0, le=1)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`chosen`: (count,) bool."""
        import torch

        return {"chosen": torch.rand(count, generator=generator) < self.probability}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        # all are changed: picking rows by the mask would make a GPU wait for their number
        return torch.where(draws["chosen"][:, None, None, None], self.change(images, draws), images)

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        """Every image changed, in the memory format of the images."""
        raise NotImplementedError


class GeometricAugmentation(Augmentation):
    """A change that moves pixels by an affine map, so that it and its neighbours can be applied as one.

    Maps are what `resampling.py` says: where an output pixel reads.
    """

    @property
    def resampling(self) -> Resampling | None:
        """How it reads between and beyond pixels; None where it only moves pixels as they are, as a flip does."""
        return None

    def maps(self, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        """The draws as matrices (count, 2, 3) float64."""
        raise NotImplementedError


class ResampledAugmentation(GeometricAugmentation):
    """A geometric change whose pixels are read between and beyond those of the image."""

    fill: Fill = "constant"
    value: Shade = 0.0
    interpolation: Interpolation = "bilinear"

    @model_validator(mode="after")
    def _value_is_used(self) -> ResampledAugmentation:
        if "value" in self.model_fields_set and self.fill != "constant":
            raise ValueError("`value` is the colour of `fill: constant`; remove it")
        return self

    @property
    def needs_channels(self) -> tuple[int, str] | None:
        return (len(self.value), "value") if isinstance(self.value, tuple) and len(self.value) > 1 else None

    @property
    def resampling(self) -> Resampling:
        return Resampling(self.fill, self.value, self.interpolation)

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.resampling(images, self.maps(draws))
