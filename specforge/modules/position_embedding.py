"""What tells a token's place: learned."""

import torch
from torch import Tensor, nn


class PositionEmbedding(nn.Module):
    """(N, L, C) -> the same, plus a `weight` of (1, L, C) that starts normal with deviation 0.02."""

    def __init__(self, length: int, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, length, channels).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight

    def extra_repr(self) -> str:
        return f"length={self.weight.shape[1]}, channels={self.weight.shape[2]}"
