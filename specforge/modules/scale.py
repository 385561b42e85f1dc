"""A fixed factor."""

from torch import Tensor, nn


class Scale(nn.Module):
    """(N, …) -> the same, times `factor`."""

    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor

    def extra_repr(self) -> str:
        return f"factor={self.factor:g}"
