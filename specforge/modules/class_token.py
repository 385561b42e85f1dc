"""A learned token before all others."""

import torch
from torch import Tensor, nn


class ClassToken(nn.Module):
    """(N, L, C) -> (N, 1 + L, C): `weight`, which starts at 0, stands before every image's tokens."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.weight.expand(x.shape[0], -1, -1), x), dim=1)

    def extra_repr(self) -> str:
        return f"channels={self.weight.shape[2]}"
