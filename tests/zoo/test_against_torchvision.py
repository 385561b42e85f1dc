"""The zoo's networks are torchvision's: counts, cost, and with its weights the same outputs and gradients."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from specforge.analysis import analyse
from specforge.graph import Graph
from specforge.spec import Spec
from specforge.torch_backend import build
from specforge.torch_backend.weights import key_map, renamed, shapes, torchvision_shapes
from tests.randomising import randomise

models = pytest.importorskip("torchvision.models", reason="torchvision does not load here", exc_type=ImportError)

ZOO = Path(__file__).parents[2] / "specs" / "zoo"
NAMES = sorted(file.stem for file in ZOO.glob("*.yaml"))
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}


@cache
def loaded(name: str) -> tuple[Spec, Graph]:
    analysis = analyse(ZOO / f"{name}.yaml")
    unexplained = [f"{found.span}: {found.message}" for found in analysis.findings if not found.accepted]
    assert not unexplained
    return analysis.require()


def theirs(name: str, device: str) -> nn.Module:
    """torchvision's network; GoogLeNet's auxiliary heads act in training alone."""
    options: dict[str, Any] = {"googlenet": {"aux_logits": False}}.get(name, {})
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    with torch.device(device):
        model = models.get_model(name, weights=None, **options)
    assert isinstance(model, nn.Module)
    return model.eval()


def test_the_zoo_is_complete() -> None:
    assert set(NAMES) >= {
        "alexnet", "vgg11", "vgg16_bn", "resnet18", "resnet50", "squeezenet1_1", "densenet121", "googlenet",
        "mobilenet_v2", "efficientnet_b0", "convnext_tiny", "vit_b_16",
        "mobilenet_v3_small", "shufflenet_v2_x1_0", "inception_v3", "swin_t",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_torchvisions(name: str) -> None:
    _, graph = loaded(name)
    reference = theirs(name, "meta")
    assert graph.trainable_parameters == sum(parameter.numel() for parameter in reference.parameters())
    statistics = (buffer for buffer in reference.buffers() if buffer.is_floating_point())  # no counters and tables
    assert graph.non_trainable_parameters == sum(buffer.numel() for buffer in statistics)


@pytest.mark.parametrize("name", NAMES)
def test_cost_is_that_of_torchs_counter(name: str) -> None:
    _, graph = loaded(name)
    images = torch.zeros(1, *graph.input, device="meta")
    with FlopCounterMode(display=False) as counter:  # with gradients enabled, else it does not see attention
        theirs(name, "meta")(images)
    assert graph.macs * 2 == counter.get_total_flops()


@pytest.mark.parametrize("name", NAMES)
def test_published_weights_fit(name: str) -> None:
    """The file that torchvision publishes names its tensors as its network does, auxiliary heads included."""
    spec, graph = loaded(name)
    names = key_map(graph.state(), torchvision_shapes(name), spec.weights)
    assert list(names) == list(graph.state())
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_gradients_are_torchvisions(name: str, dtype: torch.dtype) -> None:
    spec, graph = loaded(name)
    reference = theirs(name, "cpu")
    with torch.no_grad():
        randomise(reference)
    module = build(graph, seed=0).eval()
    module.load_state_dict(
        renamed(reference.state_dict(), key_map(graph.state(), shapes(reference.state_dict()), spec.weights))
    )
    images = torch.rand(1, *graph.input, generator=torch.Generator().manual_seed(3), dtype=dtype)
    expected, ours = (list(output_and_gradient(network.to(dtype), images)) for network in (reference, module))
    assert expected[0].std() > 0.01
    for wanted, found in zip(expected, ours, strict=True):
        assert (found - wanted).abs().max() <= TOLERANCE[dtype] * wanted.abs().max()


def output_and_gradient(network: nn.Module, images: Tensor) -> Iterator[Tensor]:
    """What a network gives, and how a mixture of it depends on every pixel."""
    images = images.clone().requires_grad_()
    output = network(images)
    mixture = torch.linspace(-1, 1, output.shape[1], dtype=output.dtype)
    (output @ mixture).sum().backward()
    assert images.grad is not None
    yield output.detach()
    yield images.grad
