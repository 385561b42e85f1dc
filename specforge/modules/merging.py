"""Operations of several tensors."""

import torch
from torch import Tensor, nn


class Concat(nn.Module):
    """(N, C1, …), (N, C2, …) -> (N, C1 + C2, …), along `dim`."""

    def __init__(self, dim: int = 1):
        super().__init__()
        self.dim = dim

    def forward(self, *values: Tensor) -> Tensor:
        return torch.cat(values, dim=self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Add(nn.Module):
    """(N, …), (N, …) -> (N, …): the sum, axes of size 1 stretched."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = first + other
        return first


class Multiply(nn.Module):
    """(N, …), (N, …) -> (N, …): the product position by position, axes of size 1 stretched."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = first * other
        return first


class Matmul(nn.Module):
    """(N, …, L, K), (N, …, K, M) -> (N, …, L, M); the second is (N, …, M, K) with `transpose`."""

    def __init__(self, transpose: bool = False):
        super().__init__()
        self.transpose = transpose

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return first @ (second.transpose(-2, -1) if self.transpose else second)

    def extra_repr(self) -> str:
        return f"transpose={self.transpose}"
