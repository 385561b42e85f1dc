"""Weighing channels, then places, by what the image holds."""

import torch
from torch import Tensor, nn


class Cbam(nn.Module):
    """(N, C, H, W) -> the same, every channel times its gate, then every place times its own.

    Channels' gates come from their means and maxima through `fc1` and `fc2`, places' from the mean and the maximum of
    their channels through `spatial`.
    """

    def __init__(self, channels: int, squeezed: int, kernel_size: int, *, bias: bool = False):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1, bias=bias)
        self.fc2 = nn.Conv2d(squeezed, channels, 1, bias=bias)
        self.spatial = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat((x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)))
        # not chunk(2), which torch.export takes to ask for batches of one size
        from_mean, from_maximum = torch.unflatten(self.fc2(self.fc1(summary).relu()), 0, (2, -1))
        x = x * (from_mean + from_maximum).sigmoid()
        planes = torch.cat((x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)), dim=1)
        gates: Tensor = self.spatial(planes).sigmoid()
        return x * gates
