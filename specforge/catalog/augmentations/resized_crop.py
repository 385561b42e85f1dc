"""Cropping a part of any size and shape, and enlarging it to the image's size."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.augmentations.ranges import Range, in_order
from specforge.catalog.augmentations.resampling import Interpolation, Resampling, centred

if TYPE_CHECKING:
    import torch

_TRIES = 10


class ResizedCrop(Augmentation):
    """Crops a random part of each image and enlarges it to the image's size.

        data:
          dataset: cifar10
          augment:
            - resized_crop: {scale: [0.25, 1], ratio: [0.75, 1.3333]}

    `(N, C, H, W) -> (N, C, H, W)`; every image has a part of its own. `scale` is the range of its area, as a part of
    the image's. `ratio` is the range of its width over its height; logarithms are equally likely. Of ten tries, the
    first that fits into the image is taken, at any of its places; where none fits, the largest part in the middle of
    that ratio. `interpolation` is `bilinear` or `nearest`. Nothing from beyond the part is read, so that nothing has to
    be filled in.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomResizedCrop.html
    """

    main: ClassVar[str | None] = "scale"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_resized_crop", "random_sized_crop", "inception_crop")

    scale: Annotated[Range, AfterValidator(in_order(0, 1, above=True))] = (0.08, 1.0)
    ratio: Annotated[Range, AfterValidator(in_order(0, 100, above=True))] = (3 / 4, 4 / 3)
    interpolation: Interpolation = "bilinear"

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`top`, `left`, `height` and `width` of each part: (count,) int64, pixels."""
        import torch

        heights, widths, fits = self._tries(count, size, generator)
        found, first = fits.any(1), fits.int().argmax(1, keepdim=True)
        largest_height, largest_width = self._largest(size)
        height = torch.where(found, heights.gather(1, first)[:, 0], largest_height)
        width = torch.where(found, widths.gather(1, first)[:, 0], largest_width)
        free = torch.stack([size[0] - height, size[1] - width])
        place = torch.rand((2, count), generator=generator, dtype=torch.float64)
        top, left = torch.where(found, (place * (free + 1)).long(), free // 2)
        return {"top": top, "left": left, "height": height, "width": width}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        height, width = images.shape[2:]
        places = _whole_places if self.interpolation == "nearest" else _between_places
        x = places(draws["left"], draws["width"], width)[:, None]
        y = places(draws["top"], draws["height"], height)[:, :, None]
        return Resampling(fill="nearest", interpolation=self.interpolation).at(images, x, y)

    def _tries(
        self, count: int, size: tuple[int, int], generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Heights, widths and whether the part fits: (count, tries)."""
        import torch

        drawn = torch.rand((2, count, _TRIES), generator=generator, dtype=torch.float64)
        (least, most), (low, high) = self.scale, (log(end) for end in self.ratio)
        area = size[0] * size[1] * (least + (most - least) * drawn[0])
        ratio = (low + (high - low) * drawn[1]).exp()
        height, width = (area / ratio).sqrt().round().long(), (area * ratio).sqrt().round().long()
        return height, width, (height > 0) & (height <= size[0]) & (width > 0) & (width <= size[1])

    def _largest(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the largest part whose ratio is allowed."""
        height, width = size
        if width / height < self.ratio[0]:
            return max(1, min(height, round(width / self.ratio[0]))), width
        if width / height > self.ratio[1]:
            return height, max(1, min(width, round(height * self.ratio[1])))
        return height, width


def _between_places(start: torch.Tensor, extent: torch.Tensor, length: int) -> torch.Tensor:
    """Which places of an axis the output's pixels show: (N, length) float32, none outside the part."""
    import torch

    first, last = (end[:, None].to(torch.float32) - (length - 1) / 2 for end in (start, start + extent - 1))
    within = (centred(length, start.device) / length) * extent[:, None]
    return torch.minimum(torch.maximum((first + last) / 2 + within, first), last)


def _whole_places(start: torch.Tensor, extent: torch.Tensor, length: int) -> torch.Tensor:
    """The same, each the middle of a pixel; in whole numbers, because half-way cases are common here."""
    import torch

    output = torch.arange(length, device=start.device)
    pixel = start[:, None] + (2 * output + 1) * extent[:, None] // (2 * length)
    return pixel.to(torch.float32) - (length - 1) / 2
