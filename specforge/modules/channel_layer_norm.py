"""Layer norm over the channels of every place."""

from torch import Tensor, nn


class ChannelLayerNorm(nn.LayerNorm):
    """(N, C, H, W) -> the same, also of other numbers of spatial axes; `weight` and `bias` are (C,)."""

    def __init__(self, num_channels: int, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True):
        super().__init__(num_channels, eps, elementwise_affine, bias)

    def forward(self, x: Tensor) -> Tensor:
        # for images in channels-last memory this moves nothing
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
