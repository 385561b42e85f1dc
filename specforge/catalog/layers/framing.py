"""Layers that take a part of what arrives, or put a border around it."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, model_validator

from specforge.catalog.definition import Call, Count, Extent, Kept, Layer
from specforge.catalog.layers.definition import spatial
from specforge.catalog.layers.reshaping import axis_at
from specforge.shapes import Misfit, Shape, per_axis, spelled


def _is_width(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _widths(value: object) -> object:
    entries = value if isinstance(value, tuple) else (value,)
    for entry in entries:
        pair = isinstance(entry, tuple) and len(entry) == 2 and all(map(_is_width, entry))
        if not (pair or _is_width(entry)):
            raise ValueError(
                "a whole number of at least 0, or a list of one or of [before, behind] for each spatial axis"
            )
    return value


Widths = Annotated[int | tuple[int | tuple[int, int], ...], BeforeValidator(_widths)]


def _each_side(
    widths: int | tuple[int | tuple[int, int], ...], axes: int, argument: str
) -> tuple[tuple[int, int], ...]:
    """The width before and behind every spatial axis."""
    if isinstance(widths, tuple) and len(widths) != axes:
        message = f"`{argument}` has {len(widths)} entries, but the input has {axes} spatial axes"
        raise Misfit(message, hint=f"write one number, or a list of {axes}", argument=argument)
    entries = widths if isinstance(widths, tuple) else (widths,) * axes
    return tuple(entry if isinstance(entry, tuple) else (entry, entry) for entry in entries)


class Pad(Layer):
    """Puts a border around the spatial axes.

        pad: {padding: [[0, 1], [0, 1]], mode: replicate}

    Shapes: (N, C, H, W) -> (N, C, H + before + behind, W + before + behind); (N, C, L) and (N, C, D, H, W) alike.
    `padding` is a number of pixels for all sides, or a list with a number or [before, behind] for each spatial axis, in
    their order. `mode` is `constant` (`value`, 0 by default), `reflect` (mirrors without repeating the edge),
    `replicate` (repeats the edge) or `circular` (goes on at the other end).

    Errors: a border too wide for `reflect` (it must be smaller than the input) or `circular` (at most as wide); a
    `value` with another mode than `constant`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
    """

    main: ClassVar[str | None] = "padding"
    also_known_as: ClassVar[tuple[str, ...]] = ("zeropadding2d", "zero_pad", "zeropad2d", "padding")
    padding: Widths
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant"
    value: float = 0.0

    @model_validator(mode="after")
    def _value_is_used(self) -> "Pad":
        if self.value != 0 and self.mode != "constant":
            raise ValueError(f"`value` has no meaning with `mode: {self.mode}`; remove it, or use `mode: constant`")
        return self

    def output_shape(self, input: Shape) -> Shape:
        sizes = spatial(self, input)
        borders = _each_side(self.padding, len(sizes), "padding")
        slack = {"reflect": 1, "circular": 0}.get(self.mode)
        if slack is not None and any(max(border) > size - slack for border, size in zip(borders, sizes, strict=True)):
            message = f"`{self.mode}` pads an input of {spelled(sizes)} by {', '.join(map(spelled, borders))}"
            limit = "less than" if slack else "at most"
            raise Misfit(message, hint=f"pad by {limit} the input's size, or use `replicate`", argument="padding")
        return (input[0], *(size + sum(border) for size, border in zip(sizes, borders, strict=True)))

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (min(low, self.value), max(high, self.value)) if self.mode == "constant" else (low, high)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "its border is 0 wide" if self.output_shape(input) == input else None

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept(input=self.mode in ("reflect", "replicate"))

    def lower(self, input: Shape) -> Call:
        axes = len(input) - 1
        # torch lists the last axis first
        padding = tuple(width for border in reversed(_each_side(self.padding, axes, "padding")) for width in border)
        name = {"constant": "Constant", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
        value = {"value": self.value} if self.mode == "constant" else {}
        return Call(f"torch.nn.{name[self.mode]}Pad{axes}d", {"padding": padding, **value})


class _Part(Layer):
    """Some of the values that arrive, in the same memory."""

    is_view: ClassVar[bool] = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def kept(self, input: Shape, output: Shape) -> Kept:
        return Kept()


class Crop(_Part):
    """Takes the middle of the spatial axes, or takes away their margins.

        crop: 24

    Shapes: (N, C, H, W) -> (N, C, *size), or with `margin` (N, C, H - before - behind, W - before - behind); (N, C, L)
    and (N, C, D, H, W) alike. `size` is in pixels, one number or a list with one for each spatial axis; where an odd
    number of pixels goes, one more goes behind. `margin` is a number of pixels for all sides, or a list with a number
    or [before, behind] for each spatial axis.

    Errors: both arguments, or none; a `size` larger than the input; margins that leave nothing.

    Source: Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597
    """

    main: ClassVar[str | None] = "size"
    passes_shift: ClassVar[bool] = True
    also_known_as: ClassVar[tuple[str, ...]] = ("center_crop", "centercrop", "cropping2d")
    size: Extent | None = None
    margin: Widths | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Crop":
        if (self.size is None) == (self.margin is None):
            raise ValueError("needs either `size` or `margin`; write `crop: 24`, or `crop: {margin: 4}`")
        return self

    def output_shape(self, input: Shape) -> Shape:
        sizes = spatial(self, input)
        argument = "margin" if self.size is None else "size"
        if self.margin is not None:
            margins = _each_side(self.margin, len(sizes), "margin")
            rest = tuple(size - sum(margin) for size, margin in zip(sizes, margins, strict=True))
        else:
            assert self.size is not None
            rest = per_axis(self.size, len(sizes), argument="size")
        if any(not 1 <= left <= there for left, there in zip(rest, sizes, strict=True)):
            message = f"{spelled(rest)} can't be cropped out of {spelled(sizes)}"
            raise Misfit(message, hint="crop less, or use `pad` to make an image larger", argument=argument)
        return (input[0], *rest)

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        nothing = self.margin is not None and self.output_shape(input) == input
        return "its margins are 0 wide" if nothing else None

    def lower(self, input: Shape) -> Call:
        axes = len(input) - 1
        if self.margin is not None:
            return Call("specforge.modules.Crop", {"margins": _each_side(self.margin, axes, "margin")})
        assert self.size is not None
        return Call("specforge.modules.Crop", {"size": per_axis(self.size, axes, argument="size")})


class Slice(_Part):
    """Takes a range of entries of one axis, by default of the channels.

        slice: {dim: 1, start: 0, stop: 2}

    Shapes: (N, C, H, W) -> (N, ⌈(stop - start) / step⌉, H, W) with `dim: 1`. As in Python, `start` is part of it and
    `stop` is not, numbers count from 0, negative ones from the end; without `stop` it goes to the end, and a `step` of
    2 takes every second one. `dim` is torch's: the batch is 0, negative numbers count from the end.

    Errors: an axis that doesn't exist; numbers beyond the axis; a range of no entries.

    Source: https://docs.python.org/3/library/functions.html#slice
    """

    also_known_as: ClassVar[tuple[str, ...]] = ("narrow", "chunk", "split")
    passes_shift: ClassVar[bool] = True
    dim: int = 1
    start: int = 0
    stop: int | None = None
    step: Count = 1

    def output_shape(self, input: Shape) -> Shape:
        axis = axis_at(self.dim, input)
        size = input[axis]
        for name, place in (("start", self.start), ("stop", self.stop)):
            if place is not None and not -size <= place <= size:
                message = f"`{name}: {place}` is beyond axis {self.dim} of {spelled(input)}, which has {size} entries"
                raise Misfit(message, hint=f"write a number from {-size} to {size}", argument=name)
        left = len(range(size)[self.start : self.stop : self.step])
        if not left:
            if self.stop is None:
                message = f"`start: {self.start}` leaves nothing of an axis of {size} entries"
                raise Misfit(message, hint=f"write a number below {size}", argument="start")
            message = f"nothing lies from {self.start} to before {self.stop} in an axis of {size} entries"
            raise Misfit(message, hint="`stop` must come after `start`", argument="stop")
        return (*input[:axis], left, *input[axis + 1 :])

    def strides(self, axes: int) -> tuple[int, ...]:
        sliced = self.dim + axes + 2 if self.dim < 0 else self.dim
        return tuple(self.step if axis == sliced else 1 for axis in range(2, axes + 2))

    def idle(self, input: Shape, low: float, high: float) -> str | None:
        return "it takes all entries" if (self.start, self.stop, self.step) == (0, None, 1) else None

    def lower(self, input: Shape) -> Call:
        arguments = self.model_dump(exclude={"dim"}, exclude_defaults=True)
        return Call("specforge.modules.Slice", {"dim": axis_at(self.dim, input) + 1, **arguments})


class Select(_Part):
    """Takes one entry of an axis, which is then gone, such as the class token of a row of tokens.

        layers:
          - patch_embedding: {patch_size: 8, out_channels: 16}
          - class_token
          - select: {dim: 1, index: 0}

    Shapes: (N, L, C) -> (N, C) with `dim: 1`. `index` counts from 0, negative ones from the end. `dim` is torch's: the
    batch is 0, negative numbers count from the end.

    Errors: an axis that doesn't exist; an entry that it does not have; an input of a single axis.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.select.html
    """

    main: ClassVar[str | None] = "index"
    dim: int = 1
    index: int = 0

    def output_shape(self, input: Shape) -> Shape:
        axis = axis_at(self.dim, input)
        if len(input) == 1:
            raise Misfit(f"`select` takes away an axis, {spelled(input)} has one", hint="use `slice` to keep the axis")
        if not -input[axis] <= self.index < input[axis]:
            message = f"axis {self.dim} of {spelled(input)} has no entry {self.index}"
            raise Misfit(message, hint=f"entries go from 0 to {input[axis] - 1}", argument="index")
        return (*input[:axis], *input[axis + 1 :])

    def lower(self, input: Shape) -> Call:
        return Call("specforge.modules.Select", {"dim": axis_at(self.dim, input) + 1, "index": self.index})
