"""Self-attention of tokens, with the tensors of torch.nn.MultiheadAttention."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class MultiHeadAttention(nn.Module):
    """(N, L, C) -> (N, L, C): every token becomes a mean of all tokens, in `num_heads` groups of channels.

    Equals `torch.nn.MultiheadAttention(C, num_heads, batch_first=True)` of the token with itself, which has a second
    path in evaluation that flop counters don't see. `dropout` acts on the attention's weights.
    """

    def __init__(self, channels: int, num_heads: int, *, dropout: float = 0.0, bias: bool = True):
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels)) if bias else None
        self.out_proj = nn.Linear(channels, channels, bias=bias)
        nn.init.xavier_uniform_(self.in_proj_weight)
        if bias:
            nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor) -> Tensor:
        projected = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        # (N, L, 3 C) -> queries, keys and values of (N, heads, L, C / heads)
        query, key, value = torch.unflatten(projected, 2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        result: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return result

    def extra_repr(self) -> str:
        return f"num_heads={self.num_heads}, dropout={self.dropout}"
