"""The fast form of every optimizer learns what torch's plain form does, and its state survives a file."""

import pytest
import torch
from torch import nn

from specforge.catalog.definition import Optimizer
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.training.device import place
from specforge.training.optimizer import OptimizerState, build_optimizer, optimizer_state, restore_optimizer
from tests.training.experiments import CPU

ALL = {
    "adam": (Adam(lr=0.01, betas=(0.8, 0.9), weight_decay=0.1), torch.optim.Adam),
    "sgd": (Sgd(lr=0.1, weight_decay=0.1), torch.optim.SGD),
    "nesterov": (Sgd(lr=0.1, momentum=0.9, nesterov=True), torch.optim.SGD),
    "dampened": (Sgd(lr=0.1, momentum=0.9, dampening=0.2), torch.optim.SGD),
    "rmsprop": (Rmsprop(lr=0.01, alpha=0.9, momentum=0.3, centered=True), torch.optim.RMSprop),
}


def network() -> nn.Module:
    torch.manual_seed(0)
    module = place(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2)), CPU)
    assert module[0].weight.is_contiguous(memory_format=torch.channels_last)
    return module


def learn(module: nn.Module, optimizer: torch.optim.Optimizer, *, steps: int, first: int = 0) -> None:
    for step in range(first, first + steps):
        images = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        module(images).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(("optimizer", "kind"), ALL.values(), ids=ALL)
def test_equals_the_plain_form(optimizer: Optimizer, kind: type[torch.optim.Optimizer]) -> None:
    fast, plain = network(), network()
    built = build_optimizer(optimizer, fast, device=CPU)
    assert type(built) is kind
    assert bool(built.defaults.get("fused")) == (kind is not torch.optim.RMSprop)
    arguments = dict(optimizer.lower().arguments)
    learn(fast, built, steps=4)
    learn(plain, kind(plain.parameters(), foreach=False, **arguments), steps=4)  # type: ignore[call-arg]
    for one, other in zip(fast.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", [pair[0] for pair in ALL.values()], ids=ALL)
def test_goes_on_bit_for_bit_after_a_restart(optimizer: Optimizer) -> None:
    module = network()
    built = build_optimizer(optimizer, module, device=CPU)
    learn(module, built, steps=2)
    state = optimizer_state(built, module)
    # what a file keeps: values, in plain order
    kept = OptimizerState(
        {name: value.clone(memory_format=torch.contiguous_format) for name, value in state.tensors.items()},
        dict(state.numbers),
    )
    weights = {name: value.clone(memory_format=torch.contiguous_format) for name, value in module.state_dict().items()}
    learn(module, built, steps=2, first=2)

    other = network()
    other.load_state_dict(weights)
    restarted = build_optimizer(optimizer, other, device=CPU)
    restore_optimizer(restarted, other, kept)
    learn(other, restarted, steps=2, first=2)
    for one, two in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_state_is_named_after_parameters() -> None:
    module = network()
    module[0].bias.requires_grad_(False)
    built = build_optimizer(Adam(), module, device=CPU)
    assert optimizer_state(built, module).tensors == {}
    learn(module, built, steps=1)
    names = {name.rsplit(".", 1)[0] for name in optimizer_state(built, module).tensors}
    assert names == {"optimizer.0.weight", "optimizer.2.weight", "optimizer.2.bias"}
