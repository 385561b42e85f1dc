"""A learned factor for every channel."""

import torch
from torch import Tensor, nn


class LayerScale(nn.Module):
    """(N, …) -> the same, times a `weight` of (size, 1, …) that starts at `init`; `trailing` counts the ones."""

    def __init__(self, size: int, *, trailing: int = 0, init: float = 1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.full((size, *[1] * trailing), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight

    def extra_repr(self) -> str:
        return f"shape={tuple(self.weight.shape)}"
