"""A part of an image."""

from collections.abc import Sequence

from torch import Tensor, nn


class Crop(nn.Module):
    """(N, C, H, W) -> (N, C, H', W'): the middle of `size`, or what lies inside `margins` of (before, behind)."""

    def __init__(self, *, size: Sequence[int] = (), margins: Sequence[tuple[int, int]] = ()):
        super().__init__()
        self.size = tuple(size)
        self.margins = tuple(margins)

    def forward(self, x: Tensor) -> Tensor:
        if self.size:
            starts = [(there - wanted) // 2 for there, wanted in zip(x.shape[2:], self.size, strict=True)]
            parts = [slice(start, start + wanted) for start, wanted in zip(starts, self.size, strict=True)]
        else:
            sizes = zip(x.shape[2:], self.margins, strict=True)
            parts = [slice(before, there - behind) for there, (before, behind) in sizes]
        return x[(slice(None), slice(None), *parts)]

    def extra_repr(self) -> str:
        return f"size={self.size}" if self.size else f"margins={self.margins}"
