"""Which training images an epoch is made of, and in which order.

In: the labels of the training part, the spec's `data.sampling` and a generator that is keyed by the seed and the epoch.
Out: rows of the part (N,) int64, as many as the part has. All of it is on the CPU.

    epoch_order(torch.tensor([0, 0, 0, 1]), "balanced", generator)   # about as often row 3 as rows 0 to 2 together
"""

from typing import Literal

import torch
from torch import Tensor

Sampling = Literal["uniform", "balanced"]


def epoch_order(labels: Tensor, sampling: Sampling, generator: torch.Generator) -> Tensor:
    """`uniform` is every row once; `balanced` draws with replacement, every class that is there equally often."""
    if sampling == "uniform":
        return torch.randperm(len(labels), generator=generator)
    _, counts = torch.unique(labels, return_counts=True)
    by_class = torch.argsort(labels, stable=True)
    first = counts.cumsum(0) - counts
    drawn = torch.randint(len(counts), labels.shape, generator=generator)
    # far more numbers than a class has images, so that the remainder favours none by more than one in 2**30
    within = torch.randint(2**62, labels.shape, generator=generator) % counts[drawn]
    return by_class[first[drawn] + within]
