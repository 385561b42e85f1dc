"""Rewritten for speed, a network gives the same outputs and gradients, to the last bit."""

from pathlib import Path
from textwrap import indent

import pytest
import torch
from torch import Tensor

from specforge.analysis import analyse
from specforge.graph import FORMS, Graph, fast_forms
from specforge.graph.fast_forms import clamp_after_pool, clamp_in_place, of_the_device
from specforge.torch_backend import build
from tests.graph.random_networks import Network

NETWORKS, PORTIONS = 1_000, 10

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")


def network(layers: str, tmp_path: Path) -> Graph:
    path = tmp_path / "spec.yaml"
    path.write_text(
        f"specforge: 1\nname: net\nmodel:\n  input: [3, 8, 8]\n  layers:\n{indent(layers.strip(), '    ')}\n"
    )
    _, graph = analyse(path).require()
    return graph


def calls(graph: Graph) -> dict[str, str]:
    return {node.path: node.call.target.rsplit(".", 1)[1] for node in graph.leaves()}


def in_place(graph: Graph) -> set[str]:
    return {node.path for node in graph.leaves() if node.call.arguments.get("inplace")}


def exact(graph: Graph) -> Graph:
    for form in FORMS:
        graph = graph if form is of_the_device else form(graph, "cpu")
    return graph


def outcome(graph: Graph, x: Tensor) -> tuple[list[Tensor], list[Tensor | None], dict[str, Tensor]]:
    """Outputs in training and then in evaluation, gradients, and the state after the step."""
    module = build(graph, seed=0)
    x = x.clone().requires_grad_()
    torch.manual_seed(1)  # both draw the same numbers
    made = module(x)
    outputs = [made] if isinstance(made, Tensor) else [made[0], *made[1].values()]
    loss = torch.stack(
        [(output * torch.linspace(-1, 1, output.numel()).view(output.shape)).sum() for output in outputs]
    )
    gradients = torch.autograd.grad(loss.sum(), [x, *module.parameters()], allow_unused=True)
    with torch.no_grad():
        evaluated: Tensor = module.eval()(x)
    return [*outputs, evaluated], list(gradients), module.state_dict()


def agree(plain: Graph, fast: Graph, x: Tensor) -> None:
    for before, after in zip(outcome(plain, x)[:2], outcome(fast, x)[:2], strict=True):
        assert len(before) == len(after)
        for wanted, found in zip(before, after, strict=True):
            if wanted is None or found is None:
                assert wanted is found
            else:
                torch.testing.assert_close(found, wanted, rtol=0, atol=0, equal_nan=True)
    wanted_state, found_state = (outcome(graph, x)[2] for graph in (plain, fast))
    assert list(wanted_state) == list(found_state)
    assert all(torch.equal(wanted_state[name], found_state[name]) for name in wanted_state)


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_random_networks_compute_the_same_bits(portion: int) -> None:
    rewritten = 0
    for seed in range(portion, NETWORKS, PORTIONS):
        made = Network(seed).model()
        if made is None:
            continue
        fast = exact(made[1])
        if fast is not made[1]:
            rewritten += 1
            agree(made[1], fast, torch.randn(3, *made[1].input, generator=torch.Generator().manual_seed(seed)))
    assert rewritten


def test_a_clamp_moves_behind_the_pooling_and_works_in_place(tmp_path: Path) -> None:
    graph = network(
        "- conv: {out_channels: 4, kernel_size: 3}\n- batch_norm\n- relu\n- max_pool: 2\n- flatten", tmp_path
    )
    fast = fast_forms(graph, device="cpu")
    assert calls(fast)["relu_1"] == "MaxPool2d"
    assert calls(fast)["max_pool_1"] == "ReLU"
    assert in_place(fast) == {"max_pool_1"}
    assert fast.state() == graph.state()
    assert fast.output == graph.output
    agree(graph, fast, torch.randn(4, 3, 8, 8))


