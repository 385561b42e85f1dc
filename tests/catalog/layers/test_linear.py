"""Linear layers: on features, wherever the axes before them come from."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from specforge.catalog.layers.linear import Linear
from specforge.shapes import Shape
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import accepted_like_torch, runs
from tests.networks import analysed


@settings(deadline=None, max_examples=50, derandomize=True)
@given(
    input=st.lists(st.integers(1, 5), min_size=1, max_size=2).map(tuple),
    out_features=st.integers(0, 4),
    bias=st.booleans(),
)
def test_accepts_what_torch_accepts(input: Shape, out_features: int, bias: bool) -> None:
    arguments = {"out_features": out_features, "bias": bias}
    # torch builds a layer without outputs, where this is a mistake
    module = runs(nn.Linear, {"in_features": input[-1], **arguments}, input) if out_features else None
    accepted_like_torch("linear", arguments, input, module)


def test_treats_every_place_of_features_that_lie_last() -> None:
    """As after a permutation to (N, H, W, C)."""
    layer = Linear(out_features=5)
    assert layer.output_shape((8, 8, 3)) == (8, 8, 5)
    assert evaluate(layer.lower((8, 8, 3))).weight.shape == (5, 3)


@pytest.mark.parametrize("before", ["relu", "conv: {out_channels: 3, kernel_size: 1}", "max_pool: 1", "batch_norm"])
def test_an_image_is_to_be_flattened_first(before: str, tmp_path: Path) -> None:
    (found,) = analysed(tmp_path, f"- {before}\n- linear: 5", input=(3, 8, 8)).findings
    assert found.message.startswith("`linear` works on the last axis, an image [3, 8, 8] arrives")
    assert found.hint == "put `flatten` (192 features) or `global_avg_pool` (3 features) before it"
