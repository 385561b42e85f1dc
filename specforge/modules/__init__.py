"""The few modules that torch does not have: leaves that import torch only, one self-contained class each.

Legend of shapes: N images, C channels, H height, W width.
"""

from specforge.modules.branches import Branches
from specforge.modules.global_avg_pool import GlobalAvgPool
from specforge.modules.merging import Add, Concat, Matmul, Multiply
from specforge.modules.residual import Residual
from specforge.modules.shared import Shared
from specforge.modules.wired import Wired

__all__ = [
    "Add",
    "Branches",
    "Concat",
    "GlobalAvgPool",
    "Matmul",
    "Multiply",
    "Residual",
    "Shared",
    "Wired",
]
