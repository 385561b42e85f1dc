"""Making images softer or sharper.

The functions take images (N, C, H, W) uint8 and a strength for each (N,) float32, and give back the like in the same
memory format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from specforge.catalog.augmentations.definition import OccasionalAugmentation
from specforge.catalog.augmentations.ranges import Range, between, in_order

if TYPE_CHECKING:
    import torch


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"odd, so that it has a middle; write `{value + 1}`")
    return value


class Blur(OccasionalAugmentation):
    """Blurs each image with a Gaussian of its own width.

        data:
          dataset: cifar10
          augment:
            - blur: {kernel_size: 5, sigma: [0.1, 2.0], probability: 0.5}

    `(N, C, H, W) -> (N, C, H, W)`; `kernel_size` is the number of pixels along each axis that count, odd. `sigma` is
    the Gaussian's standard deviation in pixels, or the range that it is drawn from. `probability` is that of each
    image. At the border the image goes on mirrored, without repeating the edge.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.GaussianBlur.html
    """

    main: ClassVar[str | None] = "kernel_size"
    also_known_as: ClassVar[tuple[str, ...]] = ("gaussian_blur",)

    kernel_size: Annotated[int, AfterValidator(_odd)] = Field(ge=3, le=255)
    sigma: Annotated[float | Range, AfterValidator(in_order(0, float("inf"), above=True))] = (0.1, 2.0)
    probability: float = Field(default=1.0, ge=0, le=1)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`chosen`: (count,) bool, and `sigma`: (count,) float32."""
        limits = self.sigma if isinstance(self.sigma, tuple) else (self.sigma, self.sigma)
        return super().draw(count, size, generator) | {"sigma": between(limits, (count,), generator)}

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        return blurred(images, draws["sigma"], self.kernel_size)


class Sharpness(OccasionalAugmentation):
    """Makes an image sharper, or softer, with a probability.

        data:
          dataset: cifar10
          augment:
            - sharpness: {factor: 2, probability: 0.5}

    `(N, C, H, W) -> (N, C, H, W)`; `factor` 0 is the image smoothed over 3×3 pixels, 1 changes nothing, 2 goes as far
    to the other side. `probability` is that of each image. The outermost pixels stay, as do images of fewer than 3 rows
    or columns.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.RandomAdjustSharpness.html
    """

    main: ClassVar[str | None] = "factor"
    also_known_as: ClassVar[tuple[str, ...]] = ("random_adjust_sharpness", "adjust_sharpness", "sharpen")

    factor: float = Field(ge=0)

    def change(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        return sharpened(images, torch.full((len(images),), float(self.factor), device=images.device))


def blurred(images: torch.Tensor, sigma: torch.Tensor, kernel_size: int) -> torch.Tensor:
    """By a Gaussian of that many pixels in standard deviation, one axis after the other."""
    import torch

    offset = torch.arange(kernel_size, device=images.device) - kernel_size // 2
    weights = torch.softmax(-0.5 * (offset / sigma[:, None]) ** 2, 1)[:, :, None, None, None]
    values = images.to(torch.float32)
    for axis in (2, 3):
        padded, total = _mirrored(values, axis, kernel_size // 2), torch.zeros_like(values)
        for tap in range(kernel_size):
            total.addcmul_(padded.narrow(axis, tap, images.shape[axis]), weights[:, tap])
        values = total
    return values.round_().to(torch.uint8)


def sharpened(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """0 is smoothed, 1 changes nothing, more is sharper."""
    import torch

    if min(images.shape[2:]) < 3:
        return images
    values = images.to(torch.float32)
    inside = values[:, :, 1:-1, 1:-1]
    columns = values[..., :-2] + values[..., 1:-1] + values[..., 2:]
    block = columns[:, :, :-2] + columns[:, :, 1:-1] + columns[:, :, 2:]
    # the pixel itself counts five times; sums of bytes are whole numbers, exact in float32
    smooth = block.add_(inside, alpha=4).div_(13).round_()
    inside.addcmul_(smooth.sub_(inside), 1 - factor[:, None, None, None])
    return values.clamp_(0, 255).to(torch.uint8)


def _mirrored(values: torch.Tensor, axis: int, border: int) -> torch.Tensor:
    """Longer by `border` at both ends of an axis, mirrored there, back and forth on a short axis."""
    import torch

    length = values.shape[axis]
    period = max(2 * (length - 1), 1)
    place = torch.arange(-border, length + border, device=values.device).remainder(period)
    place = torch.minimum(place, period - place).clamp(max=length - 1)
    # gathered in the order of memory, which a gather of permuted images would not keep
    if values.is_contiguous():
        return values.index_select(axis, place)
    return values.permute(0, 2, 3, 1).index_select(axis - 1, place).permute(0, 3, 1, 2)
