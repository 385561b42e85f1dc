"""Activations: all of torch's are words, and what they accept and refuse."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from specforge.catalog.definition import Layer
from specforge.catalog.discovery import definition, index
from specforge.catalog.layers.axiswise import Glu, Softmax
from specforge.catalog.layers.piecewise import Rrelu, Threshold
from specforge.shapes import Misfit, Shape
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import accepted_like_torch, runs

ABSENT = {
    "MultiheadAttention": "mixes several values: a layer of its own kind",
    "Softmax2d": "is `softmax` along axis 1",
}
NEEDED: dict[str, dict[str, Any]] = {"Threshold": {"threshold": 0.5, "value": 1.0}}
FILES = ("activation", "piecewise", "axiswise")


def test_every_activation_of_torch_is_a_word_or_has_a_reason_not_to_be() -> None:
    words = [word for word, (module, _) in index("layers").items() if module.rpartition(".")[2] in FILES]
    found = {}
    for word in words:
        layer = definition("layers", word)
        assert layer is not None
        needed = {name: 1.0 for name, field in layer.model_fields.items() if field.is_required()}
        call = layer(**needed).lower((4,))  # type: ignore[attr-defined]  # a Layer
        found[call.target.rpartition(".")[2]] = word
    assert not found.keys() & ABSENT.keys()
    assert found.keys() | ABSENT.keys() == set(nn.modules.activation.__all__)


def test_softmax_over_channels_is_softmax_2d() -> None:
    x = torch.randn(2, 3, 4, 4)
    assert torch.equal(evaluate(Softmax().lower((3, 4, 4)))(x), nn.Softmax2d()(x))


@settings(deadline=None, max_examples=150, derandomize=True)
@given(input=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple), dim=st.integers(-6, 6))
def test_a_gated_linear_unit_accepts_what_torch_accepts(input: Shape, dim: int) -> None:
    if dim in (0, -len(input) - 1):  # torch would halve the batch
        return
    try:
        module = runs(nn.GLU, {"dim": dim}, input)
    except IndexError:
        module = None
    accepted_like_torch("glu", {"dim": dim}, input, module)


@pytest.mark.parametrize("dim", [0, -3])
def test_the_batch_is_not_to_be_halved(dim: int) -> None:
    with pytest.raises(Misfit, match="the batch is axis 0"):
        Glu(dim=dim).output_shape((4, 4))


def test_an_odd_axis_can_not_be_halved() -> None:
    with pytest.raises(Misfit) as caught:
        Glu(dim=1).output_shape((3, 4))
    assert caught.value.message == "`glu` halves an axis, and axis 1 of [3, 4] has 3 entries"
    assert caught.value.argument == "dim"


def test_a_halved_spatial_axis_has_a_stride_of_two() -> None:
    assert Glu().strides(2) == (1, 2)
    assert Glu(dim=2).strides(2) == (2, 1)
    assert Glu(dim=1).strides(2) == (1, 1)
    assert Glu().strides(0) == ()


def test_random_slopes_lie_between_their_limits_and_are_their_mean_outside_training() -> None:
    module = evaluate(Rrelu(lower_slope=0.1, upper_slope=0.5).lower((1000,)))
    slopes = -module.train()(-torch.ones(1000))
    assert slopes.min() < 0.15
    assert slopes.max() > 0.45
    assert ((slopes >= 0.1) & (slopes <= 0.5)).all()
    torch.testing.assert_close(-module.eval()(-torch.ones(1)), torch.tensor([0.3]))


def test_slopes_in_the_wrong_order() -> None:
    with pytest.raises(ValidationError, match=r"`lower_slope` 0.4 must not be above `upper_slope` 0.3333"):
        Rrelu(lower_slope=0.4)
    with pytest.raises(RuntimeError, match="Lower bound"):
        nn.RReLU(0.4, 0.1)(torch.ones(1))


@pytest.mark.parametrize(
    ("arriving", "leaving", "idle"),
    [((2, 3), (2, 3), True), ((-3, 0), (7, 7), False), ((-3, 9), (1, 9), False), ((-3, 5), (1, 7), False)],
)
def test_a_threshold_knows_its_limits(arriving: tuple[float, float], leaving: tuple[float, float], idle: bool) -> None:
    layer: Layer = Threshold(threshold=1.0, value=7.0)
    assert layer.bounds(*arriving) == leaving
    assert (layer.idle((3,), *arriving) is not None) == idle
