"""Pooling beside max and average: what is accepted, refused and computed."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from specforge.catalog.definition import Layer
from specforge.catalog.layers.adaptive_pooling import AdaptiveAvgPool, AdaptiveMaxPool, GlobalAvgPool, GlobalMaxPool
from specforge.catalog.layers.pooling import AvgPool, LpPool, MaxPool
from specforge.shapes import Misfit, Shape
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import accepted_like_torch, runs, windows


@settings(deadline=None, max_examples=150, derandomize=True)
@given(window=windows(largest=6), ceil_mode=st.booleans(), stride_given=st.booleans())
def test_power_pooling_accepts_what_torch_accepts(
    window: tuple[Shape, dict[str, Any]], ceil_mode: bool, stride_given: bool
) -> None:
    sizes, arguments = window
    del arguments["dilation"], arguments["padding"]
    arguments |= {"ceil_mode": ceil_mode, "norm_type": 2.0}
    if not stride_given:
        del arguments["stride"]
    module_class = (nn.LPPool1d, nn.LPPool2d, nn.LPPool3d)[len(sizes) - 1]
    # torch.nn.LPPool1d takes no lists
    plain = {
        name: value[0] if isinstance(value, tuple) and len(sizes) == 1 else value for name, value in arguments.items()
    }
    accepted_like_torch("lp_pool", arguments, (2, *sizes), runs(module_class, plain, (2, *sizes)))


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple),
    output=st.one_of(st.integers(0, 8), st.lists(st.integers(1, 8), min_size=1, max_size=4).map(tuple)),
    kind=st.sampled_from(["avg", "max"]),
)
def test_adaptive_pooling_accepts_what_torch_accepts(sizes: Shape, output: int | tuple[int, ...], kind: str) -> None:
    module_class = getattr(nn, f"Adaptive{kind.title()}Pool{len(sizes)}d")
    # torch gives an empty result for an output of no places, where this is a mistake
    module = runs(module_class, {"output_size": output}, (2, *sizes)) if output != 0 else None
    accepted_like_torch(f"adaptive_{kind}_pool", {"output_size": output}, (2, *sizes), module)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_global_maximum_is_that_of_every_channel(axes: int) -> None:
    x = torch.randn(2, 3, *[4] * axes, requires_grad=True)
    found = evaluate(GlobalMaxPool().lower((3, *[4] * axes)))(x)
    wanted = x.flatten(2).max(dim=2).values
    assert torch.equal(found, wanted)
    ours, theirs = torch.autograd.grad(found.sum(), x)[0], torch.autograd.grad(wanted.sum(), x)[0]
    assert torch.equal(ours, theirs)


def test_equal_maxima_share_the_gradient() -> None:
    x = torch.ones(1, 1, 2, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(evaluate(GlobalMaxPool().lower((1, 2, 2)))(x).sum(), x)
    assert gradient.flatten().tolist() == [0.25] * 4


def test_a_norm_of_one_sums() -> None:
    x = torch.rand(1, 1, 4, 4)
    found = evaluate(LpPool(norm_type=1, kernel_size=2).lower((1, 4, 4)))(x)
    torch.testing.assert_close(found, 4 * nn.functional.avg_pool2d(x, 2))


def test_a_global_maximum_of_bounded_values_is_bounded() -> None:
    assert GlobalMaxPool().bounds(-1, 2) == AdaptiveAvgPool(output_size=2).bounds(-1, 2) == (-1, 2)


@pytest.mark.parametrize("layer", [AdaptiveAvgPool, AdaptiveMaxPool])
def test_an_adaptive_pooling_is_there_for_other_sizes_too(layer: type[Layer]) -> None:
    """It changes nothing at the size that it is given, as in AlexNet and VGG at 224, and is no mistake."""
    x = torch.randn(2, 3, 5, 4)
    same = layer(output_size=(5, 4))
    assert torch.equal(evaluate(same.lower((3, 5, 4)))(x), x)
    assert same.idle((3, 5, 4), -9, 9) is None


@pytest.mark.parametrize(
    ("layer", "input", "argument", "message"),
    [
        (
            AdaptiveAvgPool(output_size=(1, 2, 3)),
            (3, 8, 8),
            "output_size",
            "`output_size` has 3 numbers, but the input has 2 spatial axes",
        ),
        (
            AdaptiveMaxPool(output_size=1),
            (3,),
            None,
            "`adaptive_max_pool` needs [channels, height, width], [3] arrives",
        ),
        (GlobalMaxPool(), (3,), None, "`global_max_pool` needs [channels, height, width], [3] arrives"),
        (GlobalAvgPool(), (3,), None, "`global_avg_pool` needs [channels, height, width], [3] arrives"),
        (
            LpPool(norm_type=2, kernel_size=9),
            (3, 8, 8),
            "kernel_size",
            "the window [9, 9] is larger than its input [8, 8]",
        ),
        (
            LpPool(norm_type=2, kernel_size=2, stride=(1, 2, 3)),
            (3, 8, 8),
            "stride",
            "`stride` has 3 numbers, but the input has 2 spatial axes",
        ),
        (
            LpPool(norm_type=2, kernel_size=2),
            (3,),
            None,
            "`lp_pool` needs [channels, height, width], [3] arrives",
        ),
        (MaxPool(kernel_size=2), (3,), None, "`max_pool` needs [channels, height, width], [3] arrives"),
        (AvgPool(kernel_size=2), (3,), None, "`avg_pool` needs [channels, height, width], [3] arrives"),
    ],
)
def test_a_misfit_says_what_arrived(layer: Layer, input: Shape, argument: str | None, message: str) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.message == message
    assert caught.value.argument == argument
    assert caught.value.hint


def test_a_norm_of_zero_is_refused_as_in_torch() -> None:
    with pytest.raises(ValidationError, match="other than 0"):
        LpPool(norm_type=0, kernel_size=2)
    with pytest.raises(ValueError, match="non-zero"):
        nn.LPPool2d(0, 2)(torch.ones(1, 1, 4, 4))
