"""An exponential moving average of a network's weights and running statistics.

In: a module after each step. Out: a second module with the averages, which is validated and tested in its place.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from specforge.recipe import Ema


class Average:
    """`module` holds the averages; it starts as a copy of the weights."""

    def __init__(self, module: nn.Module, ema: Ema):
        self._ema = ema
        self.module = deepcopy(module).requires_grad_(False)
        pairs = list(zip(_state(self.module), _state(module), strict=True))
        self._averages = [average for average, now in pairs if now.is_floating_point()]
        self._counters = [pair for pair in pairs if not pair[1].is_floating_point()]
        # the module's own tensors, which training changes in place
        self._weights = [now for _, now in pairs if now.is_floating_point()]

    def update(self, step: int) -> None:
        """After a step; steps count from 0 over the whole run."""
        kept = min(self._ema.decay, (1 + step) / (10 + step)) if self._ema.warmup else self._ema.decay
        with torch.no_grad():
            torch._foreach_lerp_(self._averages, [weight.detach() for weight in self._weights], 1 - kept)
            for counter, now in self._counters:
                counter.copy_(now)


def _state(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
