"""The network's forward and backward pass, compiled where that pays.

In: a module as it was built. Out: what to call in training instead of it. Evaluation calls the module itself.

On a CPU, compiling gains nothing over the fast forms that the graph has already. On a GPU it fuses what lies between
matrix products and, by CUDA graphs, starts a step's kernels together; compiling takes a minute or so, hence `auto`
compiles there when the run is long.
"""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from specforge.training.errors import TrainingError

Word = Literal["auto", "always", "never"]
# optimizer steps: below that, saving some milliseconds in each does not make up for compiling
PAYS_AFTER = 5_000
_HINT = "write `compile: never`"


def pays(device: torch.device, steps: int) -> bool:
    """Whether compiling is worth its time for a run of so many steps."""
    return device.type == "cuda" and steps >= PAYS_AFTER


class Forward:
    """Calls a module, compiled or not. With `auto`, a network that can't be compiled is called as it is."""

    def __init__(self, module: nn.Module, word: Word, *, device: torch.device, steps: int, tell: Callable[[str], None]):
        self._module, self._word, self._tell = module, word, tell
        self._graphs = device.type == "cuda"
        self._has_run = False
        self._call: Callable[[Tensor], Any] = module
        self.is_compiled = word == "always" or (word == "auto" and pays(device, steps))
        if self.is_compiled:
            tell(f"compiling the network, for {steps:,} steps (`compile: {word}`)")
            self._call = torch.compile(module, dynamic=False, mode="reduce-overhead" if self._graphs else None)

    def __call__(self, images: Tensor) -> Any:
        if not self.is_compiled:
            return self._module(images)
        if self._graphs:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if self._has_run:
            return self._call(images)
        try:
            outputs = self._call(images)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            return self._uncompiled(images, error)
        self._has_run = True
        return outputs

    def _uncompiled(self, images: Tensor, error: RuntimeError) -> Any:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        # torch's first line names only who failed
        why = f"the network can't be compiled: {' '.join(lines[:2]) or type(error).__name__}"
        if self._word == "always":
            raise TrainingError(why, hint=_HINT) from error
        self._tell(f"{why}; training goes on without")
        self.is_compiled = False
        return self._module(images)
