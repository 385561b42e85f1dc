"""Random values for every pixel.

A seed for each image is drawn, not the values: they would be as many bytes to move as the images and more. The values
are computed on the device from the seed and the pixel's number, so the same draws give the same noise everywhere.
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from specforge.catalog.augmentations.definition import Augmentation
from specforge.catalog.augmentations.ranges import Brightness

if TYPE_CHECKING:
    import torch

_BITS = 32


class Noise(Augmentation):
    """Adds Gaussian noise to every value of every image.

        data:
          dataset: cifar10
          augment:
            - noise: 0.05

    `(N, C, H, W) -> (N, C, H, W)`; `std` is the standard deviation on a scale of 0 (black) to 1. Every value gets its
    own noise; results are rounded to whole grey levels and cut off at black and at full.

    Source: https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.GaussianNoise.html
    """

    main: ClassVar[str | None] = "std"
    also_known_as: ClassVar[tuple[str, ...]] = ("gaussian_noise", "random_noise", "gauss_noise")

    std: Brightness = Field(gt=0)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> dict[str, torch.Tensor]:
        """`seed`: (count, 2) int64."""
        return {"seed": seeds(count, generator)}

    def apply(self, images: torch.Tensor, draws: dict[str, torch.Tensor]) -> torch.Tensor:
        import torch

        noise = normal(draws["seed"], images[0].numel()).view(images.shape)
        values = torch.empty_like(images, dtype=torch.float32).copy_(noise)
        return values.mul_(255 * self.std).add_(images).round_().clamp_(0, 255).to(torch.uint8)


def seeds(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count, 2) int64 of 32 random bits each, on the CPU."""
    import torch

    return torch.randint(2**_BITS, (count, 2), generator=generator)


def random_bits(seed: torch.Tensor, count: int) -> torch.Tensor:
    """(N, 2) seeds -> (N, count) int64 of 32 bits, as good as random and different for each pair of seeds."""
    import torch

    number = torch.arange(count, device=seed.device)
    return _mixed(_mixed(number + seed[:, :1]).bitwise_xor_(seed[:, 1:]))


def normal(seed: torch.Tensor, count: int) -> torch.Tensor:
    """(N, 2) seeds -> (N, count) float32 of the standard normal distribution, by Box and Muller's method."""
    import torch

    half = (count + 1) // 2
    # the middles of 2**23 equal parts of 0..1, all of them exact in float32, so that no logarithm is of 0
    uniform = ((random_bits(seed, 2 * half) >> 9).to(torch.float32) + 0.5) * 2.0**-23
    radius, angle = (-2 * uniform[:, :half].log()).sqrt_(), uniform[:, half:] * (2 * pi)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], 1)[:, :count]


def _mixed(bits: torch.Tensor) -> torch.Tensor:
    """In place: a one-to-one map of 32 bits in which each bit of the input flips each bit of the output half the time.

    Multiplies by odd constants and folds upper bits into lower ones; constants of Chris Wellons, "Prospecting for Hash
    Functions" (2018). Signed constants are equal to his modulo 2**32 and keep every product below 2**63.
    """
    mask = 2**_BITS - 1
    bits.bitwise_and_(mask)
    bits.bitwise_xor_(bits >> 16).mul_(0x21F0AAAD).bitwise_and_(mask)
    bits.bitwise_xor_(bits >> 15).mul_(0xD35A2D97 - 2**_BITS).bitwise_and_(mask)
    return bits.bitwise_xor_(bits >> 15)
