"""BitDropout has the law of torch's dropout."""

import pytest
import torch

from specforge.modules import BitDropout

COUNT = 1_000_000


def dropped(p: float, shape: tuple[int, ...] = (COUNT,)) -> torch.Tensor:
    torch.manual_seed(0)
    result: torch.Tensor = BitDropout(p).train()(torch.ones(shape))
    return result


@pytest.mark.parametrize("p", [0.5, 0.25, 0.1, 0.3, 1 / 256, 0.7, 0.999])
def test_values_are_zero_with_the_probability_and_grow_otherwise(p: float) -> None:
    y = dropped(p)
    share = (y == 0).double().mean().item()
    assert abs(share - p) < 5 * (p * (1 - p) / COUNT) ** 0.5
    assert y[y != 0].unique().tolist() == [pytest.approx(1 / (1 - p))]


def test_neighbours_are_independent() -> None:
    zero = (dropped(0.5) == 0).double()
    for distance in (1, 2, 4, 7, 8, 64):
        agreeing = (zero[distance:] == zero[:-distance]).double().mean().item()
        assert abs(agreeing - 0.5) < 5 * 0.5 / COUNT**0.5


def test_every_call_draws_anew_and_a_seed_repeats_it() -> None:
    module, x = BitDropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    first, second = module(x), module(x)
    assert not torch.equal(first, second)
    torch.manual_seed(3)
    assert torch.equal(module(x), first)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_pass_where_values_do(layout: torch.memory_format) -> None:
    x = torch.randn(5, 3, 7, 6).contiguous(memory_format=layout).requires_grad_()
    y = BitDropout(0.4)(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad == 0, y == 0)
    torch.testing.assert_close(x.grad * x.detach(), y.detach())
    assert y.stride() == x.stride()


def test_a_view_with_gaps_is_dropped_from_too() -> None:
    x = torch.ones(8, 10)[:, ::2]
    assert set(BitDropout(0.5)(x).unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("module", [BitDropout(0.0).train(), BitDropout(0.5).eval()])
def test_nothing_is_dropped(module: BitDropout) -> None:
    x = torch.randn(4, 4)
    assert module(x) is x


def test_halves_stay_halves_and_nothing_stays_nothing() -> None:
    assert BitDropout(0.5)(torch.ones(10, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert BitDropout(0.5)(torch.ones(0, 3)).shape == (0, 3)
