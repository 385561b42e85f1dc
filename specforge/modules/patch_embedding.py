"""An image as a row of tokens."""

from collections.abc import Sequence

from torch import Tensor, nn


class PatchEmbedding(nn.Module):
    """(N, C, H, W) -> (N, L, C'): a token for each of the L patches, row by row; `proj` maps a patch to its token."""

    def __init__(self, in_channels: int, out_channels: int, *, patch_size: Sequence[int], bias: bool = True):
        super().__init__()
        convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(patch_size) - 1]
        size = tuple(patch_size)
        self.proj = convolution(in_channels, out_channels, size, stride=size, bias=bias)  # type: ignore[arg-type]  # 1 to 3 numbers

    def forward(self, x: Tensor) -> Tensor:
        patches: Tensor = self.proj(x)
        return patches.flatten(2).transpose(1, 2)
