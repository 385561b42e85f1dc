"""What is said about a layer's surroundings."""

from pathlib import Path

from specforge.graph.connections import Connection, connections
from tests.networks import graph_of

LAYERS = """
    - {id: stem, sequential: {layers: [{shared: twin, conv: {out_channels: 3, kernel_size: 1}}, relu]}}
    - {id: body, residual: {layers: [tanh]}}
    - {from: stem, sequential: {layers: [sigmoid, {from: [previous, input, body], concat: }]}}
    - {from: stem.conv_1, shared: twin, conv: {out_channels: 3, kernel_size: 1}}
    - {id: side, auxiliary: {layers: [global_avg_pool, {linear: 2}]}}
    - {from: [previous, body], add: }
    - global_avg_pool
    - linear: 2
"""


def test_only_what_the_order_does_not_show(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, LAYERS, input=(3, 8, 8))
    assert connections(graph) == {
        "sequential_2.sigmoid_1": Connection(reads=("stem",)),
        "sequential_2.concat_1": Connection(reads=("sequential_2.sigmoid_1", "input", "body")),
        "conv_1": Connection(reads=("stem.conv_1",), shares="stem.conv_1"),
        "side.global_avg_pool_1": Connection(side_branch="side"),
        "side.linear_1": Connection(side_branch="side"),
        "add_1": Connection(reads=("conv_1", "body")),
    }


def test_a_plain_network_has_none(tmp_path: Path) -> None:
    assert connections(graph_of(tmp_path, "- relu\n- residual: {layers: [tanh]}", input=(3, 8, 8))) == {}
