"""Muon for every torch: orthogonalised momentum, for matrices and for the kernels of convolutions.

In: parameters of two axes or more, with gradients. Out: a step against the nearest orthogonal matrix of their
momentum. The arithmetic is torch.optim.Muon's, operation for operation, so that both give the same numbers where torch
has the setting.
"""

from collections.abc import Callable, Iterable
from math import sqrt
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic that grows small singular values fastest
EPSILON = 1e-7
PRECISION = torch.bfloat16  # of the orthogonal matrix


class Muon(torch.optim.Optimizer):
    """Arguments as those of the catalogue's `muon`; a ValueError for a parameter of fewer than two axes."""

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
        adjust_lr: str = "original",
        normalize_weights: bool = False,
    ):
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_steps": ns_steps,
            "adjust_lr": adjust_lr,
            "normalize_weights": normalize_weights,
        }
        super().__init__(params, defaults)
        small = [parameter.ndim for group in self.param_groups for parameter in group["params"] if parameter.ndim < 2]
        if small:
            raise ValueError(f"Muon trains matrices and kernels, found a parameter of {small[0]} axes")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch overloads it
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        update = orthogonal(_direction(gradient, state["momentum_buffer"], group), group["ns_steps"])
        if group["normalize_weights"]:
            parameter.mul_(sqrt(len(parameter)) / parameter.norm().clamp(min=EPSILON))
        rate = group["lr"] * rate_factor(update.shape, group["adjust_lr"])
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update.reshape(parameter.shape), alpha=-rate)


def _direction(gradient: Tensor, average: Tensor, group: dict[str, Any]) -> Tensor:
    """Where the momentum leads, as a matrix."""
    found = gradient.lerp(average, group["momentum"]) if group["nesterov"] else average
    return found.to(PRECISION).reshape(len(found), -1)


def rate_factor(shape: torch.Size, adjust_lr: str) -> float:
    """By how much the rate of a matrix is changed, so that one rate serves for all shapes."""
    rows, columns = shape
    if adjust_lr == "match_rms_adamw":
        return 0.2 * sqrt(max(rows, columns))
    assert adjust_lr == "original"
    return sqrt(max(1, rows / columns))


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Newton-Schulz steps: the matrix with every singular value brought near 1, by five between about 0.6 and 1.3."""
    a, b, c = COEFFICIENTS
    tall = matrix.size(0) > matrix.size(1)
    matrix = matrix.T if tall else matrix  # the smaller product of the two
    matrix = matrix / matrix.norm().clamp(min=EPSILON)
    for _ in range(steps):
        gram = matrix @ matrix.T
        matrix = torch.addmm(matrix, torch.addmm(gram, gram, gram, beta=b, alpha=c), matrix, beta=a)
    return matrix.T if tall else matrix
