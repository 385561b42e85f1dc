"""The few modules that torch does not have: leaves that import torch only, one self-contained class each.

Legend of shapes: N images, C channels, H height, W width.
"""

from specforge.modules.bit_dropout import BitDropout
from specforge.modules.branches import Branches
from specforge.modules.cbam import Cbam
from specforge.modules.channel_layer_norm import ChannelLayerNorm
from specforge.modules.class_token import ClassToken
from specforge.modules.crop import Crop
from specforge.modules.global_avg_pool import GlobalAvgPool
from specforge.modules.global_max_pool import GlobalMaxPool
from specforge.modules.layer_scale import LayerScale
from specforge.modules.mean import Mean
from specforge.modules.merging import Add, Concat, Matmul, Multiply
from specforge.modules.multi_head_attention import MultiHeadAttention
from specforge.modules.onednn_linear import OneDnnLinear
from specforge.modules.patch_embedding import PatchEmbedding
from specforge.modules.patch_merging import PatchMerging
from specforge.modules.permute import Permute
from specforge.modules.position_embedding import PositionEmbedding
from specforge.modules.reshape import Reshape
from specforge.modules.residual import Residual
from specforge.modules.scale import Scale
from specforge.modules.select import Select
from specforge.modules.separable_conv import SeparableConv
from specforge.modules.shared import Shared
from specforge.modules.sinusoidal_embedding import SinusoidalEmbedding
from specforge.modules.slice import Slice
from specforge.modules.squeeze_excite import SqueezeExcite
from specforge.modules.stochastic_depth import StochasticDepth
from specforge.modules.synchronized_batch_norm import SynchronizedBatchNorm
from specforge.modules.window_attention import WindowAttention
from specforge.modules.wired import Wired

__all__ = [
    "Add",
    "BitDropout",
    "Branches",
    "Cbam",
    "ChannelLayerNorm",
    "ClassToken",
    "Concat",
    "Crop",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "LayerScale",
    "Matmul",
    "Mean",
    "MultiHeadAttention",
    "Multiply",
    "OneDnnLinear",
    "PatchEmbedding",
    "PatchMerging",
    "Permute",
    "PositionEmbedding",
    "Reshape",
    "Residual",
    "Scale",
    "Select",
    "SeparableConv",
    "Shared",
    "SinusoidalEmbedding",
    "Slice",
    "SqueezeExcite",
    "StochasticDepth",
    "SynchronizedBatchNorm",
    "WindowAttention",
    "Wired",
]
