"""Maximum over all spatial axes."""

from torch import Tensor, nn


class GlobalMaxPool(nn.Module):
    """(N, C, …) -> (N, C): the largest value of every channel."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=tuple(range(2, x.dim())))
