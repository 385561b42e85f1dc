"""Which images of a batch are a process's own, when several processes train together.

In: where a batch of the run lies in an epoch's order, and which of how many processes asks. Out: where its share lies.

    Shard(1, 2).training(slice(64, 128))    # slice(96, 128)

Shares are neighbours in the order and differ by one image at most. Training never divides down to single images, on
which batch normalisation can't be trained: a batch of fewer than two images for each process is computed by all of
them as it is, and each computation counts for its part.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from specforge.data.augmenting import Draws
from specforge.data.mixing import Mixed, Mixing


@dataclass(frozen=True, slots=True)
class Shard:
    """Process `number`, from 0, of so many."""

    number: int = 0
    count: int = 1

    def copies(self, images: int) -> int:
        """How many processes compute the same images of a training batch."""
        return self.count if 0 < images < 2 * self.count else 1

    def training(self, at: slice) -> slice:
        """The share of a training batch."""
        return at if self.copies(at.stop - at.start) == self.count else self.testing(at)

    def testing(self, at: slice) -> slice:
        """The share of a batch that is measured; it may be empty."""
        images = at.stop - at.start
        first, last = (at.start + images * number // self.count for number in (self.number, self.number + 1))
        return slice(first, last)


# a process that is alone has all of a batch
WHOLE = Shard()


@dataclass(frozen=True, slots=True)
class Whole:
    """The batch of the run that a batch is a process's share of: its labels (M,), and how they are mixed.

    `copies` says how many processes have all of it, `counts` whether this one's answers are those that are counted.
    """

    labels: Tensor
    mixed: Mixed | None
    copies: int
    counts: bool


def with_partners(own: slice, at: slice, mixing: Mixing | None) -> slice | Tensor:
    """What is read of an order for a share of the batch `at`: with images to mix, their partners come behind them."""
    if mixing is None:
        return own
    partners = mixing.draw.partners
    rows = torch.arange(own.start, own.stop, device=partners.device)
    return torch.cat([rows, at.start + partners[own.start - at.start : own.stop - at.start]])


def rows_of(draws: list[Draws], rows: Tensor) -> list[Draws]:
    """Those rows (N,) of the draws, in this order."""
    return [{name: values[rows.to(values.device)] for name, values in drawn.items()} for drawn in draws]


def mixed_share(images: Tensor, labels: Tensor, own: slice, mixing: Mixing) -> tuple[Tensor, Mixed, Mixed]:
    """A share's images (N, C, H, W), mixed; how their labels are, and how those of the batch (M,) are.

    Of the images (2N, C, H, W) that are given, the second half are the partners of the first. `own` is where the share
    lies in the batch.
    """
    count = len(images) // 2
    second = torch.arange(count, 2 * count, device=images.device).repeat(2)
    images, kept = mixing.mix.apply(images, replace(mixing.draw, partners=second))
    share = torch.full((), kept, dtype=torch.float32, device=images.device)
    partners = labels.index_select(0, mixing.draw.partners)
    return images[:count], Mixed(partners[own], share), Mixed(partners, share)
