"""The receptive field of every layer against what its module's outputs depend on.

One image for every position along an axis has NaN there: what becomes NaN in a layer's output sees that position. No
weight can hide it, as a sum of gradients could; doubles keep torch from kernels that compute several positions at once.
"""

from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from specforge.catalog.definition import Item, Layer
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.layers.pooling import AvgPool, MaxPool
from specforge.diagnostics import Findings, Span
from specforge.graph import Graph, lower
from specforge.graph.receptive_field import receptive_fields
from specforge.shapes import Shape
from specforge.spec import Model
from specforge.torch_backend import build
from tests.networks import graph_of

# torch notes that an even kernel with `padding: same` costs a copy; that is no fault of the field
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")


def expected(graph: Graph) -> dict[str, Shape]:
    fields = receptive_fields(graph)
    return {node.path: fields[node.number] for node in graph.leaves()}


def measured(graph: Graph) -> dict[str, Shape]:
    """The most that a position of each layer's output sees, along each axis of the input."""
    built = build(graph, seed=0).train(bool(graph.heads)).double()
    axes = [_extents(graph, built, axis) for axis in range(2, len(graph.input) + 1)]
    return {node.path: tuple(extents[node.path] for extents in axes) for node in graph.leaves()}


def _extents(graph: Graph, module: nn.Module, axis: int) -> dict[str, int]:
    positions = graph.input[axis - 1]
    images = torch.rand(positions, *graph.input, dtype=torch.float64)
    for position in range(positions):
        images[position].select(axis - 1, position).fill_(torch.nan)
    outputs: dict[str, Tensor] = {}
    for node in graph.leaves():
        module.get_submodule(node.path).register_forward_hook(partial(_note, outputs, node.path))
    module(images)
    return {path: _widest(output.isnan(), as_one=output.dim() != images.dim()) for path, output in outputs.items()}


