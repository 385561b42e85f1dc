"""The fast form of every optimizer learns what torch's plain form does, and its state survives a file."""

from inspect import signature

import pytest
import torch
from torch import nn

from specforge.catalog.definition import Optimizer
from specforge.catalog.optimizers.accumulating import Adadelta, Adagrad
from specforge.catalog.optimizers.adam import Adam, Adamax, Adamw
from specforge.catalog.optimizers.asgd import Asgd
from specforge.catalog.optimizers.corrected_adam import Nadam, Radam
from specforge.catalog.optimizers.muon import Muon
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.training.device import place
from specforge.training.optimizer import OptimizerState, build_optimizer, optimizer_state, restore_optimizer
from tests.training.experiments import CPU

ALL = {
    "adam": (Adam(lr=0.01, betas=(0.8, 0.9), weight_decay=0.1), torch.optim.Adam),
    "amsgrad": (Adam(lr=0.01, amsgrad=True), torch.optim.Adam),
    "adamw": (Adamw(lr=0.01, weight_decay=0.1, amsgrad=True), torch.optim.AdamW),
    "adamax": (Adamax(lr=0.01, weight_decay=0.1), torch.optim.Adamax),
    "nadam": (Nadam(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True), torch.optim.NAdam),
    "radam": (Radam(lr=0.01, betas=(0.9, 0.8), weight_decay=0.1), torch.optim.RAdam),
    "adagrad": (Adagrad(lr=0.1, lr_decay=0.1, initial_accumulator_value=0.1), torch.optim.Adagrad),
    "adadelta": (Adadelta(rho=0.8, weight_decay=0.1), torch.optim.Adadelta),
    "asgd": (Asgd(lr=0.1, lambd=0.1, t0=1.0), torch.optim.ASGD),
    "sgd": (Sgd(lr=0.1, weight_decay=0.1), torch.optim.SGD),
    "nesterov": (Sgd(lr=0.1, momentum=0.9, nesterov=True), torch.optim.SGD),
    "dampened": (Sgd(lr=0.1, momentum=0.9, dampening=0.2), torch.optim.SGD),
    "rmsprop": (Rmsprop(lr=0.01, alpha=0.9, momentum=0.3, centered=True), torch.optim.RMSprop),
}


def network(*, bias: bool = True) -> nn.Module:
    torch.manual_seed(0)
    module = place(nn.Sequential(nn.Conv2d(3, 4, 3, bias=bias), nn.Flatten(), nn.Linear(16, 2, bias=bias)), CPU)
    assert module[0].weight.is_contiguous(memory_format=torch.channels_last)
    return module


def built_for(optimizer: Optimizer, module: nn.Module) -> torch.optim.Optimizer:
    assert optimizer.lr != "find"
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return build_optimizer(optimizer, trained, lr=optimizer.lr, device=CPU)


def learn(module: nn.Module, optimizer: torch.optim.Optimizer, *, steps: int, first: int = 0) -> None:
    for step in range(first, first + steps):
        images = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(step))
        module.zero_grad()
        module(images).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(("optimizer", "kind"), ALL.values(), ids=ALL)
def test_equals_the_plain_form(optimizer: Optimizer, kind: type[torch.optim.Optimizer]) -> None:
    fast, plain = network(), network()
    built = built_for(optimizer, fast)
    assert isinstance(built, kind)
    assert bool(built.defaults.get("fused")) == ("fused" in signature(kind).parameters)
    arguments = dict(optimizer.lower().arguments)
    learn(fast, built, steps=4)
    learn(plain, kind(plain.parameters(), foreach=False, **arguments), steps=4)  # type: ignore[call-arg]
    for one, other in zip(fast.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", [*(pair[0] for pair in ALL.values()), Muon(lr=0.02)], ids=[*ALL, "muon"])
def test_goes_on_bit_for_bit_after_a_restart(optimizer: Optimizer) -> None:
    bias = optimizer.fewest_axes < 2
    module = network(bias=bias)
    built = built_for(optimizer, module)
    learn(module, built, steps=3)
    state = optimizer_state([built], module)
    # what a file keeps: values, in plain order
    kept = OptimizerState(
        {name: value.clone(memory_format=torch.contiguous_format) for name, value in state.tensors.items()},
        dict(state.numbers),
    )
    weights = {name: value.clone(memory_format=torch.contiguous_format) for name, value in module.state_dict().items()}
    learn(module, built, steps=3, first=3)

    other = network(bias=bias)
    other.load_state_dict(weights)
    restarted = built_for(optimizer, other)
    restore_optimizer([restarted], other, kept)
    learn(other, restarted, steps=3, first=3)
    for one, two in zip(module.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
    after, again = optimizer_state([built], module), optimizer_state([restarted], other)
    assert after.numbers == again.numbers
    assert after.tensors.keys() == again.tensors.keys()
    assert all(torch.equal(value, again.tensors[name]) for name, value in after.tensors.items())


def test_state_is_named_after_parameters() -> None:
    module = network()
    module[0].bias.requires_grad_(False)
    built = built_for(Adam(), module)
    assert optimizer_state([built], module).tensors == {}
    learn(module, built, steps=1)
    names = {name.rsplit(".", 1)[0] for name in optimizer_state([built], module).tensors}
    assert names == {"optimizer.0.weight", "optimizer.2.weight", "optimizer.2.bias"}


def test_a_fused_kernel_reads_contiguous_memory_and_holds_no_gradient() -> None:
    module = network()
    built = built_for(Adam(), module)
    learn(module, built, steps=1)
    given = [parameter for group in built.param_groups for parameter in group["params"]]
    assert all(parameter.is_contiguous() for parameter in given)
    assert [p.data_ptr() for p in given] == [p.data_ptr() for p in module.parameters()], "the same memory"
    assert given[0].shape == (4, 3, 3, 3)
    assert module[0].weight.shape == (4, 3, 3, 3)
    assert given[0].grad is None, "the module's is the only one"
    assert module[0].weight.grad is not None
    state = optimizer_state([built], module)
    assert state.tensors["optimizer.0.weight.exp_avg"].stride() == module[0].weight.stride()
    torch.testing.assert_close(state.tensors["optimizer.0.weight.exp_avg"], 0.1 * module[0].weight.grad)


def test_a_parameter_without_a_gradient_stays() -> None:
    module = network()
    before = module[0].weight.clone()
    built = built_for(Sgd(lr=0.1), module)
    module(torch.randn(2, 3, 4, 4)).sum().backward()
    module[0].weight.grad = None
    built.step()
    assert torch.equal(module[0].weight, before)
