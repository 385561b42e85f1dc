"""Changing grey levels, each channel for itself: inverting, thinning out and spreading them.

The functions take images (N, C, H, W) uint8, and give back the like in the same memory format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from specforge.catalog.augmentations.definition import OccasionalAugmentation
from specforge.catalog.augmentations.ranges import Brightness

if TYPE_CHECKING:
    import torch

_LEVELS = 256


class Invert(OccasionalAugmentation):
    """Makes an image its negative with a probability.

        data:
          dataset: cifar10
          augment:
            - invert: 0.1

    `(N, C, H, W) -> (N, C, H, W)`; black becomes white in every channel. `probability` is that of each image.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomInvert.html
    """

    main: ClassVar[str | None] = "probability"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_invert", "negative")

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return 255 - images


class Solarize(OccasionalAugmentation):
    """Inverts the bright pixels of an image with a probability.

        data:
          dataset: cifar10
          augment:
            - solarize: {threshold: 0.5, probability: 0.2}

    `(N, C, H, W) -> (N, C, H, W)`; values from `threshold` on are inverted, in each channel. It is a brightness from 0,
    which inverts all, to 1, which inverts full white only. `probability` is that of each image.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomSolarize.html
    """

    main: ClassVar[str | None] = "threshold"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_solarize", "solarise", "solarization")

    threshold: Brightness = 0.5

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        return solarized(images, torch.full((len(images),), self.threshold, device=images.device))


class Posterize(OccasionalAugmentation):
    """Leaves an image fewer grey levels with a probability.

        data:
          dataset: cifar10
          augment:
            - posterize: {bits: 4, probability: 0.2}

    `(N, C, H, W) -> (N, C, H, W)`; `bits` of each value are kept, 1 to 8: 4 leave 16 levels, 8 change nothing. The rest
    becomes zero, so that the image gets darker. `probability` is that of each image.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomPosterize.html
    """

    main: ClassVar[str | None] = "bits"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_posterize", "posterise")

    bits: int = Field(ge=1, le=8)

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return images & (_LEVELS - (_LEVELS >> self.bits))


class Autocontrast(OccasionalAugmentation):
    """Stretches the grey levels of an image to the whole range with a probability.

        data:
          dataset: cifar10
          augment:
            - autocontrast: 0.2

    `(N, C, H, W) -> (N, C, H, W)`; in each channel the darkest value becomes 0 and the brightest full, in between in
    proportion; a channel of one value stays. `probability` is that of each image.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAutocontrast.html
    """

    main: ClassVar[str | None] = "probability"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_autocontrast", "auto_contrast")

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return stretched(images)


class Equalize(OccasionalAugmentation):
    """Spreads the grey levels of an image so that all are about equally frequent, with a probability.

        data:
          dataset: cifar10
          augment:
            - equalize: 0.2

    `(N, C, H, W) -> (N, C, H, W)`, in each channel. `probability` is that of each image. What has fewer than 255 pixels
    below its brightest value stays as it is: a smaller image has no histogram to speak of.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomEqualize.html
    """

    main: ClassVar[str | None] = "probability"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_equalize", "equalise", "histogram_equalization")

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return equalized(images)


def solarized(images: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """Inverted from a brightness (N,) on, 0 to 1."""
    import torch

    return torch.where(images >= 255 * threshold[:, None, None, None], 255 - images, images)


def posterized(images: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Only so many (N,) high bits kept, whole numbers from 0 to 8."""
    import torch

    kept = _LEVELS - torch.exp2(8 - bits)
    return images & kept.to(torch.uint8)[:, None, None, None]


def stretched(images: torch.Tensor) -> torch.Tensor:
    """Each channel from 0 to 255, unless it has one value only."""
    import torch

    least, most = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    span, least = torch.where(most > least, most - least, 255), torch.where(most > least, least, 0)
    # exact: 255 times a difference is a whole number, and a quotient of such small ones is never rounded up to the next
    return ((images - least) * 255.0).div_(span).to(torch.uint8)


def equalized(images: torch.Tensor) -> torch.Tensor:
    """Each channel by a table from its own histogram, made in whole numbers, as Pillow makes it."""
    import torch

    levels = images.flatten(2).to(torch.int64)  # (N, C, H W)
    counts = torch.zeros(*levels.shape[:2], _LEVELS, dtype=torch.int64, device=images.device)
    counts.scatter_add_(2, levels, levels.new_ones(1).expand_as(levels))
    brightest = counts.gather(2, levels.amax(2, keepdim=True))
    width = (levels.shape[2] - brightest) // 255  # pixels for each new level
    below = counts.cumsum(2) - counts
    table = ((below + width // 2) // width.clamp(min=1)).clamp_(max=255)
    spread = torch.where(width > 0, table.gather(2, levels), levels)
    return torch.empty_like(images).copy_(spread.view(images.shape))
