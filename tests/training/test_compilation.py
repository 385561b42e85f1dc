"""Compiling the network: when, what it says, and what becomes of networks that can't be compiled."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from specforge.training.compilation import PAYS_AFTER, Forward, Word, pays
from specforge.training.errors import TrainingError

CPU = torch.device("cpu")


def forward(module: nn.Module, word: Word, told: list[str], *, steps: int = 10) -> Forward:
    return Forward(module, word, device=CPU, steps=steps, tell=told.append)


def test_auto_compiles_long_runs_on_gpus_only() -> None:
    cuda = torch.device("cuda")
    assert [pays(cuda, PAYS_AFTER - 1), pays(cuda, PAYS_AFTER), pays(CPU, 10**9)] == [False, True, False]


@pytest.mark.parametrize("word", ["auto", "never"])
def test_on_a_cpu_the_module_itself_is_called_and_nothing_is_said(word: Word) -> None:
    told: list[str] = []
    module = nn.Linear(3, 2)
    x = torch.randn(4, 3)
    assert torch.equal(forward(module, word, told)(x), module(x))
    assert told == []


def by(compiler: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """torch.compile with another compiler than the one that needs a C++ compiler."""
    real = torch.compile

    def compiled(module: nn.Module, *, dynamic: bool, mode: str | None) -> Any:
        assert mode is None, "CUDA graphs are a GPU's"
        return real(module, dynamic=dynamic, backend=compiler)

    return compiled


def test_a_compiled_network_computes_the_same_with_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def compiler(graph: Any, inputs: Any) -> Any:
        seen.append(len(inputs))
        return graph.forward

    monkeypatch.setattr(torch, "compile", by(compiler))
    told: list[str] = []
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(144, 2)
    )
    compiled = forward(module, "always", told, steps=1234)
    assert told == ["compiling the network, for 1,234 steps (`compile: always`)"]
    for images in (8, 8, 5):  # an epoch's last batch is smaller
        x = torch.randn(images, 3, 8, 8)
        module.eval()
        with torch.no_grad():
            assert torch.equal(compiled(x), module(x))
        module.train()
        compiled(x).sum().backward()
    assert seen
    assert all(parameter.grad is not None for parameter in module.parameters())


def refusing(graph: Any, inputs: Any) -> Any:
    raise RuntimeError("no C++ compiler found\n  at line 3")


def test_auto_goes_on_without_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", by(refusing))
    monkeypatch.setattr("specforge.training.compilation.pays", lambda device, steps: True)
    told: list[str] = []
    module = nn.Linear(3, 2)
    compiled = forward(module, "auto", told)
    x = torch.randn(4, 3)
    assert torch.equal(compiled(x), module(x))
    assert not compiled.is_compiled
    assert len(told) == 2
    assert "no C++ compiler found" in told[1]
    assert told[1].endswith("training goes on without")


def test_always_stops_and_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", by(refusing))
    with pytest.raises(TrainingError, match="can't be compiled") as raised:
        forward(nn.Linear(3, 2), "always", [])(torch.randn(4, 3))
    assert raised.value.hint == "write `compile: never`"


def test_memory_that_runs_out_is_no_fault_of_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(x: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch, "compile", lambda module, **_: full)
    with pytest.raises(torch.OutOfMemoryError):
        forward(nn.Linear(3, 2), "always", [])(torch.randn(4, 3))
