"""Normalisation: what is accepted, what is refused, and what the channel layer norm computes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn
from torch.nn import functional

from specforge.catalog.definition import Layer
from specforge.catalog.layers.layer_normalization import ChannelLayerNorm, LayerNorm, RmsNorm
from specforge.catalog.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LocalResponseNorm
from specforge.shapes import Misfit, Shape, elements
from specforge.torch_backend.calls import evaluate
from tests.catalog.layers.oracle import accepted_like_torch, runs
from tests.networks import analysed

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def alone(module_class: type[nn.Module], arguments: dict[str, Any], input: Shape) -> nn.Module | None:
    """The module if it takes a batch of one such input, as prediction and an epoch's last batch may have."""
    module = runs(module_class, arguments, input)
    try:
        return module and (module, module(torch.zeros(1, *input)))[0]
    except ValueError:
        return None


@settings(deadline=None, max_examples=150, derandomize=True)
@given(input=SHAPES, num_groups=st.integers(1, 4), affine=st.booleans())
def test_group_norm_accepts_what_torch_accepts(input: Shape, num_groups: int, affine: bool) -> None:
    arguments = {"num_groups": num_groups, "affine": affine}
    module = alone(nn.GroupNorm, {"num_channels": input[0], **arguments}, input)
    accepted_like_torch("group_norm", arguments, input, module)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(input=SHAPES, affine=st.booleans(), track=st.booleans())
def test_instance_norm_accepts_what_torch_accepts(input: Shape, affine: bool, track: bool) -> None:
    arguments = {"affine": affine, "track_running_stats": track}
    classes = {2: nn.InstanceNorm1d, 3: nn.InstanceNorm2d, 4: nn.InstanceNorm3d}
    module_class = classes.get(len(input))
    module = None if module_class is None else runs(module_class, {"num_features": input[0], **arguments}, input)
    accepted_like_torch("instance_norm", arguments, input, module)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(input=SHAPES, axes=st.integers(1, 4), scaled=st.booleans(), rms=st.booleans())
def test_layer_norm_accepts_what_torch_accepts(input: Shape, axes: int, scaled: bool, rms: bool) -> None:
    module_class = nn.RMSNorm if rms else nn.LayerNorm
    arguments = {"normalized_shape": input[-axes:], "elementwise_affine": scaled}
    # torch would take the columns of an image for its features
    refused = axes > len(input) or (axes == 1 and len(input) > 2)
    module = None if refused else runs(module_class, arguments, input)
    given_arguments = {"axes": axes, "elementwise_affine": scaled}
    accepted_like_torch("rms_norm" if rms else "layer_norm", given_arguments, input, module)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(input=SHAPES, size=st.integers(1, 6))
def test_local_response_norm_accepts_what_torch_accepts(input: Shape, size: int) -> None:
    accepted_like_torch("local_response_norm", {"size": size}, input, runs(nn.LocalResponseNorm, {"size": size}, input))


@pytest.mark.parametrize(
    ("input", "memory_format"),
    [
        ((5, 9), torch.contiguous_format),
        ((5, 9, 8), torch.contiguous_format),
        ((5, 9, 8), torch.channels_last),
        ((5, 4, 3, 2), torch.contiguous_format),
        ((5, 4, 3, 2), torch.channels_last_3d),
    ],
)
def test_channel_layer_norm_is_torchs_over_the_channels(input: Shape, memory_format: torch.memory_format) -> None:
    module = evaluate(ChannelLayerNorm(eps=1e-3).lower(input)).double()
    nn.init.normal_(module.weight)
    nn.init.normal_(module.bias)
    x = torch.randn(2, *input, dtype=torch.float64).to(memory_format=memory_format).requires_grad_()
    by_pixel = x.flatten(2).transpose(1, 2)
    wanted = functional.layer_norm(by_pixel, input[:1], module.weight, module.bias, 1e-3).transpose(1, 2).view_as(x)
    found = module(x)
    torch.testing.assert_close(found, wanted)
    probe = torch.randn_like(wanted)
    for ours, theirs in zip(
        torch.autograd.grad((found * probe).sum(), [x, module.weight, module.bias]),
        torch.autograd.grad((wanted * probe).sum(), [x, module.weight, module.bias]),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)
    if memory_format is not torch.contiguous_format:
        assert found.is_contiguous(memory_format=memory_format)


