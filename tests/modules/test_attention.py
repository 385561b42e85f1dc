"""Attention against torch's and torchvision's own modules."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.swin_transformer import ShiftedWindowAttention

from specforge.modules import MultiHeadAttention, WindowAttention


def gradients(module: nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    found = torch.autograd.grad(loss, list(module.parameters()))
    return dict(zip((name for name, _ in module.named_parameters()), found, strict=True))


def assert_same(ours: nn.Module, theirs: nn.Module, ours_out: torch.Tensor, theirs_out: torch.Tensor) -> None:
    """Outputs, and the gradients of all parameters by name."""
    torch.testing.assert_close(ours_out, theirs_out)
    weights = torch.rand_like(ours_out)
    expected = gradients(theirs, (theirs_out * weights).sum())
    torch.testing.assert_close(gradients(ours, (ours_out * weights).sum()), expected)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_multi_head_attention_is_torchs(bias: bool, training: bool, dropout: float) -> None:
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(12, 3, dropout=dropout, bias=bias, batch_first=True).double().train(training)
    torch.manual_seed(0)
    ours = MultiHeadAttention(12, 3, dropout=dropout, bias=bias).double().train(training)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), f"{name} starts as torch's does"
    with torch.no_grad():
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.add_(torch.rand_like(mine))
            other.copy_(mine)
    x = torch.rand(4, 7, 12, dtype=torch.float64)
    torch.manual_seed(1)
    expected = theirs(x, x, x, need_weights=False)[0]
    torch.manual_seed(1)
    assert_same(ours, theirs, ours(x), expected)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("with_gradients", [True, False])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_flop_counters_see_all_of_attention(training: bool, with_gradients: bool, device: str) -> None:
    """torch.nn.MultiheadAttention has a path of its own in evaluation, of which they see nothing."""
    module = MultiHeadAttention(12, 3).to(device).train(training)
    with torch.set_grad_enabled(with_gradients), FlopCounterMode(display=False) as counter:
        module(torch.zeros(2, 7, 12, device=device))
    assert counter.get_total_flops() == 2 * 2 * (4 * 7 * 12**2 + 2 * 7**2 * 12)


SHIFTED = [
    ((8, 8), (4, 4), (0, 0)),
    ((8, 8), (4, 4), (2, 2)),
    ((8, 12), (4, 3), (1, 2)),
    ((9, 7), (4, 4), (2, 2)),  # completed to whole windows
    ((4, 8), (4, 4), (2, 2)),  # one window covers the height
    ((8, 3), (4, 4), (2, 2)),  # and here the width, completed
    ((3, 2), (4, 4), (2, 2)),  # and here all of it
    ((5, 5), (5, 1), (0, 0)),
    ((4, 6), (2, 3), (0, 1)),
]


@pytest.mark.parametrize(("size", "window", "shift"), SHIFTED)
@pytest.mark.parametrize("bias", [True, False])
def test_window_attention_is_torchvisions(
    size: tuple[int, int], window: tuple[int, int], shift: tuple[int, int], bias: bool
) -> None:
    torch.manual_seed(0)
    arguments: dict[str, Any] = {"qkv_bias": bias, "proj_bias": bias}
    theirs = ShiftedWindowAttention(12, list(window), list(shift), 3, **arguments).double()
    ours = WindowAttention(12, 3, window, shift=shift, bias=bias).double()
    nn.init.normal_(theirs.relative_position_bias_table)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert torch.equal(ours.relative_position_index, theirs.relative_position_index)
    ours.load_state_dict(theirs.state_dict())
    x = torch.rand(2, *size, 12, dtype=torch.float64)
    assert_same(ours, theirs, ours(x), theirs(x))


def test_window_attention_starts_as_torchvisions_does() -> None:
    torch.manual_seed(0)
    theirs = ShiftedWindowAttention(12, [4, 4], [2, 2], 3)
    torch.manual_seed(0)
    ours = WindowAttention(12, 3, (4, 4), shift=(2, 2))
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


def test_dropout_of_windows_acts_on_weights_in_training_alone() -> None:
    torch.manual_seed(0)
    module = WindowAttention(12, 3, (4, 4), dropout=0.5)
    x = torch.rand(2, 8, 8, 12)
    assert not torch.equal(module(x), module(x))
    evaluated = module.eval()(x)
    assert torch.equal(module(x), evaluated)
    mean = torch.stack([module.train()(x) for _ in range(400)]).mean(dim=0)
    torch.testing.assert_close(mean, evaluated, atol=0.1, rtol=0)
