"""Another shape of the same values."""

from collections.abc import Sequence

from torch import Tensor, nn


class Reshape(nn.Module):
    """(N, …) -> (N, *shape): the values in their order; one size may be -1 and follows from the others."""

    def __init__(self, shape: Sequence[int]):
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], *self.shape)

    def extra_repr(self) -> str:
        return f"shape={self.shape}"
