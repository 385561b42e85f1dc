"""Joining neighbouring tokens of a grid."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PatchMerging(nn.Module):
    """(N, H, W, C) -> (N, ⌈H / 2⌉, ⌈W / 2⌉, C'): the four tokens of every 2×2 square side by side, normalised, mapped.

    An odd row or column is completed with zeros.
    """

    def __init__(self, in_channels: int, out_channels: int, *, eps: float = 1e-5):
        super().__init__()
        self.reduction = nn.Linear(4 * in_channels, out_channels, bias=False)
        self.norm = nn.LayerNorm(4 * in_channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        x = functional.pad(x, (0, 0, 0, width % 2, 0, height % 2))
        columns = [x[:, :, column::2] for column in (0, 1)]
        squares = torch.cat([part[:, row::2] for part in columns for row in (0, 1)], dim=3)
        merged: Tensor = self.reduction(self.norm(squares))
        return merged
