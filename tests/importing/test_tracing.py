"""What torch modules do, followed on `meta`: as modules, as functions, and what no layer says."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from specforge.importing.network import ImportFailure, Network
from specforge.importing.torch_networks.tracing import trace


class Calls(nn.Module):
    """A module that does to an image what a function does."""

    def __init__(self, function: Callable[[Tensor], Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def traced(module: nn.Module, *input: int) -> Network:
    return trace(module.to("meta"), input, name="traced")


def words(network: Network) -> list[tuple[str, dict[str, object]]]:
    return [(operation.word, dict(operation.arguments)) for operation in network.operations]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: functional.relu(x), [("relu", {})]),
        (lambda x: x.relu_(), [("relu", {})]),
        (lambda x: functional.gelu(x, approximate="tanh"), [("gelu", {"approximate": "tanh"})]),
        (lambda x: functional.dropout(x, 0.3), [("dropout", {"p": 0.3})]),
        (lambda x: functional.dropout(x, 0.3, training=False) + x, [("add", {})]),
        (lambda x: functional.max_pool2d(x, 2), [("max_pool", {"kernel_size": 2})]),
        (lambda x: functional.max_pool2d(x, 3, 2, 1), [("max_pool", {"kernel_size": 3, "stride": 2, "padding": 1})]),
        (lambda x: functional.avg_pool2d(x, (2, 4)), [("avg_pool", {"kernel_size": [2, 4]})]),
        (lambda x: functional.adaptive_avg_pool2d(x, (1, 1)), [("adaptive_avg_pool", {"output_size": 1})]),
        (lambda x: torch.flatten(x, 1), [("flatten", {})]),
        (lambda x: x.flatten(2), [("flatten", {"start_dim": 2})]),
        (lambda x: x.view(x.shape[0], -1), [("reshape", {"shape": [256]})]),
        (lambda x: x.reshape(x.size(0), 2, 2, 64), [("reshape", {"shape": [2, 2, 64]})]),
        (lambda x: x.permute(0, 2, 3, 1), [("permute", {"dims": [2, 3, 1]})]),
        (lambda x: x.transpose(1, -1), [("permute", {"dims": [3, 2, 1]})]),
        (lambda x: x.mean([2, 3]), [("global_avg_pool", {})]),
        (lambda x: x.mean((2, 3), keepdim=True), [("adaptive_avg_pool", {"output_size": 1})]),
        (lambda x: x.mean(1), [("mean", {"dim": 1})]),
        (lambda x: x[:, 1:3], [("slice", {"start": 1, "stop": 3})]),
        (lambda x: x[:, :, ::2], [("slice", {"dim": 2, "step": 2})]),
        (lambda x: x[:, 0], [("select", {"dim": 1, "index": 0})]),
        (lambda x: x * 0.5, [("scale", {"factor": 0.5})]),
        (lambda x: torch.cat([x, x.sigmoid()], 1), [("sigmoid", {}), ("concat", {})]),
        (
            lambda x: torch.cat(x.chunk(2, 1)[::-1], 1),
            [("slice", {"stop": 2}), ("slice", {"start": 2}), ("concat", {})],
        ),
        (lambda x: x.contiguous().clone().tanh(), [("tanh", {})]),
    ],
)
def test_functions(function: Callable[[Tensor], Tensor], expected: list[object]) -> None:
    assert words(traced(Calls(function), 4, 8, 8)) == expected


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Conv2d(4, 8, (1, 3), bias=False), ("conv", {"out_channels": 8, "kernel_size": [1, 3], "bias": False})),
        (nn.Conv2d(4, 8, 3, groups=2, padding="same"), (
            "conv", {"out_channels": 8, "kernel_size": 3, "padding": "same", "groups": 2})),
        (nn.Conv2d(4, 8, 3, groups=4), ("depthwise_conv", {"kernel_size": 3, "depth_multiplier": 2})),
        (nn.ConvTranspose2d(4, 2, 2, 2), ("conv_transpose", {"out_channels": 2, "kernel_size": 2, "stride": 2})),
        (nn.MaxPool2d(2, 2), ("max_pool", {"kernel_size": 2})),
        (nn.BatchNorm2d(4, eps=1e-3), ("batch_norm", {"eps": 1e-3})),
        (nn.GroupNorm(2, 4), ("group_norm", {"num_groups": 2})),
        (nn.LayerNorm([4, 8, 8]), ("layer_norm", {"axes": 3})),
        (nn.LeakyReLU(0.1), ("leaky_relu", {"negative_slope": 0.1})),
        (nn.Dropout2d(0.2), ("channel_dropout", {"p": 0.2})),
        (nn.AdaptiveAvgPool2d((2, 2)), ("adaptive_avg_pool", {"output_size": 2})),
    ],
)  # fmt: skip
def test_modules(module: nn.Module, expected: object) -> None:
    assert words(traced(nn.Sequential(module), 4, 8, 8)) == [expected]


def test_weights_places_and_shapes() -> None:
    network = traced(nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3)), nn.Identity(), nn.Dropout(0.0)), 3, 8, 8)
    (conv,) = network.operations
    assert (conv.place, conv.weights, conv.shape) == ("0.0", ("0.0.weight", "0.0.bias"), (4, 6, 6))
    assert network.modules == {"": "Sequential", "0": "Sequential"}
    assert network.tensors == {"0.0.weight": (4, 3, 3, 3), "0.0.bias": (4,)}


def test_a_layer_that_runs_twice_shares_its_weights() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(functional.relu(self.conv(x)))  # type: ignore[no-any-return]

    assert [operation.shared for operation in traced(Twice(), 3, 4, 4).operations] == ["conv", None, "conv"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: torch.fft.fft(x), "the network (Calls) calls `torch.fft.fft`, which no layer of the language does"),
        (lambda x: x.transpose(0, 1), "the network (Calls) moves the axis of the images"),
        (lambda x: x[0], "the network (Calls) takes `(0,)` of a value"),
        (lambda x: x + torch.ones(2, 4, 8, 8, device="meta"), "reads a tensor that does not come from the input"),
        (lambda x: x.flatten(0), "the network (Calls) mixes the images of a batch"),
    ],
)
def test_what_no_layer_says(function: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(ImportFailure) as failure:
        traced(Calls(function), 4, 8, 8)
    assert message in failure.value.message


def test_the_module_is_named_that_does_what_no_layer_says() -> None:
    with pytest.raises(ImportFailure, match=r"`1\.0` \(Calls\) calls `torch\.cumsum`"):
        traced(nn.Sequential(nn.ReLU(), nn.Sequential(Calls(lambda x: torch.cumsum(x, 1)))), 4, 8, 8)


def test_no_hook_is_left_behind() -> None:
    module = nn.Sequential(nn.ReLU())
    traced(module, 3)
    assert not module._forward_hooks
    assert not module[0]._forward_pre_hooks
