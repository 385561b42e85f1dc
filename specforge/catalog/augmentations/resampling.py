"""Reading images at places between and beyond their pixels.

In: images (N, C, H, W) uint8, and for each output pixel the place that it shows. Out: images of the same kind and
memory format. Places are measured in pixels from the image's centre, x to the right and y down, so that the middle of
a 4x4 image's top left pixel is at (-1.5, -1.5). An affine map of places is a matrix (N, 2, 3): it takes an output pixel
(x, y, 1) to the place that it shows, which is the inverse of where a pixel goes.

    Resampling(fill="nearest")(images, composed([first, second]))    # `first` applied, then `second`, read once
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from specforge.catalog.augmentations.ranges import grey_levels

if TYPE_CHECKING:
    import torch

Fill = Literal["constant", "nearest", "reflect", "symmetric"]
Interpolation = Literal["bilinear", "nearest"]


@dataclass(frozen=True, slots=True)
class Resampling:
    """What is read between pixels (`interpolation`) and beyond the edge (`fill`, with `value` for a constant).

    `reflect` mirrors about the middle of the edge's pixels, `symmetric` about their outer side, so that the edge comes
    twice. `value` is 0 for black to 1, for all channels or each.
    """

    fill: Fill = "constant"
    value: float | tuple[float, ...] = 0.0
    interpolation: Interpolation = "bilinear"

    def __call__(self, images: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
        """Every image read where its matrix (N, 2, 3) says."""
        return _as_bytes(self.levels(images, matrices), images)

    def levels(self, images: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
        """The same in float32, whole numbers: whoever goes on with floats is spared two conversions."""
        import torch

        count, _, height, width = images.shape
        grid = torch.empty((count, 2, height, width), dtype=torch.float32, device=images.device)
        # broadcast sums, no matrix product: that would be rounded to 10 bits where TF32 is allowed
        matrices = matrices.to(torch.float32)[..., None, None]
        across, down = centred(width, images.device), centred(height, images.device)[:, None]
        for axis, row in enumerate(matrices.unbind(1)):
            torch.add(row[:, 0] * across, row[:, 1] * down + row[:, 2], out=grid[:, axis])
        return self._levels(images, grid)

    def at(self, images: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Every image read at places of its own: `x` and `y` are float32 and broadcast to (N, H, W)."""
        import torch

        count, _, height, width = images.shape
        grid = torch.empty((count, 2, height, width), dtype=torch.float32, device=images.device)
        for axis, places in enumerate((x, y)):
            grid[:, axis].copy_(places)
        return _as_bytes(self._levels(images, grid), images)

    def _levels(self, images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        """Read at the places (N, 2, H, W), x and y, which are changed to torch's."""
        for axis, length in enumerate((images.shape[3], images.shape[2])):
            grid[:, axis].mul_(self._unit(length))
        return self._read(images, grid.permute(0, 2, 3, 1)).round_()

    def _unit(self, length: int) -> float:
        """How long a pixel is for torch, which measures an axis from -1 to 1.

        Its ends are the outer sides of the edge's pixels, or for `reflect` their middles: it mirrors at the ends.
        """
        return 2 / max(length - 1, 1) if self.fill == "reflect" else 2 / length

    def _read(self, images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        """The values, not yet rounded: float32."""
        import torch
        from torch.nn.functional import grid_sample

        padding = {"constant": "zeros", "nearest": "border", "reflect": "reflection", "symmetric": "reflection"}
        values, colour = images.to(torch.float32), None
        if self.fill == "constant" and self.value != 0:
            colour = grey_levels(self.value, images.device)
            values = values - colour  # torch fills with zeros only
        read = grid_sample(values, grid, self.interpolation, padding[self.fill], align_corners=self.fill == "reflect")
        return read if colour is None else read.add_(colour)


def _as_bytes(levels: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.empty_like(like).copy_(levels)


def centred(length: int, device: torch.device) -> torch.Tensor:
    """The places of an axis's pixels: (length,) float32."""
    import torch

    return torch.arange(length, dtype=torch.float32, device=device) - (length - 1) / 2


def matrices(*entries: torch.Tensor | float) -> torch.Tensor:
    """(N, 2, 3) float64 from six entries, row by row: a tensor (N,) each, or a number for all images."""
    import torch

    like = next(entry for entry in entries if isinstance(entry, torch.Tensor))
    columns = [entry if isinstance(entry, torch.Tensor) else torch.full_like(like, entry) for entry in entries]
    # entries lie apart in memory and images together: loops run over many images, not over three entries
    return torch.stack([column.to(torch.float64) for column in columns]).view(2, 3, -1).permute(2, 0, 1)


def composed(maps: Sequence[torch.Tensor]) -> torch.Tensor:
    """The map of several augmentations that are applied one after the other, first to last.

    Single products and sums only: each result is then the same whatever else is in the batch.
    """
    whole = maps[0]
    for following in maps[1:]:
        product = whole[:, :, :1] * following[:, :1] + whole[:, :, 1:2] * following[:, 1:]
        product[:, :, 2] += whole[:, :, 2]
        whole = product
    return whole
