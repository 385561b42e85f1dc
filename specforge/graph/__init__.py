"""Spec -> Graph: every layer with its path, shapes, tensors, cost and what it reads, without torch.

model: {input: [3, 32, 32], layers: [{conv: {out_channels: 8, kernel_size: 3}}, flatten]}

1  conv_1     reads 0   [3, 32, 32] -> [8, 30, 30]   weight [8, 3, 3, 3], bias [8]   194,400 MACs
2  flatten_1  reads 1   [8, 30, 30] -> [7200]

Two steps: `lowering` finds shapes and values, `wiring` the modules that carry out what `from` says.
"""

from specforge.graph.fast_forms import FORMS, fast_forms
from specforge.graph.initialization import INIT
from specforge.graph.lowering import SHAPE, lower
from specforge.graph.node import Graph, GraphNode, Head
from specforge.graph.plan import Settings, StagePlan, plan
from specforge.graph.selection import Weight, weights_of

__all__ = [
    "FORMS",
    "INIT",
    "SHAPE",
    "Graph",
    "GraphNode",
    "Head",
    "Settings",
    "StagePlan",
    "Weight",
    "fast_forms",
    "lower",
    "plan",
    "weights_of",
]
