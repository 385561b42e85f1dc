"""Layers that change nothing, are undone or go nowhere: each finding against what torch computes without the layer."""

from pathlib import Path

import pytest
import torch

from specforge.torch_backend import build
from tests.networks import analysed

IMAGE, FEATURES = (3, 8, 8), (6,)


def codes(folder: Path, layers: str, input: tuple[int, ...] = IMAGE) -> list[str]:
    return [f"{found.code} {found.span.line}" for found in analysed(folder, layers, input=input).findings]


def result(folder: Path, layers: str, input: tuple[int, ...]) -> torch.Tensor:
    """What a network gives in training for one batch."""
    module = build(analysed(folder, layers, input=input).require()[1], seed=0).double().train()
    torch.manual_seed(1)
    batch = torch.randn(4, *input, dtype=torch.float64)
    torch.manual_seed(2)
    output = module(batch)
    assert isinstance(output, torch.Tensor)
    return output


@pytest.mark.parametrize(
    ("before", "idle"),
    [
        ("relu", "relu"),
        ("sigmoid", "relu"),
        ("softmax", "relu"),
        ("hardtanh: {min_val: 0, max_val: 2}", "relu6"),
        ("relu6", "hardtanh: {min_val: 0, max_val: 6}"),
        ("relu", "leaky_relu"),
        ("relu6", "elu"),
        ("sigmoid", "celu"),
        ("tanh", "hardtanh"),
        ("conv: {out_channels: 2, kernel_size: 1}", "dropout: 0"),
        ("conv: {out_channels: 2, kernel_size: 1}", "max_pool: 1"),
        ("conv: {out_channels: 2, kernel_size: 1}", "avg_pool: 1"),
        ("flatten", "flatten"),
        ("global_avg_pool", "flatten"),
    ],
)
def test_a_layer_that_changes_nothing(tmp_path: Path, before: str, idle: str) -> None:
    assert codes(tmp_path, f"- {before}\n- {idle}") == ["SF513 7"]
    assert torch.equal(result(tmp_path, f"- {before}\n- {idle}", IMAGE), result(tmp_path, f"- {before}", IMAGE))


@pytest.mark.parametrize("between", ["max_pool: 2", "avg_pool: 2", "dropout: 0.5", "flatten", "global_avg_pool"])
def test_values_stay_above_zero_between_two_relus(tmp_path: Path, between: str) -> None:
    assert codes(tmp_path, f"- relu\n- {between}\n- relu") == ["SF513 8"]


@pytest.mark.parametrize(
    "layers",
    [
        "- relu",
        "- tanh\n- relu",
        "- relu\n- tanh",
        "- relu\n- hardtanh",  # cuts off above 1
        "- leaky_relu\n- relu",
        "- relu\n- conv: {out_channels: 2, kernel_size: 1}\n- relu",
        "- relu\n- batch_norm\n- relu",
        "- relu\n- selu",  # scales by 1.05
        "- max_pool: {kernel_size: 1, stride: 2}",
        "- flatten",
        "- dropout: 0.1",
        "- repeat: {times: 0, layers: [relu]}",
        "- sequential: {layers: []}",
        "- residual: {layers: [{conv: {out_channels: 3, kernel_size: 1}}, relu]}\n- relu",  # a sum has any sign
    ],
)
def test_layers_that_do_something(tmp_path: Path, layers: str) -> None:
    assert codes(tmp_path, layers) == []


def test_batch_norm_undone_by_another(tmp_path: Path) -> None:
    assert codes(tmp_path, "- batch_norm\n- batch_norm\n- relu") == ["SF513 6"]
    assert codes(tmp_path, "- batch_norm\n- relu\n- batch_norm") == []
    assert codes(tmp_path, "- batch_norm\n- {batch_norm: , trainable: false}") == []
    assert codes(tmp_path, "- {id: a, batch_norm: }\n- batch_norm\n- {from: [a, previous], add: }") == []


@pytest.mark.parametrize(("first", "between", "last"), [(6, 6, 3), (6, 3, 3), (6, 10, 10), (6, 8, 7)])
def test_two_linear_layers_are_one(tmp_path: Path, first: int, between: int, last: int) -> None:
    """Any matrix of one layer is a product of two, since the values between are enough."""
    assert codes(tmp_path, f"- linear: {between}\n- linear: {last}", (first,)) == ["SF514 6"]
    wanted = torch.randn(last, first, dtype=torch.float64)
    left, values, right = torch.linalg.svd(wanted, full_matrices=False)
    assert len(values) <= between
    product = torch.zeros(last, between, dtype=torch.float64)
    product[:, : len(values)] = left * values
    factor = torch.zeros(between, first, dtype=torch.float64)
    factor[: len(values)] = right
    assert torch.allclose(product @ factor, wanted)


def test_the_parameters_of_two_linear_layers_and_of_one(tmp_path: Path) -> None:
    (found,) = analysed(tmp_path, "- linear: {out_features: 8, bias: false}\n- linear: 3", input=FEATURES).findings
    assert "75 parameters do the work of 21" in found.message
    without = "- linear: {out_features: 6, bias: false}\n- linear: {out_features: 6, bias: false}"
    (found,) = analysed(tmp_path, without, input=FEATURES).findings
    assert "72 parameters do the work of 36" in found.message


@pytest.mark.parametrize(
    "layers",
    [
        "- linear: 2\n- linear: 5",  # a factorisation: its rank is 2
        "- linear: 8\n- relu\n- linear: 3",
        "- linear: 8\n- dropout: 0.1\n- linear: 3",
        "- {linear: 8, trainable: false}\n- linear: 3",  # random features
        "- {id: a, linear: 8}\n- {id: b, linear: 3}\n- {from: a, linear: 3}\n- {from: [b, previous], add: }",
        "- {shared: w, linear: 6}\n- {shared: w, linear: 6}",
    ],
)
def test_linear_layers_that_are_two(tmp_path: Path, layers: str) -> None:
    assert codes(tmp_path, layers, FEATURES) == []


def test_a_value_that_nothing_reads(tmp_path: Path) -> None:
    layers = "- {id: stem, linear: 4}\n- linear: 5\n- relu\n- {from: stem, tanh: }"
    (found,) = analysed(tmp_path, layers, input=FEATURES).findings
    assert (found.code, found.span.line) == ("SF518", 8)
    assert found.message == "nothing reads what `relu` makes: 2 layers lead nowhere, with 25 parameters"


def test_every_end_that_leads_nowhere_is_one(tmp_path: Path) -> None:
    layers = "- {id: stem, linear: 4}\n- linear: 5\n- {from: stem, tanh: }\n- {from: stem, relu: }"
    assert codes(tmp_path, layers, FEATURES) == ["SF518 7", "SF518 8"]


@pytest.mark.parametrize(
    "layers",
    [
        "- {id: stem, linear: 6}\n- linear: 6\n- relu\n- {from: [stem, previous], add: }",
        "- residual: {layers: [{linear: 6}, relu, linear: 6]}",
        "- branches: {paths: [[{linear: 6}], [], [tanh]], merge: add}",
        "- linear: 6\n- auxiliary: {weight: 0.3, layers: [{linear: 3}]}\n- relu",
        "- {id: a, linear: 6}\n- repeat: {times: 0, layers: [relu]}\n- {from: a, relu: }",
    ],
)
def test_values_that_are_read(tmp_path: Path, layers: str) -> None:
    assert codes(tmp_path, layers, FEATURES) == []
