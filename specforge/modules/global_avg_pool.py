"""Mean over all spatial axes."""

from torch import Tensor, nn


class GlobalAvgPool(nn.Module):
    """(N, C, …) -> (N, C): the mean of every channel."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=tuple(range(2, x.dim())))
