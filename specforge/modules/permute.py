"""Another order of axes."""

from collections.abc import Sequence

from torch import Tensor, nn


class Permute(nn.Module):
    """(N, …) -> (N, …)': output axis k is input axis `dims[k - 1]`; the batch stays axis 0."""

    def __init__(self, dims: Sequence[int]):
        super().__init__()
        self.dims = (0, *dims)

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.dims)

    def extra_repr(self) -> str:
        return f"dims={self.dims[1:]}"
