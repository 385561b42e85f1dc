"""Weighing channels by what the whole image holds."""

from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """(N, C, H, W) -> the same, every channel times its gate, which `fc1` and `fc2` compute from all channels' means.

    `axes` is the number of spatial axes; `squeezed` channels lie between the two 1×1 convolutions.
    """

    def __init__(self, channels: int, squeezed: int, *, axes: int, activation: nn.Module, gate: nn.Module):
        super().__init__()
        convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
        self.fc1 = convolution(channels, squeezed, 1)
        self.fc2 = convolution(squeezed, channels, 1)
        self.activation = activation
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean(dim=tuple(range(2, x.dim())), keepdim=True)
        gates: Tensor = self.gate(self.fc2(self.activation(self.fc1(means))))
        return x * gates
