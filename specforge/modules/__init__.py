"""The few modules that torch does not have: leaves that import torch only, one self-contained class each.

Legend of shapes: N images, C channels, H height, W width.
"""

from specforge.modules.global_avg_pool import GlobalAvgPool
from specforge.modules.residual import Residual

__all__ = ["GlobalAvgPool", "Residual"]
