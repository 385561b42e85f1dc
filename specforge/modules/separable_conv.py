"""A convolution of each channel alone, then one of every place alone."""

from torch import Tensor, nn


class SeparableConv(nn.Module):
    """(N, C, H, W) -> (N, C', H', W'), also of one or three spatial axes: `depthwise`, then `pointwise`."""

    def __init__(self, depthwise: nn.Module, pointwise: nn.Module):
        super().__init__()
        self.depthwise = depthwise
        self.pointwise = pointwise

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.pointwise(self.depthwise(x))
        return mixed
