"""Every layer's shape, tensors and cost against the torch module that it lowers to."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from specforge.catalog.definition import Composite, Layer, Merge
from specforge.catalog.discovery import definition, index
from specforge.catalog.layers.activation import Softplus
from specforge.catalog.layers.convolution import Conv
from specforge.catalog.layers.pooling import AvgPool, MaxPool
from specforge.catalog.layers.reshaping import Flatten
from specforge.shapes import Misfit, Shape
from specforge.torch_backend import build
from tests.catalog.layers.cases import ANY, all_cases
from tests.catalog.layers.oracle import BATCH, accepted_like_torch, agrees, runs, windows
from tests.networks import graph_of

# torch notes that an even kernel with `padding: same` costs a copy; that is no fault of the shape
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

CASES = all_cases()


def test_every_layer_has_cases() -> None:
    assert set(CASES) == set(index("layers"))


@pytest.mark.parametrize(
    ("word", "arguments", "input"),
    [(word, arguments, shape) for word in CASES for arguments, inputs in CASES[word].items() for shape in inputs],
)
def test_equals_the_module(word: str, arguments: str, input: Shape, tmp_path: Path) -> None:
    graph = graph_of(tmp_path, f"- {word}: {arguments}", input=input)
    agrees(graph, build(graph, device="meta"), "meta")


LEAVES = [
    (word, arguments, inputs[-1])
    for word in CASES
    for arguments, inputs in CASES[word].items()
    if not issubclass(definition("layers", word) or Layer, Composite | Merge)
]


@pytest.mark.parametrize(("word", "arguments", "input"), LEAVES)
def test_keeps_what_autograd_keeps(word: str, arguments: str, input: Shape, tmp_path: Path) -> None:
    """`kept` and `is_view` against the tensors that autograd saves on the CPU."""
    graph = graph_of(tmp_path, f"- {word}: {arguments}", input=input)
    node = next(graph.leaves())
    assert node.layer is not None
    promised = node.layer.kept(input, graph.output)
    module = build(graph, seed=0).train()
    x = torch.rand(BATCH, *input, requires_grad=True)
    saved: dict[int, int] = {}
    own = {p.untyped_storage().data_ptr() for p in [*module.parameters(), *module.buffers()]}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = module(x)
    into, out = x.untyped_storage().data_ptr(), y.untyped_storage().data_ptr()
    assert (into == out) == (node.layer.is_view or word == "identity")
    assert (into in saved) == (promised.input or (node.layer.is_view and promised.output))
    assert (out in saved) == (promised.output or (node.layer.is_view and promised.input))
    extra = sum(size for storage, size in saved.items() if storage not in own | {into, out})
    once_a_batch = 4 * 4 * max(input[0], graph.output[0])  # mean and deviation of every channel
    assert abs(extra - BATCH * promised.extra) <= once_a_batch, f"saves {extra / BATCH} bytes an image"


@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    window=windows(largest=6),
    channels=st.integers(1, 4),
    out_channels=st.integers(1, 4),
    groups=st.integers(1, 2),
    bias=st.booleans(),
    named_padding=st.sampled_from([None, None, "same", "valid"]),
    padding_mode=st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]),
)
def test_convolution_accepts_what_torch_accepts(
    window: tuple[Shape, dict[str, Any]],
    channels: int,
    out_channels: int,
    groups: int,
    bias: bool,
    named_padding: str | None,
    padding_mode: str,
) -> None:
    sizes, arguments = window
    arguments |= {"out_channels": out_channels, "groups": groups, "bias": bias, "padding_mode": padding_mode}
    if named_padding is not None:
        arguments["padding"] = named_padding
    module_class = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(sizes) - 1]
    module = runs(module_class, {"in_channels": channels, **arguments}, (channels, *sizes))
    accepted_like_torch("conv", arguments, (channels, *sizes), module)


@pytest.mark.parametrize("padding_mode", ["reflect", "circular"])
@pytest.mark.parametrize("kernel_size", range(1, 7))
@pytest.mark.parametrize("size", range(1, 5))
def test_a_border_made_from_the_image_is_no_wider(size: int, kernel_size: int, padding_mode: str) -> None:
    """`same` pads an even kernel by one more on the right."""
    arguments = {"out_channels": 1, "kernel_size": kernel_size, "padding": "same", "padding_mode": padding_mode}
    module = runs(nn.Conv1d, {"in_channels": 1, **arguments}, (1, size))
    accepted_like_torch("conv", arguments, (1, size), module)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(window=windows(largest=6), ceil_mode=st.booleans(), stride_given=st.booleans())
def test_max_pooling_accepts_what_torch_accepts(
    window: tuple[Shape, dict[str, Any]], ceil_mode: bool, stride_given: bool
) -> None:
    sizes, arguments = window
    arguments["ceil_mode"] = ceil_mode
    if not stride_given:
        del arguments["stride"]
    module_class = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[len(sizes) - 1]
    accepted_like_torch("max_pool", arguments, (2, *sizes), runs(module_class, arguments, (2, *sizes)))


@settings(deadline=None, max_examples=300, derandomize=True)
@given(window=windows(largest=6), ceil_mode=st.booleans(), stride_given=st.booleans(), count=st.booleans())
def test_average_pooling_accepts_what_torch_accepts(
    window: tuple[Shape, dict[str, Any]], ceil_mode: bool, stride_given: bool, count: bool
) -> None:
    sizes, arguments = window
    del arguments["dilation"]
    arguments |= {"ceil_mode": ceil_mode, "count_include_pad": count}
    if not stride_given:
        del arguments["stride"]
    module_class = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[len(sizes) - 1]
    accepted_like_torch("avg_pool", arguments, (2, *sizes), runs(module_class, arguments, (2, *sizes)))


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    input=st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple),
    start_dim=st.integers(1, 6),
    end_dim=st.integers(-6, 6),
)
def test_flatten_accepts_what_torch_accepts(input: Shape, start_dim: int, end_dim: int) -> None:
    assume(end_dim != 0)  # torch could join nothing there: it names the batch
    arguments = {"start_dim": start_dim, "end_dim": end_dim}
    try:
        module: nn.Module | None = nn.Flatten(**arguments)
        nn.Flatten(**arguments)(torch.zeros(BATCH, *input))
    except (RuntimeError, IndexError):
        module = None
    accepted_like_torch("flatten", arguments, input, module)


@pytest.mark.parametrize("slopes", [1, 2, 3])
@pytest.mark.parametrize("input", ANY)
def test_prelu_accepts_what_torch_accepts(input: Shape, slopes: int) -> None:
    accepted_like_torch("prelu", {"num_parameters": slopes}, input, runs(nn.PReLU, {"num_parameters": slopes}, input))


@pytest.mark.parametrize(
    ("layer", "input", "argument"),
    [
        (Conv(out_channels=4, kernel_size=9), (3, 8, 8), "kernel_size"),
        (Conv(out_channels=4, kernel_size=3, groups=2), (3, 8, 8), "groups"),
        (Conv(out_channels=4, kernel_size=3, padding=4, padding_mode="reflect"), (3, 4, 9), "padding_mode"),
        (Conv(out_channels=4, kernel_size=3, padding=5, padding_mode="circular"), (3, 4, 9), "padding_mode"),
        (Conv(out_channels=4, kernel_size=(3, 3, 3)), (3, 8, 8), "kernel_size"),
        (Conv(out_channels=4, kernel_size=3, stride=(1, 2, 1)), (3, 8, 8), "stride"),
        (Conv(out_channels=4, kernel_size=1), (3,), None),
        (MaxPool(kernel_size=9), (3, 8, 8), "kernel_size"),
        (MaxPool(kernel_size=3, padding=2), (3, 8, 8), "padding"),
        (MaxPool(kernel_size=10, stride=2, ceil_mode=True), (3, 8, 8), "kernel_size"),
        (MaxPool(kernel_size=2, stride=(2, 2)), (3, 8), "stride"),
        (MaxPool(kernel_size=2), (3,), None),
        (AvgPool(kernel_size=3, padding=2), (3, 8, 8), "padding"),
        (AvgPool(kernel_size=3, padding=1), (3, 2, 2, 2), "kernel_size"),
        (Flatten(start_dim=4), (3, 8, 8), "start_dim"),
        (Flatten(start_dim=2, end_dim=1), (3, 8, 8), "end_dim"),
    ],
)
def test_a_misfit_names_the_argument(layer: Layer, input: Shape, argument: str | None) -> None:
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert caught.value.argument == argument
    assert caught.value.hint


@pytest.mark.parametrize(
    ("word", "arguments", "input", "message"),
    [
        ("global_avg_pool", {}, (3,), "[3] arrives"),
        ("batch_norm", {}, (1, 2, 3, 4, 5), "at most three spatial axes"),
        ("softmax", {"dim": 0}, (3,), "the batch is axis 0"),
        ("softmax", {"dim": -2}, (3,), "the batch is axis 0"),
        ("log_softmax", {"dim": 2}, (3,), "axis 2 is not one of [3]"),
    ],
)
def test_the_language_is_stricter_than_torch(word: str, arguments: dict[str, Any], input: Shape, message: str) -> None:
    found = definition("layers", word)
    assert found is not None
    layer = found(**arguments)
    assert isinstance(layer, Layer)
    with pytest.raises(Misfit) as caught:
        layer.output_shape(input)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("word", "arguments", "torch_class"),
    [
        ("celu", {"alpha": 0.0}, nn.CELU),
        ("softshrink", {"lambd": -1.0}, nn.Softshrink),
        ("hardtanh", {"min_val": 2.0, "max_val": 1.0}, nn.Hardtanh),
        ("dropout", {"p": 1.5}, nn.Dropout),
        ("conv", {"out_channels": 3, "kernel_size": 1, "groups": 2}, nn.Conv2d),
        ("conv", {"out_channels": 3, "kernel_size": 3, "padding": "same", "stride": (1, 2)}, nn.Conv2d),
    ],
)
def test_arguments_that_torch_refuses_are_refused(
    word: str, arguments: dict[str, Any], torch_class: type[nn.Module]
) -> None:
    found = definition("layers", word)
    assert found is not None
    with pytest.raises(ValidationError):
        found(**arguments)
    channels = {"in_channels": 4} if word == "conv" else {}
    with pytest.raises((RuntimeError, ValueError, AssertionError)):
        torch_class(**channels, **arguments)(torch.zeros(BATCH, 4, 8, 8))


def test_softplus_divides_by_beta() -> None:
    with pytest.raises(ValidationError, match="other than 0"):
        Softplus(beta=0.0)
    assert torch.isinf(nn.Softplus(beta=0.0)(torch.ones(1))).all(), "torch gives infinity without a word"
