"""Self-attention inside windows of a grid of tokens.

Legend: N images, H and W tokens down and across, C channels; a window has A = window_size[0] · window_size[1] tokens.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

OTHER_SIDE = -100.0  # what the published weights were trained with, instead of minus infinity


class WindowAttention(nn.Module):
    """(N, H, W, C) -> the same: every token becomes a mean of its window's tokens, in `num_heads` groups of channels.

    A learned bias for every distance inside a window is added to the attention's logits. Windows start `shift` tokens
    later, and those that reach over the end go on at the start, where the two sides don't see each other; along an axis
    that one window covers nothing is shifted. The grid is completed with zeros to whole windows. `dropout` acts on the
    attention's weights.
    """

    relative_position_index: Tensor

    def __init__(
        self,
        channels: int,
        num_heads: int,
        window_size: Sequence[int],
        *,
        shift: Sequence[int] = (0, 0),
        dropout: float = 0.0,
        bias: bool = True,
    ):
        super().__init__()
        self.num_heads = num_heads
        self.window_size = tuple(window_size)
        self.shift = tuple(shift)
        self.dropout = dropout
        height, width = self.window_size
        self.qkv = nn.Linear(channels, 3 * channels, bias=bias)
        self.proj = nn.Linear(channels, channels, bias=bias)
        distances = (2 * height - 1) * (2 * width - 1)
        self.relative_position_bias_table = nn.Parameter(torch.empty(distances, num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        rows = torch.arange(height).repeat_interleave(width)
        columns = torch.arange(width).repeat(height)
        down = rows[:, None] - rows + height - 1
        across = columns[:, None] - columns + width - 1
        self.register_buffer("relative_position_index", (down * (2 * width - 1) + across).flatten())

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        down, across = self.window_size
        grid = x
        if height % down or width % across:
            grid = functional.pad(x, (0, 0, 0, -width % across, 0, -height % down))
        size = (grid.shape[1], grid.shape[2])
        axes = zip(self.window_size, size, self.shift, strict=True)
        shift = tuple(0 if window >= there else by for window, there, by in axes)
        if any(shift):
            grid = grid.roll((-shift[0], -shift[1]), (1, 2))
        windows = torch.unflatten(torch.unflatten(grid, 2, (-1, across)), 1, (-1, down)).transpose(2, 3)
        mixed = self._attend(windows.flatten(3, 4).flatten(1, 2), self._bias(size, shift))
        # (N, windows, A, C) -> (N, H, W, C)
        mixed = torch.unflatten(torch.unflatten(mixed, 2, (down, across)), 1, (-1, size[1] // across))
        grid = mixed.transpose(2, 3).flatten(3, 4).flatten(1, 2)
        if any(shift):
            grid = grid.roll(shift, (1, 2))
        result: Tensor = self.proj(grid[:, :height, :width])
        return result

    def _attend(self, windows: Tensor, bias: Tensor) -> Tensor:
        """(N, windows, A, C) -> the same; bias (1, windows · heads, A, A)."""
        projected = torch.unflatten(self.qkv(windows), 3, (3, self.num_heads, -1))
        query, key, value = (part.flatten(1, 2) for part in projected.permute(3, 0, 1, 4, 2, 5).unbind())
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)
        return torch.unflatten(mixed, 1, (-1, self.num_heads)).transpose(2, 3).flatten(3)

    def _bias(self, size: tuple[int, int], shift: tuple[int, ...]) -> Tensor:
        """(1, windows · heads, A, A): what is added to the logits of each window's pairs of tokens."""
        down, across = self.window_size
        tokens = down * across
        table = self.relative_position_bias_table[self.relative_position_index]
        learned = table.view(1, tokens, tokens, self.num_heads).permute(0, 3, 1, 2)
        windows = (size[0] // down) * (size[1] // across)
        if not any(shift):
            return learned.expand(windows, -1, -1, -1).flatten(0, 1)[None]
        rows, columns = (self._sides(length, by, table.device) for length, by in zip(size, shift, strict=True))
        sides = (2 * rows[:, None] + columns).view(-1, down, size[1] // across, across)
        sides = sides.transpose(1, 2).reshape(windows, 1, tokens)
        apart = (sides.transpose(1, 2) != sides).to(table.dtype) * OTHER_SIDE
        return (learned + apart[:, None]).flatten(0, 1)[None]

    @staticmethod
    def _sides(length: int, shift: int, device: torch.device) -> Tensor:
        """Along an axis, 1 for the tokens that were moved here from the other end, else 0."""
        return (torch.arange(length, device=device) >= length - shift).long()

    def extra_repr(self) -> str:
        return f"num_heads={self.num_heads}, window_size={self.window_size}, shift={self.shift}, dropout={self.dropout}"
