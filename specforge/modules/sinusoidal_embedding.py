"""What tells a token's place: sines and cosines."""

import torch
from torch import Tensor, nn


class SinusoidalEmbedding(nn.Module):
    """(N, L, C) -> the same, plus sin(l / 10000^(2i / C)) in channel 2i and the cosine in channel 2i + 1 of token l."""

    waves: Tensor

    def __init__(self, length: int, channels: int):
        super().__init__()
        places = torch.arange(length, dtype=torch.float64)[:, None]
        angles = places / 10000 ** (torch.arange(0, channels, 2, dtype=torch.float64) / channels)
        waves = torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)
        # no part of the state: it follows from the shape
        self.register_buffer("waves", waves.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.waves

    def extra_repr(self) -> str:
        return f"length={self.waves.shape[0]}, channels={self.waves.shape[1]}"
