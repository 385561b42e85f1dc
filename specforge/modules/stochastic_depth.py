"""Leaving out what a residual body gives, at random."""

from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """(N, …) -> (N, …): in training, zeroes whole images with probability `p` and scales the others by 1 / (1 - p).

    `mode` is `row` for a draw of each image, `batch` for one draw of all.
    """

    def __init__(self, p: float, mode: str = "row"):
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        draws = x.shape[0] if self.mode == "row" else 1
        kept = 1 - self.p
        scale = x.new_empty((draws, *[1] * (x.dim() - 1))).bernoulli_(kept).div_(kept)
        return x * scale

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"
