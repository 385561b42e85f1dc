"""Tokens and attention in networks: a small vision transformer, initialisers, what is refused."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from specforge.catalog.definition import Layer
from specforge.catalog.layers.attention import MultiHeadAttention, WindowAttention
from specforge.catalog.layers.tokens import ClassToken, Mean, PatchEmbedding, PatchMerging, PositionEmbedding
from specforge.shapes import Misfit, Shape
from specforge.torch_backend import build
from tests.networks import graph_of

TRANSFORMER = """
- patch_embedding: {patch_size: 4, out_channels: 12}
- class_token
- position_embedding
- residual:
    layers:
      - multi_head_attention: 3
      - layer_scale: {init: 0.1, dim: -1}
      - stochastic_depth: 0.1
- residual:
    layers:
      - linear: 24
      - gelu
      - linear: 12
- select: {dim: 1, index: 0}
- linear: 10
"""


@pytest.mark.parametrize("training", [True, False])
def test_a_vision_transformer_costs_what_torch_counts(training: bool, tmp_path: Path) -> None:
    graph = graph_of(tmp_path, TRANSFORMER, input=(3, 16, 16))
    module = build(graph, seed=0).train(training)
    with FlopCounterMode(display=False) as counter:
        output = module(torch.rand(2, 3, 16, 16))
    assert output.shape == (2, 10)
    assert graph.macs * 2 * 2 == counter.get_total_flops()
    assert graph.trainable_parameters == sum(parameter.numel() for parameter in module.parameters())


def test_a_window_transformer_counts_its_index_nowhere(tmp_path: Path) -> None:
    layers = """
    - conv: {out_channels: 12, kernel_size: 4, stride: 4}
    - permute: [2, 3, 1]
    - window_attention: {window_size: 4, num_heads: 3, shift: 2}
    - patch_merging
    - linear: 5
    - permute: [3, 1, 2]
    - global_avg_pool
    """
    graph = graph_of(tmp_path, layers, input=(3, 32, 32))
    module = build(graph, seed=0)
    assert module(torch.rand(2, 3, 32, 32)).shape == (2, 5)
    assert graph.state()["window_attention_1.relative_position_index"] == (256,)
    assert list(graph.state()) == list(module.state_dict())
    assert graph.non_trainable_parameters == 0
    assert graph.trainable_parameters == sum(parameter.numel() for parameter in module.parameters())


def test_initialisers_reach_every_parameter(tmp_path: Path) -> None:
    layers = """
    - {squeeze_excite: , init: {fc1.weight: {constant: 1}, fc2.bias: {constant: 2}}}
    - {patch_embedding: {patch_size: 4, out_channels: 12}, init: {proj.bias: {constant: 3}}}
    - {class_token: , init: {weight: {constant: 4}}}
    - {position_embedding: , init: {weight: {constant: 5}}}
    - {multi_head_attention: 3, init: {in_proj_weight: {constant: 6}, out_proj.bias: {constant: 7}}}
    - {layer_scale: {dim: -1}, init: {weight: {constant: 8}}}
    """
    state = build(graph_of(tmp_path, layers, input=(3, 16, 16)), seed=0).state_dict()
    filled = {
        "squeeze_excite_1.fc1.weight": 1,
        "squeeze_excite_1.fc2.bias": 2,
        "patch_embedding_1.proj.bias": 3,
        "class_token_1.weight": 4,
        "position_embedding_1.weight": 5,
        "multi_head_attention_1.in_proj_weight": 6,
        "multi_head_attention_1.out_proj.bias": 7,
        "layer_scale_1.weight": 8,
    }
    for name, value in filled.items():
        assert (state[name] == value).all(), name


@pytest.mark.parametrize(
    ("layer", "input", "argument"),
    [
        (PatchEmbedding(patch_size=4, out_channels=8), (3, 8, 6), "patch_size"),
        (PatchEmbedding(patch_size=(4, 4), out_channels=8), (3, 8), "patch_size"),
        (PatchEmbedding(patch_size=4, out_channels=8), (8,), None),
        (ClassToken(), (3, 8, 8), None),
        (ClassToken(), (8,), None),
        (PositionEmbedding(), (3, 8, 8), None),
        (PositionEmbedding(kind="sinusoidal"), (4, 7), "kind"),
        (PatchMerging(), (4, 8), None),
        (Mean(dim=3), (4, 8), "dim"),
        (Mean(), (4,), None),
        (MultiHeadAttention(num_heads=3), (4, 8), "num_heads"),
        (MultiHeadAttention(num_heads=2), (3, 8, 8), None),
        (WindowAttention(window_size=4, num_heads=3), (8, 8, 8), "num_heads"),
        (WindowAttention(window_size=4, num_heads=2, shift=4), (8, 8, 8), "shift"),
        (WindowAttention(window_size=(4, 4, 4), num_heads=2), (8, 8, 8), "window_size"),
        (WindowAttention(window_size=4, num_heads=2), (8, 8), None),
    ],
)
def test_a_misfit_names_the_argument(layer: Layer, input: Shape, argument: str | None) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.argument == argument
    assert caught.value.hint


def test_attention_sees_everything() -> None:
    assert MultiHeadAttention(num_heads=1).reach(1) is None
    assert WindowAttention(window_size=2, num_heads=1).reach(2) is None