def _note(outputs: dict[str, Tensor], path: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
    outputs.setdefault(path, output)  # later calls are of the layers that share its weights


def _widest(sees: Tensor, *, as_one: bool) -> int:
    """The largest distance between the first and the last image in which a value is NaN: (positions, …)."""
    sees = sees.flatten(1)
    if as_one:
        sees = sees.any(dim=1, keepdim=True)
    numbers = torch.arange(len(sees)).unsqueeze(1)
    last = numbers.where(sees, -1).amax(0)
    first = numbers.where(sees, len(sees)).amin(0)
    return int((last - first + 1).max())


NETWORKS = {
    "plain": """
        - conv: {out_channels: 4, kernel_size: 3, padding: 1}
        - batch_norm
        - relu
        - max_pool: 2
        - conv: {out_channels: 4, kernel_size: [3, 5], dilation: [2, 1]}
        - avg_pool: {kernel_size: 3, stride: [2, 1], padding: 1}
        - conv: {out_channels: 4, kernel_size: 2, padding: same}
    """,
    "residual": """
        - conv: {out_channels: 4, kernel_size: 3, stride: 2, padding: 1}
        - residual:
            layers: [{conv: {out_channels: 4, kernel_size: 3, padding: 1}}, relu]
        - residual:
            shortcut: projection
            layers:
              - conv: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1}
              - conv: {out_channels: 8, kernel_size: 3, padding: 1}
        - residual:
            shortcut: [{conv: {out_channels: 8, kernel_size: 5, padding: 2}}]
            layers: [{conv: {out_channels: 8, kernel_size: 1}}]
        - relu
    """,
    "branches": """
        - branches:
            paths:
              - []
              - [{conv: {out_channels: 2, kernel_size: 1}}, {conv: {out_channels: 2, kernel_size: 3, padding: 1}}]
              - [{conv: {out_channels: 2, kernel_size: 5, padding: 2}}]
              - [{max_pool: {kernel_size: 3, stride: 1, padding: 1}}]
        - relu
        - {id: narrow, conv: {out_channels: 9, kernel_size: 1}}
        - {from: [narrow, relu_1, input], concat: }
        - conv: {out_channels: 3, kernel_size: 3, stride: 3}
    """,
    "gate": """
        - {id: stem, conv: {out_channels: 4, kernel_size: 3, padding: 1, stride: 2}}
        - adaptive_avg_pool: 1
        - conv: {out_channels: 4, kernel_size: 1}
        - sigmoid
        - {from: [previous, stem], multiply: }
        - {from: stem, conv: {out_channels: 4, kernel_size: 3}}
    """,
    "enlarging": """
        - conv: {out_channels: 4, kernel_size: 3, stride: 2, padding: 1}
        - conv_transpose: {out_channels: 4, kernel_size: 4, stride: 2, padding: 1}
        - conv: {out_channels: 4, kernel_size: 3, padding: 1}
        - max_pool: 2
        - upsample: {scale_factor: 2}
        - conv: {out_channels: 4, kernel_size: 3, padding: 1}
        - conv: {out_channels: 4, kernel_size: 4}
    """,
    "products": """
        - conv: {out_channels: 3, kernel_size: 3}
        - {from: [previous, previous], matmul: {transpose: true}}
        - relu
    """,
    "shared": """
        - {shared: twin, conv: {out_channels: 3, kernel_size: 3, padding: 1}}
        - relu
        - {shared: twin, conv: {out_channels: 3, kernel_size: 3, padding: 1}}
    """,
    "ends": """
        - conv: {out_channels: 4, kernel_size: 2, stride: 8}
        - {id: side, auxiliary: {layers: [global_avg_pool, {linear: 2}]}}
        - flatten
        - linear: 5
    """,
    "one position": """
        - conv: {out_channels: 4, kernel_size: 3, stride: 20}
        - slice: {dim: 2, stop: 1}
        - slice: {dim: 3, stop: 1}
        - flatten
        - linear: 5
    """,
}


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_is_what_the_module_sees(layers: str, tmp_path: Path) -> None:
    graph = graph_of(tmp_path, layers, input=(3, 32, 40))
    assert expected(graph) == measured(graph)


def test_grows_to_the_image(tmp_path: Path) -> None:
    """A number never exceeds the image, and global pooling of thinned positions can see less than all of it."""
    wide = graph_of(
        tmp_path, "- repeat: {times: 3, layers: [{conv: {out_channels: 2, kernel_size: 3}}]}", input=(1, 7, 99)
    )
    assert list(expected(wide).values()) == [(3, 3), (5, 5), (7, 7)]
    padded = "- repeat: {times: 3, layers: [{conv: {out_channels: 2, kernel_size: 5, padding: 2}}]}"
    assert list(expected(graph_of(tmp_path, padded, input=(1, 7, 99))).values()) == [(5, 5), (7, 9), (7, 13)]
    thinned = "- conv: {out_channels: 2, kernel_size: 1, stride: 8}\n- global_avg_pool"
    assert list(expected(graph_of(tmp_path, thinned, input=(1, 32, 32))).values()) == [(1, 1), (25, 25)]


def test_features_have_none(tmp_path: Path) -> None:
    assert set(expected(graph_of(tmp_path, "- linear: 4\n- relu", input=(3,))).values()) == {()}


@st.composite
def windows(draw: st.DrawFn) -> Layer:
    kernel, stride = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, kernel // 2))
    if draw(st.booleans()):
        return Conv(
            out_channels=2, kernel_size=kernel, stride=stride, padding=padding, dilation=draw(st.integers(1, 3))
        )
    return draw(st.sampled_from([AvgPool, MaxPool]))(kernel_size=kernel, stride=stride, padding=padding)


@settings(deadline=None, max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])
@given(layers=st.lists(windows(), min_size=1, max_size=4))
def test_layers_one_after_another(layers: list[Layer]) -> None:
    """Also where the padding hides some of what a position could see."""
    where = Span("random", 1, 1, 1, 2)
    items = tuple(Item(f"l{number}", "window", layer, where, {}, {}) for number, layer in enumerate(layers))
    graph = lower(Model(input=(1, 60), layers=items), Findings())
    assume(graph is not None)
    assert graph is not None
    assert expected(graph) == measured(graph)
