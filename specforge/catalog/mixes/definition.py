"""What a mix is: two images of a batch become one, and so do their labels. Drawn once for a batch, then applied.

Legend of shapes: N images of C channels, H rows, W columns; `images_nhwc` has them in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from specforge.catalog.definition import Definition

if TYPE_CHECKING:
    import numpy as np
    import torch

# Beta(alpha, alpha): beyond these bounds it is a coin, or always one half, as far as a float can tell
Alpha = Annotated[float, Field(ge=1e-3, le=1e3)]


@dataclass(frozen=True, slots=True)
class Draw:
    """One batch's numbers: what an image keeps of itself, the row of each one's partner (N,) int64, and a place.

    `share` is between 0 and 1. `place` is that of a box's middle, down and across, as shares of height and width.
    """

    share: float
    partners: torch.Tensor
    place: tuple[float, float]


class Mix(Definition):
    """Mixes each image of a training batch with a partner from the same batch; the loss is mixed in the same shares.

    Drawing is apart from applying, so that a test can apply the same draws with torchvision's function.
    """

    family: ClassVar[str] = "mixes"
    main: ClassVar[str | None] = "alpha"

    alpha: Alpha = 1.0
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0

    def draw(self, count: int, random: np.random.RandomState) -> Draw | None:
        """The numbers for a batch of `count` images, on the CPU; None for a batch that stays as it is."""
        import torch

        if random.random_sample() >= self.probability:
            return None
        share = random.beta(self.alpha, self.alpha)
        partners = torch.from_numpy(random.permutation(count)).to(torch.int64)
        return Draw(share, partners, (random.random_sample(), random.random_sample()))

    def apply(self, images: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, float]:
        """Normalised images (N, C, H, W) -> mixed ones in the same layout, and the share that each kept of itself.

        The draw's partners are on the images' device.
        """
        raise NotImplementedError
