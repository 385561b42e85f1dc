"""What optimizers remember and need for a moment, against torch's."""

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from specforge.catalog.definition import Optimizer
from specforge.catalog.discovery import definition, index
from specforge.catalog.optimizers.adam import Adam
from specforge.catalog.optimizers.rmsprop import Rmsprop
from specforge.catalog.optimizers.sgd import Sgd
from specforge.training.optimizer import build_optimizer

FLOAT = 4
OPTIMIZERS = [
    Adam(weight_decay=0.1),
    Sgd(),
    Sgd(momentum=0.9, nesterov=True, weight_decay=0.1),
    Rmsprop(),
    Rmsprop(momentum=0.9, weight_decay=0.1),
    Rmsprop(centered=True),
]


def defaults() -> list[Optimizer]:
    """Every optimizer with nothing but its rate."""
    kinds = [definition("optimizers", word) for word in index("optimizers")]
    return [kind(lr=0.1) for kind in kinds if kind is not None and issubclass(kind, Optimizer)]


@pytest.mark.parametrize("optimizer", [*defaults(), *OPTIMIZERS], ids=repr)
def test_remembers_what_torch_remembers(optimizer: Optimizer) -> None:
    module = nn.Linear(7, 5)
    built, _ = stepped(optimizer, module)
    state = [value for entries in built.state.values() for value in entries.values() if isinstance(value, torch.Tensor)]
    expected = sum(optimizer.remembered(tuple(parameter.shape)) for parameter in module.parameters())
    assert expected == sum(value.numel() for value in state)


@pytest.mark.parametrize("optimizer", [*defaults(), *OPTIMIZERS], ids=repr)
def test_works_with_what_torch_works_with(optimizer: Optimizer) -> None:
    """What the allocator gave out at once during a step, when the state is there already."""
    module = nn.Linear(300, 200, bias=False)
    numbers = stepped(optimizer, module)[1] / FLOAT
    assert abs(numbers - optimizer.working((200, 300))) <= 100


def stepped(optimizer: Optimizer, module: nn.Module) -> tuple[torch.optim.Optimizer, int]:
    """torch's optimizer after two steps, and the bytes that the second took for a moment."""
    built = build_optimizer(optimizer, module, device=torch.device("cpu"))
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    built.step()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        built.step()
    live = peak = 0
    assert profiler.profiler is not None
    for event in profiler.profiler.kineto_results.events():
        live += event.nbytes() if event.name() == "[memory]" else 0
        peak = max(peak, live)
    return built, peak
