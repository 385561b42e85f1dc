"""`initialize` of an exported file draws the initial weights that the spec asks for."""

from pathlib import Path

import pytest
import torch
from torch import nn

from specforge.analysis import analyse
from specforge.torch_backend import build
from tests.emit.exported import exported
from tests.networks import analysed

ROOT = Path(__file__).parents[2]
NAMES = ("lab2_bn", "attention_self", "attention_cbam", "zoo/resnet18", "zoo/mobilenet_v3_small", "speedrun/airbench94")


def moments(module: nn.Module) -> dict[str, tuple[float, float]]:
    """Mean and deviation of every parameter, by which distributions are told apart."""
    return {name: (p.mean().item(), p.std(correction=0).item()) for name, p in module.named_parameters()}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_distributions(name: str) -> None:
    analysis = analyse(ROOT / "specs" / f"{name}.yaml")
    spec, graph = analysis.require()
    file = exported(spec, graph, analysis.texts)
    module = file.network()
    torch.manual_seed(0)
    file.names["initialize"](module)
    expected, found = moments(build(graph, seed=0)), moments(module)
    sizes = {name: parameter.numel() for name, parameter in module.named_parameters()}
    assert found.keys() == expected.keys()
    for key, (mean, deviation) in expected.items():
        spread = max(deviation, 1e-12)
        assert abs(found[key][1] - deviation) <= spread * min(1, 6 / sizes[key] ** 0.5), key
        assert abs(found[key][0] - mean) <= spread * 9 / sizes[key] ** 0.5, key


def test_what_it_leaves_alone(tmp_path: Path) -> None:
    """Layers of a type of which others are filled, inside layers of the catalogue too."""
    layers = """
        - unflatten: {dim: 1, unflattened_size: [4, 4]}
        - {linear: 16, init: {weight: zeros, bias: ones}}
        - {multi_head_attention: {num_heads: 2}}
        - {linear: 16}
        - {layer_norm: , init: {weight: zeros}}
        - {linear: {out_features: 8, bias: false}, init: {weight: ones}}
    """
    spec, graph = analysed(tmp_path, layers, input=(16,)).require()
    file = exported(spec, graph)
    module = file.network()
    before = {name: parameter.clone() for name, parameter in module.named_parameters()}
    file.names["initialize"](module)
    changed = {name for name, parameter in module.named_parameters() if not torch.equal(before[name], parameter)}
    assert changed == {"linear_1.weight", "linear_1.bias", "layer_norm_1.weight", "linear_3.weight"}


def test_none_without_rules(tmp_path: Path) -> None:
    file = exported(*analysed(tmp_path, "[linear: 4]", input=(4,)).require())
    assert "initialize" not in file.text


def test_weights_that_images_say() -> None:
    """A whitening is computed from training images, which a file does not have: its header says so."""
    analysis = analyse(ROOT / "specs" / "speedrun" / "airbench94.yaml")
    text = exported(*analysis.require(), analysis.texts).text
    assert "Not carried over: `whiten.weight` would start as the training images say." in text
