"""The arithmetic of a run: float32, or half of its bits where they do.

In: the recipe's word and a device. Out: a context in which torch's operations run, and the scaler that float16 needs so
that small gradients don't vanish.
"""

from typing import Literal

import torch

from specforge.training.errors import TrainingError

Word = Literal["auto", "float32", "bfloat16", "float16"]


class Precision:
    """Weights stay in float32; operations for which fewer bits do run in `dtype`."""

    def __init__(self, word: Word, device: torch.device):
        self.device, self.dtype = device, _dtype(word, device)
        self.scaler = torch.amp.GradScaler(device.type) if self.dtype == torch.float16 else None

    def context(self) -> torch.autocast:
        """In which the network runs; for float32 it changes nothing."""
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32)

    def state(self) -> dict[str, float | int]:
        """What the scaler remembers, in plain numbers."""
        return {} if self.scaler is None else self.scaler.state_dict()

    def restore(self, state: dict[str, float | int]) -> None:
        if self.scaler is not None and state:
            self.scaler.load_state_dict(state)


def _dtype(word: Word, device: torch.device) -> torch.dtype:
    if word == "auto":
        has_bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if has_bfloat16 else torch.float32
    if word == "float16" and device.type == "cpu":
        raise TrainingError(
            "`precision: float16` needs a GPU: a CPU computes it far slower than float32",
            hint="write `auto`, `float32` or `bfloat16`",
        )
    dtype: torch.dtype = getattr(torch, word)
    return dtype
