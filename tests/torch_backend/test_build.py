"""Building: seeds, initialisers, freezing, and that a built network is an ordinary module with hand-written results."""

import copy
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from specforge.graph import Graph
from specforge.torch_backend import build
from tests.networks import graph_of

RESIDUAL = """
- {id: stem, conv: {out_channels: 4, kernel_size: 3, padding: 1}}
- residual: {layers: [{conv: {out_channels: 4, kernel_size: 3, padding: 1}}, batch_norm, relu]}
- residual:
    layers: [{conv: {out_channels: 8, kernel_size: 3, padding: 1, stride: 2}}, batch_norm]
    shortcut: projection
- relu
- global_avg_pool
- dropout: 0.5
- linear: 3
"""
LAB2_BN = """
- repeat:
    for: {channels: [32, 64]}
    layers:
      - conv_unit: {channels: $channels}
      - conv_unit: {channels: $channels}
      - max_pool: 2
      - dropout: 0.5
- flatten
- linear: 512
- batch_norm
- relu
- dropout: 0.5
- linear: 100
"""
CONV_UNIT = """
conv_unit:
  params: {channels: required}
  layers: [{conv: {out_channels: $channels, kernel_size: 3, padding: same}}, batch_norm, relu]
"""


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return graph_of(tmp_path, RESIDUAL, input=(3, 8, 8))


