"""OneDnnLinear computes what torch's layer computes, with and without oneDNN's products."""

import pytest
import torch
from torch import nn

from specforge.modules import OneDnnLinear, onednn_linear

HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
with_onednn = pytest.mark.skipif(not HAS_ONEDNN, reason="this torch has no oneDNN")


def outcome(layer: nn.Linear, x: torch.Tensor) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    y = layer(x)
    (y * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum().backward()
    assert x.grad is not None
    return [y.detach(), x.grad, *(p.grad for p in layer.parameters() if p.grad is not None)]


@with_onednn
@pytest.mark.parametrize("shape", [(5, 300), (1, 300), (2, 7, 300), (2, 3, 4, 300), (300,)])
@pytest.mark.parametrize("bias", [True, False])
def test_outputs_and_gradients_are_those_of_torch(
    shape: tuple[int, ...], bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onednn_linear, "_is_faster", lambda: True)
    torch.manual_seed(0)
    ours, theirs = OneDnnLinear(300, 40, bias=bias), nn.Linear(300, 40, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(shape)
    for found, wanted in zip(outcome(ours, x), outcome(theirs, x), strict=True):
        assert found.shape == wanted.shape
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@with_onednn
def test_what_needs_no_gradient_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn_linear, "_is_faster", lambda: True)
    layer = OneDnnLinear(30, 4)
    layer.weight.requires_grad_(False)
    layer(torch.randn(2, 30)).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is not None


@with_onednn
def test_the_same_input_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn_linear, "_is_faster", lambda: True)
    layer, x = OneDnnLinear(512, 256), torch.randn(64, 512)
    first, second = outcome(layer, x), outcome(layer, x)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_numbers_are_multiplied_by_torch(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn_linear, "_product", None)
    monkeypatch.setattr(onednn_linear, "_is_faster", lambda: True)
    layer = OneDnnLinear(30, 4).to(dtype)
    assert layer(torch.randn(2, 30, dtype=dtype)).dtype == dtype


def test_autocast_decides_on_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn_linear, "_product", None)
    monkeypatch.setattr(onednn_linear, "_is_faster", lambda: True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert OneDnnLinear(30, 4)(torch.randn(2, 30)).dtype == torch.bfloat16


def test_without_the_product_it_is_the_layer_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> torch.Tensor:
        raise AttributeError("_linear_pointwise")

    onednn_linear._is_faster.cache_clear()
    monkeypatch.setattr(onednn_linear, "_product", missing)
    assert not onednn_linear._is_faster()
    layer, x = OneDnnLinear(30, 4), torch.randn(2, 30)
    assert torch.equal(layer(x), nn.functional.linear(x, layer.weight, layer.bias))
    onednn_linear._is_faster.cache_clear()
