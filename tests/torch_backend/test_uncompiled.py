"""Optimizers without the compiler's marks learn bit for bit what torch's own do, and never load the compiler."""

import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import torch

from specforge.torch_backend.calls import TABLE
from specforge.torch_backend.uncompiled import uncompiled

ROOT = Path(__file__).parents[2]
WORDS = "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS NAdam RAdam RMSprop Rprop SGD"
KINDS: dict[str, Any] = {name: getattr(torch.optim, name) for name in WORDS.split()}

SCRIPT = """
import sys, torch
from specforge.torch_backend.calls import TABLE
for name in sys.argv[1:]:
    parameter = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = TABLE[name]([parameter], lr=0.1)
    def loss():
        optimizer.zero_grad()
        value = parameter.square().sum()
        value.backward()
        return value
    optimizer.step(loss)
    optimizer.load_state_dict(optimizer.state_dict())
    assert parameter.sum() < 4, name
print(*(name for name in sys.modules if name == "torch._dynamo"))
"""


def learned(kind: Any, seen: Callable[[], None] = lambda: None) -> tuple[torch.Tensor, Any]:
    """The parameter after three steps; `seen` is told of each."""
    parameter = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3) / 7)
    optimizer = kind([parameter], lr=0.1)

    def loss() -> torch.Tensor:
        seen()
        optimizer.zero_grad()
        value = (parameter - 1).pow(4).sum()
        value.backward()
        return value

    for _ in range(3):
        optimizer.step(loss)
    return parameter, optimizer


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_learns_what_torchs_own_does(kind: type[torch.optim.Optimizer]) -> None:
    light = uncompiled(kind)
    ours, theirs = learned(light), learned(kind)
    assert torch.equal(ours[0], theirs[0])
    assert ours[0].grad_fn is None
    assert light.__name__ == kind.__name__
    assert issubclass(light, kind)
    before, after = theirs[1].state_dict(), ours[1].state_dict()
    assert before["param_groups"] == after["param_groups"]
    assert before["state"].keys() == after["state"].keys()


def test_no_optimizer_of_the_table_loads_the_compiler() -> None:
    names = [f"torch.optim.{name}" for name in KINDS] + ["specforge.torch_backend.muon.Muon"]
    assert set(names) <= TABLE.keys()
    command = [sys.executable, "-c", SCRIPT, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


@pytest.mark.parametrize("used_before", [False, True])
def test_hooks_are_called_once_a_step(used_before: bool) -> None:
    # an optimizer's first object puts the hooks around its class's `step`
    class Own(torch.optim.SGD):
        pass

    if used_before:
        learned(Own)
    light = uncompiled(Own)
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer: Any = light([parameter], lr=0.1)  # type: ignore[call-arg]  # SGD's argument
    calls: list[str] = []
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    parameter.sum().backward()
    optimizer.step()
    assert calls == ["before", "after"]
    assert parameter.tolist() == pytest.approx([0.9, 0.9])


def test_only_the_compilers_marks_are_taken_off() -> None:
    steps: list[int] = []

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(step)
        def outer(self: Any, *arguments: Any) -> Any:
            steps.append(1)
            return step(self, *arguments)

        return outer

    class Counting(torch.optim.LBFGS):  # whose step has no such mark
        step = counted(torch.optim.LBFGS.step)  # type: ignore[assignment]  # the same form

    learned(uncompiled(Counting))
    assert len(steps) == 3


def test_the_closure_has_gradients_where_the_step_has_none() -> None:
    states: list[bool] = []
    learned(uncompiled(torch.optim.Adam), lambda: states.append(torch.is_grad_enabled()))
    assert states == [True] * 3
