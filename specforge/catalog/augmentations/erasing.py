"""Hiding parts of images, so that the network must look at the rest as well."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.augmentations.noise import random_bits, seeds
from specforge.catalog.augmentations.ranges import Range, Shade, between, grey_levels, in_order
from specforge.catalog.definition import Extent, Unit

if TYPE_CHECKING:
    import torch

_TRIES = 10  # of a rectangle that fits into the image; torchvision's number


def _two(size: int | tuple[int, ...]) -> int | tuple[int, ...]:
    if isinstance(size, tuple) and len(size) != 2:
        raise ValueError("a whole number, or a list of two: height and width")
    return size


class Cutout(Augmentation):
    """Covers a square around a random pixel of each image.

        data:
          dataset: cifar10
          augment:
            - cutout: {size: 8}

    `(N, C, H, W) -> (N, C, H, W)`; `size` is the side in pixels, or a list of height and width. All pixels are equally
    likely to be the middle, so that a square may lie partly outside the image. `holes` is the number of squares, which
    may overlap. `value` is what covers them, from 0 (black) to 1 before normalisation, or a list with a number for each
    channel: the data's `mean` becomes zero after normalisation, as in the paper. Errors: a `value` with another number
    of channels than the images.

    Source: https://arxiv.org/abs/1708.04552 (Improved Regularization of CNNs with Cutout, DeVries and Taylor, 2017)
    """

    main: ClassVar[str | None] = "size"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_cutout", "coarse_dropout")

    size: Annotated[Extent, AfterValidator(_two), Unit("pixels")]
    holes: int = Field(default=1, ge=1, le=100)
    value: Shade = 0.0

    @property
    def needs_channels(self) -> tuple[int, str] | None:
        return (len(self.value), "value") if isinstance(self.value, tuple) and len(self.value) > 1 else None

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`row` and `column`: (count, holes) int64, the middle of each square (of its right or lower half, if even)."""
        import torch

        row, column = (torch.randint(length, (count, self.holes), generator=generator) for length in size)
        return {"row": row, "column": column}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        height, width = self.size if isinstance(self.size, tuple) else (self.size,) * 2
        hidden = torch.zeros(len(images), 1, *images.shape[2:], dtype=torch.bool, device=images.device)
        for row, column in zip(draws["row"].unbind(1), draws["column"].unbind(1), strict=True):
            top, left = row - height // 2, column - width // 2
            hidden |= _rectangle(images, (top, top + height), (left, left + width))
        return _covered(images, hidden, grey_levels(self.value, images.device))


class RandomErasing(Augmentation):
    """Covers a rectangle of random area, shape and place with a probability.

        data:
          dataset: cifar10
          augment:
            - random_erasing: {probability: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: random}

    `(N, C, H, W) -> (N, C, H, W)`; `probability` is that of each image. `scale` is the range of the rectangle's share
    of the image's area. `ratio` is the range of its height divided by its width; a ratio and its inverse are equally
    likely. `value` is what covers it: `random` for a random value in every pixel and channel, a number from 0 (black)
    to 1 before normalisation, or a list of that for each channel. A rectangle lies within the image and is smaller
    along both axes; where ten tries find none, the image stays as it is. Errors: a `value` with another number of
    channels than the images.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomErasing.html
    """

    main: ClassVar[str | None] = "probability"
    also_known_as: ClassVar[tuple[str, ...]] = ("erasing", "random_erase", "erase")

    probability: float = Field(default=0.5, ge=0, le=1)
    scale: Annotated[Range, AfterValidator(in_order(0, 1, above=True))] = (0.02, 0.33)
    ratio: Annotated[Range, AfterValidator(in_order(0, float("inf"), above=True))] = (0.3, 3.3)
    value: Literal["random"] | Shade = 0.0

    @property
    def needs_channels(self) -> tuple[int, str] | None:
        return (len(self.value), "value") if isinstance(self.value, tuple) and len(self.value) > 1 else None

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`top`, `bottom`, `left` and `right`: (count,) int64, half-open; all 0 where nothing is covered.

        With `value: random` also `seed`: (count, 2) int64.
        """
        import torch

        (height, width), (shortest, tallest) = size, self.ratio
        chosen = torch.rand(count, generator=generator) < self.probability
        area = between(self.scale, (count, _TRIES), generator) * height * width
        ratio = between((log(shortest), log(tallest)), (count, _TRIES), generator).exp()
        high, wide = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
        fits = (high < height) & (wide < width)
        first = fits.int().argmax(
            1, keepdim=True
        )  # of the tries, the first that fits; the first of all where none does
        covers = chosen & fits.any(1)
        high, wide = (length.gather(1, first).squeeze(1) * covers for length in (high, wide))
        top, left = (
            (torch.rand(count, generator=generator, dtype=torch.float64) * (whole - length + 1)).long() * covers
            for whole, length in ((height, high), (width, wide))
        )
        draws = {"top": top, "bottom": top + high, "left": left, "right": left + wide}
        return draws | ({"seed": seeds(count, generator)} if self.value == "random" else {})

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        hidden = _rectangle(images, (draws["top"], draws["bottom"]), (draws["left"], draws["right"]))
        if self.value == "random":
            values = (random_bits(draws["seed"], images[0].numel()) >> 24).to(torch.uint8).view(images.shape)
            return _covered(images, hidden, values)
        return _covered(images, hidden, grey_levels(self.value, images.device))


def _rectangle(
    images: torch.Tensor, rows: tuple[torch.Tensor, torch.Tensor], columns: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Which pixels lie from a row and column up to others, each (N,): (N, 1, H, W) bool."""
    import torch

    inside = []
    for (start, stop), length in ((rows, images.shape[2]), (columns, images.shape[3])):
        place = torch.arange(length, device=images.device)
        inside.append((place >= start[:, None]) & (place < stop[:, None]))
    return inside[0][:, None, :, None] & inside[1][:, None, None, :]


def _covered(images: torch.Tensor, hidden: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The images, with the values where they are hidden, in the memory format of the images."""
    import torch

    covered = torch.empty_like(images)
    torch.where(hidden, values, images, out=covered)
    return covered