def test_local_response_norm_divides_as_its_documentation_says() -> None:
    x = torch.randn(1, 3, 1, 1, dtype=torch.float64)
    found = evaluate(LocalResponseNorm(size=3, alpha=0.6, beta=2.0, k=1.5).lower((3, 1, 1)))(x)
    a, b, c = x.flatten().tolist()
    sums = [a * a + b * b, a * a + b * b + c * c, b * b + c * c]
    wanted = [value / (1.5 + 0.6 * total / 3) ** 2 for value, total in zip([a, b, c], sums, strict=True)]
    torch.testing.assert_close(found.flatten(), torch.tensor(wanted, dtype=torch.float64))


@pytest.mark.parametrize("layer", [BatchNorm(), InstanceNorm()], ids=["batch_norm", "instance_norm"])
def test_what_is_added_to_a_centred_axis_is_lost(layer: Layer) -> None:
    """`centred_axis` 0: a bias of the convolution before it changes nothing."""
    assert layer.centred_axis == 0
    module = evaluate(layer.lower((3, 5, 5)))
    x, bias = torch.randn(4, 3, 5, 5), torch.randn(3, 1, 1)
    torch.testing.assert_close(module(x), module(x + bias), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layer", [GroupNorm(num_groups=1), LayerNorm(), ChannelLayerNorm()], ids=repr)
def test_other_normalisations_keep_what_is_added_to_a_channel(layer: Layer) -> None:
    assert layer.centred_axis is None
    module = evaluate(layer.lower((3, 5, 5)))
    x, bias = torch.randn(4, 3, 5, 5), torch.randn(3, 1, 5)
    assert (module(x) - module(x + bias)).abs().max() > 0.1


@pytest.mark.parametrize(
    ("layer", "input", "argument", "message"),
    [
        (GroupNorm(num_groups=2), (3, 8, 8), "num_groups", "3 channels arrive, which 2 groups can't divide"),
        (GroupNorm(num_groups=3), (3,), "num_groups", "3 groups of [3] have a single value each, which becomes 0"),
        (InstanceNorm(), (3, 1, 1), None, "`instance_norm` needs several positions in each channel, [3, 1, 1] arrives"),
        (InstanceNorm(), (3,), None, "`instance_norm` needs [channels, height, width], [3] arrives"),
        (LayerNorm(axes=2), (3,), "axes", "`axes: 2` are to be normalised, [3] arrives"),
        (RmsNorm(axes=4), (3, 8, 8), "axes", "`axes: 4` are to be normalised, [3, 8, 8] arrives"),
        (ChannelLayerNorm(), (3,), None, "`channel_layer_norm` needs [channels, height, width], [3] arrives"),
        (LocalResponseNorm(size=5), (3,), None, "`local_response_norm` needs [channels, height, width], [3] arrives"),
    ],
)
def test_a_misfit_says_what_arrived(layer: Layer, input: Shape, argument: str | None, message: str) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.message == message
    assert caught.value.argument == argument
    assert caught.value.hint


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (GroupNorm, {"num_groups": 0}),
        (GroupNorm, {"num_groups": 1, "eps": 0.0}),
        (InstanceNorm, {"momentum": 1.5}),
        (LayerNorm, {"axes": 0}),
        (RmsNorm, {"eps": -1e-6}),
        (LocalResponseNorm, {"size": 0}),
    ],
)
def test_numbers_out_of_range(layer: type[Layer], arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        layer(**arguments)


@pytest.mark.parametrize("word", ["layer_norm", "rms_norm"])
def test_an_image_has_no_features_last(word: str, tmp_path: Path) -> None:
    (found,) = analysed(tmp_path, f"- {word}", input=(3, 8, 8)).findings
    assert found.message.startswith(f"`{word}` works on the last axis, an image [3, 8, 8] arrives")


def test_layer_norm_of_a_whole_image_has_a_scale_for_every_pixel() -> None:
    (weight, bias) = LayerNorm(axes=3).parameters((3, 8, 8))
    assert elements(weight.shape) == elements(bias.shape) == 3 * 8 * 8
