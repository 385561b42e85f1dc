"""Biases before a batch norm: reported where torch's gradient of them is nothing, and only where they were written."""

from pathlib import Path

import pytest
import torch

from specforge.torch_backend import build
from tests.networks import analysed

CONV = "conv: {out_channels: 4, kernel_size: 3, bias: true}"
LINEAR = "linear: {out_features: 4, bias: true}"
UNIT = "unit: {layers: [{conv: {out_channels: 4, kernel_size: 3, padding: 1, bias: true}}, batch_norm, relu]}"
IMAGE, FEATURES = (3, 12, 12), (6,)

LOST = [
    (f"- {CONV}\n- batch_norm", IMAGE),
    (f"- {CONV}\n- max_pool: 2\n- batch_norm", IMAGE),
    (f"- {CONV}\n- global_avg_pool\n- batch_norm", IMAGE),
    (f"- {CONV}\n- flatten\n- batch_norm", IMAGE),
    (f"- {CONV}\n- flatten: {{start_dim: 2}}\n- batch_norm: {{affine: false}}", IMAGE),
    (f"- {LINEAR}\n- batch_norm", FEATURES),
    (f"- sequential: {{layers: [{CONV}]}}\n- sequential: {{layers: [batch_norm, relu]}}", IMAGE),
    (f"- {{id: stem, {CONV}}}\n- {{from: input, flatten: }}\n- {{from: stem, batch_norm: }}", IMAGE),
]
EFFECTIVE = [
    (f"- {CONV}\n- relu\n- batch_norm", IMAGE),
    (f"- {CONV}\n- avg_pool: {{kernel_size: 3, padding: 1}}\n- batch_norm", IMAGE),
    (f"- {LINEAR}\n- batch_norm", (5, 6)),  # the norm's channels are the five positions
    (f"- {{id: stem, {CONV}}}\n- batch_norm\n- {{from: [stem, previous], add: }}", IMAGE),
]


def findings(folder: Path, layers: str, input: tuple[int, ...]) -> list[str]:
    return [found.message for found in analysed(folder, layers, input=input).findings if found.code == "SF512"]


def gradient(folder: Path, layers: str, input: tuple[int, ...]) -> float:
    """The largest gradient of the first bias, for a loss that depends on every value."""
    module = build(analysed(folder, layers, input=input).require()[1], seed=0).double().train()
    torch.manual_seed(0)
    output = module(torch.rand(5, *input, dtype=torch.float64))
    (output * torch.rand_like(output)).sum().backward()
    bias = next(value for name, value in module.named_parameters() if name.endswith("bias"))
    assert bias.grad is not None
    return float(bias.grad.abs().max())


@pytest.mark.parametrize(("layers", "input"), LOST)
def test_a_bias_that_is_lost(tmp_path: Path, layers: str, input: tuple[int, ...]) -> None:
    (message,) = findings(tmp_path, layers, input)
    assert message.endswith("adds: 4 parameters wasted")
    assert gradient(tmp_path, layers, input) < 1e-12


@pytest.mark.parametrize(("layers", "input"), EFFECTIVE)
def test_a_bias_that_has_an_effect(tmp_path: Path, layers: str, input: tuple[int, ...]) -> None:
    assert findings(tmp_path, layers, input) == []
    assert gradient(tmp_path, layers, input) > 1e-6


@pytest.mark.parametrize(
    "layers",
    [
        "- conv: {out_channels: 4, kernel_size: 3}\n- batch_norm",  # the default, which nobody wrote
        f"- {CONV}\n- dropout: 0.5\n- batch_norm",
        f"- {CONV}\n- {{batch_norm: , trainable: false}}",  # keeps its means
        f"- {CONV}",
        "- {id: a, shared: w, conv: {out_channels: 3, kernel_size: 3, padding: 1, bias: true}}\n- batch_norm\n"
        "- {shared: w, conv: {out_channels: 3, kernel_size: 3, padding: 1, bias: true}}",  # the second use counts
        "- residual: {layers: [{conv: {out_channels: 3, kernel_size: 1, bias: true}}]}\n- batch_norm",
    ],
)
def test_no_finding(tmp_path: Path, layers: str) -> None:
    assert findings(tmp_path, layers, IMAGE) == []


def test_a_default_of_the_model_is_no_decision_about_a_layer(tmp_path: Path) -> None:
    layers, model = "- conv: {out_channels: 4, kernel_size: 3}\n- batch_norm", "defaults: {conv: {bias: true}}"
    assert len(analysed(tmp_path, layers, input=IMAGE, model=model).findings) == 0


def test_a_block_is_one_finding_with_the_sum(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, "- repeat: {times: 5, layers: [unit]}", input=IMAGE, blocks=UNIT)
    (found,) = analysis.findings
    assert found.message == "`batch_norm` removes what the bias of `conv` adds: 20 parameters wasted in 5 layers"
    assert found.span.line == 4
    assert found.context().startswith(" (used by block `unit` at ")
