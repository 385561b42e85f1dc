"""The optimizers of a stage, and their state as named tensors.

In: the settings of a stage's groups and a module. Out: for each group torch's optimizer in its fastest form for the
device. Their state goes to and comes from `{"optimizer.<parameter>.<key>": tensor}` with the few plain numbers apart,
which is what a safetensors file can hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import signature

import torch
from torch import Tensor, nn

from specforge.catalog.definition import Call, Optimizer
from specforge.torch_backend.calls import TABLE, evaluate

# fused kernels are 1.5 times (SGD) to 2.7 times (Adam) as fast as the others on a CPU, and more on a GPU
_FUSED_DEVICES = ("cpu", "cuda", "mps")
_PREFIX = "optimizer"
# the axes of (O, I, H, W) in the order in which channels-last memory has them, and back
_ROWS, _FROM_ROWS = (0, 2, 3, 1), (0, 3, 1, 2)
_WHOLE = "specforge_whole"


@dataclass(frozen=True, slots=True)
class OptimizerState:
    """All that optimizers remember of their steps; settings come from the spec."""

    tensors: dict[str, Tensor]
    numbers: dict[str, float | int | None]


def build_optimizer(
    optimizer: Optimizer, parameters: Sequence[nn.Parameter], *, lr: float, device: torch.device
) -> torch.optim.Optimizer:
    """Fused where torch has such a kernel for the device, else in the form that torch finds fastest there.

    Gradients are read from the parameters when it steps, and let go of by the module's `zero_grad`.
    """
    call = optimizer.lower()
    plain = replace(call, arguments={**call.arguments, "lr": lr})
    fused = replace(plain, arguments={**plain.arguments, "fused": True})
    has_fused = device.type in _FUSED_DEVICES and "fused" in signature(TABLE[call.target]).parameters
    try:
        built = _fused(fused, parameters, device) if has_fused else evaluate(plain, list(parameters))
    except RuntimeError:  # how torch says that there is no such kernel for the device
        built = evaluate(plain, list(parameters))
    assert isinstance(built, torch.optim.Optimizer)
    return built


def _fused(call: Call, parameters: Sequence[nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    """The fused form. A CPU's kernels copy what is not contiguous, so they are given rows of it instead."""
    if device.type != "cpu":
        return evaluate(call, list(parameters))  # type: ignore[no-any-return]
    given = [_in_rows(parameter) for parameter in parameters]
    built: torch.optim.Optimizer = evaluate(call, given)
    pairs = [(rows, whole) for rows, whole in zip(given, parameters, strict=True) if rows is not whole]

    def take(*_: object) -> None:
        for rows, whole in pairs:
            rows.grad = None if whole.grad is None else whole.grad.permute(_ROWS)

    def let_go(*_: object) -> None:
        for rows, _whole in pairs:
            rows.grad = None

    built.register_step_pre_hook(take)
    built.register_step_post_hook(let_go)
    return built


def _in_rows(parameter: nn.Parameter) -> nn.Parameter:
    """A channels-last weight (O, I, H, W) as a contiguous one of the same memory, (O, H, W, I); others as they are."""
    if parameter.ndim != 4 or parameter.is_contiguous() or not parameter.permute(_ROWS).is_contiguous():
        return parameter
    rows = nn.Parameter(parameter.detach().permute(_ROWS))
    setattr(rows, _WHOLE, parameter)
    return rows


def _whole(parameter: Tensor) -> nn.Parameter:
    """The module's parameter that an optimizer's one stands for."""
    whole = getattr(parameter, _WHOLE, parameter)
    assert isinstance(whole, nn.Parameter)
    return whole


def optimizer_state(optimizers: Sequence[torch.optim.Optimizer], module: nn.Module) -> OptimizerState:
    """The state by parameter names."""
    state = OptimizerState({}, {})
    known = {_whole(given): (given, entries) for one in optimizers for given, entries in one.state.items()}
    for name, parameter in module.named_parameters():
        given, entries = known.get(parameter, (parameter, {}))
        for entry, value in entries.items():
            key = f"{_PREFIX}.{name}.{entry}"
            if isinstance(value, Tensor):
                in_rows = given is not parameter and value.shape == given.shape
                state.tensors[key] = value.permute(_FROM_ROWS) if in_rows else value
            else:
                state.numbers[key] = value
    return state


def restore_optimizer(optimizers: Sequence[torch.optim.Optimizer], module: nn.Module, state: OptimizerState) -> None:
    """Put a state back, each tensor laid out in memory as its parameter: fused kernels read them side by side.

    What is remembered of parameters that stand still now is left out.
    """
    by_name: dict[str, dict[str, object]] = {}
    for key, value in {**state.tensors, **state.numbers}.items():
        name, entry = key.removeprefix(f"{_PREFIX}.").rsplit(".", 1)
        by_name.setdefault(name, {})[entry] = value
    names = {parameter: name for name, parameter in module.named_parameters()}
    for optimizer in optimizers:
        parameters = [_whole(parameter) for group in optimizer.param_groups for parameter in group["params"]]
        by_place = {place: by_name[names[p]] for place, p in enumerate(parameters) if names[p] in by_name}
        optimizer.load_state_dict({"state": by_place, "param_groups": optimizer.state_dict()["param_groups"]})
        for given, entries in optimizer.state.items():
            whole = _whole(given)
            for entry, value in entries.items():
                if isinstance(value, Tensor) and value.shape == whole.shape and value.ndim:
                    laid_out = value.permute(_ROWS) if given is not whole else value
                    entries[entry] = torch.empty_like(given, requires_grad=False).copy_(laid_out)
