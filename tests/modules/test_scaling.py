"""Gates, learned scales and stochastic depth against torchvision, or against the formula of the paper."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import convnext_tiny
from torchvision.ops import SqueezeExcitation
from torchvision.ops import StochasticDepth as TorchvisionStochasticDepth

from specforge.modules import Cbam, LayerScale, Scale, SqueezeExcite, StochasticDepth


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
@pytest.mark.parametrize("gate", [nn.Sigmoid, nn.Hardsigmoid])
def test_squeeze_excite_is_torchvisions(activation: type[nn.Module], gate: type[nn.Module]) -> None:
    torch.manual_seed(0)
    theirs = SqueezeExcitation(8, 3, activation=activation, scale_activation=gate)
    torch.manual_seed(0)
    ours = SqueezeExcite(8, 3, axes=2, activation=activation(), gate=gate())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.rand(2, 8, 5, 6)
    assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("size", [(9,), (3, 4, 5)])
def test_squeeze_excite_of_signals_and_volumes_is_that_of_images(size: tuple[int, ...]) -> None:
    module = SqueezeExcite(8, 3, axes=len(size), activation=nn.ReLU(), gate=nn.Sigmoid())
    image = SqueezeExcite(8, 3, axes=2, activation=nn.ReLU(), gate=nn.Sigmoid())
    state = {name: value.view(image.state_dict()[name].shape) for name, value in module.state_dict().items()}
    image.load_state_dict(state)
    x = torch.rand(2, 8, *size)
    torch.testing.assert_close(module(x).flatten(2), image(x.flatten(2)[..., None])[..., 0])


@pytest.mark.parametrize("bias", [True, False])
def test_cbam_computes_the_papers_formula(bias: bool) -> None:
    """M_c = σ(W1 relu(W0 mean) + W1 relu(W0 max)), then M_s = σ(f([mean; max])), each times the image."""
    torch.manual_seed(0)
    module = Cbam(6, 2, 3, bias=bias)
    x = torch.randn(2, 6, 5, 4)

    def shared(summary: torch.Tensor) -> torch.Tensor:
        first, second = module.fc1, module.fc2
        hidden = functional.linear(summary, first.weight[:, :, 0, 0], first.bias).clamp(min=0)
        return functional.linear(hidden, second.weight[:, :, 0, 0], second.bias)

    channels = torch.sigmoid(shared(x.mean((2, 3))) + shared(x.flatten(2).max(2).values))
    gated = x * channels[:, :, None, None]
    summaries = torch.stack((gated.max(1).values, gated.mean(1)), dim=1)
    places = torch.sigmoid(functional.conv2d(summaries, module.spatial.weight, module.spatial.bias, padding=1))
    torch.testing.assert_close(module(x), gated * places)


def test_layer_scale_is_that_of_torchvisions_convnext() -> None:
    block = convnext_tiny().features[1][0]
    ours = LayerScale(96, trailing=2, init=1e-6)
    assert torch.equal(ours.weight, block.layer_scale)


def test_layer_scale_multiplies_each_channel() -> None:
    module = LayerScale(3, trailing=1, init=0.5)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0], [2.0], [3.0]]))
    assert module(torch.ones(2, 3, 2)).tolist() == [[[1, 1], [2, 2], [3, 3]]] * 2


@pytest.mark.parametrize("mode", ["row", "batch"])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
def test_stochastic_depth_draws_as_torchvision_does(mode: str, p: float) -> None:
    x = torch.rand(64, 3, 2, 2)
    torch.manual_seed(0)
    expected = TorchvisionStochasticDepth(p, mode)(x)
    torch.manual_seed(0)
    assert torch.equal(StochasticDepth(p, mode)(x), expected)
    assert torch.equal(StochasticDepth(p, mode).eval()(x), x)


@pytest.mark.parametrize("factor", [1 / 256, -2.0])
def test_scale_multiplies_values_and_gradients(factor: float) -> None:
    x = torch.randn(2, 3, 4, requires_grad=True)
    output = Scale(factor)(x)
    assert torch.equal(output, x * factor)
    output.sum().backward()
    assert torch.equal(x.grad, torch.full((2, 3, 4), factor))
    assert "factor=" in repr(Scale(factor))
