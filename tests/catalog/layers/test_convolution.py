"""Convolutions beside `conv`: what they accept, what they refuse, and what the separable one computes."""

from math import prod
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from specforge.catalog.definition import Layer
from specforge.catalog.layers.convolution import Conv, DepthwiseConv
from specforge.catalog.layers.separable_convolution import SeparableConv
from specforge.catalog.layers.transposed_convolution import ConvTranspose
from specforge.shapes import Misfit, Shape
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import accepted_like_torch, runs, windows

# torch notes that an even kernel with `padding: same` costs a copy; that is no fault of the shape
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")


@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    window=windows(largest=4),
    channels=st.integers(1, 4),
    out_channels=st.integers(1, 4),
    groups=st.integers(1, 2),
    bias=st.booleans(),
    output_padding=st.integers(0, 3),
)
def test_transposed_convolution_accepts_what_torch_accepts(
    window: tuple[Shape, dict[str, Any]], channels: int, out_channels: int, groups: int, bias: bool, output_padding: int
) -> None:
    sizes, arguments = window
    arguments |= {"out_channels": out_channels, "groups": groups, "bias": bias, "output_padding": output_padding}
    module_class = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[len(sizes) - 1]
    module = runs(module_class, {"in_channels": channels, **arguments}, (channels, *sizes))
    if module is not None and not gives_something(module, (channels, *sizes)):
        module = None
    accepted_like_torch("conv_transpose", arguments, (channels, *sizes), module)


def gives_something(module: nn.Module, input: Shape) -> bool:
    """Whether any value is left. Some of torch's kernels refuse a padding that cuts off all, others don't."""
    try:
        return module(torch.zeros(1, *input)).numel() > 0
    except RuntimeError:
        return False


@settings(deadline=None, max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    window=windows(largest=6),
    channels=st.integers(1, 3),
    depth_multiplier=st.integers(1, 3),
    named_padding=st.sampled_from([None, None, "same", "valid"]),
    padding_mode=st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]),
)
def test_depthwise_convolution_accepts_what_torch_accepts(
    window: tuple[Shape, dict[str, Any]],
    channels: int,
    depth_multiplier: int,
    named_padding: str | None,
    padding_mode: str,
) -> None:
    sizes, arguments = window
    arguments["padding_mode"] = padding_mode
    if named_padding is not None:
        arguments["padding"] = named_padding
    module_class = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(sizes) - 1]
    shape = {"in_channels": channels, "out_channels": channels * depth_multiplier, "groups": channels}
    module = runs(module_class, {**shape, **arguments}, (channels, *sizes))
    accepted_like_torch(
        "depthwise_conv", {"depth_multiplier": depth_multiplier, **arguments}, (channels, *sizes), module
    )


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("depth_multiplier", [1, 2])
def test_a_separable_convolution_is_two_convolutions(axes: int, depth_multiplier: int) -> None:
    layer = SeparableConv(
        out_channels=5, kernel_size=3, stride=2, padding=1, depth_multiplier=depth_multiplier, depthwise_bias=True
    )
    shape = (3, 9, 8, 7)[: axes + 1]
    module = evaluate(layer.lower(shape)).double()
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]
    x = torch.randn(2, *shape, dtype=torch.float64)
    weights = dict(module.named_parameters())
    between = convolve(x, weights["depthwise.weight"], weights["depthwise.bias"], stride=2, padding=1, groups=3)
    wanted = torch.einsum("oc,nc...->no...", weights["pointwise.weight"].flatten(1), between)
    wanted = wanted + weights["pointwise.bias"].view(-1, *[1] * axes)
    torch.testing.assert_close(module(x), wanted)
    assert tuple(wanted.shape[1:]) == layer.output_shape(shape)


