"""A linear layer by oneDNN's matrix products."""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class OneDnnLinear(nn.Linear):
    """(N, …, C) -> (N, …, C'): torch's layer with another library's products where that is known to be faster.

    torch multiplies float32 matrices by Intel's MKL, which reaches less than half of the speed of processors that are
    not Intel's; oneDNN, by which torch convolves, has no such favourites. Outputs and gradients differ in the last
    bits. Elsewhere, and for other types of numbers, it is torch's layer.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not (input.device.type == "cpu" and input.dtype == self.weight.dtype == torch.float32 and _is_faster()):
            return super().forward(input)
        if torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
            return super().forward(input)
        result: Tensor = _Product.apply(input.reshape(-1, self.in_features), self.weight, self.bias)
        return result.view(*input.shape[:-1], -1)


class _Product(torch.autograd.Function):
    """(N, C), (C', C), (C') or None -> (N, C')."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        return (
            _product(gradient, weight.t(), None) if for_x else None,
            _product(gradient.t(), x.t(), None) if for_weight else None,
            gradient.sum(0) if for_bias else None,
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x · weightᵀ + bias."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


@cache
def _is_faster() -> bool:
    """Whether torch has oneDNN's product, and the processor is one that MKL does not favour: the same in every run."""
    try:
        vendor = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        _product(torch.ones(1, 1), torch.ones(1, 1), None)
    except (OSError, AttributeError, RuntimeError, NotImplementedError):
        return False
    return "AuthenticAMD" in vendor and bool(torch.backends.mkl.is_available())  # type: ignore[no-untyped-call]