def test_inside_units_shapes_follow(tmp_path: Path) -> None:
    unit = (
        "- sequential:\n  - conv: {out_channels: 4, kernel_size: 3}\n  - batch_norm\n  - relu\n- max_pool: 2\n- relu6"
    )
    graph = network(unit, tmp_path)
    fast = exact(graph)
    shapes = {node.path: node.output for node in fast.nodes}
    assert shapes["sequential_1.relu_1"] == shapes["sequential_1"] == shapes["max_pool_1"] == (4, 3, 3)
    agree(graph, fast, torch.randn(4, 3, 8, 8))


@pytest.mark.parametrize(
    ("why", "layers"),
    [
        ("the input belongs to the caller", "- relu"),
        ("a sigmoid keeps its output", "- sigmoid\n- relu"),
        ("a view lies in the input's memory", "- flatten\n- relu"),
        (
            "in evaluation a dropout hands on what it gets",
            "- conv: {out_channels: 3, kernel_size: 1}\n- dropout\n- relu",
        ),
        (
            "the shortcut reads it too",
            "- conv: {out_channels: 3, kernel_size: 1}\n- residual: [relu, {conv: {out_channels: 3, kernel_size: 1}}]",
        ),
        (
            "another layer reads it too",
            "- {id: stem, conv: {out_channels: 3, kernel_size: 1}}\n- relu\n- {from: [stem, previous], concat: }",
        ),
    ],
)
def test_memory_that_something_else_needs_is_left_alone(why: str, layers: str, tmp_path: Path) -> None:
    graph = network(layers, tmp_path)
    assert not in_place(exact(graph)), why
    agree(graph, exact(graph), torch.randn(4, 3, 8, 8))


def test_a_clamp_that_two_layers_read_stays_before_the_pooling(tmp_path: Path) -> None:
    conv = "- conv: {out_channels: 3, kernel_size: 1}\n- {id: act, relu: }"
    graph = network(
        f"{conv}\n- max_pool: {{kernel_size: 3, stride: 1, padding: 1}}\n- {{from: [act, previous], concat: }}",
        tmp_path,
    )
    assert calls(clamp_after_pool(graph, "cpu")) == calls(graph)
    agree(graph, exact(graph), torch.randn(4, 3, 8, 8))


def test_the_sum_of_a_residual_is_written_over(tmp_path: Path) -> None:
    body = "- residual:\n  - conv: {out_channels: 3, kernel_size: 1}\n  - batch_norm\n- relu"
    graph = network(body, tmp_path)
    assert in_place(clamp_in_place(graph, "cpu")) == {"relu_1"}
    agree(graph, exact(graph), torch.randn(4, 3, 8, 8))


def test_only_a_cpu_draws_dropout_in_bits(tmp_path: Path) -> None:
    graph = network("- dropout: 0.3\n- dropout: 0.0", tmp_path)
    assert calls(fast_forms(graph, device="cpu")) == {"dropout_1": "BitDropout", "dropout_2": "Dropout"}
    assert fast_forms(graph, device="cuda") is graph


def test_only_a_cpu_multiplies_large_matrices_by_another_library(tmp_path: Path) -> None:
    graph = network("- flatten\n- linear: 512\n- linear: 8", tmp_path)
    assert calls(fast_forms(graph, device="cpu")) == {
        "flatten_1": "Flatten", "linear_1": "OneDnnLinear", "linear_2": "Linear",
    }  # fmt: skip
    assert fast_forms(graph, device="cuda") is graph
    plain, fast = (build(form, seed=0) for form in (graph, fast_forms(graph, device="cpu")))
    assert all(torch.equal(value, fast.state_dict()[name]) for name, value in plain.state_dict().items())


@pytest.mark.parametrize("values", [float("nan"), float("-inf"), 0.0, -0.0])
def test_odd_values_are_clamped_behind_the_pooling_as_before_it(values: float, tmp_path: Path) -> None:
    graph = network("- conv: {out_channels: 2, kernel_size: 1}\n- relu\n- max_pool: 2", tmp_path)
    x = torch.randn(2, 3, 8, 8)
    x[0, :, :4] = values
    agree(graph, exact(graph), x)
