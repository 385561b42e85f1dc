"""Mean over one axis or several."""

from torch import Tensor, nn


class Mean(nn.Module):
    """(N, …) -> (N, …)' without the axes `dim`: the mean over them; of size 1 with `keepdim`."""

    def __init__(self, dim: int | tuple[int, ...], *, keepdim: bool = False):
        super().__init__()
        self.dim = dim
        self.keepdim = keepdim

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=self.dim, keepdim=self.keepdim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, keepdim={self.keepdim}"
