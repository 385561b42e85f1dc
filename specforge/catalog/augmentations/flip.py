"""Mirroring, for data whose class does not depend on left and right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from specforge.catalog.augmentations.definition import Augmentation

if TYPE_CHECKING:
    import torch


class HorizontalFlip(Augmentation):
    """Mirrors each image left to right with a probability.

        data:
          dataset: cifar10
          augment:
            - horizontal_flip: 0.5

    `(N, C, H, W) -> (N, C, H, W)`; every image is drawn for on its own.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomHorizontalFlip.html
    """

    main: ClassVar[str | None] = "probability"

    probability: float = Field(default=0.5, ge=0, le=1)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`flip`: (count,) bool."""
        import torch

        return {"flip": torch.rand(count, generator=generator) < self.probability}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        # both branches are computed: picking rows by the mask would make a GPU wait for their number
        return torch.where(draws["flip"][:, None, None, None], images.flip(-1), images)
