"""A part of an axis."""

from torch import Tensor, nn


class Slice(nn.Module):
    """(N, …) -> (N, …)': the entries from `start` to before `stop` of axis `dim`, every `step`-th."""

    def __init__(self, dim: int, *, start: int = 0, stop: int | None = None, step: int = 1):
        super().__init__()
        self.dim = dim
        self.start, self.stop, self.step = start, stop, step

    def forward(self, x: Tensor) -> Tensor:
        return x[(*[slice(None)] * self.dim, slice(self.start, self.stop, self.step))]

    def extra_repr(self) -> str:
        return f"dim={self.dim}, start={self.start}, stop={self.stop}, step={self.step}"
