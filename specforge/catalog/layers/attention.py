"""Layers in which tokens look at each other."""

from math import prod
from typing import ClassVar

from specforge.catalog.definition import Call, Count, Extent, Kept, Layer, Layout, Margin, Parameter, Probability
from specforge.catalog.layers.definition import FLOAT
from specforge.catalog.layers.tokens import grid_shape, token_shape
from specforge.shapes import Misfit, Shape, per_axis, spelled


def _check_heads(channels: int, num_heads: int) -> None:
    if channels % num_heads:
        message = f"tokens of {channels} channels arrive, which {num_heads} heads can't divide"
        raise Misfit(message, hint="choose `num_heads` that divides the channels", argument="num_heads")


class MultiHeadAttention(Layer):
    """Makes every token a weighted mean of all tokens, in several groups of channels with weights of their own.

        layers:
          - patch_embedding: {patch_size: 16, out_channels: 48}
          - multi_head_attention: 4

    Shapes: (N, L, C) -> the same. Self-attention with C / num_heads channels in each head; parameters are those of
    torch.nn.MultiheadAttention: `in_proj_weight`, `in_proj_bias`, `out_proj.weight` and `out_proj.bias`.
    `dropout` is the probability of leaving out a weight in training, `bias` is that of all projections. MACs are those
    of the four projections and of the two products of attention, 4·L·C² + 2·L²·C.

    Errors: what arrives are not tokens; channels not divisible by `num_heads`.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html
    """

    last_axis: ClassVar[Layout | None] = "features"
    main: ClassVar[str | None] = "num_heads"
    also_known_as: ClassVar[tuple[str, ...]] = ("multiheadattention", "self_attention", "attention", "mha")
    num_heads: Count
    dropout: Probability = 0.0
    bias: bool = True

    def output_shape(self, input: Shape) -> Shape:
        _check_heads(token_shape("multi_head_attention", input)[1], self.num_heads)
        return input

    def reach(self, axes: int) -> None:
        return None

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        channels = input[1]
        weights = (("in_proj_weight", (3 * channels, channels)), ("out_proj.weight", (channels, channels)))
        biases = (("in_proj_bias", (3 * channels,)), ("out_proj.bias", (channels,)))
        pairs = zip(weights, biases, strict=True)
        return tuple(Parameter(*tensor) for pair in pairs for tensor in (pair if self.bias else pair[:1]))

    def macs(self, input: Shape, output: Shape) -> int:
        length, channels = input
        return 4 * length * channels**2 + 2 * length**2 * channels

    def kept(self, input: Shape, output: Shape) -> Kept:
        """Queries, keys, values and their mixture, and a number for each token of a head, from which torch's fused
        kernel computes the weights again; that has no dropout, with which the weights are kept too.
        """
        length, channels = input
        weights = 3 * length if self.dropout else 1  # as softmax gives them, what drops them, and the rest
        return Kept(input=True, extra=FLOAT * (4 * length * channels + self.num_heads * length * weights))

    def lower(self, input: Shape) -> Call:
        arguments = {"channels": input[1], **self.model_dump(exclude_defaults=True)}
        return Call("specforge.modules.MultiHeadAttention", arguments)


class WindowAttention(Layer):
    """Makes every token of a grid a weighted mean of the tokens in its window, as Swin Transformers do.

        layers:
          - permute: [2, 3, 1]
          - window_attention: {window_size: 7, num_heads: 3, shift: 3}

    Shapes: (N, H, W, C) -> the same. `window_size` and `shift` are in tokens, a number or a list of one for height and
    one for width. `shift` moves the windows on; tokens that come together around the grid's end don't see each other,
    and an axis that one window covers is not shifted. The grid is completed with zeros to whole windows. `dropout` is
    the probability of leaving out a weight in training, `bias` is that of both projections. Parameters are those of
    torchvision's ShiftedWindowAttention: `relative_position_bias_table`, `qkv.weight`, `qkv.bias`, `proj.weight` and
    `proj.bias`; the index `relative_position_index` is state that counts as no parameter.

    Errors: what arrives is not a grid of tokens; channels not divisible by `num_heads`; a `shift` as large as the
    window.

    Source: Liu et al. 2021, https://arxiv.org/abs/2103.14030
    """

    last_axis: ClassVar[Layout | None] = "features"
    also_known_as: ClassVar[tuple[str, ...]] = ("shifted_window_attention", "swin_attention")
    window_size: Extent
    num_heads: Count
    shift: Margin = 0
    dropout: Probability = 0.0
    bias: bool = True

    def output_shape(self, input: Shape) -> Shape:
        _check_heads(grid_shape("window_attention", input)[2], self.num_heads)
        window, shift = self._window(), per_axis(self.shift, 2, argument="shift")
        if any(by >= size for by, size in zip(shift, window, strict=True)):
            message = f"windows of {spelled(window)} are shifted by {spelled(shift)}"
            raise Misfit(message, hint="shift by less than the window; usual is half of it", argument="shift")
        return input

    def _window(self) -> tuple[int, ...]:
        return per_axis(self.window_size, 2, argument="window_size")

    def _padded(self, input: Shape) -> Shape:
        """Height and width in whole windows."""
        return tuple(-(-size // window) * window for size, window in zip(input[:2], self._window(), strict=True))

    def reach(self, axes: int) -> None:
        return None

    def parameters(self, input: Shape) -> tuple[Parameter, ...]:
        channels, window = input[2], self._window()
        found = [
            Parameter("relative_position_bias_table", (prod(2 * size - 1 for size in window), self.num_heads)),
            Parameter("relative_position_index", (prod(window) ** 2,), "counter"),
        ]
        for name, outputs in (("qkv", 3 * channels), ("proj", channels)):
            found.append(Parameter(f"{name}.weight", (outputs, channels)))
            if self.bias:
                found.append(Parameter(f"{name}.bias", (outputs,)))
        return tuple(found)

    def macs(self, input: Shape, output: Shape) -> int:
        height, width, channels = input
        inside = prod(self._padded(input)) * (3 * channels + 2 * prod(self._window()))
        return channels * (inside + height * width * channels)

    def kept(self, input: Shape, output: Shape) -> Kept:
        """The tokens by window, queries, keys, values, the weights, and the mixture by place."""
        tokens, channels = prod(self._padded(input)), input[2]
        copied = 0 if self._in_order(input) else tokens * channels
        weights = self.num_heads * tokens * prod(self._window()) * (3 if self.dropout else 1)
        extra = copied + 3 * tokens * channels + weights + input[0] * input[1] * channels
        return Kept(input=not copied, extra=FLOAT * extra)

    def _in_order(self, input: Shape) -> bool:
        """Whether the tokens lie window after window as they arrive."""
        (height, width), (down, _) = self._padded(input), self._window()
        moved = any(self._shifts(input)) or (height, width) != input[:2]
        return not moved and (width == self._window()[1] or down == 1)

    def _shifts(self, input: Shape) -> tuple[int, ...]:
        """By how much the windows are moved along each axis: not at all where one covers it."""
        axes = zip(self._padded(input), self._window(), per_axis(self.shift, 2, argument="shift"), strict=True)
        return tuple(0 if window >= size else shift for size, window, shift in axes)

    def lower(self, input: Shape) -> Call:
        shift = {"shift": per_axis(self.shift, 2, argument="shift")} if self.shift else {}
        others = self.model_dump(exclude={"window_size", "shift"}, exclude_defaults=True)
        arguments = {"channels": input[2], "window_size": self._window(), **shift, **others}
        return Call("specforge.modules.WindowAttention", arguments)