def images(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


def same_state(one: nn.Module, other: nn.Module) -> bool:
    states = one.state_dict(), other.state_dict()
    return list(states[0]) == list(states[1]) and all(
        torch.equal(states[0][name], states[1][name]) for name in states[0]
    )


def test_a_seed_reproduces_the_weights(graph: Graph) -> None:
    assert same_state(build(graph, seed=3), build(graph, seed=3))
    assert not same_state(build(graph, seed=3), build(graph, seed=4))


def test_without_a_seed_the_caller_s_generator_is_used(graph: Graph) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        first, second = build(graph), build(graph)
        torch.manual_seed(11)
        again = build(graph)
    assert same_state(first, again)
    assert not same_state(first, second)


def test_a_seed_leaves_the_caller_s_generator_alone(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_rng_state()

    def seeds_every_device(seed: int) -> None:
        raise AssertionError("torch.manual_seed reaches the generators of all devices")

    monkeypatch.setattr(torch, "manual_seed", seeds_every_device)
    build(graph, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_are_drawn_on_the_cpu_whatever_the_default_device_is(graph: Graph) -> None:
    with torch.device("meta"):
        module = build(graph, seed=3)
    assert same_state(module, build(graph, seed=3))


def test_equals_seeding_and_constructing_by_hand(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, "- conv: {out_channels: 4, kernel_size: 3}\n- flatten\n- linear: 2", input=(3, 5, 5))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        by_hand = [nn.Conv2d(3, 4, 3), nn.Linear(36, 2)]
    built = build(graph, seed=3)
    for name, module in zip(("conv_1", "linear_1"), by_hand, strict=True):
        assert same_state(built.get_submodule(name), module)


def test_initialisers_fill_their_parameters(tmp_path: Path) -> None:
    layers = """
    - conv: {out_channels: 16, kernel_size: 3}
    - batch_norm
    - flatten
    - {linear: 8, init: {bias: {constant: 2}}}
    """
    model = """
    init:
      - {select: {kind: [conv, linear], parameter: weight}, initializer: xavier_uniform}
      - {select: {parameter: bias}, initializer: zeros}
    """
    built = build(graph_of(tmp_path, layers, input=(4, 6, 6), model=model), seed=0)
    conv, linear = built.get_submodule("conv_1"), built.get_submodule("linear_1")
    for weight, fans in ((conv.weight, 9 * (4 + 16)), (linear.weight, 256 + 8)):
        assert isinstance(weight, Tensor)
        limit = (6 / fans) ** 0.5
        # all inside of the limit, and as many that the largest comes close: another spread would show
        assert 0.95 * limit < weight.abs().max().item() <= limit
        assert weight.requires_grad
    assert torch.equal(conv.bias, torch.zeros(16))  # type: ignore[arg-type]  # a Tensor
    assert torch.equal(built.get_parameter("batch_norm_1.bias"), torch.zeros(16))
    assert torch.equal(linear.bias, torch.full((8,), 2.0))  # type: ignore[arg-type]  # a Tensor


def test_frozen_layers_get_no_gradient(tmp_path: Path) -> None:
    layers = """
    - {sequential: {layers: [{linear: 4}, batch_norm]}, trainable: false}
    - {linear: 4, trainable: false}
    - linear: 2
    """
    built = build(graph_of(tmp_path, layers, input=(3,)), seed=0)
    built(images(5, 3)).sum().backward()
    assert [name for name, parameter in built.named_parameters() if parameter.grad is not None] == [
        "linear_2.weight",
        "linear_2.bias",
    ]


def test_a_built_network_is_in_training_mode(graph: Graph) -> None:
    assert all(module.training for module in build(graph).modules())


def test_pickle_and_deepcopy_keep_the_network(graph: Graph) -> None:
    module, x = build(graph, seed=0).eval(), images(2, 3, 8, 8)
    expected = module(x)
    for twin in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
        assert same_state(twin, module)
        assert torch.equal(twin(x), expected)
    with torch.no_grad():
        copy.deepcopy(module).get_parameter("linear_1.bias").add_(1)
    assert torch.equal(module(x), expected), "a copy shares nothing"


def test_exports(graph: Graph) -> None:
    module, x = build(graph, seed=0).eval(), images(2, 3, 8, 8)
    exported = torch.export.export(module, (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    more = images(5, 3, 8, 8)
    torch.testing.assert_close(exported.module()(more), module(more))
    assert set(exported.state_dict) == set(graph.state())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, on the way to its compiler
def test_compiles_as_one_graph(graph: Graph) -> None:
    module, x = build(graph, seed=0).eval(), images(2, 3, 8, 8)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), module(x))


BODY = "{conv: {out_channels: %d, kernel_size: 3, padding: 1, stride: %d}}"


def residual(folder: Path, channels: int, stride: int, shortcut: str) -> nn.Module:
    layers = f"- residual: {{layers: [{BODY % (channels, stride)}, relu], shortcut: {shortcut}}}"
    module = build(graph_of(folder, layers, input=(3, 8, 8)), seed=0)
    return module.get_submodule("residual_1")


def body(module: nn.Module, x: Tensor) -> Tensor:
    conv = module.get_submodule("conv_1")
    assert isinstance(conv, nn.Conv2d)
    return torch.relu(nn.functional.conv2d(x, conv.weight, conv.bias, stride=conv.stride, padding=1))


@pytest.mark.parametrize("shortcut", ["identity", "projection", "where_possible"])
def test_equal_shapes_add_the_input(shortcut: str, tmp_path: Path) -> None:
    module, x = residual(tmp_path, 3, 1, shortcut), images(2, 3, 8, 8)
    assert torch.equal(module(x), body(module, x) + x)


def test_a_projection_is_a_strided_convolution_and_a_batch_norm(tmp_path: Path) -> None:
    module, x = residual(tmp_path, 4, 2, "projection"), images(2, 3, 8, 8)
    conv = module.get_submodule("shortcut.conv_1")
    assert isinstance(conv, nn.Conv2d)
    projected = torch.einsum("nchw,oc->nohw", x[:, :, ::2, ::2], conv.weight[:, :, 0, 0])
    mean, variance = projected.mean((0, 2, 3), keepdim=True), projected.var((0, 2, 3), unbiased=False, keepdim=True)
    torch.testing.assert_close(module(x), body(module, x) + (projected - mean) / (variance + 1e-5).sqrt())


def test_no_sum_where_shapes_differ(tmp_path: Path) -> None:
    module, x = residual(tmp_path, 4, 2, "where_possible"), images(2, 3, 8, 8)
    assert torch.equal(module(x), body(module, x))


def test_a_shortcut_of_layers_sees_the_input(tmp_path: Path) -> None:
    module, x = residual(tmp_path, 3, 2, "[{max_pool: 2}, tanh]"), images(2, 3, 8, 8)
    assert torch.equal(module(x), body(module, x) + nn.functional.max_pool2d(x, 2).tanh())


def test_an_empty_body_doubles(tmp_path: Path) -> None:
    module = build(graph_of(tmp_path, "- residual: {layers: []}", input=(3,)))
    assert torch.equal(module(torch.ones(2, 3)), torch.full((2, 3), 2.0))


def lab2_bn_by_hand() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for channels in (32, 64):
        for _ in range(2):
            layers += [nn.Conv2d(before, channels, 3, padding="same"), nn.BatchNorm2d(channels), nn.ReLU()]
            before = channels
        layers += [nn.MaxPool2d(2), nn.Dropout(0.5)]
    layers += [nn.Flatten(), nn.Linear(4096, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 100)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=["nchw", "channels_last"])
def test_equals_the_network_written_by_hand(memory: torch.memory_format, tmp_path: Path) -> None:
    """The same weights give the same outputs, gradients and running statistics, bit for bit."""
    graph = graph_of(tmp_path, LAB2_BN, input=(3, 32, 32), blocks=CONV_UNIT)
    assert (graph.trainable_parameters, graph.total_parameters, graph.output) == (2_215_940, 2_217_348, (100,))
    built, by_hand = build(graph, seed=0), lab2_bn_by_hand()
    by_hand.load_state_dict(dict(zip(by_hand.state_dict(), built.state_dict().values(), strict=True)))
    results = []
    for module in (built, by_hand):
        module.to(memory_format=memory)
        x = images(4, 3, 32, 32).contiguous(memory_format=memory).requires_grad_()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)  # dropout
            output = module(x)
        output.square().mean().backward()
        gradients = [parameter.grad for parameter in module.parameters()]
        results.append([output, x.grad, *gradients, *module.buffers(), module.eval()(x)])
    for ours, theirs in zip(*results, strict=True):
        assert torch.equal(ours, theirs)
