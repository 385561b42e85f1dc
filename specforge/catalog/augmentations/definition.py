"""What an augmentation is: parameters drawn for every sample, then applied to the whole batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from specforge.catalog.definition import Definition

if TYPE_CHECKING:
    import torch


class Augmentation(Definition):
    """A change of training images, drawn per sample and applied batched, on the device.

    Drawing is apart from applying, so that a test can apply the same draws with torchvision's function.
    """

    family: ClassVar[str] = "augmentations"

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Parameters for `count` images of (H, W) `size`, one row each, on the CPU."""
        raise NotImplementedError

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        """Images (N, C, H, W) uint8 -> (N, C, H', W') uint8, each changed by its row of the draws."""
        raise NotImplementedError
