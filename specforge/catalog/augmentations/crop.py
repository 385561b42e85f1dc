"""Moving an image within its frame by cropping a padded copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.definition import Unit

if TYPE_CHECKING:
    import torch


class Crop(Augmentation):
    """Pads each image on all sides and crops it back to its size at a random place.

        data:
          dataset: cifar10
          augment:
            - crop: {padding: 4, fill: reflect}

    `(N, C, H, W) -> (N, C, H, W)`; every image moves by its own whole number of pixels, -padding to padding along
    each axis, all equally likely. `fill` says what appears at the edge: `constant` is black (before normalisation),
    `reflect` mirrors without repeating the edge pixel, `nearest` repeats it.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomCrop.html
    """

    main: ClassVar[str | None] = "padding"

    padding: Annotated[int, Unit("pixels")] = Field(default=4, ge=1, le=256, description="pixels on each side")
    fill: Literal["constant", "reflect", "nearest"] = "constant"

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`top` and `left`: (count,) int64, where the crop starts in the padded image, 0 to twice the padding."""
        import torch

        top, left = torch.randint(2 * self.padding + 1, (2, count), generator=generator)
        return {"top": top, "left": left}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        count, _, height, width = images.shape
        # (N, C, places down, places across, H, W): a view of every possible crop, of which one is copied per image
        crops = self._padded(images).unfold(2, height, 1).unfold(3, width, 1)
        return crops[torch.arange(count, device=images.device), :, draws["top"], draws["left"]]

    def _padded(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H + 2 padding, W + 2 padding), in the memory format of the images."""
        import torch

        if self.fill == "constant":
            return torch.nn.functional.pad(images, (self.padding,) * 4)
        rows, columns = (self._source(length, images.device) for length in images.shape[2:])
        images_nhwc = images.permute(0, 2, 3, 1).index_select(1, rows).index_select(2, columns)
        padded = images_nhwc.permute(0, 3, 1, 2)
        return padded.contiguous() if images.is_contiguous() else padded

    def _source(self, length: int, device: torch.device) -> torch.Tensor:
        """Which row (or column) of the image each row of the padded image repeats."""
        import torch

        place = torch.arange(-self.padding, length + self.padding, device=device)
        if self.fill == "nearest":
            return place.clamp(0, length - 1)
        # a reflection of a reflection, where the padding is longer than the image: back and forth, forever
        period = max(2 * (length - 1), 1)
        place = place.remainder(period)
        return torch.minimum(place, period - place) if length > 1 else torch.zeros_like(place)
