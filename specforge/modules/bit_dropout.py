"""Dropout whose draws are cheap on a CPU."""

import torch
from torch import Tensor, nn

_BITS = ((8, torch.uint8), (32, torch.int32))


class BitDropout(nn.Module):
    """(N, …) -> the same: in training each value is zero with probability `p`, and the others grow by 1 / (1 - p).

    Equals `torch.nn.Dropout` in law, not in its draws. A value is compared with 8 random bits where `p` is a multiple
    of 1 / 256, else with 32, which is as near to `p` as torch's own draws are. The generator fills whole words of 64
    bits, one after the other, so the draws don't depend on the number of threads.
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        self.p = p
        self._bits, self._dtype = _BITS[0] if (p * 256).is_integer() else _BITS[1]
        # the dtype of 32 bits is signed
        self._below = round(p * 2**self._bits) - (0 if self._bits == 8 else 2**31)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        words = -(-x.numel() * self._bits // 64)
        drawn = torch.empty(words, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = drawn.view(self._dtype)[: x.numel()] >= self._below
        factors = torch.empty_like(x)
        # in the order of memory, so that nothing is permuted
        torch.mul(kept, 1 / (1 - self.p), out=factors.as_strided((x.numel(),), (1,)))
        return x * factors

    def extra_repr(self) -> str:
        return f"p={self.p}"