@pytest.mark.parametrize(("bias", "depthwise_bias"), [(True, False), (False, True), (False, False)])
def test_each_half_of_a_separable_convolution_has_its_own_bias(bias: bool, depthwise_bias: bool) -> None:
    layer = SeparableConv(out_channels=5, kernel_size=3, bias=bias, depthwise_bias=depthwise_bias)
    names = {parameter.name for parameter in layer.parameters((3, 8, 8))}
    assert ("pointwise.bias" in names) == bias
    assert ("depthwise.bias" in names) == depthwise_bias


def test_a_depthwise_convolution_treats_each_channel_alone() -> None:
    module = evaluate(DepthwiseConv(kernel_size=3, padding=1, depth_multiplier=2, bias=False).lower((3, 5, 5)))
    x = torch.zeros(1, 3, 5, 5)
    x[:, 1] = torch.randn(5, 5)
    of_channel = module(x).flatten(2).abs().sum(dim=2)[0]
    assert [index for index, size in enumerate(of_channel) if size > 0] == [2, 3]


def test_a_separable_convolution_costs_less_than_a_full_one() -> None:
    """Chollet's reason: 1 / channels + 1 / kernel positions of the full convolution's multiplications."""
    image = (16, 8, 8)
    full = Conv(out_channels=32, kernel_size=3, padding="same")
    separable = SeparableConv(out_channels=32, kernel_size=3, padding="same")
    output = full.output_shape(image)
    assert full.macs(image, output) == prod(output) * 16 * 9
    assert separable.macs(image, output) == 16 * 8 * 8 * 9 + prod(output) * 16


@pytest.mark.parametrize(
    ("layer", "input", "argument", "message"),
    [
        (
            ConvTranspose(out_channels=4, kernel_size=2, stride=2, output_padding=2),
            (3, 8, 8),
            "output_padding",
            "`output_padding` [2, 2] is below neither stride [2, 2] nor dilation [1, 1]",
        ),
        (
            ConvTranspose(out_channels=4, kernel_size=1, padding=1),
            (3, 2, 2),
            "padding",
            "padding [1, 1] cuts off all of what input [2, 2] gives",
        ),
        (
            ConvTranspose(out_channels=4, kernel_size=1, groups=2),
            (3, 2, 2),
            "groups",
            "3 channels arrive, which 2 groups can't divide",
        ),
        (
            ConvTranspose(out_channels=4, kernel_size=(1, 2)),
            (3, 2),
            "kernel_size",
            "`kernel_size` has 2 numbers, but the input has 1 spatial axes",
        ),
        (
            ConvTranspose(out_channels=4, kernel_size=1),
            (3,),
            None,
            "`conv_transpose` needs [channels, height, width], [3] arrives",
        ),
        (DepthwiseConv(kernel_size=9), (3, 8, 8), "kernel_size", "the kernel [9, 9] is larger than its input [8, 8]"),
        (DepthwiseConv(kernel_size=1), (3,), None, "`depthwise_conv` needs [channels, height, width], [3] arrives"),
        (
            SeparableConv(out_channels=4, kernel_size=9),
            (3, 8, 8),
            "kernel_size",
            "the kernel [9, 9] is larger than its input [8, 8]",
        ),
        (
            SeparableConv(out_channels=4, kernel_size=1),
            (3,),
            None,
            "`separable_conv` needs [channels, height, width], [3] arrives",
        ),
    ],
)
def test_a_misfit_says_what_arrived(layer: Layer, input: Shape, argument: str | None, message: str) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.message == message
    assert caught.value.argument == argument
    assert caught.value.hint


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (ConvTranspose, {"out_channels": 3, "kernel_size": 1, "groups": 2}, "can't be divided into 2 groups"),
        (DepthwiseConv, {"kernel_size": 3, "padding": "same", "stride": (1, 2)}, "`padding: same` needs stride 1"),
        (
            SeparableConv,
            {"out_channels": 3, "kernel_size": 3, "padding": "same", "stride": 2},
            "`padding: same` needs stride 1",
        ),
    ],
)
def test_arguments_that_contradict_each_other(layer: type[Layer], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        layer(**arguments)
