"""One entry of an axis."""

from torch import Tensor, nn


class Select(nn.Module):
    """(N, …) -> (N, …)' with one axis less: the entry `index` of axis `dim`, negative ones from the end."""

    def __init__(self, dim: int, index: int):
        super().__init__()
        self.dim = dim
        self.index = index

    def forward(self, x: Tensor) -> Tensor:
        return x.select(self.dim, self.index)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, index={self.index}"
